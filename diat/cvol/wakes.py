"""When composites want to be looked at without being asked.

What a composite wants is durable (``CompositeState.wake``); this is the queue made of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator


class Wakes:
    """Services by when they want to be woken; used by the writer alone."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, str]] = []
        self._planned: dict[str, int] = {}

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
        """Those that wanted to be woken by now, in the order of their times.

        Each is looked at once more a second later: should the batch fail, it still wants to be woken.
        """
        while self._queue and self._queue[0][0] <= now:
            at, service = heapq.heappop(self._queue)
            if self._planned.get(service) != at:
                continue  # an earlier wake has taken its place
            self._planned[service] = now + 1000
            heapq.heappush(self._queue, (now + 1000, service))
            yield service

    def forget(self, service: str) -> None:
        """It wants nothing any more."""
        self._planned.pop(service, None)
