"""What is remembered of the properties of things so that less of them goes up, and when what waits may go."""

from __future__ import annotations

import heapq

from diat.kernel.overlay import Ledger, Overlay
from diat.vol.intake import Intake
from diat.vol.sieve import Memory
from diat_gateway.state import Passed


class Memories:
    """By name of a thing; used by the writer alone.

    It is in memory alone: after a start it is made of what is durable, which is what was sent last and what
    came since.
    """

    def __init__(self, ledger: Ledger, intake: Intake) -> None:
        self._intake = intake
        self._known: Overlay[str, dict[str, Memory]] = ledger.overlay()
        self._dues: list[tuple[int, str]] = []
        self._due_of: dict[str, int] = {}

    def of(self, name: str, passed: Passed) -> dict[str, Memory]:
        """What is remembered, by property; not to be changed."""
        known = self._known.get(name)
        if known is not None:
            return known
        twin = self._intake.twin(passed.thing)
        found = {}
        for prop, (observed, position, value) in passed.sent.items():
            newest = twin.values.get(prop)
            waits = None
            if newest is not None and newest.position > position:
                waits = (newest.value, newest.observed)
            found[prop] = Memory((value, observed), observed, waits)
        return found

    def put(self, name: str, memories: dict[str, Memory]) -> None:
        """Remember this from now on."""
        self._known.put(name, memories)

    def remove(self, name: str) -> None:
        """Remember nothing of a thing."""
        self._known.remove(name)

    def wait(self, name: str, due: int) -> None:
        """Something of a thing may go at a time, Unix milliseconds."""
        known = self._due_of.get(name)
        if known is None or due < known:
            self._due_of[name] = due
            heapq.heappush(self._dues, (due, name))

    def due(self) -> int | None:
        """When something may go next."""
        return self._dues[0][0] if self._dues else None

    def over(self, now: int) -> str | None:
        """The name of a thing of which something may go by now; None if there is none (any more)."""
        if not self._dues or self._dues[0][0] > now:
            return None
        due, name = heapq.heappop(self._dues)
        if self._due_of.get(name) == due:
            del self._due_of[name]
        return name
