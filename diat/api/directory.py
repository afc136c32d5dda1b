"""``/things``: the directory of virtual objects and composites: found, described, admitted, swapped."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from diat.api import views
from diat.api.ports import (
    IfMatch,
    Limit,
    Offset,
    Platform,
    StrictRoute,
    ThePlatform,
    ThingId,
    durably,
    etag,
    page,
)
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid, Stale
from diat.vol import search
from diat.vol.search import Capability
from diat.vol.succession import successors
from diat.vol.thing import VirtualObject
from diat.wot.quantities import quantity_kind

router = APIRouter(tags=["things"], route_class=StrictRoute)
TD = "application/td+json"


class Verdict(BaseModel):
    """A person's decision on a thing that wants to take part."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["accepted", "rejected"]
    reason: str = ""


class Swap(BaseModel):
    """The thing whose hardware is taken."""

    model_config = ConfigDict(extra="forbid")
    thing: str


@router.get("/things", summary="All Thing Descriptions, or those found by meaning")
def list_things(
    request: Request,
    response: Response,
    platform: ThePlatform,
    quantity: Annotated[str | None, Query(description="Quantity kind, in any spelling that we know")] = None,
    place: Annotated[str | None, Query(description="Path of a place; what lies inside counts")] = None,
    capability: Annotated[Capability | None, Query(description="What it can do with the quantity")] = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """Thing Descriptions of virtual objects and composites, in the order in which they came."""
    kind = quantity_kind(quantity) if quantity is not None else None
    if quantity is not None and kind is None:
        raise Invalid(f"unknown quantity {quantity!r}", "quantity")
    base = str(request.base_url).rstrip("/")
    query = search.Query(quantity=kind, place=place, capability=capability)
    found = search.find(platform.things.registry, query)[offset : offset + limit + 1]
    shown = page(request, response, found, limit, offset=offset + limit)
    return [views.description(platform, each, base) for each in shown]


@router.get("/things/{thing}", summary="One Thing Description")
def get_thing(request: Request, platform: ThePlatform, thing: ThingId) -> Response:
    """The Thing Description; its forms work through this platform."""
    each = platform.things.registry.get(thing)
    return _td(request, platform, each)


@router.patch("/things/{thing}", summary="Say what a thing means")
async def patch_thing(
    request: Request,
    platform: ThePlatform,
    thing: ThingId,
    if_match: IfMatch,
    patch: Annotated[dict[str, Any], Body(media_type="application/merge-patch+json")],
) -> Response:
    """Lay a merge patch (RFC 7396) over the description; it outlives whatever the thing announces later."""

    def change() -> VirtualObject:
        _must_be_at(platform, thing, if_match)
        try:
            return platform.things.patch(thing, patch)
        except RecursionError:
            raise Invalid("nested too deeply") from None

    return _td(request, platform, await durably(platform, change))


@router.delete("/things/{thing}", status_code=204, summary="Retire a thing")
async def retire_thing(platform: ThePlatform, thing: ThingId, if_match: IfMatch) -> None:
    """Take a thing out of service; should it announce itself again, its history and patches are there."""

    def change() -> None:
        _must_be_at(platform, thing, if_match)
        platform.things.retire(thing)

    await durably(platform, change)


@router.put("/things/{thing}/admission", summary="Accept or reject a thing")
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
        _must_be_at(platform, thing, if_match)
        return platform.things.admit(thing, said.state, reason)

    made = await durably(platform, change)
    return {"state": made.record.admission, "reason": made.record.reason}


@router.get("/things/{thing}/hardware", summary="What is behind a thing, and what could take its place")
def get_hardware(platform: ThePlatform, thing: ThingId) -> dict[str, Any]:
    """The identifiers of the physical thing, its announcements, and things that look like a replacement."""
    each = platform.things.registry.get(thing)
    found = successors(each, platform.things.registry, platform.things.twin)
    return {
        "identifiers": list(each.record.identifiers),
        "dialect": each.record.dialect,
        "announcements": sorted(platform.things.registry.announcements.committed_topics(thing)),
        "successors": [
            {"thing": one.thing, "title": one.title, "share": one.share, "reason": one.reason}
            for one in found
        ],
    }


@router.put("/things/{thing}/hardware", summary="Put other hardware behind a thing")
async def put_hardware(
    request: Request, platform: ThePlatform, thing: ThingId, if_match: IfMatch, swap: Swap
) -> Response:
    """History, services and patches stay; the other thing is no more a thing of its own."""

    def change() -> VirtualObject:
        _must_be_at(platform, thing, if_match)
        return platform.things.replace_hardware(thing, swap.thing)

    return _td(request, platform, await durably(platform, change))


@router.get("/things/{thing}/diagnostics", summary="What went wrong with a thing")
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


def _must_be_at(platform: Platform, thing: str, revision: int | None) -> None:
    at = platform.things.registry.get(thing).record.revision
    if revision is not None and revision != at:
        raise Stale(f"the thing is at revision {at}, not {revision}")


def _td(request: Request, platform: Platform, each: VirtualObject) -> Response:
    base = str(request.base_url).rstrip("/")
    headers = {"ETag": etag(each.record.revision)}
    return JSONResponse(views.description(platform, each, base), headers=headers, media_type=TD)
