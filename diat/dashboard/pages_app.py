"""The pages as an application: NiceGUI, set up once in a process, with nothing that comes from elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from markupsafe import Markup
from nicegui import app as pages
from nicegui import core, ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from diat.dashboard.first import paint_first
from diat.dashboard.frame import frame
from diat.dashboard.live import Live
from diat.dashboard.mount import PATH, House
from diat.dashboard.own_sockets import hold_to_own_pages
from diat.dashboard.pages import PAGES
from diat.dashboard.parts.acts import refused, say_left
from diat.dashboard.policy import ContentPolicy, Crowd
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.static_files import KeptFiles, files_key
from diat.dashboard.unknown import unknown
from diat.dashboard.visit import visit_of

_FILES = Path(__file__).parent / "static"
STATIC = f"/static/{files_key(_FILES)}"
"""Where our own files are; another path as soon as one of them is another."""
_PATIENCE = 20.0
"""Seconds that REST may take for a page."""
_AWAY = 30.0
"""Seconds that a browser may be away before its page is forgotten."""
_LOOK = (
    f'<script src="{PATH}{STATIC}/theme.js"></script>'
    f'<link rel="stylesheet" href="{PATH}{STATIC}/dashboard.css">'
    f'<link rel="stylesheet" href="{PATH}{STATIC}/manage.css">'
)
_HEAD = (
    f'{_LOOK}<script defer src="{PATH}{STATIC}/live.js"></script>'
    f'<script defer src="{PATH}{STATIC}/manage.js"></script>'
)
_LIFE = AsyncExitStack()


async def make(house: House) -> ASGIApp:
    """The application below ``/ui``, started; called once, in the event loop that serves it."""
    # What pages ask REST for within this process is no news.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    ui.add_head_html(_HEAD, shared=True)
    pages.mount(STATIC, KeptFiles(directory=_FILES))
    pages.add_api_websocket_route("/live", Live(house).serve)
    for each in PAGES:
        _serve(each)
    pages.add_exception_handler(404, _unknown)
    ui.run_with(
        outer,
        title="DIAT",
        favicon=_FILES / "icon.svg",
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        reconnect_timeout=_AWAY,
        message_history_length=100,
        gzip_middleware_factory=None,
        tailwind=False,
        show_welcome_message=False,
    )
    pages.config.socket_io_js_transports = ["websocket"]
    pages.config.quasar_config["loadingBar"] = {"skipHijack": True}
    hold_to_own_pages(core.sio)
    await _LIFE.enter_async_context(outer.router.lifespan_context(outer))
    return GZipMiddleware(ContentPolicy(Crowd(pages)), minimum_size=1000, compresslevel=4)


async def _unknown(request: Request, missing: Exception) -> Response:
    return unknown(request, Markup(_LOOK))


def _serve(page: Page) -> None:
    ui.page(page.path, title=f"{page.title} · DIAT", response_timeout=_PATIENCE)(_builder(page))


def _builder(page: Page) -> Callable[[Request], Awaitable[Response | None]]:
    async def build(request: Request) -> Response | None:
        visit = visit_of(request)
        with frame(visit, page, PAGES):
            try:
                await page.build(visit)
            except Refused as refusal:
                if refusal.status == 401:
                    return Response(status_code=307, headers={"Location": "/login"})
                # Nothing of a page that may not be shown as a whole.
                ui.context.client.content.clear()
                refused(refusal)
        paint_first()
        with ui.context.client:
            say_left()
        return None

    return build
