"""``/versions``, and what goes along with the report of a bug."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from diat.adapters.metrics import render
from diat.api import views
from diat.api.access import for_roles, needs
from diat.api.logs import shown as shown_line
from diat.api.ports import Platform, StrictRoute, ThePlatform
from diat.kernel.clock import rfc3339
from diat.operation.recent import LINES, Wanted
from diat.operation.report import packed, sizes, tail, threads

router = APIRouter(tags=["operation"], route_class=StrictRoute)


@router.get("/versions", summary="What runs here", dependencies=[for_roles()])
def get_versions(platform: ThePlatform) -> dict[str, Any]:
    """Versions of the platform, its broker, the database's schema, and what they run on."""
    return platform.inside.versions()


@router.get(
    "/diagnostics/report",
    summary="What goes along with the report of a bug",
    dependencies=[needs("administer")],
    response_class=Response,
    responses={200: {"description": "A ZIP file", "content": {"application/zip": {}}}},
)
def get_report(platform: ThePlatform) -> Response:
    """Versions, settings, the recent log, counts, diagnostics, the broker's log, sizes; without secrets.

    Names of things and places are in it.
    """
    now = platform.clock()
    body = packed(parts(platform), platform.inside.secrets())
    name = f"diat-report-{rfc3339(now)[:19].replace(':', '')}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/zip", headers=headers)


def parts(platform: Platform) -> dict[str, Any]:
    """What is in it: file name to text, or to what becomes JSON."""
    inside = platform.inside
    metrics, _ = render(platform.things, platform.composites, platform.trouble is None)
    lines = platform.log.newest(Wanted(), LINES)
    services = platform.services.everything()
    return {
        "versions.json": platform.inside.versions(),
        "settings.json": {"started": dict(platform.inside.started), "settings": platform.preferences.shown()},
        "log.jsonl": [shown_line(each) for each in lines],
        "metrics.txt": metrics.decode(),
        "diagnostics.json": {
            thing: [views.diagnostic(each) for each in told]
            for thing, told in platform.things.diagnostics.everywhere().items()
        },
        "services.json": [{"id": each.id, "template": each.template} for each in services],
        "state.json": {"trouble": platform.trouble, "backups": len(platform.backups.everything())},
        "broker.log": tail(inside.broker_log) if inside.broker_log is not None else "",
        "sizes.json": sizes(inside.data),
        "threads.txt": threads(),
    }
