"""History from a file into the database of a data directory whose daemon is stopped.

Stopped, because then this is the one writer: it holds the lock of the directory, gives out positions and
commits thousands of readings at once, and ingest shares its time with nobody. What is imported is hot at
first and moves to cold storage as everything does, a day that was moved before into another file of its own.

Readings that are there already (same thing, property, times, quality and value) are left out, so an import
that was broken off is just done again.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine

from diat.adapters.lake.history import Lake, LakeHistory
from diat.adapters.lake.lines import Given, count_lines, read_lines
from diat.adapters.lake.opening import LAKE, existing, things
from diat.adapters.sql import rows
from diat.adapters.sql.database import open_database
from diat.adapters.sql.figures import Past
from diat.kernel.errors import SetupError

CHUNK = 20_000
"""Readings in one transaction."""
_PAGE = 5000

_encode = msgspec.json.Encoder(order="deterministic").encode
Progress = Callable[[int, int], None]
"""Is told how many readings of how many are done."""


class Imported(Struct):
    """What an import did: readings in the file, and those of them that were not there yet."""

    read: int = 0
    added: int = 0


def import_file(data: Path, file: Path, progress: Progress) -> Imported:
    """Bring the readings of a file that was exported, or is of that form, into a data directory.

    Raises:
        SetupError: there is no database, or a daemon is running.
        NotFound: the file is of a thing that is not known there; nothing of it was brought in.
        Invalid: a line of the file is wrong; what came before it was brought in.
    """
    path = existing(data)
    with _alone(data):
        engine = open_database(path)
        lake = Lake(data / LAKE)
        try:
            with engine.connect() as connection:
                known = things(connection)
            total = count_lines(file, known)
            return _Import(engine, lake, known).take(read_lines(file), total, progress)
        finally:
            lake.close()
            engine.dispose()


class _Import:
    def __init__(self, engine: Engine, lake: Lake, known: dict[str, int]) -> None:
        self._engine = engine
        self._lake = lake
        self._history = LakeHistory(engine, lake)
        self._known = known
        self._done = Imported()

    def take(self, given: Iterator[Given], total: int, progress: Progress) -> Imported:
        for chunk in iter(lambda: list(islice(given, CHUNK)), []):
            groups: dict[tuple[str, str], list[Given]] = {}
            for each in chunk:
                groups.setdefault((each.thing, each.name), []).append(each)
            fresh = [
                each for (thing, name), group in groups.items() for each in self._unknown(thing, name, group)
            ]
            if fresh:
                self._write(fresh)
            self._done.read += len(chunk)
            self._done.added += len(fresh)
            progress(self._done.read, total)
        return self._done

    def _unknown(self, thing: str, name: str, group: list[Given]) -> list[Given]:
        """Those that are not in the history."""
        first, last = min(each.observed for each in group), max(each.observed for each in group)
        there = Counter(_mark(past) for past in self._there(self._known[thing], name, first, last + 1))
        fresh = []
        for each in group:
            mark = _mark(each)
            if there[mark]:
                there[mark] -= 1
            else:
                fresh.append(each)
        return fresh

    def _there(self, number: int, name: str, start: int, end: int) -> Iterator[Past]:
        after: tuple[int, int] | None = None
        while page := self._history.readings(number, name, start, end, _PAGE, after=after):
            yield from page
            after = (page[-1].observed, page[-1].position)

    def _write(self, fresh: Iterable[Given]) -> None:
        with self._engine.begin() as connection:
            at = connection.exec_driver_sql(
                "SELECT max(coalesce((SELECT value FROM meta WHERE key = 'position'), 0), "
                "coalesce((SELECT max(position) FROM readings), 0), "
                "coalesce((SELECT max(position) FROM events), 0))"
            ).scalar_one()
            # Below what a file speaks of, rows would count as moved.
            at = max(at, self._lake.catalog.holdings().high)
            written = [
                (
                    position,
                    self._known[each.thing],
                    each.observed,
                    each.received,
                    None,
                    None,
                    each.quality,
                    rows.text({each.name: each.value}),
                )
                for position, each in enumerate(fresh, at + 1)
            ]
            connection.exec_driver_sql(rows.LOGS["readings"], written)
            connection.exec_driver_sql(rows.OVERLAYS["meta"].put, ("position", written[-1][0]))


def _mark(each: Past | Given) -> tuple[Any, ...]:
    return each.observed, each.received, each.quality, _encode(each.value)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SetupError(f"a daemon uses {data}: stop it first, then import") from None
    finally:
        os.close(lock)
