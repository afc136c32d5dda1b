"""``/search``: questions over all descriptions, in JSONPath (RFC 9535)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from diat.api.access import Asking, for_roles, on_each, seen
from diat.api.descriptions import description
from diat.api.ports import DirectoryRoute, Platform, ThePlatform, base_url
from diat.kernel.errors import InvalidDocument, Refused, Unavailable
from diat.security.principal import Principal
from diat.wot.jsonpath import Asked, Overdrawn, ask

router = APIRouter(tags=["directory"], route_class=DirectoryRoute)
LONGEST_QUERY = 1_000
"""Characters of a query at most."""
AT_ONCE = 2
"""Queries that are answered at the same time."""
PATIENCE = 10.0
"""Seconds that a query waits for its turn."""


@router.get(
    "/search/jsonpath",
    summary="Descriptions, or parts of them, by a JSONPath",
    response_class=Response,
    dependencies=[on_each("discover")],
    responses={200: {"content": {"application/json": {"schema": {"type": "array"}}}}},
)
async def search_jsonpath(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    query: Annotated[str, Query(min_length=1, max_length=LONGEST_QUERY, description="RFC 9535")],
) -> Response:
    """What the query selects from the array of all Thing Descriptions, ordered by id.

    A query that takes longer than two seconds, or selects too much, is refused.
    """
    turn: asyncio.Semaphore = request.app.state.queries
    try:
        await asyncio.wait_for(turn.acquire(), PATIENCE)
    except TimeoutError:
        raise Unavailable("other queries are being answered") from None
    try:
        answer = await run_in_threadpool(_answer, platform, asking, query, base_url(request))
    finally:
        turn.release()
    return Response(answer, media_type="application/json")


def _answer(platform: Platform, asking: Principal, query: str, base: str) -> bytes:
    known = seen(platform, asking, platform.things.registry.everything())
    found = sorted(known, key=lambda each: each.id)
    try:
        return ask(query, Asked(len(found), lambda at: description(platform, found[at], base)))
    except ValueError as error:
        raise InvalidDocument(("query", str(error))) from None
    except Overdrawn as error:
        raise Refused(str(error)) from None


def _not_offered(language: str) -> HTTPException:
    return HTTPException(501, f"{language} is not offered: ask in JSONPath at /search/jsonpath")


@router.get("/search/xpath", status_code=501, summary="Not offered", dependencies=[for_roles()])
def search_xpath() -> Any:
    """Always 501."""
    raise _not_offered("XPath")


@router.get("/search/sparql", status_code=501, summary="Not offered", dependencies=[for_roles()])
@router.post("/search/sparql", status_code=501, summary="Not offered", dependencies=[for_roles()])
def search_sparql() -> Any:
    """Always 501."""
    raise _not_offered("SPARQL")
