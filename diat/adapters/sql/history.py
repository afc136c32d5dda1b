"""What is read back: history, and commands. Any thread may ask; the writer never waits.

``History`` reads what is in the database. ``diat.adapters.lake.history.LakeHistory`` is the same for whoever
asks, and reads what was moved to Parquet files as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select

from diat.adapters.sql import hot, rows
from diat.adapters.sql.figures import Aggregate, Partial, Past, Wanted, combine
from diat.adapters.sql.tables import ACTUATIONS
from diat.kernel.errors import NotFound
from diat.vol.interaction import Actuation

__all__ = ["Aggregate", "History", "Past"]

T = TypeVar("T")


class History:
    """Reads the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def readings(
        self,
        thing: int,
        name: str,
        start: int | None,
        end: int | None,
        limit: int,
        *,
        offset: int = 0,
        after: tuple[int, int] | None = None,
    ) -> list[Past]:
        """Readings of one property, oldest first.

        Args:
            thing: number of the thing.
            name: the property.
            start: first time, Unix milliseconds, included.
            end: last time, excluded.
            limit: how many at most.
            offset: how many to leave out first.
            after: (observed, position) of the last reading of the page before.
        """
        wanted = Wanted(thing, name, start, end, after)
        most = offset + limit
        return self._read(lambda sql: list(islice(self._readings(sql, wanted, most), offset, most)))

    def occurrences(
        self,
        thing: int,
        event: str,
        start: int | None,
        end: int | None,
        limit: int,
        *,
        offset: int = 0,
        after: tuple[int, int] | None = None,
    ) -> list[Past]:
        """Occurrences of one event, oldest first, their data as ``value``; arguments as of ``readings``."""
        wanted = Wanted(thing, event, start, end, after)
        most = offset + limit
        return self._read(lambda sql: list(islice(self._occurrences(sql, wanted, most), offset, most)))

    def readings_since(self, thing: int, name: str, position: int, limit: int) -> list[Past]:
        """Readings of one property that came behind an ingest position, in the order in which they came."""
        wanted = Wanted(thing, name, since=position)
        return self._read(lambda sql: list(islice(self._readings(sql, wanted, limit), limit)))

    def events_since(self, thing: int, event: str, position: int, limit: int) -> list[Past]:
        """Occurrences of one event that came behind an ingest position, in the order in which they came."""
        wanted = Wanted(thing, event, since=position)
        return self._read(lambda sql: list(islice(self._occurrences(sql, wanted, limit), limit)))

    def aggregates(
        self,
        thing: int,
        name: str,
        start: int | None,
        end: int | None,
        every: int,
        aggregate: Aggregate,
        limit: int,
        *,
        offset: int = 0,
    ) -> list[Past]:
        """One figure for each interval that has readings, oldest first; ``observed`` is the interval's start.

        ``count`` and ``last`` are over all values but null, the others over those that are numbers.

        Args:
            thing: number of the thing.
            name: the property.
            start: first time, Unix milliseconds, included.
            end: last time, excluded.
            every: length of an interval in milliseconds; intervals begin at multiples of it.
            aggregate: which figure.
            limit: how many intervals at most.
            offset: how many to leave out first.
        """
        wanted = Wanted(thing, name, start, end)
        most = offset + limit

        def figures(sql: Connection) -> list[Past]:
            found = self._partials(sql, wanted, every, aggregate, most)
            return list(islice(combine(aggregate, found), offset, most))

        return self._read(figures)

    def census(self, thing: int, start: int | None, end: int | None) -> dict[str, int]:
        """How many readings of each property of a thing there are; those without any are left out."""
        return self._read(lambda sql: self._census(sql, thing, start, end))

    def actuations(
        self,
        limit: int,
        offset: int,
        *,
        service: str | None = None,
        thing: str | None = None,
        among: list[str] | None = None,
    ) -> list[Actuation]:
        """Commands, newest first: of a service, to a thing, to one of some things, if that is asked for."""
        query = select(ACTUATIONS.c.body).order_by(ACTUATIONS.c.created.desc(), ACTUATIONS.c.id.desc())
        if service is not None:
            query = query.where(ACTUATIONS.c.service == service)
        if thing is not None:
            query = query.where(ACTUATIONS.c.thing == thing)
        if among is not None:
            # As one JSON text: the things may be more than a statement takes parameters.
            listed = func.json_each(rows.text(among)).table_valued("value")
            query = query.where(ACTUATIONS.c.thing.in_(select(listed.c.value)))
        with self._engine.connect() as connection:
            return [
                rows.read_actuation(body) for (body,) in connection.execute(query.limit(limit).offset(offset))
            ]

    def actuation(self, reference: str) -> Actuation:
        """One command.

        Raises:
            NotFound: there is none of this id.
        """
        with self._engine.connect() as connection:
            body = connection.execute(select(ACTUATIONS.c.body).where(ACTUATIONS.c.id == reference)).scalar()
        if body is None:
            raise NotFound(f"there is no command {reference!r}")
        return rows.read_actuation(body)

    def _read(self, question: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return question(connection)

    def _readings(self, connection: Connection, wanted: Wanted, count: int) -> Iterator[Past]:
        """At least the first ``count`` readings, if there are so many."""
        return hot.readings(connection, wanted, {})

    def _occurrences(self, connection: Connection, wanted: Wanted, count: int) -> Iterator[Past]:
        return hot.occurrences(connection, wanted, {})

    def _partials(
        self, connection: Connection, wanted: Wanted, every: int, aggregate: Aggregate, count: int
    ) -> Iterator[Partial]:
        """Figures, ordered by interval, from which the first ``count`` intervals can be told."""
        return hot.partials(connection, wanted, {}, every, aggregate)

    def _census(
        self, connection: Connection, thing: int, start: int | None, end: int | None
    ) -> dict[str, int]:
        return hot.census(connection, thing, start, end, {})
