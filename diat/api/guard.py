"""What stands before all routes: who may call, how much may be sent, and ids with slashes in paths.

Loopback needs no credential, so a page from anywhere in the person's browser must not be able to reach us:
``Host`` must name loopback (against DNS rebinding) and ``Origin``, where a browser sends one, must be ours.
Open beyond loopback, ``Host`` may also be an address, or a name that this machine goes by.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diat.api.ports import Platform
from diat.api.problems import problem

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a request body at most."""
FILES = "/backups/"
"""Where files are put that are larger: whoever may do that is asked before any of it is read."""


class Guard:
    """ASGI middleware around the whole application, its web sockets included."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._lan = platform.lan
        self._names = platform.names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with a problem document."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not self._is_ours(f"//{host}"):
            names = sorted(self._names) if self._lan else ["127.0.0.1", "localhost"]
            detail = f"this platform is not {host[:200]!r}: call it by {' or '.join(names)}"
            await problem(421, "host", detail)(scope, receive, send)
            return
        if origin is not None and not self._is_own(origin, host):
            await problem(403, "origin", f"pages from {origin[:200]} may not call this platform")(
                scope, receive, send
            )
            return
        length = headers.get(b"content-length", "0")
        a_file = scope.get("method") == "PUT" and scope["path"].startswith(FILES)
        if not a_file and length.isdecimal() and int(length[:20]) > BODY_LIMIT:
            await _too_large()(scope, receive, send)
            return
        raw = scope.get("raw_path")
        if raw and b"%2f" in raw.lower():
            # The server has decoded the path; a slash within an id must stay within its segment.
            kept = raw.replace(b"%2f", b"%252F").replace(b"%2F", b"%252F")
            scope = {**scope, "path": unquote(kept.decode("latin-1"))}
        await self._app(scope, receive if a_file else _bounded(receive), _as_it_says(send))

    def _is_ours(self, url: str) -> bool:
        """Whether a URL names this machine; a name that only looks like an address does not."""
        try:
            host = urlsplit(url).hostname
            if host is None:
                return False
            if host == "localhost" or (self._lan and host.removesuffix(".") in self._names):
                return True
            return ip_address(host).is_loopback or self._lan
        except ValueError:
            return False

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            return urlsplit(origin).netloc.lower() == host.lower() and self._is_ours(origin)
        except ValueError:
            return False


def _as_it_says(send: Send) -> Send:
    """The answer, with word to browsers not to take it for another kind of document than it says."""

    async def said(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
        await send(message)

    return said


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
