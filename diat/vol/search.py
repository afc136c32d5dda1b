"""Finding things by meaning: quantity, place and capability, among all that are committed."""

from __future__ import annotations

from operator import attrgetter
from typing import Literal

from msgspec import Struct

from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.wot.places import steps

Capability = Literal["read", "write", "increase", "decrease", "switch"]


class Query(Struct, frozen=True, kw_only=True):
    """What is looked for; what is None does not matter.

    Attributes:
        quantity: QUDT quantity kind.
        place: path of a place; what lies inside counts.
        capability: ``read`` or ``write`` a property of the quantity; ``increase``, ``decrease`` or ``switch``
            it by driving something.
    """

    quantity: str | None = None
    place: str | None = None
    capability: Capability | None = None


def find(registry: Registry, query: Query) -> list[VirtualObject]:
    """The committed things that fit, by number; any thread may ask."""
    found = registry.some(ids(registry, query))
    found.sort(key=_number)
    return found


def ids(registry: Registry, query: Query) -> list[str]:
    """The ids of the committed things that fit, in no order; any thread may ask.

    The smaller of the two indices is walked, so the cost goes with what is found and not with what there is.
    """
    walked = [
        index
        for asked, index in (
            (query.quantity, registry.by_quantity.committed.get(query.quantity or "", {})),
            (query.place, registry.by_place.committed.get(steps(query.place or ""), {})),
        )
        if asked
    ]
    if not walked:
        found = list(registry.objects.committed)
    else:
        smallest, *others = sorted(walked, key=len)
        found = list(smallest)
        for other in others:
            found = [thing for thing in found if thing in other]
    if query.capability is not None:
        skill = (query.capability, query.quantity)
        found = [each.id for each in registry.some(found) if skill in each.skills]
    return found


_number = attrgetter("record.no")
