"""``/audit``: who did what, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from diat.adapters.sql.audit import lines
from diat.api.access import needs
from diat.api.ports import Limit, StrictRoute, ThePlatform, page
from diat.api.views import Json
from diat.kernel.clock import rfc3339
from diat.security.audit import Head, Outcome, Row

router = APIRouter(tags=["security"], route_class=StrictRoute)
_MEDIA = "application/jsonl"
_CONTENT: Json = {_MEDIA: {"schema": {"type": "string"}}}


@router.get("/audit", summary="Who did what", dependencies=[needs("administer")])
def read_audit(
    request: Request,
    response: Response,
    platform: ThePlatform,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="Only older than this number")] = None,
    who: Annotated[str | None, Query(max_length=300, description="Only of this one: `user:ada`")] = None,
    outcome: Annotated[Outcome | None, Query(description="Only with this outcome")] = None,
    did: Annotated[
        str | None, Query(max_length=300, description="Only where this is in what was done")
    ] = None,
) -> list[Json]:
    """Entries, newest first; each with the link that chains it to the one before.

    What is older than some hundred thousand entries is in sealed files of the data directory.
    """
    found = platform.kept_audit.newest(limit + 1, before, who, outcome, did)
    last = found[limit - 1]["no"] if len(found) > limit else None
    return [
        {**each, "at": rfc3339(each["at"])}
        for each in page(request, response, found, limit, **({} if last is None else {"before": last}))
    ]


@router.get("/audit/verify", summary="Is the audit as it was written?", dependencies=[needs("administer")])
def verify_audit(platform: ThePlatform) -> Json:
    """Looks for anything that was changed, removed, put in or cut off.

    ``head``, kept elsewhere, lets `diat audit verify --head` find what was cut off behind it.
    """
    last = Head()

    def along(rows: Iterator[Row]) -> Iterator[Row]:
        nonlocal last
        for row in rows:
            last = Head(row[0], row[2])
            yield row

    entries, wrong = platform.kept_audit.verify(along)
    return {
        "entries": entries,
        "sound": not wrong,
        "faults": wrong[:100],
        "head": f"{last.no}:{last.link}",
    }


@router.get(
    "/audit/export",
    summary="The whole audit as a file",
    dependencies=[needs("administer")],
    response_class=StreamingResponse,
    responses={200: {"description": "An entry a line, oldest first", "content": _CONTENT}},
)
def export_audit(platform: ThePlatform) -> StreamingResponse:
    """Each line is an entry as it was linked, with its link: `diat audit verify --file` checks it."""
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines(platform.kept_audit.everything()), media_type=_MEDIA, headers=headers)
