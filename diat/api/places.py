"""``/places``: where things are, and pictures of places (floor plans) on which they can be shown."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from diat.api.access import Asking, needs, on_each, seen
from diat.api.ports import Platform, ThePlatform, durably
from diat.kernel.errors import NotFound
from diat.security.operations import Target
from diat.security.principal import Principal
from diat.wot.places import Place, tree

router = APIRouter(tags=["things"])
DEEPEST = 50
"""Levels of the tree that are shown; a place further inside counts in those that it lies in."""
PICTURES = ("image/png", "image/jpeg", "image/webp")
OfPlace = Annotated[str, Query(min_length=1, max_length=1000, description="Path of the place")]


@router.get("/places", summary="The tree of places", dependencies=[on_each("discover")])
def list_places(platform: ThePlatform, asking: Asking) -> list[dict[str, Any]]:
    """Places that things are at, with how many are there and how many are there or inside."""
    found = seen(platform, asking, platform.things.registry.everything())
    return [_shown(root, DEEPEST) for root in tree(each.place for each in found)]


@router.get(
    "/places/picture",
    summary="The picture of a place",
    response_class=Response,
    dependencies=[on_each("discover")],
    responses={200: {"content": {kind: {} for kind in PICTURES}}},
)
def get_picture(platform: ThePlatform, asking: Asking, place: OfPlace) -> Response:
    """The floor plan, or whatever picture was put there."""
    _must_see(platform, asking, place)
    picture, kind = platform.pictures.get(place)
    headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "default-src 'none'"}
    return Response(picture, media_type=kind, headers=headers)


@router.put(
    "/places/picture",
    status_code=204,
    summary="Put a picture of a place",
    dependencies=[needs("manage")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PICTURES},
        }
    },
)
async def put_picture(request: Request, platform: ThePlatform, place: OfPlace) -> None:
    """A PNG, JPEG or WebP of at most 4 MiB. Things are shown on it by their ``diat:position``."""
    picture = await request.body()
    await run_in_threadpool(platform.pictures.put, place, picture)
    await durably(platform, _nothing)


@router.delete(
    "/places/picture",
    status_code=204,
    summary="Drop the picture of a place",
    dependencies=[needs("manage")],
)
async def drop_picture(platform: ThePlatform, place: OfPlace) -> None:
    """Drop it."""
    await run_in_threadpool(platform.pictures.drop, place)
    await durably(platform, _nothing)


def _must_see(platform: Platform, asking: Principal, place: str) -> None:
    """Do nothing if the principal may know what is at a place.

    Raises:
        NotFound: it may not, and is not told whether there is a picture.
    """
    decided = platform.decider.decide(asking, "discover", Target(place=place), platform.clock())
    if decided.effect == "deny":
        raise NotFound(f"there is no picture of {place!r}")


def _nothing() -> None:
    """The picture is kept already: this is for the audit."""


def _shown(place: Place, levels: int) -> dict[str, Any]:
    return {
        "path": place.path,
        "name": place.name,
        "things": place.things,
        "inside": place.inside,
        "children": [_shown(child, levels - 1) for child in place.children] if levels > 1 else [],
    }
