"""The unit that takes video: at an aggregator it looks at it or passes it on, in the cloud it looks at it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import cv2
from av.error import FFmpegError

from diat.adapters.brokers.address import BrokerAddress
from diat.nodes.native import NativeNode
from diat_gateway.cameras.levels import LEVELS
from diat_gateway.cameras.line import Inlet, Outlet
from diat_gateway.vehicles.going import Going
from diat_gateway.vehicles.looking import Looking, Watching
from diat_gateway.vehicles.observer import Observer
from diat_gateway.vehicles.setup import Analysis, Setup

_LOG = logging.getLogger("diat.vehicles")
Key = tuple[str, str]
"""Camera, and the level of the video: two of one camera may come while it goes over to another."""


class _Sink(Protocol):
    """Where the pieces of one video go; the first piece begins with a whole picture."""

    def take(self, head: dict[str, Any], data: bytes) -> None: ...

    def finish(self) -> None: ...


class Unit:
    """Takes the video of several cameras, as a native thing that is told where it is looked at.

    Args:
        setup: the cameras, and where analysis is done at first.
        name: of this unit; its thing is called ``NAME-unit``.
        mqtt: the broker beside it.
        cloud: where video is passed on to; None if it is looked at here in any case.
    """

    def __init__(
        self, setup: Setup, name: str, mqtt: tuple[str, int], cloud: tuple[str, int] | None = None
    ) -> None:
        cv2.setNumThreads(1)
        self._setup, self._name, self._mqtt, self._cloud = setup, name, mqtt, cloud
        self._analysis: Analysis = setup.analysis
        self._videos: dict[Key, _Video] = {}
        self._lock = threading.Lock()
        setters = {} if cloud is None else {"analysis": self._set}
        self._node = NativeNode(
            BrokerAddress(*mqtt), f"{name}-unit", _description(setup, name), setters=setters
        )
        self._node.start()
        self._node.report({"analysis": self._analysis if cloud is not None else "cloud"})

    def receive(self, head: dict[str, Any], data: bytes) -> None:
        """A piece of video; what is none is left out."""
        camera, level, t = head.get("c"), head.get("s"), head.get("t", 0.0)
        if camera not in self._setup.cameras or level not in LEVELS or not isinstance(t, int | float):
            _LOG.warning("video of nobody: %.200r", head)
            return
        with self._lock:
            if (camera, level) not in self._videos:
                self._videos[camera, level] = _Video(partial(self._sink, camera, level))
            video, passes = self._videos[camera, level], self._passes
        if head.get("end"):
            video.finish()
            with self._lock:
                self._videos.pop((camera, level), None)
            return
        video.take(head, data, passes=passes)

    def close(self) -> None:
        """Take no more."""
        with self._lock:
            videos = list(self._videos.values())
        for video in videos:
            video.finish()
        self._node.stop()

    @property
    def _passes(self) -> bool:
        return self._cloud is not None and self._analysis == "cloud"

    def _set(self, value: Any) -> Any:
        if value not in ("aggregator", "cloud"):
            raise ValueError("analysis is aggregator or cloud")
        with self._lock:
            self._analysis = value
        return value

    def _sink(self, camera: str, level: str, passes: bool) -> _Sink:
        if passes and self._cloud is not None:
            return _Passes(self._cloud)
        return _Looks(self._setup, camera, f"{camera}-{level}-{self._name}", self._mqtt)


class _Video:
    """One video and where it goes: ``True`` on to the cloud, ``False`` to who looks here."""

    def __init__(self, sink: Callable[[bool], _Sink]) -> None:
        self._going: Going[bool, _Sink] = Going(sink)
        self._lock = threading.Lock()

    def take(self, head: dict[str, Any], data: bytes, *, passes: bool) -> None:
        with self._lock:
            if passes != self._going.kind and "k" in head:
                self._going.over(passes, float(head["t"]))
            for sink in self._going.at(float(head["t"])):
                sink.take(head, data)

    def finish(self) -> None:
        with self._lock:
            self._going.finish()


class _Looks:
    """Looks at a video and tells what it sees as a thing of its own."""

    def __init__(self, setup: Setup, camera: str, thing: str, mqtt: tuple[str, int]) -> None:
        ground = setup.cameras[camera].ground
        observer = Observer(mqtt, thing, setup.place, ground.residual, f"Who looks for {camera}")
        self._start = 0.0

        def tell(records: list[dict[str, Any]], t: float, impaired: str | None) -> None:
            observer.tell(records, round((self._start + t) * 1000), impaired)

        self._camera, self._observer = camera, observer
        self._watching = Watching(Looking(ground, setup.every, tell))
        self._any = False

    def take(self, head: dict[str, Any], data: bytes) -> None:
        if isinstance(start := head.get("k"), int | float):
            self._start = float(start)
        begins = bool(head.get("begins")) or not self._any
        self._any = True
        try:
            self._watching.take(float(head["t"]), data, begins=begins)
        except FFmpegError as error:
            _LOG.warning("video of %s cannot be decoded: %s", self._camera, error)

    def finish(self) -> None:
        self._watching.finish()
        self._observer.close()


class _Passes:
    """Passes a video on to the cloud by a connection of its own; while that is gone it is not kept back."""

    def __init__(self, cloud: tuple[str, int]) -> None:
        self._cloud = cloud
        self._outlet: Outlet | None = None
        self._head: dict[str, Any] = {}

    def take(self, head: dict[str, Any], data: bytes) -> None:
        self._head = {name: head[name] for name in ("c", "s")}
        try:
            if self._outlet is None:
                if "k" not in head:
                    return
                self._outlet, head = Outlet(*self._cloud, patience=5.0), {**head, "begins": True}
            self._outlet.send(head, data)
        except OSError as error:
            _LOG.warning("video of %s does not reach the cloud: %s", head["c"], error)
            self._outlet = None

    def finish(self) -> None:
        if self._outlet is not None:
            with suppress(OSError):
                self._outlet.send({**self._head, "end": True})
            self._outlet.close()
            self._outlet = None


def _description(setup: Setup, name: str) -> dict[str, Any]:
    analysis = {"type": "string", "enum": ["aggregator", "cloud"], "title": "Where video is looked at"}
    return {
        "title": f"Video unit of {name}",
        "diat:place": setup.place,
        "properties": {"analysis": {**analysis, "idempotent": True}},
    }


def serve(unit: Unit, port: int, host: str = "127.0.0.1") -> Inlet:
    """Take video on a port."""
    return Inlet(unit.receive, host, port)
