"""When composites want to be looked at without being asked.

What a composite wants is durable (``CompositeState.wake``); this is the queue made of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from diat.kernel.overlay import Ledger


class Wakes:
    """Services by when they want to be woken; used by the writer alone.

    A batch that fails woke nobody: whom it woke wants to be woken still.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._queue: list[tuple[int, str]] = []
        self._planned: dict[str, int] = {}
        self._woken: list[tuple[int, str]] = []
        ledger.join(self)

    def plan(self, service: str, at: int) -> None:
        """Wake a service at a time, Unix milliseconds, or earlier if that is planned."""
        planned = self._planned.get(service)
        if planned is not None and planned <= at:
            return
        self._planned[service] = at
        heapq.heappush(self._queue, (at, service))
        if len(self._queue) > 2 * len(self._planned) + 16:
            self._queue = [(when, each) for each, when in self._planned.items()]
            heapq.heapify(self._queue)

    def due(self) -> int | None:
        """When the next one wants to be woken; maybe earlier, never later."""
        return self._queue[0][0] if self._queue else None

    def pop(self, now: int) -> Iterator[str]:
        """Those that wanted to be woken by now, in the order of their times."""
        while self._queue and self._queue[0][0] <= now:
            at, service = heapq.heappop(self._queue)
            if self._planned.get(service) != at:
                continue  # an earlier wake has taken its place
            del self._planned[service]
            self._woken.append((at, service))
            yield service

    def forget(self, service: str) -> None:
        """It wants nothing any more."""
        self._planned.pop(service, None)

    def commit(self) -> None:
        """They were woken."""
        self._woken = []

    def rollback(self) -> None:
        """They were not."""
        woken, self._woken = self._woken, []
        for at, service in woken:
            self.plan(service, at)
