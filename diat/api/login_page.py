"""``/login``: the page on which a person logs in, or sets a password by an invitation."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from diat.api.access import for_all

PATH = "/login"
router = APIRouter(tags=["people"])


def _inline(tag: str) -> str:
    """The hash by which the page's own script or style, and no other, is allowed."""
    content = HTML.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


HTML = (resources.files("diat") / "api" / "login.html").read_text("utf-8")
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src {_inline('script')}; "
    f"style-src {_inline('style')}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@router.get(PATH, include_in_schema=False, dependencies=[for_all()])
async def login_page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(HTML, headers=HEADERS)
