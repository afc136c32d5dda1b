"""What was recorded, in the database and in Parquet files, in the order in which it came."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from diat.adapters.lake.catalog import Holdings, Shelf
from diat.adapters.lake.catalog import Part as File
from diat.adapters.lake.history import ATTEMPTS, Lake
from diat.adapters.lake.reader import Vanished
from diat.adapters.lake.shapes import VALUE, together
from diat.adapters.sql import hot
from diat.adapters.sql.record import CHUNK, Part, SqlRecord, reading_of
from diat.kernel.errors import Unavailable
from diat.vol.recorded import Row
from diat.vol.twin import Reading, Twin

T = TypeVar("T")
BACK = 31
"""Days looked through for what a property was last."""

_decode = msgspec.json.Decoder().decode
_VALUES = ", ".join(VALUE)
_FILES = "read_parquet($files, hive_partitioning = false)"
_SHELVES: tuple[Shelf, ...] = ("readings", "events")
_COLUMNS = {
    "readings": f"position, thing, property, observed, received, n, quality, {_VALUES}",
    "events": "position, thing, event, observed, received, n, data",
}


class LakeRecord(SqlRecord):
    """``SqlRecord`` over the database and the lake."""

    def __init__(self, engine: Engine, lake: Lake) -> None:
        super().__init__(engine)
        self._lake = lake

    def begins(self) -> int | None:
        """Since when everything is there as it came: later than what only hourly figures are left of."""
        found = super().begins()
        for shelf in _SHELVES:
            for (received,) in self._ask(f"SELECT min(received) FROM {_FILES}", shelf, {}, _earliest):
                if received is not None:
                    found = received if found is None else min(found, received)
        hourly = self._holdings().parts["hourly"]
        return max(found or 0, (max(hourly) + 1) * hot.DAY) if hourly else found

    def position_at(self, time: int) -> int | None:
        """Position of the first row that came at a time or after it."""
        found = [super().position_at(time)]
        for shelf in _SHELVES:
            question = f"SELECT min(position) FROM {_FILES} WHERE received >= $time"
            found += [position for (position,) in self._ask(question, shelf, {"time": time})]
        return min((each for each in found if each is not None), default=None)

    def known(self, thing: int, names: Collection[str], before: int) -> dict[str, Reading]:
        """The newest reading of each of these properties among those that came before a position."""
        twin = Twin(values=super().known(thing, names, before))
        missing = sorted(set(names) - set(twin.values))

        def recent(files: list[File]) -> list[File]:
            last = max((file.day for file in files if file.low < before), default=0)
            return [file for file in files if file.low < before and file.day > last - BACK]

        question = (
            f"SELECT {_COLUMNS['readings']} FROM {_FILES} WHERE thing = $thing AND position < $before "
            "AND list_contains($names, property) "
            "QUALIFY row_number() OVER (PARTITION BY property ORDER BY observed DESC, position DESC) = 1"
        )
        parameters = {"thing": thing, "before": before, "names": missing}
        for row in _readings(self._ask(question, "readings", parameters, recent) if missing else []):
            for name, value in row.data.items():
                twin.learn(name, reading_of(row, value))
        return twin.values

    def last_notes(self, thing: int, name: str, before: int, limit: int) -> list[Row]:
        """What was noted last of a thing under a name before a position, newest first."""
        found = {row.position: row for row in super().last_notes(thing, name, before, limit)}
        if len(found) < limit:
            condition = "thing = $thing AND event = $name AND position < $before ORDER BY position DESC"
            parameters = {"thing": thing, "name": name, "before": before}
            cold = self._cold_events(f"{condition} LIMIT {limit:d}", parameters)
            found |= {row.position: row for row in cold}
        return [found[position] for position in sorted(found, reverse=True)][:limit]

    def notes(self, name: str, start: int, limit: int) -> list[Row]:
        """What was noted of any thing under a name from a position on, in order."""
        found = {row.position: row for row in super().notes(name, start, limit)}
        condition = f"event = $name AND position >= $start ORDER BY position LIMIT {limit:d}"
        found |= {row.position: row for row in self._cold_events(condition, {"name": name, "start": start})}
        return [found[position] for position in sorted(found)][:limit]

    def at(self, positions: Collection[int]) -> list[Row]:
        """The rows at these positions, in order."""
        found = {row.position: row for row in super().at(positions)}
        missing = sorted(set(positions) - set(found))
        if missing:
            parameters = {"positions": missing}
            cold = self._cold_events("list_contains($positions, position) ORDER BY position", parameters)
            question = (
                f"SELECT {_COLUMNS['readings']} FROM {_FILES} WHERE list_contains($positions, position) "
                "ORDER BY position, property"
            )
            cold += _readings(self._ask(question, "readings", parameters))
            found |= {row.position: row for row in cold}
        return [found[position] for position in sorted(found)]

    def _parts(self, sql: Connection, things: list[int], start: int, end: int | None) -> list[Part]:
        """What the tables and the files have from a position on.

        The first question to the database fixes the state of it that is seen: it comes before the directory.
        """
        parts = super()._parts(sql, things, start, end)
        holdings = self._holdings()
        for shelf, part in zip(_SHELVES, parts, strict=True):
            cover = {day: holdings.ranges(shelf, day) for day in holdings.days(shelf)}
            part.rows = [row for row in part.rows if not hot.covered(cover, row.observed, row.position)]
        return [*parts, *(self._cold(holdings, shelf, things, start, end) for shelf in _SHELVES)]

    def _cold(self, holdings: Holdings, shelf: Shelf, things: list[int], start: int, end: int | None) -> Part:
        last = 2**62 if end is None else end
        order = "position, property" if shelf == "readings" else "position"
        question = (
            f"SELECT {_COLUMNS[shelf]} FROM {_FILES} WHERE position >= $start AND position < $end "
            f"AND list_contains($things, thing) ORDER BY {order} LIMIT {CHUNK}"
        )
        found = self._lake.reader.rows(
            question,
            _files(holdings, shelf, start, last),
            {"start": start, "end": last, "things": things},
        )
        rows = _readings(found) if shelf == "readings" else [_event(each) for each in found]
        if len(found) < CHUNK:
            return Part(rows, None)
        # The last message may go on behind the limit.
        return Part(rows, rows[-1].position - (shelf == "readings"))

    def _cold_events(self, condition: str, parameters: dict[str, Any]) -> list[Row]:
        question = f"SELECT {_COLUMNS['events']} FROM {_FILES} WHERE {condition}"
        return [_event(each) for each in self._ask(question, "events", parameters)]

    def _ask(
        self,
        question: str,
        shelf: Shelf,
        parameters: dict[str, Any],
        among: Callable[[list[File]], list[File]] = list,
    ) -> list[tuple[Any, ...]]:
        """All rows of an answer from the files of a shelf, or from those chosen ``among`` them."""
        for _ in range(ATTEMPTS):
            try:
                return self._lake.reader.rows(question, among(_files(self._holdings(), shelf)), parameters)
            except Vanished:
                self._lake.catalog.refresh()
        raise Unavailable("the files of history change faster than they can be read")

    def _holdings(self) -> Holdings:
        return self._lake.catalog.holdings()

    def _read(self, question: Callable[[Connection], T]) -> T:
        for _ in range(ATTEMPTS):
            try:
                return super()._read(question)
            except Vanished:
                self._lake.catalog.refresh()
        raise Unavailable("the files of history change faster than they can be read")


def _files(holdings: Holdings, shelf: Shelf, start: int = 0, end: int = 2**62) -> list[File]:
    """Files that may hold positions from one on and before another."""
    found = (file for files in holdings.parts[shelf].values() for file in files)
    return [file for file in found if file.high >= start and file.low < end]


def _earliest(files: list[File]) -> list[File]:
    return sorted(files, key=attrgetter("low"))[:1]


def _readings(found: list[tuple[Any, ...]]) -> list[Row]:
    """Values that came in one message, together again."""
    made = []
    for position, values in groupby(found, key=itemgetter(0)):
        each = list(values)
        _, thing, _, observed, received, n, quality = each[0][:7]
        data = {row[2]: together(*row[7:]) for row in each if row[2]}
        made.append(Row(position, thing, "", observed, received, n or 0, quality, data))
    return made


def _event(found: tuple[Any, ...]) -> Row:
    position, thing, event, observed, received, n, data = found
    return Row(position, thing, event, observed, received, n or 0, "good", _decode(data))


__all__ = ["LakeRecord"]
