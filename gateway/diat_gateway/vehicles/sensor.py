"""The sensor: one camera in a process of its own, at the level that it is set to."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import cv2
import numpy as np
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.wire.envelope import encode
from diat_gateway.cameras import sources
from diat_gateway.cameras.levels import Level, Video, make
from diat_gateway.cameras.line import Outlet
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.vehicles.going import Going
from diat_gateway.vehicles.looking import Looking
from diat_gateway.vehicles.observer import Observer
from diat_gateway.vehicles.setup import Camera, Setup

_LOG = logging.getLogger("diat.vehicles")
_AGAIN = 2.0
"""Seconds until a line that broke is tried again."""


class Figures(Struct):
    """What a sensor did.

    Attributes:
        cpu: s.
        pictures: that it took; ``pieces``: of them sent as video.
        bytes: of that video, or of its reports.
        reports: that it sent; ``vehicles``: records in them; ``listed``: bytes of those.
        began: Unix s of its first picture.
    """

    cpu: float = 0.0
    pictures: int = 0
    pieces: int = 0
    bytes: int = 0
    reports: int = 0
    vehicles: int = 0
    listed: int = 0
    began: float = 0.0


Address = tuple[str, int]
"""Host and port."""


class _Worker(Protocol):
    """What a level does with pictures."""

    def take(self, frame: Frame) -> None: ...

    def finish(self) -> None: ...


class Sensor:
    """One camera: takes pictures and does with them what its level says.

    Told to be at another level it does both for a while, so that whoever looks from then on has learnt the
    background before the other falls silent.

    Args:
        setup: the switch, and the camera.
        name: of the camera.
        start: Unix s of its first picture.
        mqtt: broker of its aggregator.
        video: where its aggregator takes video; None if nothing does.
    """

    def __init__(self, setup: Setup, name: str, start: float, mqtt: Address, video: Address | None) -> None:
        self._setup, self._name, self._start, self._video = setup, name, start, video
        if video is None and setup.level != "high":
            raise Invalid("an address for video is wanted", "video")
        self._camera = setup.cameras[name]
        self.figures = Figures(began=start)
        self._wanted: Level = setup.level
        self._changing = threading.Lock()
        ground = self._camera.ground
        self._observer = Observer(
            mqtt, name, setup.place, ground.residual, level=(setup.level, self._set_level)
        )
        self._going: Going[Level, _Worker] = Going(self._worker)

    def run(self) -> Figures:
        """Take pictures until the source ends."""
        cv2.setNumThreads(1)
        began = time.process_time()
        if not self._camera.source.endswith(".npy"):
            self._start = time.time()  # what comes by itself begins when it does
        for frame in frames(self._camera, self._start, lambda how: self._observer.say(stream=how)):
            self.figures.pictures += 1
            with self._changing:
                wanted = self._wanted
            if wanted != self._going.kind:
                self._going.over(wanted, frame.t)
            for worker in self._going.at(frame.t):
                worker.take(frame)
        self._going.finish()
        self._observer.close()
        self.figures.cpu = time.process_time() - began
        return self.figures

    def _set_level(self, level: Any) -> None:
        if level != "high" and self._video is None:
            raise ValueError("nobody takes video of this camera")
        with self._changing:
            self._wanted = level

    def _worker(self, level: Level) -> _Worker:
        if level == "high":
            return _Records(self._setup, self._name, self._observer, self._start, self.figures)
        assert self._video is not None
        self._observer.say(sight="unknown")
        return _Stream(level, self._camera.fps, self._name, self._start, self._video, self.figures)


class _Records:
    """``high``: looks itself, and tells."""

    def __init__(self, setup: Setup, name: str, observer: Observer, start: float, figures: Figures) -> None:
        def tell(records: list[dict[str, Any]], t: float, impaired: str | None) -> None:
            figures.reports += 1
            figures.vehicles += len(records)
            figures.listed += len(encode(records)) - 2
            figures.bytes += observer.tell(records, round((start + t) * 1000), impaired)

        looking = Looking(setup.cameras[name].ground, setup.every, tell)
        self.take, self.finish = looking.take, looking.finish


class _Stream:
    """``low`` and ``middle``: sends video; while nobody takes it, it is not kept back."""

    def __init__(
        self, level: Level, fps: float, name: str, start: float, to: Address, figures: Figures
    ) -> None:
        self._kind, self._fps, self._to = level, fps, to
        self._level, self._outlet = make(level, fps), Outlet(*to)
        self._head = {"c": name, "s": level}
        self._start, self._figures = start, figures
        self._due: float | None = None

    def take(self, frame: Frame) -> None:
        if self._due is not None:
            if frame.t < self._due:
                return
            self._again(frame.t)
        self._send(self._level.take(frame), frame.t)

    def finish(self) -> None:
        self._send(self._level.finish(), 0.0)
        with suppress(OSError):
            self._outlet.send({**self._head, "end": True})
        self._outlet.close()

    def _again(self, t: float) -> None:
        """Connect anew; what begins then can be looked at without what was before."""
        try:
            self._outlet = Outlet(*self._to, patience=5.0)
        except OSError:
            self._due = t + _AGAIN
            return
        self._level, self._due = make(self._kind, self._fps), None

    def _send(self, pieces: list[Any], t: float) -> None:
        for piece in pieces:
            if not isinstance(piece, Video) or self._due is not None:
                continue
            self._figures.pieces += 1
            self._figures.bytes += len(piece.data)
            head: dict[str, Any] = {**self._head, "t": round(piece.t, 3)}
            if piece.key:
                head["k"] = self._start
            if piece.begins:
                head["begins"] = True
            try:
                self._outlet.send(head, piece.data)
            except OSError as error:
                _LOG.warning("%s: nobody takes its video: %s", self._head["c"], error)
                self._due = t + _AGAIN


def frames(camera: Camera, start: float, say: Callable[[str], None]) -> Iterator[Frame]:
    """The pictures of a source: an array on disk at its own pace, or whatever else cameras are.

    Raises:
        Invalid: there are none.
    """
    if not camera.source.endswith(".npy"):
        yield from sources.frames(sources.Source(camera.source, camera.fps), say, _pause)
        return
    try:
        stored = np.load(camera.source, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise Invalid(f"{camera.source}: {error}", "source") from None
    for number, image in enumerate(stored):
        t = number / camera.fps
        _pause(start + t - time.time())
        yield Frame(t, np.ascontiguousarray(image), number)


def _pause(seconds: float) -> bool:
    time.sleep(max(0.0, seconds))
    return False
