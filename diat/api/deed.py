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
NOBODY = "nobody:"
"""How the audit calls who is not known."""


class Deed(Struct, frozen=True):
    """Who does what.

    Attributes:
        did: method and path of the request.
    """

    principal: Principal | None
    did: str

    @property
    def who(self) -> str:
        """As the audit names it."""
        return NOBODY if self.principal is None else self.principal.id

    @property
    def more(self) -> dict[str, str]:
        """What the audit says of it besides."""
        said = self.principal
        return {} if said is None else {"purpose": said.purpose, "token": said.token}

    @property
    def changes(self) -> bool:
        """Whether it is one that changes something."""
        return self.did.partition(" ")[0] not in ("GET", "HEAD", "OPTIONS")


DEED: ContextVar[Deed | None] = ContextVar("deed", default=None)
"""That of the request at hand; None outside of any."""


class Purpose:
    """ASGI middleware behind the door: puts the purpose to the principal, and notes the deed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with what it is for."""
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            principal: Principal | None = state.get("principal")
            purpose = _purpose(scope)
            if principal is not None and purpose:
                principal = state["principal"] = msgspec.structs.replace(principal, purpose=purpose)
            DEED.set(Deed(principal, f"{scope['method']} {scope['path']}"[:500]))
        await self._app(scope, receive, send)


def _purpose(scope: Scope) -> str:
    said = next((value for name, value in scope["headers"] if name.lower() == PURPOSE), b"")
    return "".join(c for c in unquote(said.decode("latin-1")) if c.isprintable())[:_LONGEST]
