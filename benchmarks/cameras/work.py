"""The benchmark as pieces that run side by side, each in a process, with one broker for all."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from diat_gateway.cameras import truth
from diat_gateway.cameras.scenes.scene import CAMERAS, Scene, Weather

from benchmarks.cameras import clips, measuring, running
from benchmarks.cameras.judging import Verdict

WEATHER = {
    "day": Weather(),
    "night": Weather(night=True, noise=4.0),
    "exposure": Weather(exposure=((15.0, 1.35), (28.0, 0.7))),
    "noise": Weather(noise=6.0),
    "sway": Weather(sway=2.5),
    "shake": Weather(shake=1.0),
}
SIDE_BY_SIDE = 2
"""Pieces at once, unless told otherwise."""


@dataclass(frozen=True)
class Piece:
    """One clip and what is done with it.

    Attributes:
        what: ``scene``, ``controls``, ``map`` or ``clip``.
        weather: of a scene.
        camera: of a scene.
        seed: of a scene.
        seconds: of a scene.
        events: of a scene.
        path: of a clip.
        known: what happened in it.
    """

    what: str
    weather: str = "day"
    camera: int = 0
    seed: int = 1
    seconds: float = 40.0
    events: int = 3
    path: Path = Path()
    known: Path = Path()

    @property
    def name(self) -> str:
        """As it is shown."""
        if self.what == "scene":
            return f"{self.weather}, camera {self.camera + 1}"
        return "controls" if self.what == "controls" else self.path.name


@dataclass
class Done:
    """What came of a piece, and the wall time that it took, s."""

    piece: Piece
    verdicts: list[Verdict] = field(default_factory=list)
    took: float = 0.0


def scenes(names: Sequence[str], seed: int, seconds: float, events: int) -> list[Piece]:
    """Every camera of a scene in each weather; each weather has a seed of its own."""
    return [
        Piece("scene", name, camera, seed + list(WEATHER).index(name), seconds, events)
        for name in names
        for camera in range(len(CAMERAS))
    ]


def run(pieces: Sequence[Piece], port: int, jobs: int) -> Iterator[Done]:
    """Run them, so many at once; gives each as it is done.

    Args:
        pieces: what to do; the longest first.
        port: of the broker.
        jobs: processes.
    """
    with multiprocessing.get_context("spawn").Pool(jobs, _prepare, (port,)) as pool:
        yield from pool.imap_unordered(_do, pieces)


_post: list[running.Post] = []


def _prepare(port: int) -> None:
    cv2.setNumThreads(1)
    _post.append(running.Post(port))


def _do(piece: Piece) -> Done:
    began = time.monotonic()
    done = Done(piece, list(_verdicts(piece, _post[0])))
    done.took = time.monotonic() - began
    return done


def _verdicts(piece: Piece, post: running.Post) -> Iterator[Verdict]:
    if piece.what in ("scene", "controls"):
        scene = Scene(piece.seed, piece.seconds, piece.events, weather=WEATHER[piece.weather])
        frames, known = list(scene.frames(piece.camera)), scene.truth(piece.camera)
        if piece.what == "controls":
            yield from measuring.controls(post, frames, known)
        else:
            yield from (each for each, _ in measuring.clip(post, piece.name, frames, known, None))
        return
    frames, fps = clips.frames_of(piece.path)
    high, wide = frames[0].image.shape[:2]
    known = truth.read(piece.known, fps=fps, width=wide, height=high)
    size = piece.path.stat().st_size
    if piece.what == "map":
        yield measuring.ground_map(piece.name, frames, known, size, post)
    else:
        yield from (each for each, _ in measuring.clip(post, piece.name, frames, known, size))
