"""What Homie devices say about themselves: whether they are there, and what they log."""

from __future__ import annotations

from msgspec import Struct

from diat.vol.dialects.port import Uptake
from diat.vol.dialects.words import quoted
from diat.vol.twin import Availability

LOG_LEVELS = ("warn", "error", "fatal")
"""Levels that are worth a person's attention; debug and info are left on the bus."""

_STATES: dict[str, Availability] = {
    "ready": True,
    "alert": True,
    "sleeping": "sleeping",
    "init": False,
    "disconnected": False,
    "lost": False,
}


class StateInlet(Struct, frozen=True):
    """Reads ``$state`` of the device itself."""

    topic: str

    def read(self, payload: bytes) -> Uptake:
        """Say whether the device can be reached; without a state it does not exist."""
        if not payload:
            return Uptake(available=False)
        available = _STATES.get(payload[:32].decode(errors="replace"))
        if available is None:
            return Uptake(notes=(f"$state: {quoted(payload)} is not a state",))
        return Uptake(available=available)


class RootInlet(Struct, frozen=True):
    """Reads ``$state`` of the root device: when that lost its connection, all below it are lost too."""

    topic: str

    def read(self, payload: bytes) -> Uptake:
        """Say whether the connection stands."""
        return Uptake(available=payload != b"lost") if payload else Uptake()


class LogInlet(Struct, frozen=True):
    """Reads what a device logs at one level."""

    topic: str
    level: str

    def read(self, payload: bytes) -> Uptake:
        """Pass it on as a note."""
        if not payload:
            return Uptake()
        return Uptake(notes=(f"it logs ({self.level}): {quoted(payload.decode(errors='replace'), 200)}",))
