"""Video between tiers: packets of H.264 with their times, over TCP; never over MQTT.

A stream begins with a line of JSON (``{"camera", "start", "fps"}``); then packets, each with a head of its
length (4 bytes), time (8, float, s since ``start``) and whether a new run of pictures begins with it (1).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from diat.kernel.errors import Invalid

_HEAD = struct.Struct("!Id?")
LONGEST = 4 * 1024 * 1024
"""Bytes of a packet at most."""


class Hello(Struct, frozen=True):
    """Whose video it is; ``start`` in Unix seconds is time 0 of its pictures."""

    camera: str
    start: float
    fps: float


class Packet(Struct, frozen=True):
    """One encoded picture."""

    t: float
    begins: bool
    data: bytes


def greet(line: socket.socket, hello: Hello) -> None:
    """Say whose video follows."""
    line.sendall(msgspec.json.encode(hello) + b"\n")


def send(line: socket.socket, packet: Packet) -> None:
    """Send one packet; waits while the other end is slow."""
    line.sendall(_HEAD.pack(len(packet.data), packet.t, packet.begins) + packet.data)


def receive(line: socket.socket) -> tuple[Hello, Iterator[Packet]]:
    """Whose video it is, and its packets until it ends.

    Raises:
        Invalid: it is no such stream.
    """
    stream = line.makefile("rb")
    first = stream.readline(1000)
    try:
        hello = msgspec.json.decode(first, type=Hello)
    except msgspec.MsgspecError as error:
        raise Invalid(f"no video: {error}", "video") from None

    def packets() -> Iterator[Packet]:
        with stream:
            while len(head := stream.read(_HEAD.size)) == _HEAD.size:
                length, t, begins = _HEAD.unpack(head)
                if length > LONGEST:
                    raise Invalid(f"a packet of {length} bytes", "video")
                data = stream.read(length)
                if len(data) < length:
                    return  # torn
                yield Packet(t, begins, data)

    return hello, packets()
