"""Figures of what was heard of each property, and what of it went up: the difference did not travel."""

from __future__ import annotations

from collections.abc import Callable

from diat.vol.twin import Reading
from diat_gateway.unsaid import Unsaid

MESSAGE = 72
"""Bytes that a message takes in a frame besides its values and the name of its thing."""
Key = tuple[str, str]


def nobody_obeys(name: str, prop: str) -> bool:
    """Where no thing was told anything."""
    return False


class Heard:
    """Counts since the start; used by the writer alone.

    Attributes:
        ratio: bytes that travel for each byte of a message, as the line has measured it.
    """

    def __init__(self) -> None:
        self._heard: dict[Key, list[float]] = {}
        self._told: dict[Key, int] = {}
        self._reported: dict[Key, int] = {}
        self._unsaid = Unsaid()
        self.ratio = 0.3

    def hears(self, name: str, readings: dict[str, Reading], size: int) -> None:
        """A thing said values, which as JSON take so many bytes; 0 if they are no message of its own."""
        if not size:
            return
        each = (MESSAGE + len(name) + size) / len(readings)
        for prop in readings:
            known = self._heard.get((name, prop))
            if known is None:
                known = self._heard[name, prop] = [0, 0.0]
            known[0] += 1
            known[1] += each

    def tells(self, name: str, prop: str, position: int) -> None:
        """A value of it goes up."""
        self._told[name, prop] = self._told.get((name, prop), 0) + 1

    def untold(
        self, now: int = 0, obeys: Callable[[str, str], bool] = nobody_obeys
    ) -> dict[str, dict[str, tuple[int, float]]]:
        """By thing and property, what did not travel since the start, where that changed since last asked.

        ``obeys`` says of which the thing itself keeps to itself what nobody needs.
        """
        found: dict[str, dict[str, tuple[int, float]]] = {}
        for (name, prop), (messages, size) in list(self._heard.items()):
            unsaid = self._unsaid.of((name, prop), round(messages), now, obeys=obeys(name, prop))
            left = max(0, round(messages) + unsaid - self._told.get((name, prop), 0))
            if left and self._reported.get((name, prop)) != left:
                self._reported[name, prop] = left
                found.setdefault(name, {})[prop] = (left, round(left * size / messages * self.ratio, 1))
        return found
