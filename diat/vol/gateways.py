"""What a gateway is, as a thing among things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from diat.vol.thing import VirtualObject
from diat.vol.twin import Twin

GATEWAY = "diat:Gateway"
"""The ``@type`` of a thing that speaks for others."""


class GatewayView(Struct, frozen=True, kw_only=True):
    """A gateway as it is just now.

    Attributes:
        name: in topics.
        thing: its id as a thing.
        connected: whether its line is up.
        since: since when, Unix milliseconds.
        accepted: whether it takes part.
        things: how many it has.
        figures: what it says of itself: ``spool`` (messages that wait), ``spoolBytes``, ``cpu`` (share of one
            core), ``memory`` (MiB), ``cores``, ``memoryTotal`` (MiB), ``clockOffset`` (s).
    """

    name: str
    thing: str
    title: str
    connected: bool
    since: int
    accepted: bool
    things: int
    figures: dict[str, Any]


def is_gateway(td: Mapping[str, Any]) -> bool:
    """Whether a description is that of a gateway."""
    types = td.get("@type")
    return GATEWAY in (types if isinstance(types, list) else [types])


def view(each: VirtualObject, twin: Twin | None, things: int) -> GatewayView:
    """A gateway as it is just now, with so many things."""
    known = twin or Twin()
    return GatewayView(
        name=each.wire,
        thing=each.id,
        title=str(each.td.get("title", each.wire)),
        connected=known.status == "online",
        since=known.since,
        accepted=each.taking_part,
        things=things,
        figures={name: reading.value for name, reading in known.values.items()},
    )
