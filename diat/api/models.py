"""``/models``: Thing Models (TM 1.1) put, read and dropped, and virtual objects made from them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, for_roles, needs, on_each
from diat.api.directory import served
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
    json_body,
    page,
    segment,
)
from diat.kernel.ids import derived_id, random_id
from diat.vol.making import make
from diat.vol.models import Model
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject

router = APIRouter(tags=["models"], route_class=StrictRoute)
TM = "application/tm+json"
Name = Annotated[str, Path(description="1 to 64 of `A-Z a-z 0-9 _ - .`")]
_A_MODEL: dict[str, Any] = {
    "requestBody": {"required": True, "content": {TM: {"schema": {"type": "object"}}}}
}
_IS_MODEL: dict[int | str, dict[str, Any]] = {200: {"content": {TM: {"schema": {"type": "object"}}}}}


class Instance(BaseModel):
    """One thing that is to be as a model says."""

    model_config = ConfigDict(extra="forbid")
    id: str | None = Field(
        None, min_length=1, max_length=500, description="Else the model's or a made-up one"
    )
    title: str | None = Field(None, description="Else the model's")
    place: str | None = Field(None, description="Path of its place")
    values: dict[str, Any] = Field({}, description="What stands in the place of each placeholder")
    own: dict[str, Any] = Field({}, description="What is said of this thing alone, a merge patch")
    without: list[str] = Field(
        [], max_length=1000, description="JSON pointers of optional affordances left out"
    )

    def said(self) -> dict[str, Any]:
        """What is said of this thing alone."""
        named = {"id": self.id, "title": self.title, "diat:place": self.place}
        return self.own | {key: value for key, value in named.items() if value is not None}


@router.get("/models", summary="All Thing Models", dependencies=[for_roles()])
def list_models(
    request: Request, response: Response, platform: ThePlatform, limit: Limit = 100, offset: Offset = 0
) -> list[dict[str, Any]]:
    """Models by name, with the placeholders that want a value and what may be left out of a thing."""
    found = platform.models.everything()[offset : offset + limit + 1]
    return [_shown(platform, each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.get(
    "/models/{name}",
    summary="One Thing Model",
    responses=_IS_MODEL,
    response_class=Response,
    dependencies=[for_roles()],
)
def get_model(platform: ThePlatform, name: Name) -> Response:
    """The Thing Model as it was put."""
    return _model(platform.models.get(name))


@router.put(
    "/models/{name}",
    status_code=204,
    summary="Keep a Thing Model",
    dependencies=[needs("manage")],
    openapi_extra=_A_MODEL,
    responses={201: {"description": "There was none of this name before"}},
)
async def put_model(request: Request, platform: ThePlatform, name: Name, if_match: IfMatch) -> Response:
    """Keeps a Thing Model under a name; things made from an earlier one stay as they are.

    What it extends or refers to must be here. It is found by its ``id``, by its name, or by a path or an
    address that ends in ``models/{name}``.
    """
    model = await json_body(request)
    document = await request.body()

    def change() -> tuple[Model, bool]:
        return platform.models.put(name, model, platform.clock(), revision=if_match, document=document)

    made, created = await durably(platform, change)
    headers = {"ETag": etag(made.revision)}
    if created:
        headers["Location"] = f"/models/{segment(name)}"
    return Response(status_code=201 if created else 204, headers=headers)


@router.delete(
    "/models/{name}", status_code=204, summary="Drop a Thing Model", dependencies=[needs("manage")]
)
async def delete_model(platform: ThePlatform, name: Name, if_match: IfMatch) -> None:
    """Drops a model that no other is made of; things made from it stay."""
    await durably(platform, lambda: platform.models.remove(name, if_match))


@router.post(
    "/models/{name}/things",
    status_code=201,
    summary="Make a virtual object from a Thing Model",
    dependencies=[on_each("manage")],
)
async def make_thing(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    name: Name,
    instance: Annotated[Instance, Body()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Derives a Thing Description and registers it; answers with it and its Location.

    A description without forms is one of a native thing, whose topics are open from then on. One with forms
    becomes an entry of the directory, and is driven by those for MQTT on our broker.
    """
    reference = random_id() if idempotency_key is None else derived_id("model", name, idempotency_key)

    def change() -> VirtualObject:
        default = f"urn:dev:{name.replace('.', '-')[:40]}-{reference}"
        td = platform.models.thing(name, default, instance.values, instance.said(), instance.without)
        made = make(platform.things, td, platform.clock(), again=idempotency_key is not None)
        platform.decider.decide(asking, "manage", target_of(made), platform.clock()).or_refuse()
        return made

    made = await durably(platform, change)
    answer = served(request, platform, made)
    answer.status_code = 201
    answer.headers["Location"] = f"/things/{segment(made.id)}"
    return answer


def _model(model: Model) -> Response:
    return JSONResponse(model.body, headers={"ETag": etag(model.revision)}, media_type=TM)


def _shown(platform: Platform, model: Model) -> dict[str, Any]:
    wanted, optional = platform.models.asks_for(model)
    return {
        "name": model.name,
        "title": model.title,
        "href": f"/models/{segment(model.name)}",
        "placeholders": wanted,
        "optional": optional,
    }
