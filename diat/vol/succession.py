"""Which new thing could take the place of one that is gone: a suggestion for a person, never acted upon."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from diat.vol.merging import counterparts
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.vol.twin import Twin
from diat.wot.places import lies_in
from diat.wot.td import AFFORDANCES


class Successor(Struct, frozen=True):
    """A thing that looks like a replacement.

    Attributes:
        share: how much of what the lost thing can do it can do too, 0 to 1.
        reason: why, for a person.
    """

    thing: str
    title: str
    share: float
    reason: str


def successors(lost: VirtualObject, registry: Registry, twin: Callable[[str], Twin]) -> list[Successor]:
    """Younger things that are there and can do most of what the thing can do; best first.

    Args:
        lost: the thing to be replaced.
        registry: where things are; the committed ones are looked at, so any thread may ask.
        twin: the committed live state of a thing by id.
    """
    wanted = _abilities(lost)
    found = []
    for each in registry.everything():
        if each.id == lost.id or each.record.no < lost.record.no or each.record.dialect == "composite":
            continue
        if twin(each.id).status == "offline" or (each.place and not lies_in(each.place, lost.place)):
            continue
        names = counterparts(lost.description.td, each.description.td)
        taken = len(wanted & {(kind, names.get(name, name)) for kind, name in _abilities(each)})
        share = taken / len(wanted) if wanted else 0.0
        if share >= 0.5:
            reason = f"can do {taken} of {len(wanted)} things that it could, and came after it"
            found.append(Successor(each.id, str(each.td.get("title", each.id)), round(share, 2), reason))
    return sorted(found, key=lambda each: (-each.share, each.thing))[:10]


def _abilities(each: VirtualObject) -> set[tuple[str, str]]:
    """What it can do; what tells of the thing itself is no reason to choose it."""
    return {
        (kind, name)
        for kind in AFFORDANCES
        for name, affordance in each.description.td.get(kind, {}).items()
        if not isinstance(affordance, dict) or "diat:entityCategory" not in affordance
    }
