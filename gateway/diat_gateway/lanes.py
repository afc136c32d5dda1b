"""What waits to go up, as the writer sees it: rows that it puts into the spool, and those that leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from diat.kernel.overlay import Ledger, Log, Overlay
from diat_gateway.handed import Handed
from diat_gateway.handed import Row as HandedRow
from diat_gateway.spool import OVERHEAD, URGENT, Row, Spool

SEQ, REACHED, DROPPED = "uplink-seq", "uplink-reached", "uplink-dropped"
"""Keys of the highest number in the spool, of the highest that the broker above has acknowledged, and of what
that was when the last row was acknowledged that is kept no more."""
KEEPS = 16 * 1024 * 1024
"""Bytes on disk of what was acknowledged that are kept, unless it is said."""


class Numbers(Struct, frozen=True):
    """What is durable of it: the values of the keys above."""

    seq: int = 0
    reached: int = 0
    dropped: int = 0


class Lanes:
    """Used by the writer alone, but that any thread may look at what is counted.

    Attributes:
        rows: how many wait; ``bytes`` about how much that is.
        marks: numbers of what must not be overtaken, oldest first.
        turns: how often rows that had gone up were put back among those that wait.
        on_urgent: told, once it is durable, that something urgent waits.
    """

    def __init__(
        self,
        ledger: Ledger,
        spool: Spool,
        kept: Numbers,
        keeps: int = KEEPS,
    ) -> None:
        """What waits by now; ``keeps`` bytes of what was acknowledged are kept for a while."""
        self._spool = spool
        numbers = [(SEQ, kept.seq), (REACHED, kept.reached), (DROPPED, kept.dropped)]
        self._numbers: Overlay[str, int] = ledger.overlay("meta", numbers)
        self._handed = Handed(ledger, spool, keeps, kept.dropped)
        self._at = kept.seq
        self._rows: Log[Row] = ledger.log("spool")
        self._gone: Log[tuple[int]] = ledger.log("unspooled")
        self.rows, self.bytes = spool.size()
        self.marks = spool.marks()
        self.turns = self._turned = 0
        self.on_urgent: Callable[[], None] = _nobody_waits
        self._urgent = False
        self._stood = self.rows, self.bytes
        ledger.join(self)

    @property
    def reached(self) -> int:
        """The highest number that the broker above has acknowledged."""
        return self._numbers.get(REACHED) or 0

    def put(
        self,
        name: str,
        lane: int,
        channel: str,
        body: str,
        *,
        store: str = "",
        observed: int | None = None,
        n: int | None = None,
        due: int = 0,
    ) -> int:
        """Put a message into a lane; its number in the spool. See ``spool.Waiting`` for the rest."""
        self._at += 1
        self._rows.append((self._at, lane, due, name, channel, store, n, 0, observed, body))
        self._numbers.put(SEQ, self._at)
        self._urgent = self._urgent or lane == URGENT
        self.rows += 1
        self.bytes += len(body) + OVERHEAD
        return self._at

    def mark(self, seq: int) -> None:
        """A row must not be overtaken."""
        self.marks.append(seq)

    def forget(self, gone: Iterable[tuple[int, int]]) -> None:
        """Rows, by number and size, are given up."""
        for seq, size in gone:
            self._gone.append((seq,))
            self._leaves(seq, size)

    def reach(self, gone: Sequence[HandedRow]) -> None:
        """The broker above has these rows."""
        reached = max(self.reached, *(seq for seq, _, _ in gone), 0)
        self._numbers.put(REACHED, reached)
        for seq, size, _ in gone:
            self._leaves(seq, size)
        dropped = self._handed.dropped
        self._handed.keep(gone, reached)
        if self._handed.dropped != dropped:
            self._numbers.put(DROPPED, self._handed.dropped)

    def again_from(self, seq: int) -> tuple[int, bool]:
        """The daemon above knows the spool up to a number only, and knew more: what it may lack waits again.

        Returns:
            How many rows that is, and whether none of what it may have lost is missing.
        """
        rows, size, whole = self._handed.again(seq)
        self.rows += rows
        self.bytes += size
        self._turned = self.turns + 1
        return rows, whole

    def commit(self) -> None:
        """What was put there is there."""
        self._stood = self.rows, self.bytes
        self.turns = self._turned
        if self._urgent:
            self._urgent = False
            self.on_urgent()

    def rollback(self) -> None:
        """Nothing was put there, nor forgotten."""
        self._urgent = False
        self._turned = self.turns
        self.rows, self.bytes = self._stood
        self._at = self._numbers.get(SEQ) or 0
        self.marks = self._spool.marks()

    def _leaves(self, seq: int, size: int) -> None:
        self.rows -= 1
        self.bytes -= size
        if self.marks and seq in self.marks:
            self.marks.remove(seq)


def _nobody_waits() -> None:
    """Stands in until there is a session."""
