"""Values that policies want deleted when they are so old: looked for beside the writer, deleted by it.

A row of history is a message with all its values, so one of them is taken out of it; a row that is left with
none goes. So do values in what is noted for replays.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Engine

from diat.adapters.sql.rows import text as encoded
from diat.kernel.clock import Clock
from diat.kernel.durations import parse_duration
from diat.kernel.errors import DiatError
from diat.kernel.overlay import Ledger, Log
from diat.security.operations import Target
from diat.security.policies import Policies
from diat.security.policy import What, read_document
from diat.vol.journal import KNOWN
from diat.vol.registry import Registry
from diat.vol.targets import target_of
from diat.wot.places import lies_in

_LOG = logging.getLogger("diat.forgetting")
EVERY = 60.0
"""Seconds between two looks."""
PORTION = 500
"""Rows in one transaction."""
LATE = 86_400_000
"""Milliseconds by which a value may come late and still be found at the next look; at each start all are."""
Submit = Callable[[Callable[[], None]], Any]
Old = tuple[int, str, str, int]
"""Number of a thing, kind of affordance, its name, and the time before which its values go."""
# The plus keeps SQLite to the index by thing and time.
_BEHIND = "AND position > ? ORDER BY +position LIMIT ?"
_FIND = {
    "readings": "SELECT position, reported FROM readings WHERE thing = ? AND observed >= ? AND observed < ? "
    f"AND EXISTS (SELECT 1 FROM json_each(reported) WHERE key = ?) {_BEHIND}",
    "notes": "SELECT position, data FROM events WHERE thing = ? AND observed >= ? AND observed < ? "
    f"AND event = '{KNOWN}' AND EXISTS (SELECT 1 FROM json_each(data) WHERE key = ?) {_BEHIND}",
    "events": "SELECT position, data FROM events WHERE thing = ? AND observed >= ? AND observed < ? "
    f"AND event = ? {_BEHIND}",
}


class Forgetter:
    """The thread that looks for what is too old.

    Args:
        engine: the database.
        ledger: the writer's; must not be in use yet.
        policies: what wants values deleted.
        registry: whose values.
        submit: runs a change in the writer, in a transaction of its own.
        clock: answers with Unix milliseconds.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        policies: Policies,
        registry: Registry,
        submit: Submit,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._policies = policies
        self._registry = registry
        self._submit = submit
        self._clock = clock
        self._logs: dict[str, Log[tuple[str, int, str]]] = {
            "readings": ledger.log("forgotten_readings"),
            "notes": ledger.log("forgotten_notes"),
            "events": ledger.log("forgotten_events"),
        }
        # After the others, for logs are written in the order in which they joined.
        self._emptied: Log[tuple[int]] = ledger.log("emptied_readings")
        self._done: dict[tuple[int, str, str], int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diat-forgetting")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def step(self) -> int:
        """Delete what is too old by now; how many values that were.

        Raises:
            Unavailable: the database cannot take it.
        """
        return sum(self._forget(each) for each in list(self._too_old()) if not self._stopping.is_set())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except DiatError as error:
                if not self._stopping.is_set():
                    _LOG.error("old values cannot be deleted: %s", error)
            self._stopping.wait(EVERY)

    def _too_old(self) -> Iterator[Old]:
        now = self._clock()
        wanted: list[tuple[What, int]] = []
        for policy in self._policies.everything():
            document = read_document(policy.content)
            for owed in document.obligations:
                if owed.delete_after is not None:
                    wanted.append((document.what, now - parse_duration(owed.delete_after)))
        for each in list(self._registry.objects.committed.values()) if wanted else ():
            for kind, names in (("readings", each.properties), ("events", each.events)):
                for name in names:
                    target = target_of(each, name)
                    before = max((at for what, at in wanted if about(what, target)), default=None)
                    if before is not None:
                        yield each.record.no, kind, name, before

    def _forget(self, old: Old) -> int:
        thing, kind, name, before = old
        since = self._done.get((thing, kind, name), -(2**62)) - LATE
        count = 0
        for table in ("readings", "notes") if kind == "readings" else ("events",):
            behind, found = 0, [(0, "")]
            while found and not self._stopping.is_set():
                asked = (thing, max(since, -(2**62)), before, name, behind, PORTION)
                found = self._found(table, asked)
                rows = [_gone(table, name, position, text) for position, text in found]
                if found:
                    self._submit(partial(self._delete, table, rows)).result()
                    behind = found[-1][0]
                count += len(found)
        self._done[thing, kind, name] = before
        return count

    def _found(self, table: str, asked: tuple[Any, ...]) -> list[tuple[int, str]]:
        with self._engine.connect() as connection:
            return [(position, text) for position, text in connection.exec_driver_sql(_FIND[table], asked)]

    def _delete(self, table: str, rows: list[tuple[str, int, str]]) -> None:
        for row in rows:
            self._logs[table].append(row)
            if row[0] == "{}" and table == "readings":
                self._emptied.append((row[1],))


def _gone(table: str, name: str, position: int, text: str) -> tuple[str, int, str]:
    """What is to be written: the row's JSON without the value, or of an event its name; and what it was."""
    if table == "events":
        return name, position, text
    said = msgspec.json.decode(text)
    return encoded({key: value for key, value in said.items() if key != name}), position, text


def about(what: What, target: Target) -> bool:
    """Whether a policy is about an affordance, whoever wants to do whatever with it."""
    ids = [*what.things, *what.services]
    return (
        (not ids or (target.kind == "thing" and target.id in what.things))
        and (not what.places or any(lies_in(target.place, each) for each in what.places))
        and (not what.quantities or bool(set(what.quantities) & set(target.quantities)))
        and (not what.types or bool(set(what.types) & set(target.types)))
        and (not what.affordances or target.affordance in what.affordances)
    )
