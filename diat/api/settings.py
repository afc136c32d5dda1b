"""``/settings``: what people set while the platform runs; ``/restart``, from which on some of it holds."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from diat.api.access import for_roles, needs
from diat.api.ports import IfMatch, Platform, StrictRoute, ThePlatform, durably, etag
from diat.operation.preferences import Said

router = APIRouter(tags=["operation"], route_class=StrictRoute)


@router.get("/settings", summary="All settings", dependencies=[for_roles()])
def get_settings(platform: ThePlatform) -> JSONResponse:
    """Each setting by name: its ``value``, and where that is ``from``.

    ``flag`` names the flag that says it; ``restart`` is whether a change holds from the next start on only,
    and ``next`` is what holds then, if that is something else.
    """
    return _shown(platform)


@router.patch("/settings", summary="Change settings", dependencies=[needs("administer")])
async def change_settings(platform: ThePlatform, said: Said, if_match: IfMatch) -> JSONResponse:
    """Takes those to change; null brings one back to what it is if nobody says anything.

    What a flag says cannot be changed here.
    """
    await durably(platform, lambda: platform.preferences.change(said, if_match))
    return _shown(platform)


@router.post(
    "/restart", status_code=202, summary="Start the platform again", dependencies=[needs("administer")]
)
async def restart(platform: ThePlatform) -> dict[str, str]:
    """It ends in order and starts with the same flags; what holds from the next start on does then."""
    await durably(platform, lambda: None)
    platform.restart()
    return {"status": "restarting"}


def _shown(platform: Platform) -> JSONResponse:
    body: dict[str, Any] = platform.preferences.shown()
    return JSONResponse(body, headers={"ETag": etag(platform.preferences.revision)})
