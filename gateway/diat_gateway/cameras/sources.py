"""Where pictures come from: a file, an RTSP stream, a camera on USB; and what to say when they do not.

A source never hangs: a stream that is silent for longer than its patience is ``stalled``, one that breaks is
``torn``; both are opened again with growing pauses. Times go on even if the stream's own clock jumps.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
from av.error import FFmpegError, InvalidDataError

from diat_gateway.cameras.seeing.pictures import Frame, Image

_LOG = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Takes how the stream is: ``running``, ``stalled``, ``torn``, ``unreachable`` or ``ended``."""

LARGEST = 7680 * 4320
"""Pixels of a picture that is taken at most."""
_DAMAGED = 50
"""Pieces of a stream that may be unreadable one after the other; with more of them it is torn."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to read.

    Attributes:
        address: path of a file, ``rtsp://…``, or ``usb:`` with an index or the path of a device.
        fps: pictures a second to take at most; more are left out.
        patience: seconds of silence after which a stream is stalled.
        again: whether a file begins again at its end.
        paced: whether a file runs no faster than its own pace; else as fast as can be.
    """

    address: str
    fps: float = 10.0
    patience: float = 5.0
    again: bool = False
    paced: bool = True


def frames(
    source: Source, say: Say, ending: Callable[[float], bool], clock: Callable[[], float] = time.monotonic
) -> Iterator[Frame]:
    """Pictures, until a file ends or ``ending(seconds to wait)`` says so; a bad stream raises nothing.

    Args:
        source: what to read.
        say: told whenever it changes how the stream is.
        ending: waits at most so many seconds; whether to end.
        clock: s; what the times of streams are counted on.
    """
    watch, pause, number, trouble = _Watch(source, clock), 0.5, 0, ""
    while not ending(0):
        how = "torn"
        try:
            for t, image in _read(source):
                now = watch.due(t)
                if now is None:
                    continue
                if ending(watch.wait(now)):
                    return
                say("running")
                pause, trouble = 0.5, ""
                yield Frame(now, image, number)
                number += 1
        except (FFmpegError, OSError, ValueError) as error:
            said = str(error).lower()  # what ends a wait of FFmpeg's is not always called a time-out
            stalled = isinstance(error, TimeoutError) or "timed out" in said or "exit requested" in said
            how = "stalled" if stalled else "torn" if number else "unreachable"
            if str(error) != trouble:
                trouble = str(error)
                _LOG.warning("%s is %s: %s", source.address, how, trouble)
        if how == "torn" and not _live(source) and not source.again:
            how = "ended"  # of a file that is damaged at its end we have what there is
        if how != "torn" or _live(source):
            say(how)
        if how == "ended" or ending(pause):
            return
        watch.again()
        pause = min(10.0, 2 * pause)


class _Watch:
    """Which pictures are taken, and when: our own clock goes on, whatever a stream's does."""

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source, self._clock = source, clock
        self._began = clock()
        self._last = -1.0
        self._behind = 0.0

    def due(self, t: float) -> float | None:
        """The time of a picture that says ``t``; None if it is left out."""
        now = self._clock() - self._began if _live(self._source) else t + self._behind
        if now <= self._last or (self._last >= 0 and now - self._last < 0.7 / self._source.fps):
            return None
        self._last = now
        return now

    def wait(self, now: float) -> float:
        """Seconds until a picture of a file is due."""
        if _live(self._source) or not self._source.paced:
            return 0.0
        return max(0.0, now - (self._clock() - self._began))

    def again(self) -> None:
        """A file begins again: its times go on behind those that were."""
        if not _live(self._source):
            self._behind = self._last + 1.0 / self._source.fps


def _live(source: Source) -> bool:
    return source.address.startswith(("rtsp:", "rtsps:", "usb:", "http:", "https:"))


def _read(source: Source) -> Iterator[tuple[float, Image]]:
    if source.address.startswith("usb:"):
        yield from _usb(device(source.address))
        return
    options = (
        {"rtsp_transport": "tcp", "timeout": str(int(source.patience * 1e6))}
        if source.address.startswith("rtsp")
        else {}
    )
    with av.open(
        source.address, options=options, timeout=(source.patience * 2, source.patience)
    ) as container:
        if not container.streams.video:
            raise ValueError("there is no video in it")
        stream = container.streams.video[0]
        stream.thread_count = 1
        rate = float(stream.average_rate or 25)
        count = damaged = 0
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except InvalidDataError:
                damaged += 1
                if damaged > _DAMAGED:
                    raise
                continue
            for picture in pictures:
                damaged = 0
                if picture.width * picture.height > LARGEST:
                    raise ValueError(f"pictures of {picture.width} x {picture.height} are too large")
                t = float(picture.time) if picture.time is not None and not _live(source) else count / rate
                count += 1
                yield t, picture.to_ndarray(format="bgr24")


def device(address: str) -> Path:
    """The device of ``usb:0``, ``usb:/dev/video0`` or ``usb:/dev/v4l/by-id/…``.

    Raises:
        ValueError: it is neither an index nor a path.
    """
    which = address.removeprefix("usb:")
    if which.isdigit():
        return Path(f"/dev/video{which}")
    if not which.startswith("/"):
        raise ValueError(f"{address}: usb: takes an index or the path of a device, such as usb:0")
    return Path(which)


def _usb(path: Path) -> Iterator[tuple[float, Image]]:
    if not path.exists():
        there = sorted(str(each) for each in Path("/dev").glob("video*"))
        raise OSError(f"there is no camera {path}; there is {', '.join(there) or 'none'}")
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    try:
        if not capture.isOpened():
            raise OSError(f"{path} is no camera, or in use, or not for us (is the user in the group video?)")
        while True:
            there, image = capture.read()
            if not there:
                return
            yield time.monotonic(), image
    finally:
        capture.release()
