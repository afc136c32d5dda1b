"""A REST application that is loaded when somebody first asks it something: on a small box nobody may.

Whether the platform lives and can do its work is answered without it, for that is asked again and again by
what watches over a process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LIVE, READY = "/health/live", "/health/ready"
_HERE = {b"127.0.0.1", b"localhost", b"[::1]"}


class Working(Protocol):
    """What is asked whether it can do its work."""

    @property
    def trouble(self) -> str | None:
        """Why it cannot, in one line; None if it can."""


class Late:
    """ASGI application that stands before another one until that is wanted.

    Args:
        platform: what runs.
        load: makes the application; takes a second or so, and is called in a thread of its own.
    """

    def __init__(self, platform: Working, load: Callable[[], Application]) -> None:
        self._platform = platform
        self._load = load
        self._loading = asyncio.Lock()
        self._app: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._app is None and _asks_for_health(scope):
            await self._health(scope["path"] == LIVE, send)
            return
        app = self._app or await self._loaded()
        await app(scope, receive, send)

    async def _loaded(self) -> Application:
        async with self._loading:
            if self._app is None:
                self._app = await asyncio.to_thread(self._load)
            return self._app

    async def _health(self, live: bool, send: Send) -> None:
        trouble = None if live else self._platform.trouble
        said = {"status": "live" if live else "ready"}
        if trouble is not None:
            said = {"status": "not ready", "reason": trouble}
        body = msgspec.json.encode(said)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        status = 200 if trouble is None else 503
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _asks_for_health(scope: Scope) -> bool:
    """Whether it is a plain question from this machine; all others the application takes."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in (LIVE, READY):
        return False
    headers = {name.lower(): value for name, value in scope["headers"]}
    host = headers.get(b"host", b"").partition(b"]")
    name = host[0] + host[1] if host[1] else host[0].partition(b":")[0]
    return name.lower() in _HERE and b"origin" not in headers and not scope["query_string"]
