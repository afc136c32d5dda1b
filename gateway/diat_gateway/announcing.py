"""A thing of the gateway as it is announced to the daemon above: as a native thing, in that one's words."""

from __future__ import annotations

import hashlib
from typing import Any

from diat.vol.dialects.described import last_segment
from diat.vol.pushdown import TAKES
from diat.vol.thing import VirtualObject
from diat.vol.tiers import EDITED
from diat.wire import topics
from diat.wire.envelope import encode
from diat.wot.td import AFFORDANCES

STEPS = ("every", "delta", "above", "below", "mean", "min", "max", "silence")
"""Steps that a gateway does for things that cannot do them themselves."""
_NOT_OURS = frozenset({"forms", "base", "security", "securityDefinitions", "links", "diat:identifiers"})


def name_of(each: VirtualObject) -> str | None:
    """What a thing is called in topics above; None if it cannot be brought there."""
    if each.record.dialect == "directory":
        # A description alone stays here; what a bus speaks for has a name of its own on the broker here.
        name = last_segment(each.id) if each.wire else ""
    else:
        name = each.wire or last_segment(each.id)
    return name if topics.is_name(name) and last_segment(each.id) == name else None


def announcement(each: VirtualObject, fastest: float, offset: int) -> bytes:
    """The description that is announced above.

    Args:
        each: the thing.
        fastest: seconds between two values of what nobody asked for: it is not stale before.
        offset: milliseconds by which the clock above is ahead of ours.
    """
    td = {key: value for key, value in each.td.items() if key not in _NOT_OURS}
    for kind in AFFORDANCES:
        group = td.get(kind)
        if isinstance(group, dict):
            td[kind] = {name: _affordance(one, fastest) for name, one in group.items()}
    td["id"] = each.id
    td[TAKES] = list(STEPS)
    if each.record.edited:
        td[EDITED] = {key: at + offset for key, at in each.record.edited.items()}
    return encode(td)


def digest(announced: bytes) -> str:
    """By what it is known whether a description was announced already."""
    return hashlib.sha256(announced).hexdigest()[:16]


def _affordance(one: Any, fastest: float) -> Any:
    if not isinstance(one, dict):
        return one
    kept = {key: value for key, value in one.items() if key not in ("forms", "uriVariables")}
    silence = kept.get("diat:silence")
    if isinstance(silence, int | float) and silence < 2 * fastest:
        del kept["diat:silence"]
    return kept
