"""What is let go is brought to where it is left, however long that takes.

Whoever lets go of an actuator may be gone by the time that its envelope allows the command, or that it turns
out to have failed. So what remains to be done is kept with the actuator, and dropped when somebody wants it.
What a person had set and somebody of higher rank overruled for a while is brought back in the same way.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import msgspec

from diat.kernel.errors import Busy, Refused, TooSoon
from diat.vol.actuation import Actuation
from diat.vol.arbitration import Arbiter, Rest

AGAIN, LONGEST_WAIT = 10_000, 3_600_000
"""Milliseconds after which what did not do as told is told again; doubling each time, to the longest."""
Give = Callable[[str, Rest, int, int], Actuation]
"""Gives the command that brings an actuator (``thing actuator``) to rest: now, and as of when it was decided;
raises as the gate does."""


class Resting:
    """Brings actuators to rest; used by the writer alone."""

    def __init__(self, arbiter: Arbiter, give: Give) -> None:
        self._arbiter = arbiter
        self._give = give
        kept = arbiter.actuators.committed.items()
        self._queue = [(each.rest.due, key) for key, each in kept if each.rest and each.rest.due is not None]
        heapq.heapify(self._queue)
        arbiter.on_hand = self._plan

    def begin(self, key: str, rest: Rest, now: int, decided: int) -> Actuation | None:
        """Try it, as was decided at a time; the command, None if it has to wait.

        Raises:
            Refused: it cannot be done, now or ever.
        """
        try:
            given = self._give(key, rest, now, decided)
        except (TooSoon, Busy) as wait:
            self._plan(key, rest, wait.until if isinstance(wait, TooSoon) else now + AGAIN)
            return None
        except Refused:
            self._arbiter.leave(key, None)
            raise
        under_way = msgspec.structs.replace(rest, actuation=given.id, due=None)
        self._arbiter.leave(key, under_way if given.open else None)
        return given

    def ended(self, key: str, actuation: Actuation, now: int) -> None:
        """A command came to its end: it may be one of these, and may have to be given again."""
        rest = self._arbiter.known(key).rest
        if rest is None or rest.actuation != actuation.id:
            return
        done = actuation.state == "completed" or rest.delivery == "at-most-once"
        maybe = actuation.state == "in-doubt" and rest.kind == "action" and rest.delivery == "exactly-once"
        if done or maybe:
            self._arbiter.leave(key, None)
            return
        wait = min(AGAIN << min(rest.tries, 20), LONGEST_WAIT)
        self._plan(key, msgspec.structs.replace(rest, tries=rest.tries + 1), now + wait)

    def returned(self, key: str, now: int) -> None:
        """The thing is there again: what waits to be tried is tried at once."""
        rest = self._arbiter.known(key).rest
        if rest is not None and rest.due is not None:
            self._plan(key, msgspec.structs.replace(rest, tries=0), now)

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._queue[0][0] if self._queue else None

    def tick(self, now: int) -> None:
        """Try again what is due."""
        while self._queue and self._queue[0][0] <= now:
            _, key = heapq.heappop(self._queue)
            rest = self._arbiter.known(key).rest
            if rest is None or rest.due is None:
                continue
            # Looked at once more: should this batch fail, it is still to be done.
            heapq.heappush(self._queue, (max(now + 1000, rest.due), key))
            if rest.due <= now:
                try:
                    self.begin(key, rest, now, now)
                except Refused:
                    continue  # it was told when it was let go; nothing more can be done for it

    def set_back(self, now: int) -> None:
        """The clock was set back: look at everything anew."""
        self._queue = [(now, key) for _, key in self._queue]

    def _plan(self, key: str, rest: Rest, due: int) -> None:
        self._arbiter.leave(key, msgspec.structs.replace(rest, actuation="", due=due))
        heapq.heappush(self._queue, (due, key))
