"""``/things/{id}/config``: steps that a thing does itself; ``/daemons``: what that saves."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, on_each, on_thing, sees
from diat.api.ports import Platform, StrictRoute, ThePlatform, ThingId, durably
from diat.api.service_access import sees_service
from diat.kernel.clock import rfc3339
from diat.security.principal import Principal
from diat.vol.gateways import GatewayView
from diat.vol.pushdown import BY_HAND, Rule

router = APIRouter(tags=["things"], route_class=StrictRoute)
_DAY = 86_400


class Steps(BaseModel):
    """Steps of one property: seconds, or the property's unit."""

    model_config = ConfigDict(extra="forbid")
    every: float | None = Field(None, ge=0, le=_DAY, description="at most one value in so many seconds")
    delta: float | None = Field(None, ge=0, description="only a change of so much")
    above: float | None = Field(None, description="crossings, and while above one `every` so often")
    below: float | None = Field(None, description="crossings, and while below one `every` so often")
    mean: float | None = Field(None, gt=0, le=_DAY, description="one mean for so many seconds")
    min: float | None = Field(None, gt=0, le=_DAY, description="one least value for so many seconds")
    max: float | None = Field(None, gt=0, le=_DAY, description="one greatest value for so many seconds")
    silence: float | None = Field(None, ge=0, le=_DAY, description="at least one value in so many seconds")


class Wanted(BaseModel):
    """What is needed of a thing; nothing: nothing is pushed down by hand any more."""

    model_config = ConfigDict(extra="forbid")
    report: dict[str, Steps] = Field({}, description="what is needed of its properties")
    level: str | None = Field(
        None, description="of a thing with levels, such as a camera; else its own choice"
    )


@router.get(
    "/things/{thing}/config", summary="What is pushed down to a thing", dependencies=[on_thing("discover")]
)
def get_config(platform: ThePlatform, thing: ThingId) -> dict[str, Any]:
    """What the thing is told, whose needs that serves, and whether it does it."""
    return _view(platform, platform.things.registry.get(thing).id)


@router.put(
    "/things/{thing}/config", summary="Push steps down to a thing", dependencies=[on_thing("operate")]
)
async def put_config(platform: ThePlatform, thing: ThingId, wanted: Wanted) -> dict[str, Any]:
    """Needs of several are merged so that all are served: the thing may send more than asked for here."""
    rules = {name: Rule(**steps.model_dump(exclude_none=True)) for name, steps in wanted.report.items()}

    def push() -> None:
        before = platform.things.pushdown.need(thing, BY_HAND, rules).level
        if (before, wanted.level) != (None, None):
            platform.things.pushdown.switch(thing, wanted.level)

    await durably(platform, push)
    return _view(platform, thing)


@router.get(
    "/daemons",
    summary="Who does work, and what it saves",
    tags=["operation"],
    dependencies=[on_each("discover")],
)
def list_daemons(platform: ThePlatform, asking: Asking) -> list[dict[str, Any]]:
    """This daemon, the gateways that are joined to it, and the things that do steps themselves.

    Figures of a line are of the last minutes, in an hour: bytes of PUBLISH packets, and messages in them.
    ``everything_above`` is what the services that use it would have had it carry with all steps in the core,
    from the readings that did not travel; ``saved`` is the difference.
    """
    things, now = platform.things, platform.clock()
    traffic = dict(things.pushdown.traffic)
    heard = round(sum(sent.hourly(now) for sent in traffic.values()), 1)
    shown: list[dict[str, Any]] = [{"id": platform.name, "tier": "core", "bytes_per_hour": heard}]
    for gateway in things.tiers.gateways():
        each = things.registry.objects.committed.get(gateway.thing)
        if each is not None and sees(platform, asking, each):
            shown.append(_gateway(platform, asking, gateway))
    for thing in traffic:
        each = things.registry.objects.committed.get(thing)
        if each is None or not sees(platform, asking, each):
            continue
        if things.pushdown.pushed.committed.get(thing) is not None:
            title = str(each.td.get("title", thing))
            shown.append({"id": thing, "tier": "thing", "title": title, **_view(platform, thing)})
    return shown


def _gateway(platform: Platform, asking: Principal, gateway: GatewayView) -> dict[str, Any]:
    """A gateway and the line to it."""
    figures = gateway.figures
    shown: dict[str, Any] = {
        "id": gateway.name,
        "tier": "gateway",
        "above": platform.name,
        "thing": gateway.thing,
        "title": gateway.title,
        "connected": gateway.connected,
        "since": rfc3339(gateway.since),
        "things": gateway.things,
        "spool": {"messages": figures.get("spool"), "bytes": figures.get("spoolBytes")},
        "cpu": figures.get("cpu"),
        "memory": figures.get("memory"),
        "clock_offset": figures.get("clockOffset"),
    }
    total = platform.things.tiers.traffic(gateway.name)
    shown["total"] = {
        "up": {"bytes": round(total.up.bytes), "messages": total.up.messages},
        "down": {"bytes": round(total.down.bytes), "messages": total.down.messages},
    }
    link = platform.reviewer.link(gateway.name, platform.reviewer.settled())
    if link is None:
        return shown
    services = []
    for service in platform.services.everything():
        used = link.services.get(service.composite)
        if used is None or not sees_service(platform, asking, service):
            continue
        placing = platform.services.placings.committed(service.composite)[1]
        services.append(
            {
                "service": service.id,
                "title": service.title,
                "steps_here": [step for step, tier in placing.where.items() if tier == gateway.name],
                "bytes": round(used.bytes, 1),
                "messages": round(used.messages, 1),
                "everything_above": round(used.above, 1),
                "saved": round(used.above - used.bytes, 1),
                "of": {what: round(size, 1) for what, size in used.steps.items()},
            }
        )
    # A composite that several services use is one.
    uses = link.services.values()
    shown["link"] = {
        "seconds": round(link.seconds, 1),
        "up": {"bytes_per_hour": round(link.up.bytes, 1), "messages_per_hour": round(link.up.messages, 1)},
        "down": {
            "bytes_per_hour": round(link.down.bytes, 1),
            "messages_per_hour": round(link.down.messages, 1),
        },
        "services": services,
        "services_bytes_per_hour": round(sum(each.bytes for each in uses), 1),
        "predicted_bytes_per_hour": round(platform.reviewer.joint(gateway.name).bytes, 1),
        "everything_above_bytes_per_hour": round(sum(each.above for each in uses), 1),
        "saved_bytes_per_hour": round(sum(each.above - each.bytes for each in uses), 1),
    }
    return shown


def _view(platform: Platform, thing: str) -> dict[str, Any]:
    """What is pushed down to a thing, and what it sends."""
    pushdown, now = platform.things.pushdown, platform.clock()
    pushed, traffic = pushdown.pushed.committed.get(thing), pushdown.traffic.get(thing)
    shown: dict[str, Any] = {"report": {}, "needs": {}}
    if pushed is not None:
        shown = {
            "report": msgspec.to_builtins(pushdown.report(thing, pushed.needs)),
            "needs": msgspec.to_builtins(pushed.needs),
            "state": pushed.state,
        }
        if pushed.level is not None:
            shown["level"] = pushed.level
        if pushed.error is not None:
            shown["error"] = pushed.error
    if traffic is not None:
        shown["bytes_per_hour"] = round(traffic.hourly(now), 1)
        if traffic.before is not None:
            shown["bytes_per_hour_before"] = round(traffic.before, 1)
    return shown
