"""Who watches what: how the layers above learn of readings and of changes without the VOL knowing them."""

from __future__ import annotations

from collections.abc import Callable

from diat.kernel.overlay import Ledger, Overlay
from diat.vol.twin import Reading

OnReading = Callable[[str, str, str, Reading], None]
"""Called with watcher, thing id, property and the reading, in the order of arrival."""


class Observers:
    """Watchers of properties, and the set of things that changed within the batch.

    Attributes:
        on_reading: called within the batch for each reading of a watched property.
        on_changes: called once at the end of each batch with the ids of things that joined, left, changed
            their description, admission or status.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._watchers: Overlay[tuple[str, str], frozenset[str]] = ledger.overlay()
        self._changed: Overlay[str, bool] = ledger.overlay()
        self.on_reading: OnReading = _nobody_reads
        self.on_changes: Callable[[list[str]], None] = _nobody_cares

    def watch(self, watcher: str, thing: str, name: str) -> None:
        """Tell this watcher of each reading of the property from now on."""
        known = self._watchers.get((thing, name)) or frozenset()
        self._watchers.put((thing, name), known | {watcher})

    def unwatch(self, watcher: str, thing: str, name: str) -> None:
        """Tell it no more."""
        rest = (self._watchers.get((thing, name)) or frozenset()) - {watcher}
        if rest:
            self._watchers.put((thing, name), rest)
        else:
            self._watchers.remove((thing, name))

    def changed(self, thing: str) -> None:
        """A thing joined, left or changed."""
        self._changed.put(thing, True)

    def read(self, thing: str, name: str, reading: Reading) -> None:
        """A reading came."""
        watchers = self._watchers.get((thing, name))
        if watchers:
            for watcher in sorted(watchers):
                self.on_reading(watcher, thing, name, reading)

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
