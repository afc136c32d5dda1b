"""What the daemon above has acknowledged, kept a while: it may be put back from a backup and want it again.

It stays in the spool, beside what waits, in lanes of its own, with how far the spool had got when it was
acknowledged. The daemon above says at each connection how far it knows the spool had got; what was
acknowledged since then it may have lost. Some of that it has: it knows repeats by their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from diat.kernel.overlay import Ledger, Log
from diat_gateway.spool import HANDED, Spool

LEAST = 500
"""Rows that are forgotten at once, at least, where there is too much."""
Row = tuple[int, int, bool]
"""A row that is on its way: number, size, and whether it is numbered within its thing."""


class Handed:
    """Keeps rows; used by the writer alone.

    Args:
        ledger: what it commits with.
        spool: to read from.
        most: bytes that may be kept.
        dropped: how far the spool had got when the last row was acknowledged that is no longer here.

    Attributes:
        dropped: likewise, to be kept.
    """

    def __init__(self, ledger: Ledger, spool: Spool, most: int, dropped: int) -> None:
        self._kept: Log[tuple[int, int]] = ledger.log("handed")
        self._gone: Log[tuple[int]] = ledger.log("unspooled")
        self._again: Log[tuple[int, int]] = ledger.log("handed_again")
        self._spool = spool
        self._most = most
        self._bytes = self._stood = spool.handed()[1]
        self.dropped = self._dropped = dropped
        ledger.join(self)

    def keep(self, rows: Iterable[Row], reached: int) -> None:
        """Rows were acknowledged; the spool has got so far. What is not numbered is told anew if need be."""
        count = 0
        for seq, size, numbered in rows:
            if numbered:
                self._kept.append((reached, seq))
                self._bytes += size
                count += 1
            else:
                self._gone.append((seq,))
        if self._bytes > self._most:
            for seq, size, reached_then in self._spool.oldest_handed(max(LEAST, 2 * count)):
                self._gone.append((seq,))
                self._bytes -= size
                self.dropped = max(self.dropped, reached_then)

    def again(self, since: int) -> tuple[int, int, bool]:
        """Let go up again what was acknowledged since the spool had got so far.

        Returns:
            How many rows, how many bytes they take, and whether none of them is missing.
        """
        rows, size = self._spool.handed(since)
        self._again.append((HANDED, since))
        self._bytes -= size
        return rows, size, self.dropped < max(since, 1)

    def commit(self) -> None:
        """It is so."""
        self._stood, self._dropped = self._bytes, self.dropped

    def rollback(self) -> None:
        """It never was."""
        self._bytes, self.dropped = self._stood, self._dropped
