"""Things that were retired a moment ago, and what it takes to bring them back; in memory only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.errors import NotFound
from diat.vol.announcements import Announced
from diat.vol.pushdown import Rules
from diat.vol.thing import VirtualObject

FOR = 15 * 60_000
"""Milliseconds for which a thing can be brought back."""
MOST = 200
"""Things that are remembered; then the first is forgotten."""


class Retired(Struct, frozen=True, kw_only=True):
    """A thing that was retired.

    Attributes:
        thing: as it was.
        stood: its announcements.
        needs: what was pushed down to it, by holder.
        at: when, Unix milliseconds.
    """

    thing: VirtualObject
    stood: tuple[Announced, ...]
    needs: dict[str, Rules]
    at: int


class Retirement:
    """What can be brought back; used by the writer, asked by any thread."""

    def __init__(self, clock: Clock, brought: Callable[[str], str | None]) -> None:
        """``brought`` says which gateway brings a thing: that one would bring it anew, and so ends it too."""
        self._clock = clock
        self._brought = brought
        self._known: dict[str, Retired] = {}

    def keep(self, thing: VirtualObject, stood: tuple[Announced, ...], needs: dict[str, Rules]) -> None:
        """Remember a thing that is being retired, if it can be brought back at all."""
        self._known.pop(thing.id, None)
        if not stood or self._brought(thing.id) is not None:
            return
        self._known[thing.id] = Retired(thing=thing, stood=stood, needs=needs, at=self._clock())
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def get(self, thing: str) -> Retired:
        """What is known of a retired thing.

        Raises:
            NotFound: it was not retired, or too long ago.
        """
        known = self._known.get(thing)
        if known is None or self._clock() - known.at > FOR:
            raise NotFound(f"{thing!r} cannot be brought back: it returns when it announces itself again")
        return known

    def forget(self, thing: str) -> None:
        """It is back."""
        self._known.pop(thing, None)
