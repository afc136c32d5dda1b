"""How long the line takes, and how much it carries, as acknowledgements show it.

The round trip is that of a frame: from when it is sent until the broker above acknowledges it, with all that
queues on the way. What the line carries shows while frames queue on it, that is while they take much longer
than the quickest did: what was acknowledged between a frame's sending and its acknowledgement is what the
line carried in that time (delivery rate as in Cardwell et al., "BBR: Congestion-Based Congestion Control",
2016). While none has queued of late it is what the budget allows.
"""

from __future__ import annotations

import statistics
from collections import deque

LATE = 10.0
"""Seconds for which a round trip counts."""
KNOWN = 300.0
"""Seconds for which it is believed that the line carries no more than it did."""
FEW = 3
"""Samples that count however old they are, and that it takes for what the line carries."""
QUEUED = 0.1
"""Seconds more than twice the quickest from which on a frame has queued."""
ENOUGH = 4096
"""Bytes from which on a sample says anything of what the line carries."""


class Pace:
    """Measures a line; used by the session's thread alone.

    Times are seconds of a clock that only goes on.

    Args:
        budget: bytes a second that may go up.
    """

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._out: dict[str, tuple[float, int, int]] = {}
        self._trips: deque[tuple[float, float]] = deque(maxlen=200)
        self._carried: deque[tuple[float, float]] = deque(maxlen=50)
        self._there = 0

    def sent(self, reference: str, size: int, now: float) -> None:
        """A frame of so many bytes was sent."""
        self._out[reference] = now, size, self._there

    def acknowledged(self, reference: str, now: float) -> None:
        """The broker above has it."""
        known = self._out.pop(reference, None)
        if known is None:
            return
        at, size, before = known
        took = now - at
        self._there += size
        self._trips.append((now, took))
        quickest = min(each for _, each in self._trips)
        if took > 2 * quickest + QUEUED and self._there - before >= ENOUGH:
            self._carried.append((now, (self._there - before) / took))

    def broken(self) -> None:
        """The connection is another: what was under way goes again."""
        self._out.clear()

    def trip(self, now: float) -> float | None:
        """Seconds until a frame is acknowledged, of late; None if none ever was."""
        late = [took for at, took in self._trips if now - at <= LATE]
        if len(late) < FEW:
            late = [took for _, took in list(self._trips)[-FEW:]]
        return statistics.median(late) if late else None

    def carries(self, now: float) -> float:
        """Bytes a second that go up."""
        known = [rate for at, rate in self._carried if now - at <= KNOWN]
        return min(self._budget, statistics.median(known)) if len(known) >= FEW else self._budget
