"""Moving whole days of readings and events from the database to Parquet files.

For each day: write a file with the rows up to the newest position, give it its name, then delete the rows
through the one writer, a piece at a time. From its renaming on the file holds the day: a crash before
leaves the rows, a crash after leaves rows that readers ignore and the next step deletes. Rows that come
later for a day that was moved go to another file of the day.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

from msgspec import Struct
from sqlalchemy import Engine

from diat.adapters.lake.days import name_of
from diat.adapters.lake.history import Lake
from diat.adapters.lake.parts import PartWriter, clear_drafts
from diat.adapters.lake.sources import SOURCES, Row, Source
from diat.adapters.sql.hot import DAY
from diat.kernel.overlay import Ledger, Log

_LOG = logging.getLogger("diat.lake")

GROUP = 60_000
"""Rows of the database after which a row group ends where the next thing begins."""
GROUP_MOST = 2 * GROUP
"""Rows after which it ends anywhere."""
GROUP_BYTES = 8 * 1024 * 1024
"""Bytes of JSON after which it ends anywhere. What a move takes in memory is some ten times this."""
PIECE = 1000
"""Rows deleted in one transaction: half as many as there are messages in a full batch of the writer."""
WINDOW = 50_000
"""Positions looked through at once for rows to delete."""

Submit = Callable[[Callable[[], None]], Future[None]]
Deleted = tuple[int, int, int]
"""position, start and end of its day in Unix milliseconds."""


class Stopped(Exception):
    """The daemon stops: what is half done is done at the next start."""


class Moved(Struct):
    """What one step did."""

    days: int = 0
    rows: int = 0
    values: int = 0
    deleted: int = 0


class Mover:
    """Moves what is old enough; one thread at a time.

    Args:
        engine: the database.
        lake: where to.
        ledger: the writer's; must not be in use yet.
        submit: runs a change in the writer, in a transaction of its own.
        stop: once set, a step ends at the next opportunity.

    Attributes:
        logs: what is deleted, by the name of its log.
    """

    def __init__(
        self, engine: Engine, lake: Lake, ledger: Ledger, submit: Submit, stop: threading.Event | None = None
    ) -> None:
        self._engine = engine
        self._lake = lake
        self.logs: dict[str, Log[Deleted]] = {each.log: ledger.log(each.log) for each in SOURCES}
        self._submit = submit
        self._stop = stop or threading.Event()
        clear_drafts(lake.catalog.root)

    def move(self, before: int) -> Moved:
        """Move all days before one (a number since 1970), and end what an earlier step left half done.

        Raises:
            Stopped: the daemon stops.
            Unavailable: the database or the disk cannot take it; a later call goes on where this ended.
        """
        moved = Moved()
        for source in SOURCES:
            with self._engine.connect() as connection:
                days = source.days(connection, before * DAY)
            for day, things in days.items():
                self._finish(source, day, things, moved)
                self._day(source, day, things, moved)
        if moved.deleted:
            _LOG.info(
                "moved %d rows (%d values) of %d days to Parquet files", moved.rows, moved.values, moved.days
            )
        return moved

    def has_work(self, before: int) -> bool:
        """Whether something of a day before this one is still in the database."""
        with self._engine.connect() as connection:
            return any(source.days(connection, before * DAY) for source in SOURCES)

    def _finish(self, source: Source, day: int, things: list[int], moved: Moved) -> None:
        """Delete rows that a file holds already."""
        holdings = self._lake.catalog.holdings()
        ranges = holdings.ranges(source.shelf, day)
        if not ranges or not self._left(source, day, things, ranges):
            return
        # The rows are the only other copy: be sure of the files before they go.
        self._lake.reader.sound(holdings.files(source.shelf, day))
        for low, high in self._lake.catalog.holdings().ranges(source.shelf, day):
            self._delete(source, day, low, high, moved)

    def _left(self, source: Source, day: int, things: list[int], ranges: list[tuple[int, int]]) -> bool:
        query = (
            f"SELECT 1 FROM {source.shelf} WHERE thing = ? AND observed >= ? AND observed < ? "
            "AND position > ? AND position <= ? LIMIT 1"
        )
        with self._engine.connect() as connection:
            return any(
                connection.exec_driver_sql(query, (thing, day * DAY, (day + 1) * DAY, *each)).first()
                for thing in things
                for each in ranges
            )

    def _day(self, source: Source, day: int, things: list[int], moved: Moved) -> None:
        """Write what no file holds yet into a new one, then delete it."""
        with self._engine.connect() as connection:
            high: int = connection.exec_driver_sql(f"SELECT max(position) FROM {source.shelf}").scalar() or 0
        held = self._lake.catalog.holdings().ranges(source.shelf, day)
        first, last, rows = high, 0, 0
        with PartWriter(self._lake.catalog, source.shelf, day) as part:
            began = time.monotonic()
            for group in self._groups(source, day, things, high, held):
                first = min(first, min(row[2] for row in group))
                last = max(last, max(row[2] for row in group))
                rows += len(group)
                part.write(source.table(group))
                self._rest(began)
                began = time.monotonic()
            if not rows:
                return
            part.finish(first - 1, high)
        moved.days, moved.rows, moved.values = moved.days + 1, moved.rows + rows, moved.values + part.rows
        _LOG.info("%s of %s: %d rows are in a Parquet file", source.shelf, name_of(day), rows)
        self._delete(source, day, first - 1, last, moved)

    def _groups(
        self, source: Source, day: int, things: list[int], high: int, held: list[tuple[int, int]]
    ) -> Iterator[list[Row]]:
        """Rows in portions that fit into memory, each read in a transaction of its own.

        Rows up to ``high`` do not change any more; a long transaction would only keep the database's log
        from being taken up.
        """
        group: list[Row] = []
        size = 0
        for thing in things:
            after, more = source.first, True
            while more:
                more = False
                with self._engine.connect() as connection:
                    for row in source.rows(connection, thing, day, high, after):
                        after = source.place(row)
                        if any(low < row[2] <= upper for low, upper in held):
                            continue
                        group.append(row)
                        size += len(row[-1])
                        if len(group) >= GROUP_MOST or size >= GROUP_BYTES:
                            more = True
                            break
                if more or len(group) >= GROUP:
                    yield group
                    group, size = [], 0
                    self._check()
        if group:
            yield group

    def _delete(self, source: Source, day: int, low: int, high: int, moved: Moved) -> None:
        """Delete a day's rows at positions above ``low`` and up to ``high``, which a file holds."""
        start, end = day * DAY, (day + 1) * DAY
        table, log = source.shelf, self.logs[source.log]
        bounds = f"SELECT min(position), max(position) FROM {table} WHERE position > ? AND position <= ?"
        query = (
            f"SELECT position FROM {table} WHERE position >= ? AND position < ? "
            "AND observed >= ? AND observed < ? ORDER BY position"
        )
        with self._engine.connect() as connection:
            first, last = connection.exec_driver_sql(bounds, (low, high)).one()
        if first is None:
            return
        for window in range(first, last + 1, WINDOW):
            upto = min(window + WINDOW, last + 1)
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql(query, (window, upto, start, end)).scalars().all()
            for at in range(0, len(found), PIECE):
                self._check()
                piece: list[Deleted] = [(position, start, end) for position in found[at : at + PIECE]]
                began = time.monotonic()
                self._submit(partial(append, log, piece)).result()
                moved.deleted += len(piece)
                self._rest(began)

    def _rest(self, began: float) -> None:
        """Leave others as much time as was taken since ``began``."""
        self._stop.wait(time.monotonic() - began)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped


def append(log: Log[Deleted], rows: list[Deleted]) -> None:
    """Have rows deleted with the running batch."""
    for row in rows:
        log.append(row)
