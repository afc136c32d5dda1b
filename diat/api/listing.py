"""``GET /things``: the collection of all descriptions, in pages, or those found by meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from diat.api.access import Asking, on_each, seen
from diat.api.descriptions import description_text
from diat.api.ports import DirectoryRoute, Limit, Offset, Platform, ThePlatform, base_url
from diat.kernel.errors import InvalidDocument
from diat.vol import search
from diat.vol.search import Capability
from diat.vol.thing import VirtualObject
from diat.wire.envelope import encode
from diat.wot.quantities import quantity_kind
from diat.wot.registration import DISCOVERY

router = APIRouter(tags=["directory"], route_class=DirectoryRoute)
JSON_LD = "application/ld+json"
_AT_ONCE = 256 * 1024
"""Bytes that are gathered before they are sent."""

Order = Literal["id", "title", "created", "modified", "diat:place"]
"""Members to sort by: those whose values have an order in every description."""


@router.get(
    "/things",
    summary="All Thing Descriptions, or those found by meaning",
    response_class=StreamingResponse,
    dependencies=[on_each("discover")],
    responses={
        200: {
            "description": "An array of Thing Descriptions, or a collection that tells of itself",
            "content": {JSON_LD: {"schema": {"type": "array", "items": {"type": "object"}}}},
        }
    },
)
def list_things(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    quantity: Annotated[str | None, Query(description="Quantity kind, in any spelling that we know")] = None,
    place: Annotated[str | None, Query(description="Path of a place; what lies inside counts")] = None,
    capability: Annotated[Capability | None, Query(description="What it can do with the quantity")] = None,
    limit: Limit = 1000,
    offset: Offset = 0,
    sort_by: Annotated[Order, Query(description="Compared by Unicode code points")] = "id",
    sort_order: Literal["asc", "desc"] = "asc",
    shape: Annotated[
        Literal["array", "collection"], Query(alias="format", description="With or without page information")
    ] = "array",
) -> StreamingResponse:
    """Thing Descriptions of virtual objects and composites.

    ``Link`` with ``rel="next"`` is the next page; with ``rel="canonical"`` it is the whole, and its ``etag``
    is another one when things came, went or changed meanwhile.
    """
    kind = quantity_kind(quantity) if quantity is not None else None
    if quantity is not None and kind is None:
        raise InvalidDocument(("quantity", f"unknown quantity {quantity!r}"))
    query = search.Query(quantity=kind, place=place, capability=capability)
    ids = search.ids(platform.things.registry, query)
    if not platform.decider.everywhere(asking, "discover"):
        ids = [each.id for each in seen(platform, asking, platform.things.registry.some(ids))]
    found = _ordered(platform, ids, sort_by, sort_order == "desc")
    page = platform.things.registry.some(found[offset : offset + limit])
    base = base_url(request)
    links = []
    following = None
    if offset + limit < len(found):
        asked = {**request.query_params, "limit": limit, "offset": offset + limit}
        following = f"{base}/things?{urlencode(asked)}"
        links.append(f'<{following}>; rel="next"')
    links.append(f'<{base}/things>; rel="canonical"; etag="{platform.things.notices.last}"')
    body = _array(platform, page, base)
    if shape == "collection":
        said = {
            "@context": DISCOVERY,
            "@type": "ThingCollection",
            "@id": str(request.url),
            "total": len(found),
            **({"next": following} if following is not None else {}),
        }
        body = _collection(said, body)
    return StreamingResponse(body, headers={"Link": ", ".join(links)}, media_type=JSON_LD)


def _ordered(platform: Platform, found: list[str], order: Order, reverse: bool) -> list[str]:
    """The ids in the order asked for; by id, the usual one, without a look at the things themselves."""
    found.sort(reverse=reverse)
    if order == "id":
        return found
    things = platform.things.registry.some(found)
    return [each.id for each in sorted(things, key=lambda each: _sorted_by(each, order), reverse=reverse)]


def _array(platform: Platform, page: list[VirtualObject], base: str) -> Iterator[bytes]:
    """The page as a JSON array, piece by piece: it may be large, and nobody needs the whole of it at once."""
    piece = bytearray(b"[")
    for at, each in enumerate(page):
        if at:
            piece += b","
        piece += description_text(platform, each, base)
        if len(piece) >= _AT_ONCE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + b"]")


def _collection(said: dict[str, Any], members: Iterator[bytes]) -> Iterator[bytes]:
    yield encode(said)[:-1] + b',"members":'
    yield from members
    yield b"}"


def _sorted_by(each: VirtualObject, order: Order) -> str | int:
    if order == "created":
        return each.record.created
    if order == "modified":
        return each.record.modified
    value = each.td.get(order)
    return value if isinstance(value, str) else ""
