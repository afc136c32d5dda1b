"""The application: all routes over one platform."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi_swagger import patch_fastapi

from diat.api import (
    admission,
    audit,
    backups,
    broker_questions,
    claims,
    clips,
    directory,
    exports,
    history,
    interactions,
    introduction,
    joining,
    lineage,
    listing,
    login_page,
    logs,
    models,
    notices,
    occurrences,
    operation,
    overview,
    peers,
    places,
    plan,
    policies,
    problems,
    pushdown,
    releases,
    reports,
    rollouts,
    search,
    services,
    sessions,
    settings,
    situations,
    streams,
    tokens,
    traffic,
    users,
    vocabulary,
)
from diat.api.access import for_roles, hold_declared
from diat.api.deed import Purpose
from diat.api.door import Door
from diat.api.guard import Guard
from diat.api.head import Head
from diat.api.logins import Logins
from diat.api.ports import Platform
from diat.api.rationing import Rationing

DESCRIPTION = """
Things that speak MQTT become virtual objects; composites bind them by meaning; services are what people
ask for.

Errors are `application/problem+json` with a stable `type`. Lists take `limit` (to 1000) and `offset` and
answer with `Link: …; rel="next"`. Writes honour `If-Match` and `Idempotency-Key`.
"""


PARTS = (
    introduction,
    joining,
    broker_questions,
    listing,
    search,
    notices,
    models,
    directory,
    admission,
    interactions,
    claims,
    clips,
    pushdown,
    releases,
    rollouts,
    history,
    occurrences,
    exports,
    streams,
    places,
    plan,
    policies,
    audit,
    services,
    peers,
    situations,
    lineage,
    traffic,
    vocabulary,
    login_page,
    sessions,
    users,
    tokens,
    operation,
    overview,
    settings,
    logs,
    backups,
    reports,
)
"""What the application is made of; each has a router."""


class Application(FastAPI):
    """FastAPI whose document knows our problem documents."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
        return document


def _document(app: FastAPI) -> None:
    """The OpenAPI document, and the page for people at /docs with all that it needs from here.

    A house without internet has one too.
    """
    app.router.routes.clear()  # FastAPI's own route for the document asks nobody
    app.router.dependencies.append(for_roles())

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    patch_fastapi(app)
    app.router.dependencies.clear()


def make_app(platform: Platform, version: str) -> FastAPI:
    """The REST application over a platform; it starts and stops nothing."""
    app = Application(
        title="DIAT",
        version=version,
        description=DESCRIPTION,
        redoc_url=None,
        docs_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses={"4XX": problems.PROBLEM, "5XX": problems.PROBLEM},
    )
    app.state.platform = platform
    problems.install(app)
    app.state.logins = Logins()
    app.state.parcels = clips.Parcels()
    app.state.queries = search.Turns()
    app.state.coming = asyncio.Lock()
    app.add_middleware(Head)
    app.add_middleware(Purpose)
    app.add_middleware(Rationing, platform=platform)
    app.add_middleware(Door, platform=platform)
    app.add_middleware(Guard, platform=platform)
    _document(app)
    hold_declared(app.router.routes)
    for part in PARTS:
        hold_declared(part.router.routes)
        app.include_router(part.router)
    return app
