"""Durable state in memory, changed in batches: a change shows to others only once it is committed.

The one writer works on overlays. What it puts goes into ``changes`` and is seen by the writer alone; other
threads read ``committed``. When the batch is in the database the changes are swapped in; when the batch
fails they are dropped, and memory is again what the database says.

Values are treated as immutable: to change one, put another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """A dictionary seen through its uncommitted changes.

    Attributes:
        name: the table that it is kept in; empty for what is derived and needs no table.
        committed: what is durable; other threads may read it, and nobody changes it but ``commit``.
        changes: what the running batch put (a value) or removed (None).
        wanted: whether a committed value is still wanted in memory; others live in their table alone.
    """

    __slots__ = ("changes", "committed", "name", "wanted")

    def __init__(
        self,
        name: str = "",
        initial: Iterable[tuple[K, V]] = (),
        wanted: Callable[[V], bool] | None = None,
    ) -> None:
        self.name = name
        self.wanted = wanted
        self.committed: dict[K, V] = dict(initial)
        self.changes: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        """The value as the writer sees it, None if there is none."""
        if key in self.changes:
            return self.changes[key]
        return self.committed.get(key)

    def put(self, key: K, value: V) -> None:
        """Set the value within the running batch."""
        self.changes[key] = value

    def remove(self, key: K) -> None:
        """Remove the key within the running batch; it need not be there."""
        self.changes[key] = None

    def items(self) -> Iterator[tuple[K, V]]:
        """All pairs as the writer sees them; a snapshot, so the loop's body may put and remove."""
        changes = dict(self.changes)
        for key, value in list(self.committed.items()):
            if key not in changes:
                yield key, value
        for key, changed in changes.items():
            if changed is not None:
                yield key, changed

    def commit(self) -> None:
        """Swap the changes in."""
        wanted = self.wanted
        for key, value in self.changes.items():
            if value is None or (wanted is not None and not wanted(value)):
                self.committed.pop(key, None)
            else:
                self.committed[key] = value
        self.changes = {}

    def rollback(self) -> None:
        """Drop the changes."""
        self.changes = {}


class Index(Generic[K]):
    """Sets of members by key, seen through uncommitted changes.

    Adding to a large set costs as little as to a small one.

    Attributes:
        committed: key to its members (a dictionary without values keeps their order).
    """

    __slots__ = ("_changes", "committed")

    def __init__(self) -> None:
        self.committed: dict[K, dict[str, None]] = {}
        self._changes: dict[K, dict[str, bool]] = {}

    def add(self, key: K, member: str) -> None:
        """Put a member in; it may be there already."""
        self._changes.setdefault(key, {})[member] = True

    def discard(self, key: K, member: str) -> None:
        """Take a member out; it need not be there."""
        self._changes.setdefault(key, {})[member] = False

    def members(self, key: K) -> list[str]:
        """The members as the writer sees them, in the order in which they came."""
        known = self.committed.get(key, {})
        changes = self._changes.get(key)
        if not changes:
            return list(known)
        return [each for each in known if changes.get(each, True)] + [
            each for each, there in changes.items() if there and each not in known
        ]

    def holds(self, key: K, member: str) -> bool:
        """Whether the member is there, as the writer sees it."""
        there = self._changes.get(key, {}).get(member)
        return member in self.committed.get(key, {}) if there is None else there

    def size(self, key: K) -> int:
        """How many members there are at most: what the running batch put in may be counted twice."""
        return len(self.committed.get(key, {})) + len(self._changes.get(key, {}))

    def __contains__(self, key: K) -> bool:
        return bool(self.members(key)) if key in self._changes else key in self.committed

    def commit(self) -> None:
        """Swap the changes in."""
        for key, changes in self._changes.items():
            known = self.committed.setdefault(key, {})
            for member, there in changes.items():
                if there:
                    known[member] = None
                else:
                    known.pop(member, None)
            if not known:
                del self.committed[key]
        self._changes = {}

    def rollback(self) -> None:
        """Drop the changes."""
        self._changes = {}


class Log(Generic[V]):
    """Rows that a batch appends to a table; memory keeps none of them after the commit."""

    __slots__ = ("name", "rows")

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[V] = []

    def append(self, row: V) -> None:
        """Add a row within the running batch."""
        self.rows.append(row)

    def commit(self) -> None:
        """Forget the rows: they are in the database."""
        self.rows = []

    def rollback(self) -> None:
        """Forget the rows: they never happened."""
        self.rows = []


class Part(Protocol):
    """Whatever takes part in a commit."""

    def commit(self) -> None:
        """The batch is durable: show what changed."""

    def rollback(self) -> None:
        """The batch never happened: drop what changed."""


class Ledger:
    """Everything that commits together: the overlays and logs of all layers.

    Each layer registers what it keeps; the database writes ``tables()`` in one transaction.

    Attributes:
        announce: called before a batch is written, and may refuse it with ``Unavailable``.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self.announce: Callable[[], None] = _nobody_asks

    def join(self, part: Part) -> None:
        """Let something else commit with the others; it is kept in no table."""
        self._parts.append(part)

    def overlay(
        self,
        name: str = "",
        initial: Iterable[tuple[K, V]] = (),
        wanted: Callable[[V], bool] | None = None,
    ) -> Overlay[K, V]:
        """Make an overlay that commits with the others; arguments as in ``Overlay``."""
        made: Overlay[K, V] = Overlay(name, initial, wanted)
        self._parts.append(made)
        return made

    def index(self) -> Index[K]:
        """Make an index that commits with the others."""
        made: Index[K] = Index()
        self._parts.append(made)
        return made

    def log(self, name: str) -> Log[V]:
        """Make a log that commits with the others."""
        made: Log[V] = Log(name)
        self._parts.append(made)
        return made

    def overlays(self) -> Iterator[Overlay[object, object]]:
        """The overlays with a table and uncommitted changes."""
        return (p for p in self._parts if isinstance(p, Overlay) and p.name and p.changes)

    def logs(self) -> Iterator[Log[object]]:
        """The logs with uncommitted rows."""
        return (p for p in self._parts if isinstance(p, Log) and p.rows)

    def commit(self) -> None:
        """Swap all changes in."""
        for part in self._parts:
            part.commit()

    def rollback(self) -> None:
        """Drop all changes."""
        for part in self._parts:
            part.rollback()


def _nobody_asks() -> None:
    """Stands in until somebody wants to know."""
