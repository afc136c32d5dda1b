"""REST, asked from within: each page and each act goes the way of any other client, as the person who looks.

So every rule that holds there holds here: roles and policies, forms of values, the audit, limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import Request
from starlette.types import ASGIApp

from diat.api.door import COOKIE, CSRF, cookie_of
from diat.api.ports import segment
from diat.security.accounts import csrf_of, read

UNREACHABLE = 503
"""The status of a refusal that has none of its own."""


class Refused(Exception):
    """REST said no.

    Attributes:
        status: of the answer.
        detail: why, in one line for a person.
        field: what of the request is wrong, ``""`` if nothing in particular.
        problem: the whole problem document.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.detail = str(problem.get("detail") or problem.get("title") or f"refused ({status})")
        self.field = str(problem.get("field") or "")
        super().__init__(self.detail)


class Rest:
    """The REST application, asked as whoever sent a request."""

    def __init__(self, app: ASGIApp, request: Request) -> None:
        session = cookie_of(request.headers.get("cookie", ""))
        headers = {"Accept": "application/json"}
        secret = read(session) if session else None
        if secret is not None:
            headers |= {"Cookie": f"{COOKIE}={session}", CSRF: csrf_of(secret[1])}
        if (bearer := request.headers.get("authorization")) is not None:
            headers["Authorization"] = bearer
        client = request.client
        transport = httpx.ASGITransport(
            app, raise_app_exceptions=False, client=(client.host, client.port) if client else ("127.0.0.1", 0)
        )
        base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
        self._client = httpx.AsyncClient(transport=transport, base_url=base, headers=headers, timeout=None)

    async def get(self, path: str, **query: Any) -> Any:
        """What is there.

        Raises:
            Refused: it may not be had, or is not there.
        """
        return _said(await self.ask("GET", path, query=query))

    async def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Make or do something; raises as ``get``."""
        return _said(await self.ask("POST", path, body, query=query))

    async def put(self, path: str, body: Any = None, **query: Any) -> Any:
        """Put something in the place of what is there; raises as ``get``."""
        return _said(await self.ask("PUT", path, body, query=query))

    async def patch(self, path: str, body: Any) -> Any:
        """Change part of something, by a merge patch; raises as ``get``."""
        return _said(await self.ask("PATCH", path, body, kind="application/merge-patch+json"))

    async def delete(self, path: str, **query: Any) -> Any:
        """Take something away; raises as ``get``."""
        return _said(await self.ask("DELETE", path, query=query))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The whole answer, its headers too; what is None in the query is left out.

        ``body`` goes as JSON, bytes as they are.

        Raises:
            Refused: the status is not one of success.
        """
        content = (
            body if isinstance(body, bytes) or body is None else httpx.Request("POST", "/", json=body).content
        )
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        said = {**(headers or {}), **({"Content-Type": kind} if content is not None else {})}
        # A task of its own: what the application notes of its request in context variables ends with it.
        answer = await asyncio.create_task(
            self._client.request(method, path, params=wanted or None, content=content, headers=said)
        )
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        raise Refused(answer.status_code, problem if isinstance(problem, dict) else {})


def at(*parts: str) -> str:
    """A path from its segments, each of which may have slashes in it: ``at("things", id, "hardware")``."""
    return "/" + "/".join(segment(each) for each in parts)


def _said(answer: httpx.Response) -> Any:
    kind = answer.headers.get("content-type", "")
    return answer.json() if "json" in kind and answer.content else answer.text or None
