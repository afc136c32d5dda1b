"""What is read back: history of properties, and commands. Any thread may ask; the writer never waits."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, and_, func, or_, select, text

from diat.adapters.sql import rows
from diat.adapters.sql.tables import ACTUATIONS, READINGS
from diat.kernel.errors import NotFound
from diat.vol.interaction import Actuation

Aggregate = Literal["mean", "min", "max", "sum", "count", "last"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_AGGREGATES = {"mean": "avg", "min": "min", "max": "max", "sum": "sum", "count": "count"}


class Past(Struct, frozen=True):
    """A reading of long ago, or a figure over many; times in Unix milliseconds."""

    value: Any
    observed: int
    received: int
    quality: str
    position: int = 0


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
        table = READINGS.c
        wanted: list[Any] = [table.thing == thing, text("json_type(reported, :path) IS NOT NULL")]
        if start is not None:
            wanted.append(table.observed >= start)
        if end is not None:
            wanted.append(table.observed < end)
        if after is not None:
            at, position = after
            wanted.append(or_(table.observed > at, and_(table.observed == at, table.position > position)))
        query = (
            select(table.position, table.observed, table.received, table.quality, table.reported)
            .where(*wanted)
            .order_by(table.observed, table.position)
            .limit(limit)
            .offset(offset)
        )
        with self._engine.connect() as connection:
            found = connection.execute(query, {"path": _path(name)}).all()
        return [
            Past(_decode(reported)[name], observed, received, quality, position)
            for position, observed, received, quality, reported in found
        ]

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

        Args:
            thing: number of the thing.
            name: the property; but for ``count`` and ``last`` its values must be numbers.
            start: first time, Unix milliseconds, included.
            end: last time, excluded.
            every: length of an interval in milliseconds; intervals begin at multiples of it.
            aggregate: which figure.
            limit: how many intervals at most.
            offset: how many to leave out first.
        """
        table = READINGS.c
        value = func.json_extract(table.reported, _path(name))
        bucket = (table.observed - table.observed % every).label("bucket")
        figure = table.reported if aggregate == "last" else getattr(func, _AGGREGATES[aggregate])(value)
        wanted: list[Any] = [table.thing == thing, value.is_not(None)]
        if start is not None:
            wanted.append(table.observed >= start)
        if end is not None:
            wanted.append(table.observed < end)
        # With "last", SQLite takes the bare columns from the row that holds the max.
        received = table.received if aggregate == "last" else func.max(table.received)
        query = (
            select(bucket, figure, received, func.max(table.observed))
            .where(*wanted)
            .group_by(bucket)
            .order_by(bucket)
            .limit(limit)
            .offset(offset)
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return [
            Past(_decode(got)[name] if aggregate == "last" else got, at, came, "good")
            for at, got, came, _ in found
        ]

    def actuations(
        self, limit: int, offset: int, *, service: str | None = None, thing: str | None = None
    ) -> list[Actuation]:
        """Commands, newest first."""
        query = select(ACTUATIONS.c.body).order_by(ACTUATIONS.c.created.desc(), ACTUATIONS.c.id.desc())
        if service is not None:
            query = query.where(ACTUATIONS.c.service == service)
        if thing is not None:
            query = query.where(ACTUATIONS.c.thing == thing)
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


def _path(name: str) -> str:
    """SQLite's JSON path of a property; a quote in the name is written as JSON writes it."""
    return f"$.{rows.text(name)}"
