"""A node on CPython whose power can fail at any operation on flash or socket, and at its deeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from diat_node import journal, ring, store
from diat_node.board import Board
from diat_node.life import Life
from diat_node.node import Node
from power import Power

PACKETS = {1: "CONNECT", 3: "PUBLISH", 4: "PUBACK", 8: "SUBSCRIBE", 12: "PINGREQ", 14: "DISCONNECT"}
TORN = ("write", "send")
"""What can be cut off in its middle."""
STEPS = (
    "receive",
    *(f"send {packet}" for packet in ("CONNECT", "SUBSCRIBE", "PUBLISH", "PUBACK")),
    "journal open ab",
    "journal open wb",
    "journal write",
    "deed",
)
"""All that a node does to flash and socket around a command that must be done once."""


def phases(step: str) -> tuple[str, ...]:
    """When the power can fail at a step."""
    if step == "receive":
        return ("before",)
    return ("before", "torn", "after") if any(word in step for word in TORN) else ("before", "after")


class Wire:
    """A connection whose every transfer is an operation."""

    def __init__(self, power: Power, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._power, self._reader, self._writer = power, reader, writer
        power.on_cut.append(writer.transport.abort)
        self.drain, self.close = writer.drain, writer.close

    async def readexactly(self, n: int) -> bytes:
        data = await self._reader.readexactly(n)
        return self._power.cross("receive", lambda: data)

    def write(self, data: bytes) -> None:
        name = f"send {PACKETS[data[0] >> 4]}"
        half = data[: len(data) // 2]
        self._power.cross(name, lambda: self._writer.write(data), lambda: self._writer.write(half))


def doer(power: Power, do: Callable[[int], Any], *, sampled: bool = True) -> Node:
    """A node that does things once (``do``), does things again (``again``), and has a ``level``."""
    state = {"level": 0}
    node = Node("doer", title="Doer")
    number = {"type": "integer"}
    node.action("do", lambda n: power.cross("deed", lambda: do(n)), input=number)
    node.action("again", lambda n: -n, input=number, output=number, idempotent=True)
    read = (lambda: state["level"]) if sampled else None
    node.property("level", read, lambda to: state.update(level=to), type="integer", every=1)
    return node


def life(node: Node, power: Power, port: int, folder: str, **more: Any) -> Life:
    """Its life, with all that it does outside through ``power``."""
    power.feed(journal, ring, store)
    config = {"thing": "doer", "host": "127.0.0.1", "port": port, "folder": folder, "first": 0.05, "cap": 0.5}
    lives = Life(node, {**config, **more}, Board())
    opened = lives._open

    async def wired() -> tuple[Wire, Wire]:
        wire = Wire(power, *await opened())
        return wire, wire

    lives._open = wired
    return lives
