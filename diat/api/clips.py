"""Clips and snapshots of cameras: found here, brought from the gateway where they lie when somebody asks.

The list is of the events ``clip`` that cameras told. The file itself is fetched by the camera's action
``fetch`` with a ticket, under which its gateway brings it once; so no gateway has to be reachable from here.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from heapq import nlargest
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from msgspec import Struct
from starlette.background import BackgroundTask

from diat.adapters.sql.figures import Past
from diat.api.access import Asking, for_all, on_each, on_thing, permits, seen
from diat.api.arrivals import ARRIVALS
from diat.api.history import From, To, time_of
from diat.api.ports import Limit, Offset, Platform, StrictRoute, ThePlatform, ThingId, durably, page, segment
from diat.api.values import handed, used
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid, NotFound, Unavailable
from diat.vol.interaction import Order
from diat.vol.thing import VirtualObject
from diat.wot.places import lies_in

router = APIRouter(tags=["clips"], route_class=StrictRoute)

LARGEST = 256 << 20
"""Bytes of one file at most."""
PATIENCE = 30.0
"""Seconds that a gateway has to bring a file."""
AT_ONCE = 8
"""Files on their way at once."""
LOOKED_AT = 10_000
"""Events of one camera that a search looks at, at most."""


class Parcel(Struct):
    """A file that is waited for."""

    path: Path
    arrived: asyncio.Event
    media: str = "application/octet-stream"
    size: int = 0


class Parcels:
    """What is on its way, by ticket."""

    def __init__(self) -> None:
        self.waiting: dict[str, Parcel] = {}


@router.get("/clips", summary="Clips and snapshots", dependencies=[on_each("history")])
def list_clips(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    thing: Annotated[str | None, Query(description="Id of a camera")] = None,
    place: Annotated[str | None, Query(description="Path of a place, with what lies inside")] = None,
    since: From = None,
    until: To = None,
    kind: Literal["clip", "snapshot"] | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """Newest first. ``from`` and ``to`` are times of what happened; a clip that lasts into them counts."""
    start, end = time_of(since, "from"), time_of(until, "to")
    if thing is not None:
        platform.things.registry.get(thing)
    cameras = [
        each
        for each in seen(platform, asking, platform.things.registry.objects.committed.values())
        if "clip" in each.td.get("events", {})
        and (thing is None or each.id == thing)
        and (place is None or lies_in(each.place, place))
        and permits(platform, asking, "history", each, "clip")
    ]
    found = [
        _shown(each, past.value)
        for each in cameras
        for past in islice(_told(platform, asking, each, start, end), LOOKED_AT)
        if _fits(past.value, start, end, kind)
    ]
    newest = nlargest(offset + limit + 1, found, key=lambda clip: clip["from"])
    return page(request, response, newest[offset:], limit, offset=offset + limit)


@router.get(
    "/clips/{thing}/{clip}",
    summary="A clip itself",
    response_class=FileResponse,
    dependencies=[on_thing("read")],
)
async def read_clip(
    request: Request, platform: ThePlatform, asking: Asking, thing: ThingId, clip: str
) -> FileResponse:
    """MP4 or JPEG, as the gateway has it; 404 if it is kept no more, 503 if the gateway does not bring it."""
    each = platform.things.registry.get(thing)
    if "clip" not in each.td.get("events", {}) or "fetch" not in each.td.get("actions", {}):
        raise NotFound(f"{each.td['title']} has no clips")
    used(platform, asking, "history", each, "clip")
    parcels: Parcels = request.app.state.parcels
    if len(parcels.waiting) >= AT_ONCE:
        raise Unavailable("too many clips are on their way")
    ticket = secrets.token_urlsafe(24)
    directory = tempfile.mkdtemp(prefix="diat-clip-")
    parcel = Parcel(Path(directory) / "file", asyncio.Event())
    parcels.waiting[ticket] = parcel
    try:
        await _bring(platform, thing, clip, ticket, parcel)
    except BaseException:
        _forget(parcel.path)
        raise
    finally:
        parcels.waiting.pop(ticket, None)
    return FileResponse(parcel.path, media_type=parcel.media, background=BackgroundTask(_forget, parcel.path))


@router.put(
    ARRIVALS,
    status_code=204,
    summary="A gateway brings a clip",
    dependencies=[for_all()],
)
async def take_clip(
    request: Request,
    ticket: str,
    at: Annotated[int, Query(ge=0, description="Bytes that came before")] = 0,
    of: Annotated[int | None, Query(ge=0, le=LARGEST, description="Bytes of all of it")] = None,
) -> Response:
    """Takes the file that somebody waits for under this ticket, whole or in pieces one after the other."""
    parcels: Parcels = request.app.state.parcels
    parcel = parcels.waiting.get(ticket)
    if parcel is None:
        raise NotFound("nobody waits for this")
    body = await request.body()
    if at != parcel.size:
        raise Invalid(f"{parcel.size} bytes came so far, not {at}", "at")
    if parcel.size + len(body) > LARGEST:
        raise Invalid(f"longer than {LARGEST} bytes", "of")
    with parcel.path.open("ab") as file:
        file.write(body)
    parcel.size += len(body)
    if of is None or parcel.size >= of:
        media = request.headers.get("content-type", "")
        # Nothing that a page could run is handed on.
        parcel.media = media if media in ("video/mp4", "image/jpeg") else parcel.media
        parcels.waiting.pop(ticket, None)
        parcel.arrived.set()
    return Response(status_code=204)


async def _bring(platform: Platform, thing: str, clip: str, ticket: str, parcel: Parcel) -> None:
    interaction = platform.things.interaction

    def change() -> Any:
        made = interaction.invoke(thing, "fetch", {"clip": clip, "ticket": ticket}, platform.clock(), Order())
        return interaction.endings.of(made.id) if made.open else None

    end = await durably(platform, change, told=False)
    due = asyncio.get_running_loop().time() + PATIENCE
    if end is not None:
        with suppress(TimeoutError):
            ended = await asyncio.wait_for(asyncio.wrap_future(end), PATIENCE)
            if ended.state == "failed":
                raise NotFound(ended.error or "the clip is kept no more")
    try:
        await asyncio.wait_for(parcel.arrived.wait(), max(1.0, due - asyncio.get_running_loop().time()))
    except TimeoutError:
        raise Unavailable("the gateway of this camera did not bring it") from None


def _told(
    platform: Platform, asking: Asking, each: VirtualObject, start: int | None, end: int | None
) -> Iterator[Past]:
    """The events from a minute before until an hour after.

    A clip is told of when it has ended, and by a clock that need not be that of its pictures.
    """
    how = handed(platform, asking, "history", each, "clip", event=True)
    return how.history(None if start is None else start - 60_000, None if end is None else end + 3_600_000)


def _fits(value: Any, start: int | None, end: int | None, kind: str | None) -> bool:
    if not isinstance(value, dict) or not {"id", "kind", "from", "to"} <= value.keys():
        return False
    if not all(isinstance(value[name], int) for name in ("from", "to")):
        return False
    return (
        (kind is None or value["kind"] == kind)
        and (start is None or value["to"] >= start)
        and (end is None or value["from"] < end)
    )


def _shown(each: VirtualObject, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": value["id"],
        "thing": each.id,
        "place": each.place,
        "kind": value["kind"],
        "from": rfc3339(value["from"]),
        "to": rfc3339(value["to"]),
        "bytes": value.get("bytes"),
        "href": f"/clips/{segment(each.id)}/{segment(str(value['id']))}",
    }


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
