"""``/things``: virtual objects and composites, read, written, invoked, and their history."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Future
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from diat.adapters.sql.history import Aggregate
from diat.api import views
from diat.api.ports import (
    Affordance,
    IdempotencyKey,
    IfMatch,
    Limit,
    Offset,
    Platform,
    StrictRoute,
    ThePlatform,
    ThingId,
    durably,
    etag,
    json_body,
    page,
    segment,
)
from diat.api.problems import problem
from diat.kernel.clock import parse_time, rfc3339
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Conflict, Invalid, NotFound, Stale
from diat.kernel.ids import derived_id
from diat.vol import search
from diat.vol.interaction import Actuation
from diat.vol.search import Capability
from diat.vol.succession import successors
from diat.vol.thing import Property, VirtualObject
from diat.wot.quantities import quantity_kind

router = APIRouter(tags=["things"], route_class=StrictRoute)
TD = "application/td+json"
_LATEST = 253_402_300_799_999
"""The last millisecond that RFC 3339 can write."""
PATIENCE = 2.0
"""Seconds that a write waits for the thing unless ``Prefer: wait=`` says otherwise."""


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


@router.get("/things/{thing}/properties", summary="Values of all properties")
def read_properties(platform: ThePlatform, thing: ThingId) -> dict[str, Any]:
    """An object of bare values; properties that have none yet are left out."""
    each = platform.things.registry.get(thing)
    return {
        name: known.value
        for name, known in platform.things.twin(thing).values.items()
        if name in each.properties and each.properties[name].readable
    }


@router.get("/things/{thing}/readings", summary="Newest readings of all properties")
def read_readings(platform: ThePlatform, thing: ThingId) -> dict[str, Any]:
    """Readings with unit, both times and quality, by property."""
    each = platform.things.registry.get(thing)
    now = platform.clock()
    return {
        name: views.reading(each.properties[name], known, now)
        for name, known in platform.things.twin(thing).values.items()
        if name in each.properties and each.properties[name].readable
    }


@router.get("/things/{thing}/properties/{name}", summary="Value of a property")
def read_property(platform: ThePlatform, thing: ThingId, name: Affordance) -> JSONResponse:
    """The bare value."""
    _property(platform, thing, name)
    return JSONResponse(_known(platform, thing, name).value)


@router.get("/things/{thing}/properties/{name}/reading", summary="Newest reading of a property")
def read_reading(platform: ThePlatform, thing: ThingId, name: Affordance) -> dict[str, Any]:
    """The value with its unit, both times and quality."""
    prop = _property(platform, thing, name)
    return views.reading(prop, _known(platform, thing, name), platform.clock())


@router.get("/things/{thing}/properties/{name}/history", summary="History of a property")
def read_history(
    request: Request,
    response: Response,
    platform: ThePlatform,
    thing: ThingId,
    name: Affordance,
    since: Annotated[str | None, Query(alias="from", description="RFC 3339 or Unix ms, included")] = None,
    until: Annotated[str | None, Query(alias="to", description="RFC 3339 or Unix ms, excluded")] = None,
    every: Annotated[str | None, Query(description="Interval: 10s, 5m, 1h, 1d or PT5M")] = None,
    aggregate: Aggregate | None = None,
    limit: Limit = 1000,
    offset: Offset = 0,
    cursor: Annotated[str | None, Query(description="From the Link of the page before")] = None,
) -> list[dict[str, Any]]:
    """Readings, oldest first; with ``every`` and ``aggregate`` one figure for each interval."""
    prop = _property(platform, thing, name)
    number = platform.things.registry.get(thing).record.no
    start, end = _time(since, "from"), _time(until, "to")
    history = platform.history
    if (every is None) != (aggregate is None):
        raise Invalid("every and aggregate go together", "aggregate" if aggregate is None else "every")
    if every is not None and aggregate is not None:
        try:
            length = parse_duration(every)
        except ValueError as error:
            raise Invalid(str(error), "every") from None
        if length > _LATEST:
            raise Invalid(f"longer than all times: {every!r}", "every")
        if aggregate not in ("count", "last") and not prop.numeric:
            raise Invalid(f"{name!r} has no numbers: only count and last can be asked", "aggregate")
        figures = history.aggregates(number, name, start, end, length, aggregate, limit + 1, offset=offset)
        return [
            views.reading(prop, past)
            for past in page(request, response, figures, limit, offset=offset + limit)
        ]
    after = _cursor(cursor)
    found = history.readings(number, name, start, end, limit + 1, offset=offset, after=after)
    last = found[limit - 1] if len(found) > limit else None
    following = f"{last.observed}.{last.position}" if last is not None else ""
    return [
        views.reading(prop, past)
        for past in page(request, response, found, limit, cursor=following, offset=0)
    ]


_ANY_JSON: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": {}}}}}


@router.put(
    "/things/{thing}/properties/{name}",
    status_code=204,
    summary="Write a property",
    openapi_extra=_ANY_JSON,
    responses={202: {"description": "Given to the thing, which has not confirmed yet"}},
)
async def write_property(
    request: Request,
    platform: ThePlatform,
    thing: ThingId,
    name: Affordance,
    prefer: Annotated[str | None, Header(description="``wait=`` seconds for the thing")] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes the bare value; 204 once the thing confirmed, 202 with a Location while it has not."""
    value = await json_body(request)
    reference = None if idempotency_key is None else derived_id("write", thing, name, idempotency_key)

    def change() -> tuple[Actuation, Future[Actuation]]:
        interaction = platform.things.interaction
        made = _given_before(platform, reference, value) or interaction.write(
            thing, name, value, platform.clock(), command_id=reference
        )
        return made, interaction.endings.of(made.id) if made.open else _ended(made)

    actuation, end = await durably(platform, change)
    location = {"Location": f"/actuations/{actuation.id}"}
    try:
        ended = await asyncio.wait_for(asyncio.wrap_future(end), _patience(prefer))
    except TimeoutError:
        return JSONResponse(views.actuation(actuation), 202, location)
    if ended.state == "completed":
        return Response(status_code=204, headers=location)
    response = problem(502, "actuation", f"the command ended {ended.state}: {ended.error}")
    response.headers.update(location)
    return response


