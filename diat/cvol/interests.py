"""Who is touched when a thing changes: composites by what they want and where, and by what they looked at.

So a change costs as much as there are composites that it may concern, and not as there are composites.
"""

from __future__ import annotations

from collections.abc import Iterable

from diat.cvol.composite import Composite, own_thing
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.thing import VirtualObject
from diat.wot.places import around, steps


class Interests:
    """What all composites want, look at and hold; used by the writer alone."""

    def __init__(self, ledger: Ledger) -> None:
        self._wants: Index[tuple[str, tuple[str, ...]]] = ledger.index()
        self._regards: Index[str] = ledger.index()
        self._regarded: Overlay[str, frozenset[str]] = ledger.overlay()
        self._holds: Index[str] = ledger.index()

    def want(self, composite: Composite) -> None:
        """A composite wants quantities at places."""
        for what in _wants(composite):
            self._wants.add(what, composite.id)

    def forget(self, composite: Composite) -> None:
        """It wants nothing any more and looks at nothing."""
        for what in _wants(composite):
            self._wants.discard(what, composite.id)
        self.regard(composite.id, frozenset())

    def regard(self, composite: str, things: frozenset[str]) -> None:
        """A composite looked at these things, whether they fit or not."""
        before = self._regarded.get(composite) or frozenset()
        if things == before:
            return
        for thing in before - things:
            self._regards.discard(thing, composite)
        for thing in things - before:
            self._regards.add(thing, composite)
        self._regarded.put(composite, things)

    def hold(self, composite: str, before: Iterable[str], things: Iterable[str]) -> None:
        """A composite that was bound to some things is bound to others."""
        held, holds = set(before), set(things)
        for thing in held - holds:
            self._holds.discard(thing, composite)
        for thing in holds - held:
            self._holds.add(thing, composite)

    def touched(self, thing: str, each: VirtualObject | None) -> set[str]:
        """Composites that a change of a thing may concern; ``each`` is the thing, None if it is gone."""
        found = {*self._regards.members(thing), *self._holds.members(thing)}
        if each is not None:
            for place in (*around(each.place), ()):
                for quantity in each.quantities:
                    found.update(self._wants.members((quantity, place)))
        return found

    def holding(self, thing: str) -> set[str]:
        """Composites that are bound to a thing."""
        return set(self._holds.members(thing))

    def depending(self, thing: str) -> set[str]:
        """Composites that, over however many steps, are bound to a thing that a composite makes."""
        found: set[str] = set()
        waiting = [thing]
        while waiting:
            for composite in self._holds.members(waiting.pop()):
                if composite not in found:
                    found.add(composite)
                    waiting.append(own_thing(composite))
        return found


def _wants(composite: Composite) -> set[tuple[str, tuple[str, ...]]]:
    return {(quantity, steps(role.place)) for role in composite.roles.values() for quantity in role.watched}
