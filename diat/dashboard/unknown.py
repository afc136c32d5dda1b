"""What is told of an address below ``/ui`` at which nothing is; not kept, as pages are."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from diat.api.problems import problem
from diat.dashboard.mount import PATH

_PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width, initial-scale=1"><title>Not here · DIAT</title>{}</head><body>'
    '<main class="nicegui-content page"><h1>There is no such page</h1><p class="empty">Nothing is at '
    "<code>{}</code>. It may have been renamed, or the address has a slip in it. "
    '<a href="{}/">Home</a> leads to all there is.</p></main></body></html>'
)
_SHOWN = 200
"""Characters of the address that are told."""


def unknown(request: Request, head: Markup) -> Response:
    """A page for people, a problem document for programs; ``head`` are scripts and styles of all pages."""
    path = request.url.path
    if "text/html" not in request.headers.get("accept", ""):
        return problem(404, "not-found", f"nothing is at {path[:_SHOWN]}")
    return HTMLResponse(_PAGE.format(head, path[:_SHOWN], PATH), 404)
