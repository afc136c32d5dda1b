"""Narrowing what somebody was granted: a token may do part of what its owner may, never more."""

from __future__ import annotations

from collections.abc import Iterable

from diat.security.principal import ROLES, Grant, Role
from diat.wot.places import lies_in


def narrowed(grants: Iterable[Grant], role: Role | None, places: tuple[str, ...] | None) -> tuple[Grant, ...]:
    """What is left of grants in a scope.

    Args:
        grants: what the owner has.
        role: the highest role of the scope; None for the owner's own.
        places: where it holds at most; None for wherever the owner's hold.
    """
    found = []
    for each in grants:
        least = each.role if role is None else min(each.role, role, key=ROLES.index)
        where = _within(each.places, places)
        if where is None or where:
            found.append(Grant(role=least, places=where))
    return tuple(found)


def covers(grants: Iterable[Grant], wanted: Grant) -> bool:
    """Whether somebody with these grants has this one too: such a role, wherever it is to hold."""
    enough = [each for each in grants if ROLES.index(each.role) >= ROLES.index(wanted.role)]
    if wanted.places is None:
        return any(each.places is None for each in enough)
    return all(any(each.holds_at(place) for each in enough) for place in wanted.places)


def _within(places: tuple[str, ...] | None, scope: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The places that are in both; None for everywhere."""
    if places is None or scope is None:
        return places if scope is None else scope
    inner = [one for one in places for other in scope if lies_in(one, other)]
    inner += [other for other in scope for one in places if lies_in(other, one)]
    return tuple(dict.fromkeys(inner))
