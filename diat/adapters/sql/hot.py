"""The questions that are put to the tables of readings and events: the hot part of history.

Rows that cold storage holds as well are left out (``Cover``): they wait to be deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from diat.adapters.sql import rows
from diat.adapters.sql.figures import Aggregate, Partial, Past, Wanted

DAY = 86_400_000
"""Milliseconds of a day."""

Cover = Mapping[int, Sequence[tuple[int, int]]]
"""Day since 1970 to ranges of positions (first excluded, last included) whose rows of that day are in cold
storage."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode

# A row's place among all of its thing, as text of one length so that max() finds the last of them.
_PLACE = "printf('%020d %020d', observed, position)"
_FIGURES = {
    "mean": "count(*), total(value), min(kind = 'integer'), max(received)",
    "sum": "count(*), total(value), min(kind = 'integer'), max(received)",
    "min": "count(*), min(CAST(value AS REAL)), min(kind = 'integer'), max(received)",
    "max": "count(*), max(CAST(value AS REAL)), min(kind = 'integer'), max(received)",
    "count": "count(*), NULL, 0, max(received)",
    # SQLite takes the bare columns from the row that holds the max.
    "last": f"count(*), reported, 0, received, observed, position, max({_PLACE})",
}


def readings(connection: Connection, wanted: Wanted, cover: Cover) -> Iterator[Past]:
    """Readings of one property, oldest first, read as they are asked for."""
    source, path = _source(wanted.name)
    narrowed, parameters = _narrow(wanted)
    found = connection.exec_driver_sql(
        f"SELECT observed, position, received, quality, reported FROM {source} "
        f"WHERE {narrowed} AND kind IS NOT NULL ORDER BY {', '.join(wanted.order)}",
        {"path": path, **parameters},
    )
    for observed, position, received, quality, reported in found:
        if not covered(cover, observed, position):
            yield Past(_decode(reported)[wanted.name], observed, received, quality, position)


def occurrences(connection: Connection, wanted: Wanted, cover: Cover) -> Iterator[Past]:
    """Occurrences of one event, oldest first; their data as ``value``."""
    narrowed, parameters = _narrow(wanted)
    found = connection.exec_driver_sql(
        "SELECT observed, position, received, data FROM events "
        f"WHERE {narrowed} AND event = :event ORDER BY {', '.join(wanted.order)}",
        {"event": wanted.name, **parameters},
    )
    for observed, position, received, data in found:
        if not covered(cover, observed, position):
            yield Past(_decode_any(data), observed, received, "good", position)


def partials(
    connection: Connection, wanted: Wanted, cover: Cover, every: int, aggregate: Aggregate
) -> Iterator[Partial]:
    """A figure for each interval that has readings, oldest first."""
    source, path = _source(wanted.name)
    narrowed, parameters = _narrow(wanted)
    apart = f" AND NOT EXISTS ({_held(cover)})" if cover else ""
    counted = "kind <> 'null'" if aggregate in ("count", "last") else "kind IN ('integer', 'real')"
    found = connection.exec_driver_sql(
        f"SELECT observed - observed % :every AS at, {_FIGURES[aggregate]} FROM {source} "
        f"WHERE {narrowed} AND {counted}{apart} GROUP BY at ORDER BY at",
        {"path": path, "every": every, **parameters},
    )
    for at, count, figure, whole, received, *latest in found:
        if aggregate == "last":
            value = _decode(figure)[wanted.name]
            yield Partial(at, count, value, False, received, (latest[0], latest[1]))
        else:
            yield Partial(at, count, figure, bool(whole), received)


def census(
    connection: Connection, thing: int, start: int | None, end: int | None, cover: Cover
) -> dict[str, int]:
    """How many readings each property of a thing has."""
    narrowed, parameters = _narrow(Wanted(thing, "", start, end))
    apart = f" AND NOT EXISTS ({_held(cover)})" if cover else ""
    found = connection.exec_driver_sql(
        "SELECT key, count(*) FROM readings, json_each(readings.reported) "
        f"WHERE {narrowed}{apart} GROUP BY key",
        parameters,
    )
    return {name: count for name, count in found}  # noqa: C416 - rows are no pairs to dict()


def oldest(connection: Connection, table: str, thing: int) -> int | None:
    """When the oldest row of a thing was observed, Unix milliseconds; None if it has none."""
    query = f"SELECT min(observed) FROM {table} WHERE thing = ?"
    return connection.exec_driver_sql(query, (thing,)).scalar()


def covered(cover: Cover, observed: int, position: int) -> bool:
    """Whether cold storage holds this row."""
    return any(low < position <= high for low, high in cover.get(observed // DAY, ())) if cover else False


def _source(name: str) -> tuple[str, str]:
    """Where to find readings with ``value`` and ``kind`` of a property, and SQLite's JSON path of it.

    Up to SQLite 3.44 a path cannot name a key with a quote in it. Such a key is sought among all.
    """
    path = f"$.{rows.text(name)}"
    if '"' in name:
        pick = "key_value.value AS value, key_value.type AS kind"
        among = "readings JOIN json_each(reported) AS key_value ON key_value.fullkey = :path"
    else:
        pick = "json_extract(reported, :path) AS value, json_type(reported, :path) AS kind"
        among = "readings"
    columns = "readings.thing, observed, position, received, quality, reported"
    return f"(SELECT {columns}, {pick} FROM {among}) AS readings", path


def _narrow(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    conditions, parameters = ["thing = :thing"], {"thing": wanted.thing}
    if wanted.start is not None:
        conditions.append("observed >= :start")
        parameters["start"] = wanted.start
    if wanted.end is not None:
        conditions.append("observed < :end")
        parameters["end"] = wanted.end
    if wanted.after is not None:
        conditions.append("(observed, position) > (:at, :position)")
        parameters["at"], parameters["position"] = wanted.after
    if wanted.since is not None:
        conditions.append("position > :since")
        parameters["since"] = wanted.since
    return " AND ".join(conditions), parameters


def _held(cover: Cover) -> str:
    ranges = ", ".join(f"({day}, {low}, {high})" for day, each in cover.items() for low, high in each)
    return (
        f"WITH held(day, low, high) AS (VALUES {ranges}) SELECT 1 FROM held "
        f"WHERE held.day = observed / {DAY} AND position > held.low AND position <= held.high"
    )
