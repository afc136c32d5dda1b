"""What was recorded, in the order in which it came: what a replay reads.

``Record`` is what the layers ask for it; ``diat.adapters`` has what answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Protocol

from msgspec import Struct

from diat.vol.interaction import Actuation
from diat.vol.twin import Quality, Reading


class Row(Struct, frozen=True, gc=False):
    """A row of history.

    Attributes:
        position: ingest position.
        thing: number of the thing, 0 for what is noted of none.
        name: the event, or what is noted (``diat.vol.journal``); empty for readings.
        observed: Unix milliseconds, as is ``received``.
        n: sequence number within the thing's boot, 0 if it has none.
        data: the event's data; of readings property to value.
    """

    position: int
    thing: int
    name: str
    observed: int
    received: int
    n: int
    quality: Quality
    data: Any


class Volume(Struct, frozen=True):
    """How much came: messages, and bytes of their values as they are stored."""

    messages: int
    bytes: int


class Record(Protocol):
    """Recorded history; any thread may ask."""

    def begins(self) -> int | None:
        """Since when everything is there as it came, Unix milliseconds; None if nothing is."""

    def position_at(self, time: int) -> int | None:
        """Position of the first row that came at a time or after it; None if none has."""

    def rows(self, things: Collection[int], start: int, end: int | None = None) -> Iterator[Row]:
        """Rows of these things in the order in which they came.

        Args:
            things: numbers.
            start: first position, included.
            end: last position, excluded; None for all there are.
        """

    def known(self, thing: int, names: Collection[str], before: int) -> dict[str, Reading]:
        """The newest reading of each of these properties among those that came before a position."""

    def last_notes(self, thing: int, name: str, before: int, limit: int) -> list[Row]:
        """What was noted last of a thing under a name before a position, newest first."""

    def notes(self, name: str, start: int, limit: int) -> list[Row]:
        """What was noted of any thing under a name from a position on, in order."""

    def at(self, positions: Collection[int]) -> list[Row]:
        """The rows at these positions, in order; some may be gone."""

    def commands(self, things: Collection[str], start: int, end: int, limit: int) -> list[Actuation]:
        """Commands to things (by id) that were given in a span of Unix milliseconds, oldest first."""

    def last_commands(self, things: Collection[str], before: int, limit: int) -> list[Actuation]:
        """The last commands to things that were given before a time, newest first."""

    def volume(self, thing: int, since: int) -> Volume:
        """How much a thing has said since a time, of what is not in cold storage."""
