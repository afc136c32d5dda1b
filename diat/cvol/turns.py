"""Turns: who is told of the same first, and what comes after all of them were told.

Composites that are told of the same take turns by priority, then by id. What they say and set because of it
comes after all of them, in the order in which they brought it about; so who reads what another derives sees
things in the order of their ingest positions, whoever was told first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from diat.vol.arbitration import RANKS, Priority
from diat.vol.journal import Journal


class Turns:
    """Tells composites of things; used by the writer alone.

    Args:
        journal: is told of what they are told, while they are.
        priority: of a composite by id.
    """

    def __init__(self, journal: Journal, priority: Callable[[str], Priority]) -> None:
        self._journal = journal
        self._priority = priority
        self._afterwards: deque[Callable[[], None]] = deque()
        self._telling = False

    def order(self, composites: Iterable[str]) -> list[str]:
        """Composites in the order in which they are told of the same."""
        told = list(composites)
        return told if len(told) < 2 else sorted(told, key=lambda each: turn(each, self._priority(each)))

    def tell(self, tell: Callable[[], None], within: int = 0) -> None:
        """Tell composites of something, and then of what they said and set because of it.

        Args:
            tell: does so.
            within: ingest position of what they are told of; see ``Journal.within``.
        """
        journal, telling = self._journal, self._telling
        before, journal.within = journal.within, within
        self._telling = True
        try:
            tell()
            while not telling and self._afterwards:
                self._afterwards.popleft()()
        finally:
            journal.within, self._telling = before, telling
            if not telling:
                self._afterwards.clear()

    def later(self, act: Callable[[], None]) -> None:
        """Do something once all composites that are just being told have been."""
        if self._telling:
            self._afterwards.append(act)
        else:
            self.tell(act)


def turn(composite: str, priority: Priority) -> tuple[int, str]:
    """What decides who is told of the same first: the lower."""
    return RANKS[priority], composite
