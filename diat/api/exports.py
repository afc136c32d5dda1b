"""History to take away: all readings of a thing, or of many, as CSV text or as a Parquet file.

Made a piece at a time as it is fetched, in threads of their own: an export of any length takes a bounded
amount of memory, and ingest goes on beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from diat.adapters.lake.exporting import Line, Pick, csv_text, lines, parquet_bytes
from diat.api.access import Asking, on_each, permits, seen, sees
from diat.api.history import From, To, time_of
from diat.api.ports import Platform, StrictRoute, ThePlatform, ThingId
from diat.api.values import PAGE, Handed, handed
from diat.kernel.errors import Forbidden, Invalid, NotFound
from diat.security.form import form_of
from diat.security.principal import Principal
from diat.vol import search
from diat.vol.search import Capability
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject
from diat.wot.quantities import quantity_kind

router = APIRouter(tags=["history"], route_class=StrictRoute)
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
_PICKED = {"csv": CSV, "parquet": PARQUET}
_ACCEPTED = {"text/csv": CSV, "text/*": CSV, "*/*": CSV, PARQUET: PARQUET, "application/x-parquet": PARQUET}
_CONTENT = {
    CSV: {"schema": {"type": "string"}},
    PARQUET: {"schema": {"type": "string", "format": "binary"}},
}

Picked = tuple[Pick, Handed]
"""A property to be exported, and in which form."""
Format = Annotated[
    Literal["csv", "parquet"] | None,
    Query(alias="format", description="Else what `Accept` asks for first; CSV if nothing"),
]
Accept = Annotated[str | None, Header(include_in_schema=False)]
Properties = Annotated[
    list[str] | None,
    Query(alias="property", max_length=1000, description="Only these properties, also ones of the past"),
]


@router.get(
    "/things/{thing}/history",
    summary="History of a thing as a file",
    dependencies=[on_each("export")],
    response_class=StreamingResponse,
    responses={200: {"description": "All its readings, a property after the other", "content": _CONTENT}},
)
def export_thing(
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    since: From = None,
    until: To = None,
    properties: Properties = None,
    form: Format = None,
    accept: Accept = None,
) -> StreamingResponse:
    """A line for each reading, each property oldest first; values of any type, in their own units."""
    start, end = time_of(since, "from"), time_of(until, "to")
    each = platform.things.registry.get(thing)
    if not sees(platform, asking, each):
        raise NotFound(f"there is no thing {thing!r}")
    picks = _picks(platform, asking, [each], properties)
    for name in properties or ():
        if name not in each.properties and name not in platform.history.census(each.record.no, start, end):
            raise NotFound(f"{each.td['title']} has no property {name!r} and had none")
    return _file(platform, asking, picks, start, end, _media_type(form, accept), each.id)


@router.get(
    "/history/export",
    summary="History of many things as a file",
    dependencies=[on_each("export")],
    response_class=StreamingResponse,
    responses={200: {"description": "All their readings, a thing after the other", "content": _CONTENT}},
)
def export_many(
    platform: ThePlatform,
    asking: Asking,
    things: Annotated[
        list[str] | None, Query(alias="thing", max_length=1000, description="Ids; else what is found")
    ] = None,
    quantity: Annotated[str | None, Query(description="Only properties of this quantity kind")] = None,
    place: Annotated[str | None, Query(description="Path of a place; what lies inside counts")] = None,
    capability: Annotated[Capability | None, Query(description="What it can do with the quantity")] = None,
    since: From = None,
    until: To = None,
    properties: Properties = None,
    form: Format = None,
    accept: Accept = None,
) -> StreamingResponse:
    """The things with these ids, or those found by meaning as on `/things`; all if nothing is asked."""
    start, end = time_of(since, "from"), time_of(until, "to")
    kind = quantity_kind(quantity) if quantity is not None else None
    if quantity is not None and kind is None:
        raise Invalid(f"unknown quantity {quantity!r}", "quantity")
    found = search.find(
        platform.things.registry, search.Query(quantity=kind, place=place, capability=capability)
    )
    found = seen(platform, asking, found)
    if things is not None:
        for thing in things:
            if not sees(platform, asking, platform.things.registry.get(thing)):
                raise NotFound(f"there is no thing {thing!r}")
        found = [each for each in found if each.id in set(things)]
    picks = _picks(platform, asking, found, properties, kind)
    return _file(platform, asking, picks, start, end, _media_type(form, accept), "history")


def _picks(
    platform: Platform,
    asking: Principal,
    things: Iterable[VirtualObject],
    names: list[str] | None,
    kind: str | None = None,
) -> Iterator[Picked]:
    """What is exported of the things: what of it the principal may take away."""
    for each in things:
        hidden = {prop.name for prop in each.properties.values() if not prop.readable}
        for name in names if names is not None else each.properties:
            prop = each.properties.get(name)
            if name in hidden or not (kind is None or (prop is not None and prop.quantity == kind)):
                continue
            if permits(platform, asking, "export", each, name):
                how = handed(platform, asking, "export", each, name)
                yield Pick(each.id, each.record.no, name), how


def _lines(
    platform: Platform, asking: Principal, picks: Iterable[Picked], start: int | None, end: int | None
) -> Iterator[Line]:
    """The readings, each in the form in which it may be taken away."""
    for pick, how in picks:
        if how.form is None:
            found = lines(platform.history, [pick], start, end)
        else:
            found = (Line(pick.thing, pick.name, past) for past in how.history(start, end))
        yield from _while_permitted(platform, asking, how, found)


def _while_permitted(
    platform: Platform, asking: Principal, how: Handed, found: Iterable[Line]
) -> Iterator[Line]:
    """The lines, looked at again now and then: who may no longer have them gets half a file, and an error.

    Raises:
        Forbidden: a role or policy says otherwise by now.
    """
    for at, line in enumerate(found):
        if at % PAGE == PAGE - 1:
            now, target = platform.clock(), target_of(how.each, how.name)
            principal = platform.uses.renew(asking)
            if principal is None:
                raise Forbidden(f"{asking.id} may do nothing any more")
            decided = platform.decider.decide(principal, "export", target, now)
            if form_of(decided.or_refuse()) != how.form:
                raise Forbidden("it may be taken away in another form only by now: begin anew")
        yield line


def _file(
    platform: Platform,
    asking: Principal,
    picks: Iterable[Picked],
    start: int | None,
    end: int | None,
    media_type: str,
    name: str,
) -> StreamingResponse:
    found = _lines(platform, asking, picks, start, end)
    pieces: Iterator[str] | Iterator[bytes] = csv_text(found) if media_type == CSV else parquet_bytes(found)
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:80] or "history"
    suffix = "csv" if media_type == CSV else "parquet"
    headers = {"Content-Disposition": f'attachment; filename="{safe}.{suffix}"', "Vary": "Accept"}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _media_type(form: str | None, accept: str | None) -> str:
    if form is not None:
        return _PICKED[form]
    asked = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for each in asked:
        if each in _ACCEPTED:
            return _ACCEPTED[each]
    raise HTTPException(406, f"history comes as {CSV} or {PARQUET}")
