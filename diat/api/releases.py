"""``/releases``: firmware that nodes fetch over the air."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import for_all, for_roles, needs
from diat.api.ports import StrictRoute, ThePlatform, durably, segment
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Conflict, Invalid
from diat.vol.releases import Release

router = APIRouter(tags=["firmware"], route_class=StrictRoute)
FILES = "/releases/{release}/files/{name:path}"
_FILE = re.compile(r"/releases/[^/]+/files/.+")
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Uploaded(BaseModel):
    """What ``diat node release`` wrote: the manifest as text, the rest in base64."""

    model_config = ConfigDict(extra="forbid")
    manifest: str = Field(max_length=8_000)
    signature: str = Field(max_length=400)
    files: dict[Name, str] = Field(min_length=1, max_length=64)


@router.get("/releases", summary="All releases of firmware", dependencies=[for_roles()])
def list_releases(platform: ThePlatform) -> list[dict[str, Any]]:
    """By board and number."""
    return [_view(each) for each in platform.releases.everything()]


@router.post("/releases", status_code=201, summary="Put a release here", dependencies=[needs("manage")])
async def create_release(platform: ThePlatform, uploaded: Uploaded) -> JSONResponse:
    """Its files must be what its manifest lists; whether the signature is right the nodes see."""
    manifest, signature = uploaded.manifest.encode(), _bytes(uploaded.signature, "signature")
    files = {name: _bytes(content, f"files.{name}") for name, content in uploaded.files.items()}
    made = await durably(platform, lambda: platform.releases.add(manifest, signature, files))
    return JSONResponse(_view(made), 201, {"Location": f"/releases/{segment(made.id)}"})


@router.get("/releases/{release}", summary="One release", dependencies=[for_roles()])
def get_release(platform: ThePlatform, release: str) -> dict[str, Any]:
    """What it is for, and its files with their sizes."""
    return _view(platform.releases.get(release))


@router.delete(
    "/releases/{release}", status_code=204, summary="Keep a release no longer", dependencies=[needs("manage")]
)
async def delete_release(platform: ThePlatform, release: str) -> None:
    """Not while it is being rolled out."""

    def change() -> None:
        if platform.rollouts.uses(release):
            raise Conflict("it is being rolled out")
        platform.releases.remove(release)

    await durably(platform, change)


@router.get(
    FILES,
    summary="A file of a release",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
    dependencies=[for_all()],
)
def get_file(platform: ThePlatform, release: str, name: str) -> Response:
    """For nodes, which show no credential here: what counts is the signature."""
    return Response(platform.releases.get(release).file(name), media_type="application/octet-stream")


def is_file(path: str) -> bool:
    """Whether a path is that of a file of a release, which is open to everybody."""
    return _FILE.fullmatch(path) is not None


def _bytes(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("it is not base64", field) from None


def _view(each: Release) -> dict[str, Any]:
    return {
        "id": each.id,
        "board": each.board,
        "number": each.number,
        "files": {name: len(content) for name, content in sorted(each.files.items())},
        "created": rfc3339(each.created),
    }
