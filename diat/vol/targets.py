"""Things as decisions see them: what of a virtual object counts for what may be done with it."""

from __future__ import annotations

from typing import Any

from diat.security.operations import Target
from diat.vol.thing import VirtualObject
from diat.wot.td import AFFORDANCES


def target_of(each: VirtualObject, affordance: str = "") -> Target:
    """A thing, or one of its affordances, as a target; one that it has not counts by its name alone.

    Args:
        each: the thing.
        affordance: name of a property, action or event; ``""`` for the whole of it.
    """
    types = _types(each.td)
    if not affordance:
        return Target(
            id=each.id, kind="thing", place=each.place, quantities=tuple(sorted(each.quantities)), types=types
        )
    return Target(
        id=each.id,
        kind="thing",
        affordance=affordance,
        place=each.place,
        quantities=_quantities(each, affordance),
        types=tuple(dict.fromkeys(types + _affordance_types(each.td, affordance))),
    )


def _quantities(each: VirtualObject, name: str) -> tuple[str, ...]:
    """What an affordance has, tells of or affects."""
    prop, action, event = each.properties.get(name), each.actions.get(name), each.events.get(name)
    found = {one.quantity for one in (prop, event) if one is not None}
    found |= {one.affects.quantity for one in (prop, action) if one is not None and one.affects is not None}
    return tuple(sorted(kind for kind in found if kind is not None))


def _affordance_types(td: dict[str, Any], name: str) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for kind in AFFORDANCES:
        group = td.get(kind)
        said = group.get(name) if isinstance(group, dict) else None
        if isinstance(said, dict):
            found += _types(said)
    return found


def _types(said: dict[str, Any]) -> tuple[str, ...]:
    types = said.get("@type")
    return tuple(each for each in (types if isinstance(types, list) else [types]) if isinstance(each, str))
