"""``/things/{id}/occurrences``: what happened lately at a thing."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query

from diat.api.access import Asking, on_each, sees
from diat.api.ports import Platform, StrictRoute, ThePlatform, ThingId
from diat.api.values import Handed, handed
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Forbidden, NotFound
from diat.security.principal import Principal
from diat.vol.thing import VirtualObject

router = APIRouter(tags=["history"], route_class=StrictRoute)
_HOUR, _DAY = 3_600_000, 86_400_000
_BACK = (_HOUR, _DAY, 7 * _DAY, 30 * _DAY)
"""How far it is looked back, one after the other until there is enough."""
_AT_ONCE = 1000
"""Occurrences of one event that are looked at; of more, those are told that came first in that time."""


@router.get(
    "/things/{thing}/occurrences",
    summary="Events that happened lately",
    dependencies=[on_each("history")],
)
def list_occurrences(
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most")] = 20,
) -> list[dict[str, Any]]:
    """Events of the last 30 days with their data, the newest first; those that one may have the past of."""
    each = platform.things.registry.get(thing)
    if not sees(platform, asking, each):
        raise NotFound(f"there is no thing {thing!r}")
    told = {name: how for name in each.events if (how := _handed(platform, asking, each, name)) is not None}
    found: list[tuple[int, int, str, Any]] = []
    for back in _BACK:
        found = [line for name, how in told.items() for line in _since(how, name, platform.clock() - back)]
        if len(found) >= limit:
            break
    found.sort(key=lambda line: line[:2], reverse=True)
    return [
        {"event": name, "value": value, "observed": rfc3339(observed)}
        for observed, _, name, value in found[:limit]
    ]


def _since(how: Handed, name: str, start: int) -> list[tuple[int, int, str, Any]]:
    found = islice(how.history(start, None), _AT_ONCE)
    return [(each.observed, each.position, name, each.value) for each in found]


def _handed(platform: Platform, asking: Principal, each: VirtualObject, name: str) -> Handed | None:
    try:
        return handed(platform, asking, "history", each, name, event=True)
    except Forbidden:
        return None
