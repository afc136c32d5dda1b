"""Whether a thing takes part, what hardware is behind it, and what went wrong with it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict

from diat.api import views
from diat.api.access import Asking, may, on_thing, sees
from diat.api.directory import served
from diat.api.ports import IfMatch, StrictRoute, ThePlatform, ThingId, durably, must_be_at
from diat.kernel.clock import rfc3339
from diat.vol.succession import successors
from diat.vol.thing import VirtualObject

router = APIRouter(tags=["things"], route_class=StrictRoute)


class Verdict(BaseModel):
    """A person's decision on a thing that wants to take part."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["accepted", "rejected"]
    reason: str = ""


class Swap(BaseModel):
    """The thing whose hardware is taken."""

    model_config = ConfigDict(extra="forbid")
    thing: str


@router.put(
    "/things/{thing}/admission", summary="Accept or reject a thing", dependencies=[on_thing("operate")]
)
async def admit_thing(
    platform: ThePlatform,
    thing: ThingId,
    if_match: IfMatch,
    verdict: Annotated[Verdict | Literal["accepted", "rejected"], Body()],
) -> Any:
    """Accept or reject a thing: ``{"state", "reason"}``, or the bare word."""
    said = verdict if isinstance(verdict, Verdict) else Verdict(state=verdict)
    reason = said.reason or "a person decided so"

    def change() -> VirtualObject:
        must_be_at(platform, thing, if_match)
        return platform.things.admit(thing, said.state, reason)

    made = await durably(platform, change)
    return {"state": made.record.admission, "reason": made.record.reason}


class Way(BaseModel):
    """By which gateway a thing comes."""

    model_config = ConfigDict(extra="forbid")
    gateway: str | None


@router.put(
    "/things/{thing}/gateway",
    summary="Say which gateway has a thing",
    dependencies=[on_thing("operate")],
)
async def move_thing(platform: ThePlatform, thing: ThingId, way: Way) -> Any:
    """Give a thing to a gateway, by name; ``null`` to whoever announces it next."""
    await durably(platform, lambda: platform.things.tiers.move(thing, way.gateway))
    return {"gateway": platform.things.tiers.gateway_of(thing)}


@router.get(
    "/things/{thing}/hardware",
    summary="What is behind a thing, and what could take its place",
    dependencies=[on_thing("discover")],
)
def get_hardware(platform: ThePlatform, asking: Asking, thing: ThingId) -> dict[str, Any]:
    """The identifiers of the physical thing, its announcements, and things that look like a replacement."""
    each = platform.things.registry.get(thing)
    found = successors(each, platform.things.registry, platform.things.twin)
    return {
        "identifiers": list(each.record.identifiers),
        "dialect": each.record.dialect,
        "announcements": [
            announced.topic for announced in platform.things.registry.announcements.committed(thing)
        ],
        "successors": [
            {"thing": one.thing, "title": one.title, "share": one.share, "reason": one.reason}
            for one in found
            if sees(platform, asking, platform.things.registry.get(one.thing))
        ],
    }


@router.put(
    "/things/{thing}/hardware",
    summary="Put other hardware behind a thing",
    dependencies=[on_thing("operate")],
)
async def put_hardware(
    request: Request, platform: ThePlatform, asking: Asking, thing: ThingId, if_match: IfMatch, swap: Swap
) -> Response:
    """History, services and patches stay; the other thing is no more a thing of its own."""

    def change() -> VirtualObject:
        must_be_at(platform, thing, if_match)
        may(platform, asking, "operate", platform.things.registry.known(swap.thing))
        return platform.things.replace_hardware(thing, swap.thing)

    return served(request, platform, await durably(platform, change))


@router.get(
    "/things/{thing}/diagnostics", summary="What went wrong with a thing", dependencies=[on_thing("read")]
)
def thing_diagnostics(platform: ThePlatform, thing: ThingId) -> list[dict[str, Any]]:
    """The last things that went wrong, oldest first; messages that never came are listed at the end."""
    each = platform.things.registry.get(thing)
    lines = [views.diagnostic(line) for line in platform.things.diagnostics.of(each.id)]
    twin = platform.things.twin(each.id)
    now = rfc3339(twin.heard)
    return lines + [
        {"text": f"boot {boot}: messages {low} to {high} never came", "count": 1, "first": now, "last": now}
        for boot, low, high in twin.missing()
    ]
