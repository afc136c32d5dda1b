"""Who hears of everything that this layer takes in: the line to a daemon above."""

from __future__ import annotations

from typing import Protocol

from diat.vol.actuation import Actuation
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading, Status


class Tap(Protocol):
    """Told within the batch, in the order in which it came."""

    def read(self, each: VirtualObject, readings: dict[str, Reading], size: int) -> None:
        """A thing said values, in one message; ``size`` is the bytes of them as JSON."""

    def occurred(self, each: VirtualObject, name: str, said: Reading) -> None:
        """An event came; its data stands as the value."""

    def turned(self, thing: str, status: Status) -> None:
        """A thing's status turned."""

    def described(self, before: VirtualObject | None, after: VirtualObject | None) -> None:
        """A thing came, went or is described anew."""

    def ended(self, actuation: Actuation) -> None:
        """A command came to its end."""

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds; None if never."""

    def tick(self, now: int) -> None:
        """Do what is due by now."""
