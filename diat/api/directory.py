"""``/things/{id}``: the descriptions of the Thing Description Directory, made, read, changed and retired."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from diat.api.access import Asking, may, on_each, on_thing
from diat.api.descriptions import description
from diat.api.ports import (
    DirectoryRoute,
    IdempotencyKey,
    IfMatch,
    Platform,
    ThePlatform,
    ThingId,
    base_url,
    durably,
    etag,
    must_be_at,
    segment,
)
from diat.kernel.errors import Conflict, InvalidDocument
from diat.security.principal import Principal
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject
from diat.wire.envelope import Garbled, read_json

router = APIRouter(tags=["directory"], route_class=DirectoryRoute)
TD = "application/td+json"
MERGE_PATCH = "application/merge-patch+json"
_JSON = "application/json"
_TAKEN = (TD, "application/ld+json", _JSON)

_A_TD: dict[str, Any] = {"requestBody": {"required": True, "content": {TD: {"schema": {"type": "object"}}}}}
_A_PATCH: dict[str, Any] = {
    "requestBody": {"required": True, "content": {MERGE_PATCH: {"schema": {"type": "object"}}}}
}


async def _document(request: Request, *kinds: str) -> dict[str, Any]:
    """The body as a JSON object of one of these media types.

    Raises:
        HTTPException: it is of another kind.
        InvalidDocument: it is no JSON object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind not in kinds:
        raise HTTPException(415, f"{kind[:100]!r} is not taken here: send {' or '.join(kinds)}")
    value = read_json(await request.body())
    if isinstance(value, Garbled):
        raise InvalidDocument(("", f"the body is not JSON: {value.reason}"))
    if not isinstance(value, dict):
        raise InvalidDocument(("", "a JSON object is wanted"))
    return value


@router.post(
    "/things",
    status_code=201,
    summary="Register a thing without an id",
    openapi_extra=_A_TD,
    dependencies=[on_each("manage")],
)
async def create_anonymous_thing(
    request: Request, platform: ThePlatform, asking: Asking, idempotency_key: IdempotencyKey = None
) -> Response:
    """Takes a Thing Description without ``id``; answers with the Location of the entry made from it."""
    td = await _document(request, *_TAKEN)
    if "id" in td:
        raise InvalidDocument(("id", "a description with an id is put at /things/{id}"))
    thing = _new_id(idempotency_key)

    def change() -> None:
        if idempotency_key is not None and platform.things.registry.seen(thing) is not None:
            if not platform.things.entries.same(thing, {**td, "id": thing}):
                raise Conflict("this Idempotency-Key was used with another description")
            return
        _within(platform, asking, thing, lambda: platform.things.put(thing, {**td, "id": thing}))

    await durably(platform, change)
    return Response(status_code=201, headers={"Location": f"/things/{segment(thing)}"})


@router.get(
    "/things/{thing}",
    summary="One Thing Description",
    responses={200: {"content": {TD: {"schema": {"type": "object"}}}}},
    response_class=Response,
    dependencies=[on_thing("discover")],
)
def get_thing(request: Request, platform: ThePlatform, thing: ThingId) -> Response:
    """The Thing Description; its forms work."""
    return served(request, platform, platform.things.registry.get(thing))


@router.put(
    "/things/{thing}",
    status_code=204,
    summary="Register a thing, or describe it anew",
    dependencies=[on_each("manage")],
    openapi_extra=_A_TD,
    responses={201: {"description": "The thing was not known before"}},
)
async def put_thing(
    request: Request, platform: ThePlatform, asking: Asking, thing: ThingId, if_match: IfMatch
) -> Response:
    """Keeps a Thing Description under its id.

    An entry of the directory is replaced. A thing that announces itself keeps what it announces: what the
    description says otherwise is laid over that, in the place of earlier patches, and outlives later
    announcements; its forms, security and registration times stay the platform's.
    """
    td = await _document(request, *_TAKEN)

    def change() -> tuple[VirtualObject, bool]:
        if if_match is not None:
            must_be_at(platform, thing, if_match)
        return _within(platform, asking, thing, lambda: platform.things.put(thing, td))

    made, created = await durably(platform, change)
    headers = {"ETag": etag(made.record.revision)}
    if created:
        headers["Location"] = f"/things/{segment(thing)}"
    return Response(status_code=201 if created else 204, headers=headers)


@router.patch(
    "/things/{thing}",
    status_code=204,
    summary="Say what a thing means",
    dependencies=[on_thing("manage")],
    openapi_extra=_A_PATCH,
    responses={200: {"description": "The description, if asked for by ``Prefer: return=representation``"}},
)
async def patch_thing(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    if_match: IfMatch,
    prefer: Annotated[
        str | None, Header(description="``return=representation`` to be answered with the description")
    ] = None,
) -> Response:
    """Applies a merge patch (RFC 7396); it outlives whatever the thing announces later.

    An empty one renews a registration that ends.
    """
    patch = await _document(request, MERGE_PATCH, _JSON)

    def change() -> VirtualObject:
        must_be_at(platform, thing, if_match)
        try:
            made, _ = _within(platform, asking, thing, lambda: (platform.things.patch(thing, patch), False))
        except RecursionError:
            raise InvalidDocument(("", "nested too deeply")) from None
        return made

    made = await durably(platform, change)
    if prefer is not None and "return=representation" in prefer.replace(" ", "").lower():
        return served(request, platform, made)
    return Response(status_code=204, headers={"ETag": etag(made.record.revision)})


@router.delete(
    "/things/{thing}", status_code=204, summary="Retire a thing", dependencies=[on_thing("manage")]
)
async def retire_thing(platform: ThePlatform, thing: ThingId, if_match: IfMatch) -> None:
    """Take a thing out of service; should it announce itself again, its history and patches are there."""

    def change() -> None:
        must_be_at(platform, thing, if_match)
        platform.things.retire(thing)

    await durably(platform, change)


@router.post("/things/{thing}/return", summary="Bring a retired thing back", dependencies=[on_each("manage")])
async def return_thing(request: Request, platform: ThePlatform, asking: Asking, thing: ThingId) -> Response:
    """Undo that a thing was retired, for a quarter of an hour; not of gateways and what they bring."""
    may(platform, asking, "manage", platform.things.retired.get(thing).thing)
    return served(request, platform, await durably(platform, lambda: platform.things.bring_back(thing)))


def served(request: Request, platform: Platform, each: VirtualObject) -> Response:
    """A description as an answer, with its ETag."""
    headers = {"ETag": etag(each.record.revision)}
    return JSONResponse(description(platform, each, base_url(request)), headers=headers, media_type=TD)


def _within(
    platform: Platform, asking: Principal, thing: str, change: Callable[[], tuple[VirtualObject, bool]]
) -> tuple[VirtualObject, bool]:
    """Describe a thing, within the writer; it must be the asker's to manage before, and where it is after.

    Raises:
        NotFound: the asker may not know that it is there.
        Forbidden: it is not the asker's to manage.
    """
    before = platform.things.registry.seen(thing)
    if before is not None:
        may(platform, asking, "manage", before)
    made, created = change()
    target = target_of(made)
    platform.decider.decide(asking, "manage", target, platform.clock()).or_refuse()
    return made, created


def _new_id(idempotency_key: str | None) -> str:
    """A UUID of version 4 as a URN; the same one for the same key."""
    if idempotency_key is None:
        return uuid.uuid4().urn
    digest = hashlib.sha256(f"diat directory {idempotency_key}".encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=4).urn
