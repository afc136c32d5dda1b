"""The unit that takes video: at an aggregator it looks at it or passes it on, in the cloud it looks at it."""

from __future__ import annotations

import logging
import threading
from typing import Any

import cv2
from av.error import FFmpegError

from diat_gateway.cameras.line import Inlet, Outlet
from diat_gateway.vehicles.looking import Looking, Watching
from diat_gateway.vehicles.observer import Observer
from diat_gateway.vehicles.setup import Setup

_LOG = logging.getLogger("diat.vehicles")


class Analyst:
    """Looks at the video of several cameras and tells what it sees as if they had.

    Args:
        setup: the cameras.
        mqtt: broker to tell it to.
    """

    def __init__(self, setup: Setup, mqtt: tuple[str, int]) -> None:
        cv2.setNumThreads(1)
        self._setup = setup
        self._mqtt = mqtt
        self._watching: dict[str, tuple[Watching, Observer, list[float]]] = {}
        self._lock = threading.Lock()

    def receive(self, head: dict[str, Any], data: bytes) -> None:
        """A piece of video; what is none is left out."""
        name, t = head.get("c"), head.get("t", 0.0)
        if name not in self._setup.cameras or not isinstance(t, int | float):
            _LOG.warning("video of nobody: %r", head)
            return
        with self._lock:
            known = self._watching.get(name) or self._begin(name)
        watching, observer, start = known
        if head.get("end"):
            watching.finish()
            observer.close()
            with self._lock:
                self._watching.pop(name, None)
            return
        begins = head.get("begins")
        if isinstance(begins, int | float):
            start[0] = float(begins)
        try:
            watching.take(float(t), data, begins=begins is not None)
        except FFmpegError as error:
            _LOG.warning("video of %s cannot be decoded: %s", name, error)

    def _begin(self, name: str) -> tuple[Watching, Observer, list[float]]:
        ground = self._setup.cameras[name].ground
        observer, start = Observer(*self._mqtt, name, self._setup.place, ground.residual), [0.0]

        def tell(records: list[dict[str, Any]], t: float, impaired: str | None) -> None:
            observer.tell(records, round((start[0] + t) * 1000), impaired)

        self._watching[name] = Watching(Looking(ground, self._setup.every, tell)), observer, start
        return self._watching[name]


class Passing:
    """Passes video on to the cloud, by one connection for each camera.

    Args:
        cloud: where that takes it.
    """

    def __init__(self, cloud: tuple[str, int]) -> None:
        self._cloud = cloud
        self._outlets: dict[str, Outlet] = {}
        self._lock = threading.Lock()

    def receive(self, head: dict[str, Any], data: bytes) -> None:
        """A piece of video."""
        name = str(head.get("c"))
        with self._lock:
            outlet = self._outlets.get(name)
            if outlet is None:
                outlet = self._outlets[name] = Outlet(*self._cloud)
        outlet.send(head, data)
        if head.get("end"):
            outlet.close()
            with self._lock:
                self._outlets.pop(name, None)


def serve(receive: Any, port: int) -> Inlet:
    """Take video on a port of loopback."""
    return Inlet(receive, port=port)
