"""Streams to people and programs: what was committed, passed on as it happens.

Nothing is shown before it is durable. A reader that does not keep up loses the oldest of what waits for it,
is told how much, and never holds the writer up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct

WAITING = 1000
"""Items that wait for one reader at most."""

Key = tuple[str, str, str]
"""``("property" or "event", thing, name)``, or ``("things", "", "")`` for what becomes of things."""
THINGS: Key = ("things", "", "")


class Item(Struct, frozen=True):
    """Something that happened.

    Attributes:
        position: its ingest position; resuming starts after one.
        topic: what kind of thing happened, for streams that carry several kinds.
        data: any JSON.
    """

    position: int
    topic: str
    data: Any


class Reader:
    """One who reads a stream; ``wake`` is called, from any thread, when something is there."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._missed = 0

    def push(self, items: list[Item]) -> None:
        """Put items in, dropping the oldest if there are too many."""
        with self._lock:
            self._items.extend(items)
            while len(self._items) > WAITING:
                self._items.popleft()
                self._missed += 1
        self._wake()

    def take(self) -> tuple[list[Item], int]:
        """What waits, oldest first, and how many items were dropped before it."""
        with self._lock:
            items, missed = list(self._items), self._missed
            self._items.clear()
            self._missed = 0
        return items, missed


class Streams:
    """Who reads what. Commits with the ledger (``diat.kernel.overlay.Part``)."""

    def __init__(self) -> None:
        self._readers: dict[Key, tuple[Reader, ...]] = {}
        self.things: frozenset[str] = frozenset()
        """Ids of the things that somebody reads of."""
        self._lock = threading.Lock()
        self._happened: dict[Key, list[Item]] = {}

    def open(self, key: Key, wake: Callable[[], None]) -> Reader:
        """Begin to read; any thread may ask."""
        reader = Reader(wake)
        with self._lock:
            self._readers[key] = (*self._readers.get(key, ()), reader)
            self.things = frozenset(thing for _, thing, _ in self._readers)
        return reader

    def close(self, key: Key, reader: Reader) -> None:
        """Read no more; any thread may ask."""
        with self._lock:
            rest = tuple(each for each in self._readers.get(key, ()) if each is not reader)
            if rest:
                self._readers[key] = rest
            else:
                self._readers.pop(key, None)
            self.things = frozenset(thing for _, thing, _ in self._readers)

    def properties(self) -> set[tuple[str, str]]:
        """Thing and name of the properties that somebody reads; any thread may ask."""
        return {(thing, name) for kind, thing, name in list(self._readers) if kind == "property"}

    def note(self, key: Key, position: int, data: Any, topic: str = "") -> None:
        """Something happened within the running batch; kept only if somebody reads it."""
        if key in self._readers:
            self._happened.setdefault(key, []).append(Item(position, topic, data))

    def commit(self) -> None:
        """It is durable: pass it on."""
        if not self._happened:
            return
        for key, items in self._happened.items():
            for reader in self._readers.get(key, ()):
                reader.push(items)
        self._happened = {}

    def rollback(self) -> None:
        """It never happened."""
        self._happened = {}
