"""Notices of what becomes of things in the directory: created, updated, deleted; kept, and told to readers.

They are made when what happened in a batch is settled, and stored with it. What changes with every message of
a thing (whether it is there, when it was heard) is no part of its description and makes none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from diat.kernel.overlay import Ledger, Log
from diat.vol.registry import Registry
from diat.vol.streams import THINGS, Streams
from diat.vol.thing import VirtualObject
from diat.wire.envelope import encode
from diat.wot.td import merge_difference

Kind = Literal["thing_created", "thing_updated", "thing_deleted"]
KEPT = 10_000
"""Notices that are kept for readers who were away."""
_PRUNE = 1_000
"""Notices after which older ones are dropped."""

NoticeRow = tuple[int, str, str, str | None]
"""position, kind, thing, and for an update the merge patch as JSON."""


class Notice(Struct, frozen=True):
    """Something became of a thing.

    Attributes:
        position: its ingest position, by which readers resume.
        patch: of an update, the merge patch that makes the new description of the old one, without forms;
            of a deletion, where the thing was (``diat:place``), which decides who is told.
    """

    position: int
    kind: Kind
    thing: str
    patch: dict[str, Any] | None = None


class Notices:
    """Makes the notices; used by the writer alone. Commits with the ledger (``diat.kernel.overlay.Part``)."""

    def __init__(
        self, ledger: Ledger, registry: Registry, streams: Streams, arrival: Callable[[], int], position: int
    ) -> None:
        self._registry = registry
        self._streams = streams
        self._arrival = arrival
        self._rows: Log[NoticeRow] = ledger.log("notices")
        self._dropped: Log[tuple[int]] = ledger.log("dropped_notices")
        self._told: dict[str, VirtualObject | None] = {}
        self._made = 0
        self.last = position
        """Ingest position of the newest notice, or of the start; it changes whenever the directory does."""
        ledger.join(self)

    def finish(self) -> None:
        """Make the notices of the batch so far."""
        for thing, new in list(self._registry.objects.changes.items()):
            if thing in self._told and self._told[thing] is new:
                continue
            old = self._told.get(thing) or self._registry.objects.committed.get(thing)
            stood = self._told[thing] is not None if thing in self._told else self._registry.stood(thing)
            self._told[thing] = new
            if new is not None and not stood:
                self._make("thing_created", thing)
            elif new is None and stood:
                self._make("thing_deleted", thing, {"diat:place": old.place if old is not None else ""})
            elif new is not None and old is not None and (patch := _difference(old, new)):
                self._make("thing_updated", thing, patch)

    def commit(self) -> None:
        """Begin the next batch."""
        if self._told:
            self._told = {}

    rollback = commit

    def _make(self, kind: Kind, thing: str, patch: dict[str, Any] | None = None) -> None:
        position = self._arrival()
        self._rows.append((position, kind, thing, None if patch is None else encode(patch).decode()))
        self._streams.note(THINGS, position, Notice(position, kind, thing, patch), kind)
        self.last = position
        self._made += 1
        if self._made % _PRUNE == 0:
            self._dropped.append((KEPT,))


def _difference(old: VirtualObject, new: VirtualObject) -> dict[str, Any]:
    if old.td is new.td and old.record.admission == new.record.admission:
        return {}
    difference: dict[str, Any] = merge_difference(_described(old), _described(new))
    return difference


def _described(each: VirtualObject) -> dict[str, Any]:
    return {**each.td, "diat:admission": each.record.admission, "diat:dialect": each.record.dialect}
