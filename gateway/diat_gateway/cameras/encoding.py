"""Video as it is sent: H.264, a whole picture every two seconds, no picture that waits for a later one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from diat_gateway.cameras.seeing.pictures import Image

GROUP = 2.0
"""Seconds from one whole picture to the next."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How to encode; the standing choice is the one that savings are measured against."""

    crf: int = 23
    preset: str = "veryfast"
    group: float = GROUP
    codec: str = "libx264"
    still: bool = False
    """Whether most of the picture is held still: else the encoder spends what that saves on sharpness."""


FULL = Quality()


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture."""

    data: bytes
    key: bool


class Encoder:
    """Encodes one run of pictures of one size.

    Args:
        width: pixels, cut to an even number.
        height: pixels, cut to an even number.
        fps: pictures a second.
        quality: how.
    """

    def __init__(self, width: int, height: int, fps: float, quality: Quality = FULL) -> None:
        self._width, self._height = width - width % 2, height - height % 2
        context = av.CodecContext.create(quality.codec, "w")
        context.width, context.height = self._width, self._height
        rate = Fraction(fps).limit_denominator(1001)
        context.framerate = rate
        context.time_base = 1 / rate
        context.thread_count = 1
        if quality.codec == "mjpeg":
            context.pix_fmt = "yuvj420p"
            context.options = {"qscale": "4", "q": "4"}
        else:
            context.pix_fmt = "yuv420p"
            keys = max(1, round(quality.group * fps))
            context.gop_size = keys
            context.options = {
                "crf": str(quality.crf),
                "preset": quality.preset,
                "bf": "0",
                "x264-params": f"keyint={keys}:min-keyint={keys}:scenecut=0:bframes=0:threads=1"
                ":sync-lookahead=0:rc-lookahead=0" + (":qcomp=1.0" if quality.still else ""),
            }
        self._context = context
        self._next = 0

    def encode(self, image: Image) -> list[Packet]:
        """Take a picture; gives what is ready."""
        picture = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[: self._height, : self._width]), "bgr24"
        )
        picture.pts = self._next
        self._next += 1
        return [Packet(bytes(p), p.is_keyframe) for p in self._context.encode(picture)]

    def finish(self) -> list[Packet]:
        """What is left."""
        return [Packet(bytes(p), p.is_keyframe) for p in self._context.encode(None)]


class Decoder:
    """Decodes packets of one run."""

    def __init__(self, codec: str = "h264") -> None:
        self._context = av.CodecContext.create(codec, "r")
        self._context.thread_count = 1

    def decode(self, data: bytes) -> Iterator[Image]:
        """The pictures that these bytes complete."""
        for picture in self._context.decode(av.Packet(data)):
            yield picture.to_ndarray(format="bgr24")

    def finish(self) -> Iterator[Image]:
        """What is left."""
        for picture in self._context.decode(None):
            yield picture.to_ndarray(format="bgr24")
