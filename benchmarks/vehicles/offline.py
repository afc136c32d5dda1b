"""The six cases without processes and sockets: the same code on one thread, so that more scenes are scored.

What it says of a map is what looking, video and fusion lose; processes add lines and time to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from diat_gateway.cameras import levels
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.score import MapScore
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.vehicles.ground import Ground
from diat_gateway.vehicles.looking import Looking, Watching
from diat_gateway.vehicles.setup import CASES, Level, Setup

from benchmarks.vehicles import junction
from diat.cvol.steps import Given, Sample
from diat.cvol.steps.ground import Track

NOON = 1_767_268_800_000
Told = tuple[int, str, list[dict[str, Any]]]
"""Unix ms to which it belongs, who said it, and what."""


def score(seed: int, seconds: float, events: int, width: int) -> dict[int, MapScore]:
    """Each case on the scene of a seed."""
    filmed = junction.scene(seed, seconds, events, width)
    films = {name: list(filmed.frames(number)) for number, name in enumerate(junction.NAMES)}
    return scored(filmed, junction.described(filmed), films)


def scored(filmed: Scene, setup: Setup, films: dict[str, list[Frame]]) -> dict[int, MapScore]:
    """Each case on a scene whose pictures are given by camera."""
    found = {}
    for level in levels.LEVELS:
        told = [
            each
            for name, frames in films.items()
            for each in seen(level, frames, name, setup.cameras[name].ground, filmed.fps, setup.every)
        ]
        told.sort(key=lambda each: each[:2])
        for case, (of, analysis) in CASES.items():
            if of == level:
                found[case] = judged(filmed, told, setup if analysis == "aggregator" else None)
    return found


def judged(filmed: Scene, told: Iterable[Told], setup: Setup | None = None) -> MapScore:
    """How right the map of what cameras told is; with a setup, the map of its aggregators' maps."""
    if setup is not None:
        unit = {name: aggregator for aggregator, mine in setup.aggregators.items() for name in mine}
        whole = list(told)
        told = [
            (at, aggregator, value)
            for aggregator in setup.aggregators
            for at, value in maps(each for each in whole if unit[each[1]] == aggregator)
        ]
        told.sort(key=lambda each: each[:2])
    made = [((max((v["at"] for v in value), default=at) - NOON) / 1000, value) for at, value in maps(told)]
    return junction.judged(filmed, made)


def maps(told: Iterable[Told]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """What ``track`` makes of reports, one map for each."""
    step, state = Track(id="vehicles", role="observers"), None
    for at, name, value in told:
        outcome = step.run(Given(arrived=[Sample(value, at, 0, name)], state=state, now=at + 50))
        state = outcome.state
        if outcome.value is not None:
            yield at, outcome.value


def seen(
    level: Level, frames: Iterable[Frame], name: str, ground: Ground, fps: float, every: float
) -> list[Told]:
    """What is told of the pictures of one camera: of them as they are, or of the video that a level sends."""
    told: list[Told] = []

    def tell(records: list[dict[str, Any]], t: float, _why: str | None) -> None:
        told.append((NOON + round(t * 1000), name, records))

    looking = Looking(ground, every, tell)
    if level == "high":
        for frame in frames:
            looking.take(frame)
        looking.finish()
        return told
    worker, watching = levels.make(level, fps), Watching(looking)

    def send(out: list[levels.Out]) -> None:
        for piece in out:
            if isinstance(piece, levels.Video):
                watching.take(piece.t, piece.data, begins=bool(piece.begins))

    for frame in frames:
        send(worker.take(frame))
    send(worker.finish())
    watching.finish()
    return told
