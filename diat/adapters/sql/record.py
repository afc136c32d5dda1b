"""What was recorded, read from the database in the order in which it came (``diat.vol.recorded.Record``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from diat.adapters.sql import rows
from diat.vol.interaction import Actuation
from diat.vol.recorded import Row, Volume
from diat.vol.twin import Reading, Twin

T = TypeVar("T")
CHUNK = 5000
"""Rows read at once: no transaction stays open while somebody works on them."""
RECENT = 200
"""Rows of a thing among which its newest readings are sought first."""

_decode = msgspec.json.Decoder().decode
_COLUMNS = {
    "readings": "position, thing, '', observed, received, n, quality, reported",
    "events": "position, thing, event, observed, received, n, 'good', data",
}


class Part:
    """Some rows from a position on; ``upto`` is the last position of which all are there, None if all are."""

    def __init__(self, found: list[Row], upto: int | None) -> None:
        self.rows = found
        self.upto = upto


class SqlRecord:
    """Reads the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begins(self) -> int | None:
        """Since when everything is there as it came, Unix milliseconds."""
        return self._read(lambda sql: min(_firsts(sql), default=None))

    def position_at(self, time: int) -> int | None:
        """Position of the first row that came at a time or after it."""
        return self._read(lambda sql: _first_at(sql, time))

    def rows(self, things: Collection[int], start: int, end: int | None = None) -> Iterator[Row]:
        """Rows of these things in the order in which they came, a chunk at a time."""
        wanted = sorted(things)
        upto: int | None = start - 1
        while upto is not None:
            first = upto + 1
            parts = self._read(partial(self._parts, things=wanted, start=first, end=end))
            upto = min((part.upto for part in parts if part.upto is not None), default=None)
            for row in merge(*(part.rows for part in parts), key=attrgetter("position")):
                if upto is None or row.position <= upto:
                    yield row

    def known(self, thing: int, names: Collection[str], before: int) -> dict[str, Reading]:
        """The newest reading of each of these properties among those that came before a position."""
        return self._read(lambda sql: _known(sql, thing, names, before))

    def last_notes(self, thing: int, name: str, before: int, limit: int) -> list[Row]:
        """What was noted last of a thing under a name before a position, newest first."""
        query = (
            f"SELECT {_COLUMNS['events']} FROM events WHERE thing = ? AND event = ? AND position < ? "
            "ORDER BY observed DESC, position DESC LIMIT ?"
        )
        return self._events(query, (thing, name, before, limit))

    def notes(self, name: str, start: int, limit: int) -> list[Row]:
        """What was noted of any thing under a name from a position on, in order."""
        columns = _COLUMNS["events"]
        query = f"SELECT {columns} FROM events WHERE position >= ? AND event = ? ORDER BY position LIMIT ?"
        return self._events(query, (start, name, limit))

    def at(self, positions: Collection[int]) -> list[Row]:
        """The rows at these positions, in order."""
        return self._read(lambda sql: _at(sql, positions))

    def commands(self, things: Collection[str], start: int, end: int, limit: int) -> list[Actuation]:
        """Commands to things that were given in a span of time, oldest first."""
        query = (
            "SELECT body FROM actuations WHERE created >= ? AND created < ? "
            "AND thing IN (SELECT value FROM json_each(?)) ORDER BY created, rowid LIMIT ?"
        )
        return self._commands(query, (start, end, rows.text(sorted(things)), limit))

    def last_commands(self, things: Collection[str], before: int, limit: int) -> list[Actuation]:
        """The last commands to things that were given before a time, newest first."""
        query = (
            "SELECT body FROM actuations WHERE created < ? "
            "AND thing IN (SELECT value FROM json_each(?)) ORDER BY created DESC, rowid DESC LIMIT ?"
        )
        return self._commands(query, (before, rows.text(sorted(things)), limit))

    def volume(self, thing: int, since: int) -> Volume:
        """How much a thing has said since a time, of what is not in cold storage."""
        query = "SELECT count(*), total(length(reported)) FROM readings WHERE thing = ? AND observed >= ?"
        count, size = self._read(lambda sql: sql.exec_driver_sql(query, (thing, since)).one())
        return Volume(count, round(size))

    def _events(self, query: str, parameters: tuple[Any, ...]) -> list[Row]:
        return self._read(lambda sql: [_row(each) for each in sql.exec_driver_sql(query, parameters)])

    def _commands(self, query: str, parameters: tuple[Any, ...]) -> list[Actuation]:
        return self._read(
            lambda sql: [rows.read_actuation(body) for (body,) in sql.exec_driver_sql(query, parameters)]
        )

    def _read(self, question: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return question(connection)

    def _parts(self, sql: Connection, things: list[int], start: int, end: int | None) -> list[Part]:
        """What the tables have from a position on, at most a chunk of each."""
        return [chunk(sql, table, things, start, end) for table in _COLUMNS]


def chunk(sql: Connection, table: str, things: list[int], start: int, end: int | None) -> Part:
    """Rows of a table from a position on."""
    query = (
        f"SELECT {_COLUMNS[table]} FROM {table} WHERE position >= ? AND position < ? "
        "AND thing IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?"
    )
    last = 2**62 if end is None else end
    found = [_row(each) for each in sql.exec_driver_sql(query, (start, last, rows.text(things), CHUNK))]
    return Part(found, found[-1].position if len(found) == CHUNK else None)


def _row(found: Any) -> Row:
    position, thing, name, observed, received, n, quality, data = found
    return Row(position, thing, name, observed, received, n or 0, quality, _decode(data))


def _firsts(sql: Connection) -> Iterator[int]:
    for table in _COLUMNS:
        received = sql.exec_driver_sql(f"SELECT received FROM {table} ORDER BY position LIMIT 1").scalar()
        if received is not None:
            yield received


def _first_at(sql: Connection, time: int) -> int | None:
    """Rows are in the order in which they came, so a few looks find the first of a time."""
    found = []
    for table in _COLUMNS:
        low, high = sql.exec_driver_sql(f"SELECT min(position), max(position) FROM {table}").one()
        if low is None:
            continue
        query = f"SELECT position, received FROM {table} WHERE position >= ? ORDER BY position LIMIT 1"
        first, high = None, high + 1
        while low < high:
            middle = (low + high) // 2
            row = sql.exec_driver_sql(query, (middle,)).first()
            if row is None or row[1] >= time:
                first, high = (first if row is None else row[0]), middle
            else:
                low = row[0] + 1
        if first is not None:
            found.append(first)
    return min(found, default=None)


def _known(sql: Connection, thing: int, names: Collection[str], before: int) -> dict[str, Reading]:
    twin = Twin()
    query = (
        f"SELECT {_COLUMNS['readings']} FROM readings WHERE thing = ? AND position < ? "
        "ORDER BY observed DESC, position DESC LIMIT ?"
    )
    recent = [_row(each) for each in sql.exec_driver_sql(query, (thing, before, RECENT))]
    if len(recent) == RECENT:
        told = {name for row in recent for name in row.data}
        recent += [row for name in sorted(set(names) - told) for row in _newest(sql, thing, name, before)]
    for row in sorted(recent, key=attrgetter("position")):
        for name in set(names) & set(row.data):
            twin.learn(name, reading_of(row, row.data[name]))
    return twin.values


def _newest(sql: Connection, thing: int, name: str, before: int) -> list[Row]:
    columns = _COLUMNS["readings"].replace("reported", "readings.reported")
    query = (
        f"SELECT {columns} FROM readings, json_each(readings.reported) AS said "
        "WHERE thing = ? AND position < ? AND said.key = ? ORDER BY observed DESC, position DESC LIMIT 1"
    )
    return [_row(each) for each in sql.exec_driver_sql(query, (thing, before, name))]


def reading_of(row: Row, value: Any) -> Reading:
    """One value of a row as a reading."""
    return Reading(value, row.observed, row.received, row.quality, row.n, row.position)


def _at(sql: Connection, positions: Collection[int]) -> list[Row]:
    found = []
    for table, columns in _COLUMNS.items():
        query = f"SELECT {columns} FROM {table} WHERE position IN (SELECT value FROM json_each(?))"
        found += [_row(each) for each in sql.exec_driver_sql(query, (rows.text(sorted(positions)),))]
    return sorted(found, key=attrgetter("position"))


__all__ = ["CHUNK", "Part", "SqlRecord", "chunk", "reading_of"]
