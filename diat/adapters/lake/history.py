"""The one history: readings in the database and in Parquet files, and nobody who asks can tell which.

The database is looked at first, then the directory. A file is there before its rows are deleted, so what
this view of the database lacks is in a file, and what it has beyond that is known from the files' names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from diat.adapters.lake import cold
from diat.adapters.lake.catalog import Catalog, Holdings, Shelf
from diat.adapters.lake.days import day_of
from diat.adapters.lake.reader import Reader, Report, Vanished
from diat.adapters.sql import hot
from diat.adapters.sql.figures import Aggregate, Partial, Past, Wanted
from diat.adapters.sql.history import History
from diat.kernel.errors import Unavailable

T = TypeVar("T")
ATTEMPTS = 5
"""Looks at the directory until it is given up that files stay while they are read."""


class Lake:
    """The directory of Parquet files and what reads them.

    Args:
        root: the directory; it need not exist.
        report: is told, in one line, of a file that cannot be read.
        alone: whether nobody else adds or removes files meanwhile.

    Attributes:
        catalog: which files there are.
        reader: answers questions about them.
    """

    def __init__(self, root: Path, report: Report | None = None, *, alone: bool = True) -> None:
        self.catalog = Catalog(root.absolute(), alone=alone)
        self.report: Report = report or (lambda _: None)
        self.reader = Reader(self.catalog, self.report)

    def close(self) -> None:
        """Give the memory back."""
        self.reader.close()


class LakeHistory(History):
    """``History`` over the database and the lake: the same questions, the same answers."""

    def __init__(self, engine: Engine, lake: Lake) -> None:
        super().__init__(engine)
        self._lake = lake

    def _read(self, question: Callable[[Connection], T]) -> T:
        for _ in range(ATTEMPTS):
            try:
                return super()._read(question)
            except Vanished:
                self._lake.catalog.refresh()
        raise Unavailable("the files of history change faster than they can be read")

    def _readings(self, connection: Connection, wanted: Wanted, count: int) -> Iterator[Past]:
        holdings, cover = self._view(connection, "readings", wanted)
        recent = hot.readings(connection, wanted, cover)
        old = cold.readings(self._lake.reader, holdings, wanted, count)
        return merge(old, recent, key=attrgetter(*wanted.order))

    def _occurrences(self, connection: Connection, wanted: Wanted, count: int) -> Iterator[Past]:
        holdings, cover = self._view(connection, "events", wanted)
        recent = hot.occurrences(connection, wanted, cover)
        old = cold.occurrences(self._lake.reader, holdings, wanted, count)
        return merge(old, recent, key=attrgetter(*wanted.order))

    def _partials(
        self, connection: Connection, wanted: Wanted, every: int, aggregate: Aggregate, count: int
    ) -> Iterator[Partial]:
        holdings, cover = self._view(connection, "readings", wanted)
        reader = self._lake.reader
        return merge(
            cold.hours(reader, holdings, wanted, every, aggregate, count),
            cold.partials(reader, holdings, wanted, every, aggregate, count),
            hot.partials(connection, wanted, cover, every, aggregate),
            key=attrgetter("at"),
        )

    def _census(
        self, connection: Connection, thing: int, start: int | None, end: int | None
    ) -> dict[str, int]:
        holdings, cover = self._view(connection, "readings", Wanted(thing, "", start, end))
        recent = hot.census(connection, thing, start, end, cover)
        return dict(Counter(recent) + Counter(cold.census(self._lake.reader, holdings, thing, start, end)))

    def _view(
        self, connection: Connection, shelf: Shelf, wanted: Wanted
    ) -> tuple[Holdings, dict[int, list[tuple[int, int]]]]:
        """The files, and which rows of the database they hold as well.

        The first question to the database fixes the state of it that this connection sees: it comes first.
        """
        oldest = hot.oldest(connection, shelf, wanted.thing)
        holdings = self._lake.catalog.holdings()
        if oldest is None:
            return holdings, {}
        start = oldest if wanted.start is None else max(oldest, wanted.start)
        first, last = day_of(start), None if wanted.end is None else day_of(wanted.end - 1)
        days = (day for day in holdings.days(shelf) if day >= first and (last is None or day <= last))
        return holdings, {day: holdings.ranges(shelf, day) for day in sorted(days)}
