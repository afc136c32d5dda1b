"""When a thing reports: at a steady pace, and at once when the value moved enough."""

from __future__ import annotations


class Cadence:
    """Says whether a report is due. Times are seconds of any clock that does not jump.

    Args:
        every: seconds between two reports while nothing changes.
        delta: change since the last report, in the value's unit, that brings one at once.
    """

    def __init__(self, every: float, delta: float = float("inf")) -> None:
        self._every = every
        self._delta = delta
        self._last: tuple[float, float] | None = None

    def due(self, now: float, value: float = 0.0) -> bool:
        """Whether to report ``value`` now; if so, it counts as reported."""
        if self._last is not None:
            when, what = self._last
            # A tick that comes a hair early belongs to this report, not to the next.
            if now - when < self._every - 0.01 and abs(value - what) < self._delta:
                return False
        self._last = (now, value)
        return True
