"""What a request is about to do, and what for: known to whatever it sets off, so that it can be told."""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from diat.security.principal import Principal

PURPOSE = b"diat-purpose"
"""The header that says what somebody asks for."""
_LONGEST = 100


class Deed(Struct, frozen=True):
    """Who does what.

    Attributes:
        did: method and path of the request.
    """

    principal: Principal
    did: str


DEED: ContextVar[Deed | None] = ContextVar("deed", default=None)
"""That of the request at hand; None outside of any."""


class Purpose:
    """ASGI middleware behind the door: puts the purpose to the principal, and notes the deed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with what it is for."""
        principal: Principal | None = scope.get("state", {}).get("principal")
        if scope["type"] == "http" and principal is not None:
            said = next((value for name, value in scope["headers"] if name.lower() == PURPOSE), b"")
            purpose = "".join(c for c in unquote(said.decode("latin-1")) if c.isprintable())[:_LONGEST]
            if purpose:
                principal = msgspec.structs.replace(principal, purpose=purpose)
                scope = {**scope, "state": {**scope["state"], "principal": principal}}
            DEED.set(Deed(principal, f"{scope['method']} {scope['path']}"[:500]))
        await self._app(scope, receive, send)
