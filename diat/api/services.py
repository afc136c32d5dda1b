"""``/services`` and ``/templates``: what people ask for, and what it can be made from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api import views
from diat.api.access import Asking, for_roles, needs, on_each
from diat.api.ports import (
    IdempotencyKey,
    IfMatch,
    Limit,
    Offset,
    Platform,
    StrictRoute,
    ThePlatform,
    durably,
    etag,
    page,
)
from diat.api.service_access import may_service, on_service, sees_service
from diat.cvol.template import Template
from diat.kernel.errors import Invalid, NotFound
from diat.kernel.ids import derived_id
from diat.security.principal import Principal
from diat.service.goals import Goal
from diat.service.service import Service
from diat.service.templates import read_template

router = APIRouter(route_class=StrictRoute)


class ServiceRequest(BaseModel):
    """What is asked for: a template and its parameters, or a goal alone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Keep the office warm",
                    "template": "keep-within",
                    "parameters": {
                        "quantity": "Temperature",
                        "place": "hq/2/office-1",
                        "low": 20,
                        "high": 24,
                        "unit": "Cel",
                    },
                },
                {
                    "title": "Keep the office warm",
                    "goal": {
                        "keep": {
                            "quantity": "Temperature",
                            "place": "hq/2/office-1",
                            "between": [20, 24],
                            "unit": "Cel",
                        }
                    },
                },
            ]
        },
    )
    title: Annotated[str, Field(min_length=1, max_length=200)]
    template: str | None = None
    parameters: dict[str, Any] = {}
    goal: Goal | None = None
    purpose: Annotated[str, Field(max_length=100, description="What it is for, for policies: `comfort`")] = ""

    @property
    def plain_goal(self) -> dict[str, Any] | None:
        """The goal as it was written."""
        return None if self.goal is None else self.goal.plain()


