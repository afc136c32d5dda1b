"""Who watches what: how the layers above learn of readings and of changes without the VOL knowing them."""

from __future__ import annotations

from collections.abc import Callable

from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.streams import Streams
from diat.vol.twin import Reading

OnReading = Callable[[str, str, str, Reading], None]
"""Called with watcher, thing id, property and the reading, in the order of arrival."""


class Observers:
    """Watchers of properties, and the set of things that changed within the batch.

    Attributes:
        streams: who reads along, for people and programs.
        on_reading: called within the batch for each reading of a watched property.
        on_event: called within the batch for each event that is watched; its data stands as the value.
        on_changes: called once at the end of each batch with the ids of things that joined, left, changed
            their description, admission or status.
    """

    def __init__(self, ledger: Ledger) -> None:
        # By thing, so that one look tells of a message whether anybody cares; members are ``name\nwatcher``.
        self._watchers: Index[str] = ledger.index()
        self._event_watchers: Index[str] = ledger.index()
        self._changed: Overlay[str, bool] = ledger.overlay()
        self.streams = Streams()
        ledger.join(self.streams)
        self.on_reading: OnReading = _nobody_reads
        self.on_event: OnReading = _nobody_reads
        self.on_changes: Callable[[list[str]], None] = _nobody_cares

    def watch(self, watcher: str, thing: str, name: str, *, event: bool = False) -> None:
        """Tell this watcher of each reading of the property, or of each such event, from now on."""
        (self._event_watchers if event else self._watchers).add(thing, f"{name}\n{watcher}")

    def unwatch(self, watcher: str, thing: str, name: str, *, event: bool = False) -> None:
        """Tell it no more."""
        (self._event_watchers if event else self._watchers).discard(thing, f"{name}\n{watcher}")

    def changed(self, thing: str) -> None:
        """A thing joined, left or changed."""
        self._changed.put(thing, True)

    def cares(self, thing: str) -> bool:
        """Whether anybody watches the thing or reads along."""
        return thing in self._watchers or thing in self.streams.things

    def read(self, thing: str, name: str, reading: Reading) -> None:
        """A reading came; need not be told of things that nobody cares for (``cares``)."""
        self.streams.note(("property", thing, name), reading.position, reading.value)
        for member in self._watchers.members(thing):
            watched, _, watcher = member.rpartition("\n")
            if watched == name:
                self.on_reading(watcher, thing, name, reading)

    def occur(self, thing: str, name: str, event: Reading) -> None:
        """An event of a thing came; its data stands as the value."""
        self.streams.note(("event", thing, name), event.position, event.value)
        for member in self._event_watchers.members(thing):
            watched, _, watcher = member.rpartition("\n")
            if watched == name:
                self.on_event(watcher, thing, name, event)

    def finish(self) -> None:
        """Pass on what changed within the batch, until nothing changes any more."""
        while self._changed.changes:
            things = list(self._changed.changes)
            self._changed.rollback()
            self.on_changes(things)


def _nobody_reads(watcher: str, thing: str, name: str, reading: Reading) -> None:
    """Stands in until a layer above listens."""


def _nobody_cares(things: list[str]) -> None:
    """Stands in until a layer above listens."""
