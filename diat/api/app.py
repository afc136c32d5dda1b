"""The application: all routes over one platform."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from fastapi_swagger import patch_fastapi

from diat.api import (
    admission,
    claims,
    directory,
    exports,
    history,
    interactions,
    introduction,
    lineage,
    listing,
    models,
    notices,
    operation,
    places,
    plan,
    problems,
    pushdown,
    search,
    services,
    situations,
    streams,
    vocabulary,
)
from diat.api.guard import Guard
from diat.api.head import Head
from diat.api.ports import Platform

DESCRIPTION = """
Things that speak MQTT become virtual objects; composites bind them by meaning; services are what people
ask for.

Errors are `application/problem+json` with a stable `type`. Lists take `limit` (to 1000) and `offset` and
answer with `Link: …; rel="next"`. Writes honour `If-Match` and `Idempotency-Key`.
"""


class Application(FastAPI):
    """FastAPI whose document knows our problem documents."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
        return document


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
    app.state.queries = asyncio.Semaphore(search.AT_ONCE)
    app.add_middleware(Head)
    app.add_middleware(Guard)
    # The page for people at /docs, with all that it needs from here: a house without internet has one too.
    patch_fastapi(app)
    for part in (
        introduction,
        listing,
        search,
        notices,
        models,
        directory,
        admission,
        interactions,
        claims,
        pushdown,
        history,
        exports,
        streams,
        places,
        plan,
        services,
        situations,
        lineage,
        vocabulary,
    ):
        app.include_router(part.router)
    app.include_router(operation.router)
    return app
