"""Which Parquet files there are.

``<root>/<shelf>/day=2026-01-31/part-<low>-<high>.parquet`` holds rows of that day (UTC, by ``observed``) and
promises: every row of the day at a position above ``low`` and up to ``high`` is in the lake. It is there from
its renaming on; nothing else is kept about it anywhere.

An hourly file takes the place of the readings files of its day within its range, so of two that a crash left
side by side the readings files no longer count.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from diat.adapters.lake.days import day_named, name_of

Shelf = Literal["readings", "events", "hourly"]
SHELVES: tuple[Shelf, ...] = get_args(Shelf)

_NAME = re.compile(r"part-(\d{16})-(\d{16})\.parquet")


class Part(Struct, frozen=True, order=True):
    """One Parquet file.

    Attributes:
        day: its day, as a number since 1970.
        low: highest position below those it holds.
        high: highest position of which it says whether it is in the lake.
        shelf: what it holds.
        path: where it is.
    """

    day: int
    low: int
    high: int
    shelf: Shelf
    path: Path


class Holdings(Struct, frozen=True):
    """The files at one moment: for each shelf day to files, lowest position first.

    Attributes:
        parts: what is to be read.
        replaced: files of readings that an hourly file stands for: to be removed.
    """

    parts: Mapping[Shelf, Mapping[int, tuple[Part, ...]]]
    replaced: tuple[Part, ...] = ()

    @property
    def high(self) -> int:
        """The highest position that a file speaks of; what comes next must have a higher one."""
        everything = (part.high for shelf in self.parts.values() for each in shelf.values() for part in each)
        return max(everything, default=0)

    def within(self, shelf: Shelf, start: int | None, end: int | None) -> dict[int, tuple[Part, ...]]:
        """Files by day, earliest first, of the days that a span of Unix milliseconds touches."""
        first = None if start is None else start // 86_400_000
        last = None if end is None else (end - 1) // 86_400_000
        shelved = self.parts[shelf]
        return {
            day: shelved[day]
            for day in sorted(shelved)
            if (first is None or day >= first) and (last is None or day <= last)
        }

    def ranges(self, shelf: Shelf, day: int) -> list[tuple[int, int]]:
        """Positions (first excluded, last included) of which the day's rows are in the lake."""
        return [(part.low, part.high) for part in self.files(shelf, day)]

    def files(self, shelf: Shelf, day: int) -> list[Part]:
        """The files that say which of a day's rows are in the lake."""
        shelves: tuple[Shelf, ...] = ("readings", "hourly") if shelf == "readings" else (shelf,)
        return [part for each in shelves for part in self.parts[each].get(day, ())]

    def days(self, shelf: Shelf) -> set[int]:
        """Days of which something is, or was, in the lake."""
        shelves: tuple[Shelf, ...] = ("readings", "hourly") if shelf == "readings" else (shelf,)
        return {day for each in shelves for day in self.parts[each]}


class Catalog:
    """The files below a directory.

    Args:
        root: the directory; it need not exist.
        alone: whether nobody else adds or removes files. If not, each ``holdings`` looks again.
    """

    def __init__(self, root: Path, *, alone: bool = True) -> None:
        self.root = root
        self._alone = alone
        self._lock = threading.Lock()
        self._spoilt: set[tuple[Path, int, int]] = set()
        self._holdings = self._look()

    def holdings(self) -> Holdings:
        """What there is now; it does not change afterwards."""
        if not self._alone:
            self.refresh()
        return self._holdings

    def refresh(self) -> None:
        """Look at the directory again."""
        with self._lock:
            self._holdings = self._look()

    def place(self, shelf: Shelf, day: int, low: int, high: int) -> Part:
        """Where a file belongs."""
        name = f"part-{low:016d}-{high:016d}.parquet"
        return Part(day, low, high, shelf, self.root / shelf / f"day={name_of(day)}" / name)

    def spoil(self, path: Path) -> bool:
        """Leave out a file that cannot be read, until another is in its place; whether that is news."""
        try:
            state = path.stat()
        except FileNotFoundError:
            return False
        mark = (path, state.st_mtime_ns, state.st_size)
        with self._lock:
            news = mark not in self._spoilt
            self._spoilt.add(mark)
            self._holdings = self._look()
        return news

    def spoilt(self, shelf: Shelf, day: int) -> bool:
        """Whether a file of this day was left out because it cannot be read."""
        directory = self.place(shelf, day, 0, 0).path.parent
        with self._lock:
            return any(path.parent == directory and self._is_spoilt(path) for path, _, _ in self._spoilt)

    def _look(self) -> Holdings:
        shelved = {shelf: self._shelf(shelf) for shelf in SHELVES}
        readings = shelved["readings"]
        replaced: list[Part] = []
        for day, figures in shelved["hourly"].items():
            kept = [part for part in readings.get(day, ()) if not _within(part, figures)]
            replaced += [part for part in readings.get(day, ()) if part not in kept]
            if kept:
                readings[day] = kept
            else:
                readings.pop(day, None)
        fixed = {
            shelf: {day: tuple(sorted(each)) for day, each in days.items()} for shelf, days in shelved.items()
        }
        return Holdings(fixed, tuple(replaced))

    def _shelf(self, shelf: Shelf) -> dict[int, list[Part]]:
        found: dict[int, list[Part]] = {}
        for path in (self.root / shelf).glob("day=*/part-*.parquet"):
            part = self._read(shelf, path)
            if part is not None and not self._is_spoilt(path):
                found.setdefault(part.day, []).append(part)
        return found

    def _read(self, shelf: Shelf, path: Path) -> Part | None:
        name = _NAME.fullmatch(path.name)
        if name is None:
            return None
        try:
            day = day_named(path.parent.name.removeprefix("day="))
        except ValueError:
            return None
        return Part(day, int(name[1]), int(name[2]), shelf, path)

    def _is_spoilt(self, path: Path) -> bool:
        if not self._spoilt:
            return False
        try:
            state = path.stat()
        except FileNotFoundError:
            return False
        return (path, state.st_mtime_ns, state.st_size) in self._spoilt


def _within(part: Part, others: Iterable[Part]) -> bool:
    return any(other.low <= part.low and part.high <= other.high for other in others)
