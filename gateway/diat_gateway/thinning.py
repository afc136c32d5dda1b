"""Making room: of readings that wait, those are given up that the ones that stand tell within a stated bound.

A dead band (send-on-delta): a reading is given up if each of its values is within the band of the last one
of its property that stands. Whoever holds each value until the next one comes is off by the band at most;
of a thing that was thinned several times, by the sum of its bands, which is what is stated. What is no
number, and the newest reading of each thing, is never given up so. Memory is that of one page and one value
for each property.

What happened (events, results, announcements) is given up by nothing but the hard bound of the spool: then
the oldest readings go, and are reported as lost with no bound.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from diat.kernel.errors import DiatError
from diat.kernel.overlay import Ledger, Log
from diat.vol.sieve import number
from diat_gateway.drain import Drain
from diat_gateway.settings import LineSettings
from diat_gateway.spool import CALM, OVERHEAD, Spool, Waiting
from diat_gateway.uplink import Uplink

Submit = Callable[[Callable[[], Any]], Future[Any]]
_LOG = logging.getLogger("diat.line")
EVERY = 5.0
"""Seconds between two looks at how full the spool is."""
PAGE = 2000
FIRST = 0.002
"""The first band, as a share of what the values of a property range over; it doubles with each pass."""
PASSES = 9
ROOM = 0.75
"""Share of the bound that is aimed at."""


class Range(msgspec.Struct):
    """What the values of a property range over."""

    least: float
    most: float


class Thinning:
    """Keeps the spool within its bounds, in a thread of its own; rows are given up by the one writer."""

    def __init__(
        self, ledger: Ledger, uplink: Uplink, drain: Drain, spool: Spool, line: LineSettings, submit: Submit
    ) -> None:
        """A thinning that does not run yet.

        Args:
            ledger: what it commits with.
            uplink: the lower end of the line, within the writer.
            drain: stands still while rows are given up, and knows what is on its way.
            spool: to read from.
            line: bounds and budget.
            submit: runs a change in the writer.
        """
        self._given_up: Log[tuple[int, int]] = ledger.log("given_up")
        self._uplink = uplink
        self._spool = spool
        self._line = line
        self._over = threading.Event()
        self._drain = drain
        self._submit = submit
        self.given = 0
        self._thread = threading.Thread(target=self._run, name="diat-thinning")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._spool.close()

    @property
    def bound(self) -> float:
        """Bytes on disk that may wait: what the disk is to hold, and what can be caught up with in time."""
        ratio = max(self._uplink.heard.ratio, 0.05)
        return min(self._line.spool, self._line.budget * self._line.catch_up / ratio)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self.look()
            except DiatError as error:
                _LOG.warning("the spool could not be thinned: %s", error)

    def look(self) -> int:
        """Make room if need be; how many rows were given up."""
        bound, given = self.bound, 0
        if not self._uplink.rows and self._uplink.thinned:
            self._submit(self._uplink.narrow).result()
        if self._uplink.bytes <= bound:
            return 0
        ranges = self._ranges()
        band = FIRST
        for _ in range(PASSES):
            if self._uplink.bytes <= bound * ROOM or self._over.is_set():
                break
            self._submit(self._uplink.new_pass).result()
            given += self._pass({key: band * (each.most - each.least) for key, each in ranges.items()})
            band *= 2
        if self._uplink.bytes > self._line.spool and not self._over.is_set():
            given += self._oldest(self._line.spool * ROOM)
        self.given += given
        return given

    def _ranges(self) -> dict[tuple[str, str], Range]:
        found: dict[tuple[str, str], Range] = {}
        for page in self._pages():
            for row in page:
                for prop, value in _values(row).items():
                    if not number(value):
                        continue
                    known = found.get((row.name, prop))
                    if known is None:
                        found[row.name, prop] = Range(value, value)
                    else:
                        known.least, known.most = min(known.least, value), max(known.most, value)
        return found

    def _pages(self) -> Any:
        after = 0
        while not self._over.is_set():
            page = self._spool.next(CALM, after, PAGE)
            if not page:
                return
            after = page[-1].seq
            yield [row for row in page if row.n is not None and row.channel == "properties"]

    def _pass(self, bands: dict[tuple[str, str], float]) -> int:
        """One pass over all that waits; how many rows were given up."""
        stands: dict[tuple[str, str], Any] = {}
        held: dict[str, Waiting] = {}
        given = 0
        for page in self._pages():
            gone: list[tuple[Waiting, Waiting]] = []
            for row in page:
                values = _values(row)
                before = held.pop(row.name, None)
                if before is not None:
                    # What follows it stands for it, or within the band of what stands before it.
                    gone.append((before, row))
                if all(
                    _within(stands.get((row.name, each)), value, bands.get((row.name, each), 0.0))
                    for each, value in values.items()
                ):
                    held[row.name] = row
                else:
                    stands.update({(row.name, each): value for each, value in values.items()})
            given += self._give_up(gone, held, bands)
        return given

    def _oldest(self, bound: float) -> int:
        """Give up the oldest readings, whatever they say, but the newest of each thing."""
        given = 0
        held: dict[str, Waiting] = {}
        for page in self._pages():
            if self._uplink.bytes <= bound:
                break
            gone = []
            for row in page:
                before = held.pop(row.name, None)
                if before is not None:
                    gone.append((before, row))
                held[row.name] = row
            given += self._give_up(gone, held, None)
        return given

    def _give_up(
        self,
        gone: list[tuple[Waiting, Waiting]],
        held: dict[str, Waiting],
        bands: dict[tuple[str, str], float] | None,
    ) -> int:
        """Give up rows, each counted at the one that follows it; those held have then to be counted with."""
        with self._drain.still:
            sent = self._drain.out
            free = [(row, follows) for row, follows in gone if not {row.seq, follows.seq} & sent]
            if not free:
                return 0
            lost: dict[int, int] = {}
            for row, follows in free:
                lost[follows.seq] = 1 + row.lost + lost.pop(row.seq, 0)
            self._submit(lambda: self._within_writer(free, lost, bands)).result()
        for name, row in held.items():
            if row.seq in lost:
                held[name] = msgspec.structs.replace(row, lost=row.lost + lost[row.seq])
        return len(free)

    def _within_writer(
        self,
        free: list[tuple[Waiting, Waiting]],
        lost: dict[int, int],
        bands: dict[tuple[str, str], float] | None,
    ) -> None:
        self._uplink.forget([(row.seq, len(row.body) + OVERHEAD) for row, _ in free])
        for seq, more in lost.items():
            self._given_up.append((more, seq))
        for name in {row.name for row, _ in free}:
            self._uplink.widen(
                name, None if bands is None else {p: w for (n, p), w in bands.items() if n == name}
            )


def _values(row: Waiting) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(row.body)
    return found


def _within(stands: Any, value: Any, band: float) -> bool:
    if number(stands) and number(value):
        return bool(abs(value - stands) <= band)
    return bool(stands == value) and type(stands) is type(value)
