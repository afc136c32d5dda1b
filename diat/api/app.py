"""The application: all routes over one platform."""

from __future__ import annotations

from fastapi import FastAPI

from diat.api import operation, places, problems, services, things
from diat.api.guard import Guard
from diat.api.ports import Platform

DESCRIPTION = """
Things that speak MQTT become virtual objects; composites bind them by meaning; services are what people
ask for.

Errors are `application/problem+json` with a stable `type`. Lists take `limit` (to 1000) and `offset` and
answer with `Link: …; rel="next"`. Writes honour `If-Match` and `Idempotency-Key`.
"""


def make_app(platform: Platform, version: str) -> FastAPI:
    """The REST application over a platform; it starts and stops nothing."""
    app = FastAPI(title="DIAT", version=version, description=DESCRIPTION, redoc_url=None)
    app.state.platform = platform
    problems.install(app)
    app.add_middleware(Guard)
    for router in (things.router, places.router, services.router, operation.router):
        app.include_router(router)
    return app
