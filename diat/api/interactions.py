"""What things offer through the platform: properties read and written, actions invoked."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from diat.adapters.sql.figures import Past
from diat.api import views
from diat.api.access import Asking, on_affordance, on_each, permits, sees
from diat.api.claims import Hold, hold_of
from diat.api.ports import (
    Affordance,
    IdempotencyKey,
    Platform,
    StrictRoute,
    ThePlatform,
    ThingId,
    durably,
    json_body,
    readable_property,
    segment,
)
from diat.api.problems import problem
from diat.api.units import Unit, Units, own_value, scale, scales
from diat.api.values import Withheld, handed, told, used
from diat.kernel.errors import Conflict, NotFound
from diat.kernel.ids import derived_id
from diat.security.principal import Principal
from diat.vol.interaction import Actuation, Order
from diat.vol.thing import Property

router = APIRouter(tags=["things"], route_class=StrictRoute)
PATIENCE = 2.0
"""Seconds that a write waits for the thing unless ``Prefer: wait=`` says otherwise."""


@router.get("/things/{thing}/properties", summary="Values of all properties", dependencies=[on_each("read")])
def read_properties(
    platform: ThePlatform, asking: Asking, thing: ThingId, units: Units = None
) -> dict[str, Any]:
    """An object of bare values; properties that have none yet are left out."""
    told = _told(platform, asking, thing)
    shown = scales((prop for prop, _ in told), units or [])
    return {prop.name: shown[prop.name].value(known.value) for prop, known in told if known is not None}


@router.get(
    "/things/{thing}/readings", summary="Newest readings of all properties", dependencies=[on_each("read")]
)
def read_readings(
    platform: ThePlatform, asking: Asking, thing: ThingId, units: Units = None
) -> dict[str, Any]:
    """Readings with unit, both times and quality, by property."""
    told = _told(platform, asking, thing)
    shown, now = scales((prop for prop, _ in told), units or []), platform.clock()
    return {
        prop.name: shown[prop.name].reading(prop, known, now) for prop, known in told if known is not None
    }


@router.get(
    "/things/{thing}/properties/{name}", summary="Value of a property", dependencies=[on_affordance("read")]
)
def read_property(
    platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance, unit: Unit = None
) -> JSONResponse:
    """The bare value."""
    shown = scale(readable_property(platform, thing, name), unit)
    return JSONResponse(shown.value(_known(platform, asking, thing, name).value))


@router.get(
    "/things/{thing}/properties/{name}/reading",
    summary="Newest reading of a property",
    dependencies=[on_affordance("read")],
)
def read_reading(
    platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance, unit: Unit = None
) -> dict[str, Any]:
    """The value with its unit, both times and quality."""
    prop = readable_property(platform, thing, name)
    return scale(prop, unit).reading(prop, _known(platform, asking, thing, name), platform.clock())


_ANY_JSON: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": {}}}}}


@router.put(
    "/things/{thing}/properties/{name}",
    status_code=204,
    summary="Write a property",
    dependencies=[on_affordance("write")],
    openapi_extra=_ANY_JSON,
    responses={202: {"description": "Given to the thing, which has not confirmed yet"}},
)
async def write_property(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    name: Affordance,
    prefer: Annotated[str | None, Header(description="``wait=`` seconds for the thing")] = None,
    idempotency_key: IdempotencyKey = None,
    unit: Unit = None,
    hold: Hold = None,
) -> Response:
    """Takes the bare value, in the unit given or else the property's own; services are kept off for a while.

    Answers 204 once the thing confirmed, 202 with a Location while it has not.
    """
    held = hold_of(hold)
    value = await json_body(request)
    each = platform.things.registry.get(thing)
    used(platform, asking, "write", each, name)
    prop = each.properties.get(name)
    if prop is not None:
        value = own_value(prop, value, unit)
    reference = None if idempotency_key is None else derived_id("write", thing, name, idempotency_key)

    def change() -> tuple[Actuation, Future[Actuation]]:
        interaction = platform.things.interaction
        made = _given_before(platform, reference, value) or interaction.write(
            thing, name, value, platform.clock(), Order(command_id=reference, hold=held)
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
    "/things/{thing}/actions/{name}",
    status_code=201,
    summary="Invoke an action",
    openapi_extra=_ANY_JSON,
    dependencies=[on_affordance("invoke")],
)
async def invoke_action(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    name: Affordance,
    idempotency_key: IdempotencyKey = None,
    hold: Hold = None,
) -> Response:
    """Takes the action's input; answers with the Location of the invocation; services are kept off."""
    held = hold_of(hold)
    value = await json_body(request)
    used(platform, asking, "invoke", platform.things.registry.get(thing), name)
    reference = None if idempotency_key is None else derived_id("action", thing, name, idempotency_key)

    def change() -> Actuation:
        return _given_before(platform, reference, value) or platform.things.interaction.invoke(
            thing, name, value, platform.clock(), Order(command_id=reference, hold=held)
        )

    made = await durably(platform, change)
    location = f"/things/{segment(thing)}/actions/{segment(name)}/{made.id}"
    body = {**views.invocation(made), "href": location}
    return JSONResponse(body, 201, {"Location": location})


@router.get(
    "/things/{thing}/actions/{name}/{invocation}",
    summary="What became of an invocation",
    dependencies=[on_affordance("read")],
)
def query_action(
    platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance, invocation: str
) -> dict[str, Any]:
    """``pending``, ``completed``, ``failed``, ``expired`` or ``in-doubt``, with output or error."""
    found = platform.history.actuation(invocation)
    if (found.thing, found.affordance, found.kind) != (thing, name, "action"):
        raise NotFound(f"{name!r} has no invocation {invocation!r}")
    shown = views.invocation(found)
    if "output" in shown:
        output = told(platform, asking, thing, name, shown["output"], found.resolved or found.created)
        if isinstance(output, Withheld):
            return {key: each for key, each in shown.items() if key != "output"}
        shown["output"] = output
    return shown


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


def _told(platform: Platform, asking: Principal, thing: str) -> list[tuple[Property, Past | None]]:
    """The readable properties of a thing that somebody may read, with what may be told of each."""
    each = platform.things.registry.get(thing)
    if not sees(platform, asking, each):
        raise NotFound(f"there is no thing {thing!r}")
    values = platform.things.twin(thing).values
    return [
        (prop, handed(platform, asking, "read", each, prop.name).newest() if prop.name in values else None)
        for prop in each.properties.values()
        if prop.readable and permits(platform, asking, "read", each, prop.name)
    ]


def _known(platform: Platform, asking: Principal, thing: str, name: str) -> Past:
    how = handed(platform, asking, "read", platform.things.registry.get(thing), name)
    known = how.newest()
    if known is None:
        old = ", or not long enough ago to be told" if how.held else ""
        raise NotFound(f"{name!r} has not been reported yet{old}")
    return known


def _patience(prefer: str | None) -> float:
    for part in (prefer or "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "wait" and value.isdecimal() and value.isascii():
            return min(float(value), 60.0)
    return PATIENCE