@router.get("/services", tags=["services"], summary="All services", dependencies=[on_each("discover")])
def list_services(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """Services, oldest first."""
    known = [each for each in platform.services.everything() if sees_service(platform, asking, each)]
    found = known[offset : offset + limit + 1]
    return [
        views.service(platform, asking, each)
        for each in page(request, response, found, limit, offset=offset + limit)
    ]


@router.post(
    "/services",
    status_code=201,
    tags=["services"],
    summary="Make a service",
    dependencies=[on_each("compose")],
)
async def create_service(
    platform: ThePlatform,
    asking: Asking,
    wanted: ServiceRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a service and start it; answers with its state, what is bound and what is missing.

    A goal finds its template itself: ``chosen`` says why this one. A request that equals another is done by
    the same composite (``shared_with``); each is paused and ended on its own.
    """
    reference = None if idempotency_key is None else derived_id("service", idempotency_key)

    def change() -> Service:
        made = platform.services.create(
            wanted.title,
            wanted.template,
            wanted.parameters,
            goal=wanted.plain_goal,
            service=reference,
            creator=asking,
            purpose=wanted.purpose or asking.purpose,
        )
        may_service(platform, asking, "compose", made.id, platform.composites.seen(made.composite))
        return made

    return _shown(platform, asking, await durably(platform, change), 201)


@router.get(
    "/services/{service}",
    tags=["services"],
    summary="One service",
    dependencies=[on_service("discover")],
)
def get_service(platform: ThePlatform, asking: Asking, service: str) -> Response:
    """The service with its state, what is bound and what is missing."""
    return _shown(platform, asking, platform.services.get(service))


@router.put(
    "/services/{service}",
    tags=["services"],
    summary="Replace a service",
    dependencies=[on_service("compose")],
)
async def replace_service(
    platform: ThePlatform, asking: Asking, service: str, wanted: ServiceRequest, if_match: IfMatch
) -> Response:
    """Give it another content; what is bound and still fits stays bound."""

    def change() -> Service:
        made = platform.services.replace(
            service,
            wanted.title,
            wanted.template,
            wanted.parameters,
            if_match,
            goal=wanted.plain_goal,
            creator=asking,
            purpose=wanted.purpose or asking.purpose,
        )
        may_service(platform, asking, "compose", made.id, platform.composites.seen(made.composite))
        return made

    return _shown(platform, asking, await durably(platform, change))


@router.delete(
    "/services/{service}",
    status_code=204,
    tags=["services"],
    summary="End a service",
    dependencies=[on_service("compose")],
)
async def delete_service(platform: ThePlatform, service: str, if_match: IfMatch) -> None:
    """End it; what it drives is let go."""
    await durably(platform, lambda: platform.services.delete(service, if_match))


@router.post(
    "/services/{service}/pause",
    tags=["services"],
    summary="Let a service rest",
    dependencies=[on_service("operate")],
)
async def pause_service(platform: ThePlatform, asking: Asking, service: str, if_match: IfMatch) -> Response:
    """Let it rest; what it drives is let go. Pausing twice changes nothing."""
    made = await durably(platform, lambda: platform.services.pause(service, True, if_match))
    return _shown(platform, asking, made)


@router.post(
    "/services/{service}/resume",
    tags=["services"],
    summary="Resume a service",
    dependencies=[on_service("operate")],
)
async def resume_service(platform: ThePlatform, asking: Asking, service: str, if_match: IfMatch) -> Response:
    """Let it go on. Resuming twice changes nothing."""
    made = await durably(platform, lambda: platform.services.pause(service, False, if_match))
    return _shown(platform, asking, made)


@router.get("/templates", tags=["templates"], summary="All templates", dependencies=[for_roles()])
def list_templates(
    request: Request, response: Response, platform: ThePlatform, limit: Limit = 1000, offset: Offset = 0
) -> list[dict[str, Any]]:
    """Composite templates, shipped and the user's, with the JSON Schema of their parameters."""
    found = platform.services.templates.everything()[offset : offset + limit + 1]
    return [
        _template(platform, each) for each in page(request, response, found, limit, offset=offset + limit)
    ]


@router.get("/templates/{name}", tags=["templates"], summary="One template", dependencies=[for_roles()])
def get_template(platform: ThePlatform, name: str) -> dict[str, Any]:
    """The template."""
    for template in platform.services.templates.everything():
        if template.name == name:
            return _template(platform, template)
    raise NotFound(f"there is no template {name!r}")


@router.post(
    "/templates",
    status_code=201,
    tags=["templates"],
    summary="Add a template",
    dependencies=[needs("manage")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/yaml": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
async def add_template(
    request: Request, platform: ThePlatform, idempotency_key: IdempotencyKey = None
) -> Response:
    """Takes a template as JSON or YAML; ``template.schema.json`` says what it looks like."""
    try:
        source = (await request.body()).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    template = await run_in_threadpool(read_template, source)
    again = idempotency_key is not None
    made = await durably(platform, lambda: platform.services.templates.add(template, again=again))
    return JSONResponse(_template(platform, made), 201, {"Location": f"/templates/{made.name}"})


@router.delete(
    "/templates/{name}",
    status_code=204,
    tags=["templates"],
    summary="Drop a template",
    dependencies=[needs("manage")],
)
async def drop_template(platform: ThePlatform, name: str) -> None:
    """Drop a template of one's own that no service is made from."""
    await durably(platform, lambda: platform.services.drop_template(name))


def _shown(platform: Platform, asking: Principal, made: Service, status: int = 200) -> Response:
    headers = {"ETag": etag(made.revision)}
    if status == 201:
        headers["Location"] = f"/services/{made.id}"
    return JSONResponse(views.service(platform, asking, made, whole=True), status, headers)


def _template(platform: Platform, template: Template) -> dict[str, Any]:
    return {
        **template.model_dump(mode="json", by_alias=True, exclude_none=True),
        "shipped": platform.services.templates.is_shipped(template.name),
    }
