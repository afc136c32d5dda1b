"""What the daemon above was not told because policies keep it here: a part that comes here needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from diat.cvol.composite import Binding, Composite, Held
from diat.vol.layer import VirtualObjectLayer
from diat.vol.recorded import Record
from diat.vol.twin import Reading
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

MOST = 2000
"""Readings and events at most that a part is given, the newest."""


class Withheld:
    """Finds it in the record; used by the writer alone."""

    def __init__(self, uplink: Uplink, things: VirtualObjectLayer, record: Record) -> None:
        """``record`` has what came here."""
        self._uplink = uplink
        self._things = things
        self._record = record

    def since(self, part: Composite, bindings: Iterable[Binding]) -> dict[str, int]:
        """``thing affordance`` of what a part reads and was kept, to the position of the first of it."""
        found = {}
        for each in bindings:
            role = part.roles.get(each.role)
            if role is None or role.capability not in ("read", "notice"):
                continue
            first = self._uplink.kept(each.thing, each.affordance, event=role.capability == "notice")
            if first is not None:
                found[each.key] = first
        return found

    def rows(self, kept: Mapping[str, int], until: int, since: int) -> list[Held]:
        """What came of it, oldest first.

        Args:
            kept: as ``since`` had it.
            until: the last position that counts: of what came when the part began to wait.
            since: what came until then is of no use, Unix milliseconds of the clock above.
        """
        numbers: dict[int, str] = {}
        for thing in {key.partition(" ")[0] for key in kept}:
            known = self._things.registry.record(thing)
            if known is not None:
                numbers[known.no] = thing
        if not numbers:
            return []
        own = self._uplink.own.get(OWN)
        begun = since - (own.offset if own is not None else 0)
        found = []
        for row in self._record.rows(set(numbers), min(kept.values()), until + 1):
            thing = numbers[row.thing]
            values = {row.name: row.data} if row.name else row.data
            if row.received <= begun or not isinstance(values, dict):
                continue
            for name in sorted(values):
                if row.position >= kept.get(f"{thing} {name}", row.position + 1):
                    reading = Reading(
                        values[name], row.observed, row.received, row.quality, row.n, row.position
                    )
                    found.append(Held(thing, name, reading))
        return list(islice(found, max(0, len(found) - MOST), None))
