"""``/services/{service}/traffic``: what crosses from one tier to another for a service, as it goes."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from diat.api.access import Asking, sees
from diat.api.ports import Platform, StrictRoute, ThePlatform
from diat.api.service_access import on_service
from diat.api.views import Json
from diat.security.principal import Principal
from diat.service.crossing import THINGS, Crossing, Rate
from diat.service.placement.placing import HERE

router = APIRouter(tags=["services"], route_class=StrictRoute)


@router.get(
    "/services/{service}/traffic",
    summary="What crosses from tier to tier for a service",
    dependencies=[on_service("read")],
)
async def get_traffic(
    platform: ThePlatform,
    asking: Asking,
    service: str,
    seconds: Annotated[float, Query(ge=0, le=10, description="How long to count first")] = 2.0,
) -> Json:
    """Messages (readings, or commands) and bytes of PUBLISH packets a second, over each line between tiers.

    Tiers are `things`, the names of gateways, and `core`. It is counted as long as somebody asks: over the
    last ten seconds, of what comes seldom over the last minute. What a thing says to its gateway and goes no
    further is as new as the gateway's last report. `of` says what each binding has of it next to the thing.
    """
    composite = platform.services.get(service).composite
    known = platform.crossings.of(composite)
    if known.seconds < seconds:
        await asyncio.sleep(seconds)
        known = platform.crossings.of(composite)
    return shown(platform, asking, composite, known)


def shown(platform: Platform, asking: Principal, composite: str, known: Crossing) -> Json:
    """What crosses, of the things that somebody may know of."""
    objects = platform.things.registry.objects.committed
    bindings = []
    for each in platform.services.placings.bindings(composite):
        made = objects.get(each.thing)
        if made is None or not sees(platform, asking, made):
            continue
        ways = [leg for leg in known.legs if (leg.thing, leg.affordance) == (each.thing, each.affordance)]
        outer = next((leg for leg in ways if THINGS in (leg.source, leg.goal)), None)
        bindings.append(
            {
                "role": each.role,
                "thing": each.thing,
                "affordance": each.affordance,
                "from": HERE if outer is None else outer.source,
                "to": HERE if outer is None else outer.goal,
                **_said(Rate() if outer is None else known.legs[outer]),
            }
        )
    lines = [
        {"from": source, "to": goal, **_said(rate)} for (source, goal), rate in sorted(known.lines().items())
    ]
    return {"seconds": round(known.seconds, 1), "lines": lines, "of": bindings}


def _said(rate: Rate) -> Json:
    return {"messages_per_second": round(rate.messages, 3), "bytes_per_second": round(rate.bytes, 1)}
