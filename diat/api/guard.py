"""What stands before all routes: who may call, how much may be sent, and ids with slashes in paths.

Loopback needs no credential, so a page from anywhere in the person's browser must not be able to reach us:
``Host`` must name loopback (against DNS rebinding) and ``Origin``, where a browser sends one, must be ours.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diat.api.problems import problem

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a request body at most."""


class Guard:
    """ASGI middleware around the whole application, its web sockets included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with a problem document."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not _is_loopback(f"//{host}"):
            await problem(421, "host", f"this platform is not {host!r}: call it by 127.0.0.1 or localhost")(
                scope, receive, send
            )
            return
        if origin is not None and not _is_own(origin, host):
            await problem(403, "origin", f"pages from {origin} may not call this platform")(
                scope, receive, send
            )
            return
        length = headers.get(b"content-length", "0")
        if length.isdecimal() and int(length[:20]) > BODY_LIMIT:
            await _too_large()(scope, receive, send)
            return
        raw = scope.get("raw_path")
        if raw and b"%2f" in raw.lower():
            # The server has decoded the path; a slash within an id must stay within its segment.
            kept = raw.replace(b"%2f", b"%252F").replace(b"%2F", b"%252F")
            scope = {**scope, "path": unquote(kept.decode("latin-1"))}
        await self._app(scope, _bounded(receive), send)


def _too_large() -> JSONResponse:
    return problem(413, "too-large", f"a body has at most {BODY_LIMIT} bytes")


def _bounded(receive: Receive) -> Receive:
    """The body as it comes, refused past the limit where its length was not declared."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > BODY_LIMIT:
            raise HTTPException(413, f"a body has at most {BODY_LIMIT} bytes")
        return message

    return bounded


def _is_loopback(url: str) -> bool:
    """Whether a URL names this machine; a name that only looks like an address does not."""
    try:
        host = urlsplit(url).hostname
        return host is not None and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _is_own(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower() and _is_loopback(origin)
    except ValueError:
        return False
