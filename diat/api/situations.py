"""``/situations``: what starts, pauses and sets services by itself, while something holds."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from diat.api.access import Asking, needs, on_each
from diat.api.ports import (
    IdempotencyKey,
    IfMatch,
    Limit,
    Offset,
    StrictRoute,
    ThePlatform,
    durably,
    etag,
    page,
)
from diat.api.service_access import sees_situation
from diat.kernel.clock import rfc3339
from diat.kernel.errors import NotFound
from diat.kernel.ids import derived_id
from diat.service.situation import Situation
from diat.service.situation_request import SituationRequest

router = APIRouter(route_class=StrictRoute, tags=["situations"])


@router.get("/situations", summary="All situations", dependencies=[on_each("discover")])
def list_situations(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """Situations, oldest first, each with how it stands."""
    known = [each for each in platform.situations.everything() if sees_situation(platform, asking, each)]
    found = known[offset : offset + limit + 1]
    return [_view(each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.post("/situations", status_code=201, summary="Watch for a situation", dependencies=[needs("compose")])
async def create_situation(
    platform: ThePlatform,
    asking: Asking,
    wanted: SituationRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """While ``when`` holds, ``then`` is done; if it holds already, at once.

    When it holds no longer, what was done is undone, unless ``otherwise`` says something else.
    """
    reference = None if idempotency_key is None else derived_id("situation", idempotency_key)
    made = await durably(
        platform,
        lambda: platform.situations.create(wanted.plain(), situation=reference, creator=asking),
    )
    return _shown(made, 201)


@router.get("/situations/{situation}", summary="One situation", dependencies=[on_each("discover")])
def get_situation(platform: ThePlatform, asking: Asking, situation: str) -> Response:
    """The situation: whether it holds, and what it did."""
    found = platform.situations.get(situation)
    if not sees_situation(platform, asking, found):
        raise NotFound(f"there is no situation {situation!r}")
    return _shown(found)


@router.put("/situations/{situation}", summary="Replace a situation", dependencies=[needs("compose")])
async def replace_situation(
    platform: ThePlatform, asking: Asking, situation: str, wanted: SituationRequest, if_match: IfMatch
) -> Response:
    """Give it another content; what it did is undone first, unless ``otherwise`` says something else."""
    made = await durably(
        platform, lambda: platform.situations.replace(situation, wanted.plain(), if_match, asking)
    )
    return _shown(made)


@router.delete(
    "/situations/{situation}", status_code=204, summary="Watch no more", dependencies=[needs("compose")]
)
async def delete_situation(platform: ThePlatform, situation: str, if_match: IfMatch) -> None:
    """Watch no more; what it did is undone, unless ``otherwise`` says something else."""
    await durably(platform, lambda: platform.situations.delete(situation, if_match))


def _shown(made: Situation, status: int = 200) -> Response:
    headers = {"ETag": etag(made.revision)}
    if status == 201:
        headers["Location"] = f"/situations/{made.id}"
    return JSONResponse(_view(made), status, headers)


def _view(each: Situation) -> dict[str, Any]:
    course = each.course
    shown = {
        "id": each.id,
        **each.content,
        "holds": course.holds,
        "since": rfc3339(course.since) if course.since else None,
        "active": course.active,
        "acted": rfc3339(course.acted) if course.acted else None,
        "did": [{done.what: done.service} for done in course.did],
        "created": rfc3339(each.created),
        "modified": rfc3339(each.modified),
    }
    if course.error is not None:
        shown["error"] = course.error
    return shown
