"""``/ui`` within the application: the dashboard, loaded when somebody first asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from diat.api.access import for_all
from diat.api.ports import Platform
from diat.dashboard.changes import Changes

PATH = "/ui"
STATE = "dashboard"
"""Where in ``scope["state"]`` pages find the ``House``."""


class Left(NamedTuple):
    """What an act said that led to another page.

    Attributes:
        undo: the way back, None for none.
        at: when, Unix milliseconds.
    """

    text: str
    undo: Callable[[], Awaitable[object]] | None
    at: int


class House:
    """What pages know of where they are.

    Attributes:
        platform: the daemon.
        rest: its REST application, which pages ask.
        changes: tells that something has changed.
        left: what is to be said on the next page of a person, by who that is.
    """

    def __init__(self, platform: Platform, rest: ASGIApp) -> None:
        self.platform = platform
        self.rest = rest
        self.changes = Changes(platform)
        self.left: dict[str, Left] = {}


class Dashboard:
    """ASGI application that loads the dashboard at the first request: who never looks never pays for it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._loading = asyncio.Lock()
        self._pages: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope.setdefault("state", {})[STATE] = self._house
        pages = self._pages or await self._load()
        await pages(scope, receive, send)

    async def _load(self) -> ASGIApp:
        async with self._loading:
            if self._pages is None:
                loaded = await run_in_threadpool(import_module, "diat.dashboard.pages_app")
                pages: ASGIApp = await loaded.make(self._house)
                self._pages = pages
            return self._pages


def serve(app: FastAPI, platform: Platform) -> None:
    """Serve the dashboard of a platform in its REST application; ``/`` leads browsers there."""

    @app.get("/", include_in_schema=False, dependencies=[for_all()])
    async def home() -> Response:
        return RedirectResponse(f"{PATH}/", 307, {"Cache-Control": "no-store"})

    app.router.routes.insert(0, app.router.routes.pop())  # the page at /docs takes / for itself
    app.mount(PATH, Dashboard(House(platform, app)))
