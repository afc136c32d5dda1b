"""Encoded pictures as a file that any player shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av

from diat_gateway.cameras.encoding import Packet
from diat_gateway.cameras.seeing.pictures import Image


def mp4(packets: Sequence[Packet], fps: float) -> bytes:
    """One run of H.264 as MP4, without encoding it again."""
    target, step = io.BytesIO(), 1 / Fraction(fps).limit_denominator(1001)
    raw = io.BytesIO(b"".join(packet.data for packet in packets))
    with av.open(raw, format="h264") as given, av.open(target, "w", format="mp4") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        number = 0
        for piece in given.demux(given.streams.video[0]):
            if not piece.size:
                continue
            piece.stream, piece.time_base = stream, step
            piece.pts = piece.dts = number
            piece.duration = 1
            number += 1
            made.mux(piece)
    return target.getvalue()


def pictures(content: bytes) -> list[Image]:
    """All pictures of such a file."""
    with av.open(io.BytesIO(content)) as container:
        return [picture.to_ndarray(format="bgr24") for picture in container.decode(video=0)]
