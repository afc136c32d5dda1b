"""Who watches what: how the layers above learn of readings and of changes without the VOL knowing them."""

from __future__ import annotations

from collections.abc import Callable

from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.journal import LOOKED, NOBODY, Journal
from diat.vol.streams import Streams
from diat.vol.twin import Reading

OnReading = Callable[[list[str], str, str, Reading], None]
"""Called with all watchers, thing id, property and the reading, in the order of arrival."""
OnOne = Callable[[str, str, str, Reading], None]
"""The same for one watcher after the other."""


class Observers:
    """Watchers of properties, and the set of things that changed within the batch.

    Attributes:
        streams: who reads along, for people and programs.
        on_watch: told of a thing of which somebody watches something from now on, or no more.
        on_reading: called within the batch for each reading of a watched property.
        on_event: called within the batch for each event that is watched; its data stands as the value.
        on_changes: called once at the end of each batch with the ids of things that joined, left, changed
            their description, admission or status, and the time.
    """

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._journal = journal
        # By thing, so that one look tells of a message whether anybody cares; members are ``name\nwatcher``.
        self._watchers: Index[str] = ledger.index()
        self._event_watchers: Index[str] = ledger.index()
        self._changed: Overlay[str, bool] = ledger.overlay()
        self.on_watch: Callable[[str], None] = _nobody_asks
        self.streams = Streams()
        ledger.join(self.streams)
        self.on_reading: OnReading = _nobody_reads
        self.on_event: OnReading = _nobody_reads
        self.on_changes: Callable[[list[str], int], None] = _nobody_cares
        self._listeners: dict[str, tuple[OnOne, OnOne]] = {}

    def listen(self, kind: str, on_reading: OnOne, on_event: OnOne) -> None:
        """Have watchers called ``kind:…`` told of readings and events here, after all others, by name."""
        self._listeners[kind] = (on_reading, on_event)

    def watch(self, watcher: str, thing: str, name: str, *, event: bool = False) -> None:
        """Tell this watcher of each reading of the property, or of each such event, from now on."""
        (self._event_watchers if event else self._watchers).add(thing, f"{name}\n{watcher}")
        self.on_watch(thing)

    def unwatch(self, watcher: str, thing: str, name: str, *, event: bool = False) -> None:
        """Tell it no more."""
        (self._event_watchers if event else self._watchers).discard(thing, f"{name}\n{watcher}")
        self.on_watch(thing)

    def watched(self, thing: str, name: str) -> bool:
        """Whether anybody watches a property, as the writer sees it."""
        return bool(_watching(self._watchers, thing, name))

    def watching(self, thing: str) -> dict[str, set[str]]:
        """Property of a thing to those who watch it, as the writer sees it."""
        found: dict[str, set[str]] = {}
        for member in self._watchers.members(thing):
            name, _, watcher = member.rpartition("\n")
            found.setdefault(name, set()).add(watcher)
        return found

    def changed(self, thing: str) -> None:
        """A thing joined, left or changed."""
        self._changed.put(thing, True)

    @property
    def waiting(self) -> bool:
        """Whether something changed that was not passed on yet."""
        return bool(self._changed.changes)

    def cares(self, thing: str) -> bool:
        """Whether anybody watches the thing or reads along."""
        return thing in self._watchers or thing in self.streams.things

    def read(self, thing: str, name: str, reading: Reading) -> None:
        """A reading came; need not be told of things that nobody cares for (``cares``)."""
        self.streams.note(("property", thing, name), reading.position, reading.value)
        self._tell(_watching(self._watchers, thing, name), thing, name, reading, event=False)

    def occur(self, thing: str, name: str, event: Reading) -> None:
        """An event of a thing came; its data stands as the value."""
        self.streams.note(("event", thing, name), event.position, event.value)
        self._tell(_watching(self._event_watchers, thing, name), thing, name, event, event=True)

    def finish(self, now: int) -> None:
        """Pass on what changed within the batch, until nothing changes any more.

        The moment is noted: what composites are bound to depends on when they looked.
        """
        while self._changed.changes:
            things = list(self._changed.changes)
            self._changed.rollback()
            self._journal.note(NOBODY, LOOKED, None, now)
            self.on_changes(things, now)

    def _tell(self, watchers: list[str], thing: str, name: str, said: Reading, *, event: bool) -> None:
        if not watchers:
            return
        listening = [each for each in watchers if each.partition(":")[0] in self._listeners]
        others = [each for each in watchers if each not in listening] if listening else watchers
        if others:
            (self.on_event if event else self.on_reading)(others, thing, name, said)
        for watcher in sorted(listening):
            self._listeners[watcher.partition(":")[0]][event](watcher, thing, name, said)


def _watching(watchers: Index[str], thing: str, name: str) -> list[str]:
    found = []
    for member in watchers.members(thing):
        watched, _, watcher = member.rpartition("\n")
        if watched == name:
            found.append(watcher)
    return found


def _nobody_asks(thing: str) -> None:
    """Stands in until somebody wants to know."""


def _nobody_reads(watchers: list[str], thing: str, name: str, reading: Reading) -> None:
    """Stands in until a layer above listens."""


def _nobody_cares(things: list[str], now: int) -> None:
    """Stands in until a layer above listens."""
