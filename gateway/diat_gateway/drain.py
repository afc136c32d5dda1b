"""In which order, and how fast, the spool is emptied: urgent rows first, within a budget of bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from diat.vol.traffic import packet
from diat.wire import frame
from diat_gateway.bounds import UNBOUND
from diat_gateway.handed import Row
from diat_gateway.spool import CALM, OVERHEAD, URGENT, Spool, Waiting
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

FRAME = 32 * 1024
"""Bytes of messages in a frame at most, unless one alone is more."""
PAGE = 500
"""Rows that are read, and put into a frame, at a time."""


class Drain:
    """Takes rows out of the spool, each once in a life; used by the session's thread alone.

    Attributes:
        out: numbers of rows that are on their way.
        still: held by whoever must not have rows taken out meanwhile.

    Args:
        spool: to read from.
        uplink: knows which things are admitted above, and what must not be overtaken.
        budget: bytes a second in the long run; a second's worth may go at once.
        linger: seconds for which readings wait for others, to share a frame.
    """

    def __init__(self, spool: Spool, uplink: Uplink, budget: float, linger: float) -> None:
        self._spool = spool
        self._uplink = uplink
        self._budget = budget
        self._linger = linger
        self._left = self._most = max(budget, float(FRAME))
        self._counted = time.monotonic()
        self._after = {CALM: 0, URGENT: 0}
        self._calm_at = 0.0
        self._full = False
        self._held: set[str] = set()
        self._turns = 0
        self.out: set[int] = set()
        self.still = threading.Lock()

    def close(self) -> None:
        """Give back what it reads by."""
        self._spool.close()

    def rewind(self) -> None:
        """Begin anew: what was sent and is not acknowledged is sent again."""
        self._after = {CALM: 0, URGENT: 0}
        self.out.clear()

    def again(self, rows: Iterable[Row]) -> None:
        """Rows that were taken out did not get away."""
        self.gone(rows)
        self._after = {CALM: 0, URGENT: 0}

    def gone(self, rows: Iterable[Row]) -> None:
        """Rows left the spool."""
        self.out.difference_update(seq for seq, _, _ in rows)

    def may_send(self) -> bool:
        """Whether the budget has something left."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._counted) * self._budget)
        self._counted = now
        return self._left > 0

    def patience(self, most: float) -> float:
        """Seconds until there may be something to send."""
        if self._left <= 0:
            return min(most, 0.01 - self._left / self._budget)
        return min(most, max(0.0, self._calm_at - time.monotonic())) if self._uplink.lanes.rows else most

    def sent(self, topic: str, payload: bytes, plain: int) -> None:
        """A frame goes up whose messages take so many bytes before they are packed."""
        size = packet(topic, payload)
        self._left -= size
        if plain:
            heard = self._uplink.heard
            heard.ratio += 0.1 * (size / plain - heard.ratio)

    def next(self) -> tuple[list[bytes], list[Row]]:
        """Messages for a frame as they stand in it, and the rows that they are, each with its size."""
        with self.still:
            return self._next()

    def _next(self) -> tuple[list[bytes], list[Row]]:
        self._release()
        mark = self._uplink.lanes.marks[0] if self._uplink.lanes.marks else None
        rows = self._rows(URGENT, mark if mark is not None and mark > self._after[CALM] else None)
        clock = time.monotonic()
        if self._full or clock >= self._calm_at:
            self._calm_at = clock + self._linger
            rows += self._rows(CALM, None)
        entries: list[bytes] = []
        taken: list[Waiting] = []
        size = 0
        own = self._uplink.own.committed[OWN]
        for row in rows:
            passed = self._uplink.passed.committed.get(row.name)
            off = passed.off if passed is not None and UNBOUND not in passed.off else {}
            entry = row.entry(own.offset, off)
            if taken and (size + len(entry) > FRAME or len(taken) >= PAGE):
                break
            size += len(entry)
            entries.append(entry)
            taken.append(row)
            self.out.add(row.seq)
            self._after[row.lane] = row.seq
        self._full = len(taken) < len(rows) or len(rows) >= PAGE
        if taken:
            entries.insert(0, frame.entry("", str(max(row.seq for row in taken)).encode()))
        return entries, [(row.seq, len(row.body) + OVERHEAD, row.n is not None) for row in taken]

    def _rows(self, lane: int, before: int | None) -> list[Waiting]:
        """The next rows of a lane that may go: what the daemon above has not admitted waits."""
        found: list[Waiting] = []
        after = self._after[lane]
        while len(found) < PAGE:
            page = self._spool.next(lane, after, PAGE)
            for row in page:
                if row.seq in self.out:
                    continue
                if before is not None and row.seq > before:
                    return found
                if self._may(row):
                    found.append(row)
                    continue
                self._held.add(row.name)
                if not found:
                    # Not looked at again until it is admitted, however much of it waits.
                    self._after[lane] = row.seq
            if len(page) < PAGE:
                break
            after = page[-1].seq
        return found

    def _may(self, row: Waiting) -> bool:
        if row.channel in ("td", "line") or row.name == self._uplink.name:
            return True
        passed = self._uplink.passed.committed.get(row.name)
        return passed is not None and passed.admission == "accepted"

    def _release(self) -> None:
        """What waited to be admitted may go now: look through the lanes from the beginning."""
        if self._turns != self._uplink.lanes.turns:
            # What went up before waits once more.
            self._turns = self._uplink.lanes.turns
            self._after = {CALM: 0, URGENT: 0}
        passed = self._uplink.passed.committed
        free = [name for name in self._held if name in passed and passed[name].admission == "accepted"]
        if free:
            self._held.difference_update(free)
            self._after = {CALM: 0, URGENT: 0}
