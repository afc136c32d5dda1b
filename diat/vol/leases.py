"""Registrations that end: of each thing whose registration does, when to look at it next."""

from __future__ import annotations

import heapq
from collections.abc import Callable

LOOK_AGAIN = 1000
"""Milliseconds after which a thing whose end could not be stored is looked at once more."""


class Leases:
    """When to look at which thing; used by the writer alone.

    What counts is what the thing's record says when its time comes, so nothing here needs to be taken back:
    neither when a batch fails nor when a registration is renewed.
    """

    def __init__(self, expires: Callable[[str], int | None]) -> None:
        """``expires`` answers when a thing's registration ends, Unix milliseconds, None if it does not."""
        self._expires = expires
        self._looks: list[tuple[int, str]] = []
        self._next: dict[str, int] = {}

    def note(self, thing: str, end: int) -> None:
        """The registration of a thing ends then."""
        planned = self._next.get(thing)
        if planned is None or end < planned:
            self._next[thing] = end
            heapq.heappush(self._looks, (end, thing))

    def due(self) -> int | None:
        """When ``over`` is next to be asked."""
        return self._looks[0][0] if self._looks else None

    def over(self, now: int) -> list[str]:
        """The things whose registration is over; told again for as long as their records say so."""
        found = []
        while self._looks and self._looks[0][0] <= now:
            look, thing = heapq.heappop(self._looks)
            if self._next.get(thing) != look:
                continue
            del self._next[thing]
            end = self._expires(thing)
            if end is None:
                continue
            if end <= now:
                found.append(thing)
            self.note(thing, end if end > now else now + LOOK_AGAIN)
        return found
