"""``/backups``: made of the running platform, listed, downloaded, brought back and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from diat.api.access import Asking, needs
from diat.api.deed import DEED
from diat.api.ports import Limit, Offset, StrictRoute, ThePlatform, durably, page
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Busy, Invalid
from diat.operation.backup.shelf import NAME, Backup

router = APIRouter(tags=["operation"], route_class=StrictRoute)
_PATIENCE = 30.0
"""Seconds that the next piece of a file may take to come."""
_DIGITS = 15
BackupName = Annotated[str, Path(description="The backup's name", pattern=f"^{NAME}$")]


class BackupSaid(BaseModel):
    """A backup that is to be made, or brought back.

    Attributes:
        passphrase: seals it; that of the platform if it has one and nothing is said, `""` for none.
    """

    model_config = ConfigDict(extra="forbid")
    passphrase: Annotated[str, Field(max_length=1000)] | None = None


@router.get("/backups", summary="All backups", dependencies=[needs("administer")])
def list_backups(
    request: Request, response: Response, platform: ThePlatform, limit: Limit = 100, offset: Offset = 0
) -> list[dict[str, Any]]:
    """Newest first, with the one that is being made, and why the last one failed if it did."""
    found = platform.backups.everything()[offset : offset + limit + 1]
    return [shown(each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.post("/backups", status_code=202, summary="Make a backup", dependencies=[needs("administer")])
async def make_backup(platform: ThePlatform, said: BackupSaid | None = None) -> JSONResponse:
    """It is made in the background; the list tells how far it is."""
    passphrase = said.passphrase if said is not None else None
    made = await durably(platform, lambda: platform.backups.make(passphrase))
    return JSONResponse(shown(made), 202, {"Location": f"/backups/{made.name}"})


@router.get(
    "/backups/{name}",
    summary="Download a backup",
    dependencies=[needs("administer")],
    response_class=FileResponse,
    responses={200: {"description": "The file", "content": {"application/octet-stream": {}}}},
)
def get_backup(platform: ThePlatform, asking: Asking, name: BackupName) -> FileResponse:
    """The file, which `diat restore` takes. All secrets of the platform are in it: the audit tells of it."""
    path = platform.backups.path(name)
    deed = DEED.get()
    if deed is not None and deed.did.startswith("GET "):
        platform.audit.tell(asking.id, deed.did, "permitted", **deed.more)
    return FileResponse(path, media_type="application/octet-stream", filename=name)


@router.put(
    "/backups/{name}",
    status_code=201,
    summary="Put a backup from elsewhere on the shelf",
    dependencies=[needs("administer")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_backup(request: Request, platform: ThePlatform, name: BackupName) -> JSONResponse:
    """The file, with its length and under its own name. Nothing else changes: it can be brought back then.

    One comes at a time, and a gibibyte of the disk stays free. That it is whole and sealed by the passphrase
    is found out when it is brought back, before anything is changed.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > _DIGITS:
        raise Invalid("say how long it is: Content-Length is needed", "Content-Length")
    coming: asyncio.Lock = request.app.state.coming
    if coming.locked():
        raise Busy("another backup is coming")
    async with coming:
        with platform.backups.receive(name, int(length)) as receiving:
            pieces = aiter(request.stream())
            while (piece := await _next(pieces)) is not None:
                await run_in_threadpool(receiving.write, piece)
            await run_in_threadpool(receiving.finish)
    await durably(platform, lambda: None)
    return JSONResponse(shown(platform.backups.get(name)), 201, {"Location": f"/backups/{name}"})


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece, None at the end.

    Raises:
        Invalid: none came for long, or whoever sent it is gone.
    """
    try:
        return await asyncio.wait_for(anext(pieces, None), _PATIENCE)
    except (TimeoutError, ClientDisconnect):
        raise Invalid("it did not come as a whole") from None


@router.post(
    "/backups/{name}/restore",
    status_code=202,
    summary="Bring a backup back",
    dependencies=[needs("administer")],
)
async def restore_backup(
    platform: ThePlatform, name: BackupName, said: BackupSaid | None = None
) -> JSONResponse:
    """It is read and held to its manifest in the background; then the platform starts again with it.

    What came after the backup is lost. What there was is kept in `replaced/` of the data directory.
    """
    passphrase = said.passphrase if said is not None else None
    begun = await durably(platform, lambda: platform.backups.bring_back(name, passphrase))
    return JSONResponse(shown(begun), 202)


@router.delete(
    "/backups/{name}", status_code=204, summary="Remove a backup", dependencies=[needs("administer")]
)
async def remove_backup(platform: ThePlatform, name: BackupName) -> None:
    """It is gone for good."""
    await durably(platform, lambda: platform.backups.remove(name))


def shown(backup: Backup) -> dict[str, Any]:
    """A backup as it is told."""
    told: dict[str, Any] = {
        "name": backup.name,
        "made": rfc3339(backup.made),
        "state": backup.state,
        "bytes": backup.bytes,
        "by": backup.by,
        "sealed": backup.sealed,
    }
    if backup.state in ("making", "coming back"):
        told["progress"] = backup.progress
    if backup.error:
        told["error"] = backup.error
    return told
