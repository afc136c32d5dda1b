"""What single things say and are told over a line of their own, counted as long as somebody looks."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from diat.vol.dialects.port import Outgoing
from diat.vol.traffic import Flow, packet
from diat.wire.envelope import Message


class Meter(Struct):
    """Of one thing, since somebody looks.

    Attributes:
        said: affordance to what came of it; a message of several is shared out over them.
        told: composite and affordance to the commands for it.
    """

    said: dict[str, Flow] = {}
    told: dict[tuple[str, str], Flow] = {}


class Meters:
    """Meters of the things that somebody looks at; counted by the writer, looked at by any thread.

    Attributes:
        by: thing to its meter.
    """

    def __init__(self) -> None:
        self.by: dict[str, Meter] = {}

    def keep(self, things: Collection[str]) -> None:
        """Count these, and no others."""
        for thing in things:
            if thing not in self.by:
                self.by[thing] = Meter()
        for thing in [each for each in list(self.by) if each not in things]:
            del self.by[thing]

    def said(self, thing: str, message: Message, names: Iterable[str]) -> None:
        """A thing said something of these affordances, itself and not through a gateway."""
        meter = self.by.get(thing)
        if meter is None or message.through:
            return
        found = list(names)
        size = packet(message.topic, message.payload, message.qos)
        for name in found:
            meter.said.setdefault(name, Flow()).add(size / len(found))

    def told(self, thing: str, composite: str | None, name: str, command: Outgoing) -> None:
        """A composite gave a thing a command."""
        meter = self.by.get(thing)
        if meter is not None and composite is not None:
            size = packet(command.topic, command.payload, command.qos)
            meter.told.setdefault((composite, name), Flow()).add(size)
