"""``/search``: questions over all descriptions, in JSONPath (RFC 9535)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any
from weakref import WeakValueDictionary

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from diat.api.access import Asking, for_roles, on_each, seen
from diat.api.descriptions import description
from diat.api.ports import DirectoryRoute, Platform, ThePlatform, base_url
from diat.kernel.errors import InvalidDocument, Refused, Unavailable
from diat.kernel.lazy import Lazy
from diat.security.principal import Principal

if TYPE_CHECKING:
    from diat.wot import jsonpath
else:
    jsonpath = Lazy("diat.wot.jsonpath")

router = APIRouter(tags=["directory"], route_class=DirectoryRoute)
LONGEST_QUERY = 1_000
"""Characters of a query at most."""
AT_ONCE = 2
"""Queries that are answered at the same time."""
PATIENCE = 10.0
"""Seconds that a query waits for its turn."""


class Turns:
    """Who asks when: a few at a time, of which nobody takes more than one, however much he asks."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        self._own: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        """Have a turn.

        Raises:
            Unavailable: it did not come in time.
        """
        own = self._own.setdefault(who, asyncio.Lock())
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(PATIENCE):
                    await turn.enter_async_context(own)
                    await turn.enter_async_context(self._all)
            except TimeoutError:
                raise Unavailable("other queries are being answered") from None
            yield


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
    turns: Turns = request.app.state.queries
    async with turns.of(f"{asking.id} {asking.token}"):
        answer = await run_in_threadpool(_answer, platform, asking, query, base_url(request))
    return Response(answer, media_type="application/json")


def _answer(platform: Platform, asking: Principal, query: str, base: str) -> bytes:
    known = seen(platform, asking, platform.things.registry.everything())
    found = sorted(known, key=lambda each: each.id)
    try:
        return jsonpath.ask(
            query, jsonpath.Asked(len(found), lambda at: description(platform, found[at], base))
        )
    except ValueError as error:
        raise InvalidDocument(("query", str(error))) from None
    except jsonpath.Overdrawn as error:
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
