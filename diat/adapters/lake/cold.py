"""The questions that are put to the Parquet files: the cold part of history.

Days are asked in groups that grow, earliest first: who wants only the beginning does not read it all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from diat.adapters.lake.catalog import Holdings, Part, Shelf
from diat.adapters.lake.days import HOUR
from diat.adapters.lake.reader import Reader
from diat.adapters.lake.shapes import VALUE, together
from diat.adapters.sql.figures import Aggregate, Partial, Past, Wanted
from diat.adapters.sql.hot import DAY

MOST = 64
"""Days asked at once."""

_decode = msgspec.json.Decoder().decode

_VALUES = ", ".join(VALUE)
_SOMETHING = f"({' OR '.join(f'{name} IS NOT NULL' for name in VALUE)})"
_NUMBER = "value_number IS NOT NULL"
_LAST = f"max_by(row(observed, position, received, {_VALUES}), row(observed, position))"

# count, figure, whether all are whole, when the newest came; and of which rows.
_OF_READINGS = {
    "mean": ("count(*), fsum(value_number), bool_and(whole), max(received)", _NUMBER),
    "sum": ("count(*), fsum(value_number), bool_and(whole), max(received)", _NUMBER),
    "min": ("count(*), min(value_number), bool_and(whole), max(received)", _NUMBER),
    "max": ("count(*), max(value_number), bool_and(whole), max(received)", _NUMBER),
    "count": ("count(*), NULL, false, max(received)", _SOMETHING),
    "last": (f"count(*), {_LAST}", _SOMETHING),
}
_OF_HOURS = {
    "mean": ("sum(numbers), fsum(sum), bool_and(all_whole), max(newest)", "numbers > 0"),
    "sum": ("sum(numbers), fsum(sum), bool_and(all_whole), max(newest)", "numbers > 0"),
    "min": ("sum(numbers), min(min), bool_and(all_whole), max(newest)", "numbers > 0"),
    "max": ("sum(numbers), max(max), bool_and(all_whole), max(newest)", "numbers > 0"),
    "count": ("sum(count), NULL, false, max(newest)", "true"),
    "last": (f"sum(count), {_LAST}", "true"),
}


def readings(reader: Reader, holdings: Holdings, wanted: Wanted, count: int) -> Iterator[Past]:
    """The first ``count`` readings of one property, oldest first."""
    question = _question(
        f"observed, position, received, quality, {_VALUES}",
        "property = $name",
        wanted,
        ", ".join(wanted.order),
    )
    for observed, position, received, quality, *value in _pages(
        reader, holdings, "readings", question, wanted, count
    ):
        yield Past(together(*value), observed, received, quality, position)


def occurrences(reader: Reader, holdings: Holdings, wanted: Wanted, count: int) -> Iterator[Past]:
    """The first ``count`` occurrences of one event, oldest first; their data as ``value``."""
    question = _question(
        "observed, position, received, data", "event = $name", wanted, ", ".join(wanted.order)
    )
    for observed, position, received, data in _pages(reader, holdings, "events", question, wanted, count):
        yield Past(_decode(data), observed, received, "good", position)


def partials(
    reader: Reader, holdings: Holdings, wanted: Wanted, every: int, aggregate: Aggregate, count: int
) -> Iterator[Partial]:
    """Figures of the first ``count`` intervals, ordered by interval."""
    figures, of = _OF_READINGS[aggregate]
    question = _question(
        f"observed - observed % $every AS slot, {figures}",
        f"property = $name AND {of}",
        wanted,
        "slot",
        group="slot",
    )
    days = max(1, every * count // DAY)
    found = _pages(reader, holdings, "readings", question, wanted, count, days=days, every=every)
    return map(_partial, found)


def hours(
    reader: Reader, holdings: Holdings, wanted: Wanted, every: int, aggregate: Aggregate, count: int
) -> Iterator[Partial]:
    """Figures of the first ``count`` intervals of which only hourly figures are left, ordered by interval.

    An hour counts where it begins, and only if it lies within what is wanted as a whole. Intervals shorter
    than an hour have no answer.
    """
    if every < HOUR:
        return iter(())
    figures, of = _OF_HOURS[aggregate]
    question = _question(
        f"hour - hour % $every AS slot, {figures}",
        f"property = $name AND {of}",
        wanted,
        "slot",
        group="slot",
        hourly=True,
    )
    days = max(1, every * count // DAY)
    found = _pages(reader, holdings, "hourly", question, wanted, count, days=days, every=every)
    return map(_partial, found)


def census(
    reader: Reader, holdings: Holdings, thing: int, start: int | None, end: int | None
) -> dict[str, int]:
    """How many readings each property of a thing has."""
    wanted = Wanted(thing, "", start, end)
    question = _question("property, count(*)", "true", wanted, "property", group="property")
    parts = [part for each in holdings.within("readings", start, end).values() for part in each]
    return dict(reader.rows(question, parts, _parameters(wanted)))


def _question(
    columns: str, condition: str, wanted: Wanted, order: str, *, group: str = "", hourly: bool = False
) -> str:
    conditions = ["thing = $thing", condition]
    if wanted.start is not None:
        conditions.append("hour >= $start" if hourly else "observed >= $start")
    if wanted.end is not None:
        conditions.append(f"hour + {HOUR} <= $end" if hourly else "observed < $end")
    if wanted.after is not None:
        conditions.append("observed >= $at AND (observed > $at OR position > $position)")
    if wanted.since is not None:
        conditions.append("position > $since")
    grouped = f" GROUP BY {group}" if group else ""
    where = " AND ".join(conditions)
    files = "read_parquet($files, hive_partitioning = false)"
    return f"SELECT {columns} FROM {files} WHERE {where}{grouped} ORDER BY {order}"


def _parameters(wanted: Wanted) -> dict[str, Any]:
    given = {"thing": wanted.thing, "start": wanted.start, "end": wanted.end, "since": wanted.since}
    if wanted.after is not None:
        given["at"], given["position"] = wanted.after
    return {name: value for name, value in given.items() if value is not None}


def _pages(
    reader: Reader,
    holdings: Holdings,
    shelf: Shelf,
    question: str,
    wanted: Wanted,
    count: int,
    *,
    days: int = 1,
    every: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Rows of the answers for groups of days; no more once there are ``count`` and one."""
    parameters = {"name": wanted.name, **_parameters(wanted)}
    if every is not None:
        parameters["every"] = every
    start = wanted.start if wanted.after is None else max(wanted.start or 0, wanted.after[0])
    files = holdings.within(shelf, start, wanted.end)
    if wanted.since is None:
        groups = _groups(files, days)
    else:
        # Days are no order of what came when: ask all at once that may have something.
        groups = iter([[part for each in files.values() for part in each if part.high > wanted.since]])
    for parts in groups:
        # One more than wanted: the last interval of a group may go on in the next.
        found = reader.rows(f"{question} LIMIT {count + 1}", parts, parameters)
        yield from found
        if len(found) > count:
            return


def _groups(files: Mapping[int, tuple[Part, ...]], days: int) -> Iterator[list[Part]]:
    left = list(files)
    while left:
        days = min(days, MOST)
        yield [part for day in left[:days] for part in files[day]]
        left = left[days:]
        days *= 2


def _partial(row: tuple[Any, ...]) -> Partial:
    at, count, figure, *more = row
    if more:
        whole, received = more
        return Partial(at, count, figure, whole, received)
    if figure is None:
        return Partial(at, count)
    observed, position, received, *value = figure.values() if isinstance(figure, dict) else figure
    return Partial(at, count, together(*value), False, received, (observed, position))