@router.post(
    "/things/{thing}/actions/{name}", status_code=201, summary="Invoke an action", openapi_extra=_ANY_JSON
)
async def invoke_action(
    request: Request,
    platform: ThePlatform,
    thing: ThingId,
    name: Affordance,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes the action's input; answers with the Location of the invocation."""
    value = await json_body(request)
    reference = None if idempotency_key is None else derived_id("action", thing, name, idempotency_key)

    def change() -> Actuation:
        return _given_before(platform, reference, value) or platform.things.interaction.invoke(
            thing, name, value, platform.clock(), command_id=reference
        )

    made = await durably(platform, change)
    location = f"/things/{segment(thing)}/actions/{segment(name)}/{made.id}"
    body = {**views.invocation(made), "href": location}
    return JSONResponse(body, 201, {"Location": location})


@router.get("/things/{thing}/actions/{name}/{invocation}", summary="What became of an invocation")
def query_action(platform: ThePlatform, thing: ThingId, name: Affordance, invocation: str) -> dict[str, Any]:
    """``pending``, ``completed``, ``failed``, ``expired`` or ``in-doubt``, with output or error."""
    found = platform.history.actuation(invocation)
    if (found.thing, found.affordance, found.kind) != (thing, name, "action"):
        raise NotFound(f"{name!r} has no invocation {invocation!r}")
    return views.invocation(found)


def _given_before(platform: Platform, reference: str | None, value: Any) -> Actuation | None:
    """The command that was given under the same idempotency key."""
    if reference is None:
        return None
    known = platform.things.interaction.outbox.get(reference)
    if known is None:
        try:
            known = platform.history.actuation(reference)
        except NotFound:
            return None
    if known.input != value:
        raise Conflict("this Idempotency-Key was used with another input")
    return known


def _ended(actuation: Actuation) -> Future[Actuation]:
    future: Future[Actuation] = Future()
    future.set_result(actuation)
    return future


def _must_be_at(platform: Platform, thing: str, revision: int | None) -> None:
    at = platform.things.registry.get(thing).record.revision
    if revision is not None and revision != at:
        raise Stale(f"the thing is at revision {at}, not {revision}")


def _property(platform: Platform, thing: str, name: str) -> Property:
    each = platform.things.registry.get(thing)
    prop = each.properties.get(name)
    if prop is None:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    if not prop.readable:
        raise Invalid(f"{name!r} is write only", name)
    return prop


def _known(platform: Platform, thing: str, name: str) -> Any:
    known = platform.things.twin(thing).values.get(name)
    if known is None:
        raise NotFound(f"{name!r} has not been reported yet")
    return known


def _td(request: Request, platform: Platform, each: VirtualObject) -> Response:
    base = str(request.base_url).rstrip("/")
    headers = {"ETag": etag(each.record.revision)}
    return JSONResponse(views.description(platform, each, base), headers=headers, media_type=TD)


def _time(text: str | None, field: str) -> int | None:
    if text is None:
        return None
    try:
        time = parse_time(text)
    except (ValueError, OverflowError):
        time = _LATEST + 1
    if not -_LATEST <= time <= _LATEST:
        raise Invalid(f"neither RFC 3339 nor Unix milliseconds: {text[:100]!r}", field)
    return time


def _cursor(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"(-?[0-9]{1,18})\.([0-9]{1,18})", text)
    if match is None:
        raise Invalid("take the cursor from the Link of the page before", "cursor")
    return int(match[1]), int(match[2])


def _patience(prefer: str | None) -> float:
    for part in (prefer or "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "wait" and value.isdecimal() and value.isascii():
            return min(float(value), 60.0)
    return PATIENCE
