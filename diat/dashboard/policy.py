"""What a browser is allowed on our pages, and how many pages are kept for one person."""

from __future__ import annotations

import re
import secrets

from nicegui import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diat.api.problems import slower

OWN = 60
"""Pages of one person that are kept at most: each is some hundred kilobytes here."""
ALL = 400
"""Pages of all people together."""
_SCRIPT = re.compile(rb"<script(?=[\s>])")


class ContentPolicy:
    """ASGI middleware: a page loads from here alone, and runs no script that it did not come with.

    Scripts that are written into the page carry a nonce; ``unsafe-eval`` stays, for NiceGUI's handlers and
    Vue's templates are compiled in the browser.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and give pages their policy."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun: Message | None = None
        body = bytearray()

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and _is_page(message):
                begun = message
                return
            if begun is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await _send_page(begun, bytes(body), send)

        await self._app(scope, receive, sent)


class Crowd:
    """ASGI middleware that keeps nobody from making pages without end: each is kept for a while."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless it is for one page too many."""
        if scope["type"] == "http" and "/_nicegui" not in scope["path"] and "/static/" not in scope["path"]:
            who = scope["state"]["principal"].id
            kept = [each.request.scope["state"]["principal"].id for each in Client.instances.values()]
            if len(kept) >= ALL or kept.count(who) >= OWN:
                await slower(10, "too many pages are open")(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _send_page(begun: Message, body: bytes, send: Send) -> None:
    nonce = secrets.token_urlsafe(16)
    body = _SCRIPT.sub(b'<script nonce="' + nonce.encode() + b'"', body)
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    headers = [
        pair for pair in begun["headers"] if pair[0].lower() not in (b"content-length", b"cache-control")
    ]
    headers += [
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    ]
    await send({**begun, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_page(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html")
        for name, value in message["headers"]
    )
