"""The sensor: one camera in a process of its own, at the level that the switch says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.wire.envelope import encode
from diat_gateway.cameras.levels import Video, make
from diat_gateway.cameras.line import Outlet
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.vehicles.looking import Looking
from diat_gateway.vehicles.observer import Observer
from diat_gateway.vehicles.setup import Setup


class Figures(Struct):
    """What a sensor did.

    Attributes:
        cpu: s.
        pictures: that it took; ``pieces``: of them sent as video.
        bytes: of that video, or of its reports.
        reports: that it sent; ``vehicles``: records in them; ``listed``: bytes of those.
    """

    cpu: float = 0.0
    pictures: int = 0
    pieces: int = 0
    bytes: int = 0
    reports: int = 0
    vehicles: int = 0
    listed: int = 0


Address = tuple[str, int]
"""Host and port."""


def run(setup: Setup, name: str, start: float, mqtt: Address, video: Address | None) -> Figures:
    """Take pictures from a time on until the source ends.

    Args:
        setup: the switch, and the camera.
        name: of the camera.
        start: Unix s of its first picture.
        mqtt: broker of its aggregator.
        video: where its aggregator takes video.
    """
    camera, figures = setup.cameras[name], Figures()
    cv2.setNumThreads(1)
    take, finish = (
        _records(setup, name, start, mqtt, figures)
        if setup.level == "high"
        else _video(setup, name, start, video, figures)
    )
    began = time.process_time()
    for number, image in enumerate(pictures(camera.source)):
        t = number / camera.fps
        time.sleep(max(0.0, start + t - time.time()))
        figures.pictures += 1
        take(Frame(t, image, number))
    finish()
    figures.cpu = time.process_time() - began
    return figures


def _records(setup: Setup, name: str, start: float, mqtt: tuple[str, int], figures: Figures) -> Any:
    ground = setup.cameras[name].ground
    observer = Observer(*mqtt, name, setup.place, ground.residual)

    def tell(records: list[dict[str, Any]], t: float, impaired: str | None) -> None:
        figures.reports += 1
        figures.vehicles += len(records)
        figures.listed += len(encode(records)) - 2
        figures.bytes += observer.tell(records, round((start + t) * 1000), impaired)

    looking = Looking(ground, setup.every, tell)

    def finish() -> None:
        looking.finish()
        observer.close()

    return looking.take, finish


def _video(setup: Setup, name: str, start: float, to: tuple[str, int] | None, figures: Figures) -> Any:
    if to is None:
        raise Invalid("an address for video is wanted", "video")
    outlet, level = Outlet(*to), make(setup.level, setup.cameras[name].fps)

    def send(pieces: list[Any]) -> None:
        for piece in pieces:
            if isinstance(piece, Video):
                figures.pieces += 1
                figures.bytes += len(piece.data)
                head: dict[str, Any] = {"c": name, "t": round(piece.t, 3)}
                outlet.send(head | ({"begins": start} if piece.begins else {}), piece.data)

    def finish() -> None:
        send(level.finish())
        outlet.send({"c": name, "end": True})
        outlet.close()

    return lambda frame: send(level.take(frame)), finish


def pictures(source: str) -> Iterator[Any]:
    """The pictures of a source: an array on disk, or what OpenCV opens.

    Raises:
        Invalid: there are none.
    """
    if source.endswith(".npy"):
        try:
            stored = np.load(source, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise Invalid(f"{source}: {error}", "source") from None
        for image in stored:
            yield np.ascontiguousarray(image)
        return
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    try:
        if not capture.isOpened():
            raise Invalid(f"{source}: no pictures come from it", "source")
        while (taken := capture.read())[0]:
            yield taken[1]
    finally:
        capture.release()
