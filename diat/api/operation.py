"""Operation: health, metrics, diagnostics, and every command ever given."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from diat.adapters.metrics import render
from diat.api import views
from diat.api.access import Asking, for_all, needs, on_each, permits
from diat.api.ports import Limit, Offset, Platform, StrictRoute, ThePlatform, page
from diat.api.values import Withheld, told
from diat.security.operations import PLATFORM
from diat.security.principal import Principal
from diat.vol.actuation import Actuation
from diat.vol.diagnostics import STRANGERS
from diat.vol.thing import VirtualObject

router = APIRouter(tags=["operation"], route_class=StrictRoute)


@router.get("/health/live", summary="Does it live?", dependencies=[for_all()])
def live() -> dict[str, str]:
    """200 as long as the process answers."""
    return {"status": "live"}


@router.get("/health/ready", summary="Can it do its work?", dependencies=[for_all()])
def ready(platform: ThePlatform) -> JSONResponse:
    """200 when messages are taken and stored, else 503 with the reason."""
    trouble = platform.trouble
    if trouble is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready", "reason": trouble}, 503)


@router.get("/metrics", summary="Metrics in Prometheus text format", dependencies=[needs("read")])
def metrics(platform: ThePlatform) -> Response:
    """Counts since the start, and how much there is of everything."""
    body, content_type = render(platform.things, platform.composites, platform.trouble is None)
    return Response(body, media_type=content_type)


@router.get("/actuations", summary="Every command given", dependencies=[on_each("read")])
def list_actuations(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    limit: Limit = 100,
    offset: Offset = 0,
    service: Annotated[str | None, Query(description="Only of this service")] = None,
    thing: Annotated[str | None, Query(description="Only to this thing")] = None,
) -> list[dict[str, Any]]:
    """Commands, newest first, with what became of them.

    Those of a service whose work is done together with that of others are those of all of them.
    """
    if service is not None:
        known = next((each for each in platform.services.everything() if each.id == service), None)
        service = service if known is None else known.composite
    among = None
    if not platform.decider.everywhere(asking, "read"):
        # A command to a thing that is gone has no place any more: it is for those who may read everywhere.
        among = [each.id for each in _read(platform, asking)]
    found = platform.history.actuations(limit + 1, offset, service=service, thing=thing, among=among)
    return [
        command(platform, asking, each)
        for each in page(request, response, found, limit, offset=offset + limit)
    ]


@router.get("/diagnostics", summary="What went wrong anywhere", dependencies=[on_each("read")])
def list_diagnostics(platform: ThePlatform, asking: Asking) -> list[dict[str, Any]]:
    """The last diagnostics of all things; ``thing`` is null for what belongs to none."""
    everywhere = platform.decider.everywhere(asking, "read")
    known = set() if everywhere else {each.id for each in _read(platform, asking)}
    if platform.decider.decide(asking, "read", PLATFORM, platform.clock()).effect != "deny":
        known.add(STRANGERS)
    return [
        {"thing": None if thing == STRANGERS else thing, **views.diagnostic(line)}
        for thing, lines in sorted(platform.things.diagnostics.everywhere().items())
        if everywhere or thing in known
        for line in lines
    ]


def command(platform: Platform, asking: Principal, each: Actuation) -> dict[str, Any]:
    """A command, with what was told to its affordance as far as that may be known."""
    shown = views.actuation(each)
    value = told(platform, asking, each.thing, each.affordance, each.input, each.created)
    if isinstance(value, Withheld):
        return shown | {"input": None, "output": None, "withheld": value.reason}
    return shown | {"input": value}


def _read(platform: Platform, asking: Principal) -> list[VirtualObject]:
    """The things that a principal may read."""
    found = platform.things.registry.everything()
    return [each for each in found if permits(platform, asking, "read", each)]
