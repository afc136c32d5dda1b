"""History: what properties were, as readings or in figures."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from diat.adapters.sql.history import Aggregate
from diat.api.access import Asking, on_affordance
from diat.api.ports import (
    Affordance,
    Limit,
    Offset,
    StrictRoute,
    ThePlatform,
    ThingId,
    page,
    readable_property,
)
from diat.api.units import Unit, scale
from diat.api.values import handed
from diat.kernel.clock import parse_time
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Invalid

router = APIRouter(tags=["history"], route_class=StrictRoute)
From = Annotated[str | None, Query(alias="from", description="RFC 3339 or Unix ms, included")]
To = Annotated[str | None, Query(alias="to", description="RFC 3339 or Unix ms, excluded")]
_LATEST = 253_402_300_799_999
"""The last millisecond that RFC 3339 can write."""


@router.get(
    "/things/{thing}/properties/{name}/history",
    summary="History of a property",
    dependencies=[on_affordance("history")],
)
def read_history(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    thing: ThingId,
    name: Affordance,
    since: From = None,
    until: To = None,
    every: Annotated[str | None, Query(description="Interval: 10s, 5m, 1h, 1d or PT5M")] = None,
    aggregate: Aggregate | None = None,
    unit: Unit = None,
    limit: Limit = 1000,
    offset: Offset = 0,
    cursor: Annotated[str | None, Query(description="From the Link of the page before")] = None,
) -> list[dict[str, Any]]:
    """Readings, oldest first; with ``every`` and ``aggregate`` one figure for each interval."""
    prop = readable_property(platform, thing, name)
    how = handed(platform, asking, "history", platform.things.registry.get(thing), name)
    shown = scale(prop, unit, aggregate)
    start, end = time_of(since, "from"), time_of(until, "to")
    if (every is None) != (aggregate is None):
        raise Invalid("every and aggregate go together", "aggregate" if aggregate is None else "every")
    if every is not None and aggregate is not None:
        try:
            length = parse_duration(every)
        except ValueError as error:
            raise Invalid(str(error), "every") from None
        if length > _LATEST:
            raise Invalid(f"longer than all times: {every!r}", "every")
        if aggregate not in ("count", "last") and not prop.numeric:
            raise Invalid(f"{name!r} has no numbers: only count and last can be asked", "aggregate")
        figures = how.figures(start, end, length, aggregate, limit + 1, offset)
        return [
            shown.reading(prop, past)
            for past in page(request, response, figures, limit, offset=offset + limit)
        ]
    after = _cursor(cursor)
    found = how.page(start, end, limit + 1, offset, after)
    last = found[limit - 1] if len(found) > limit else None
    following = f"{last.observed}.{last.position}" if last is not None else ""
    return [
        shown.reading(prop, past)
        for past in page(request, response, found, limit, cursor=following, offset=0)
    ]


def time_of(text: str | None, field: str) -> int | None:
    """A time of a query in Unix milliseconds.

    Raises:
        Invalid: it is no time.
    """
    if text is None:
        return None
    try:
        time = parse_time(text)
    except (ValueError, OverflowError):
        time = _LATEST + 1
    if not -_LATEST <= time <= _LATEST:
        raise Invalid(f"neither RFC 3339 nor Unix milliseconds: {text[:100]!r}", field)
    return time


def _cursor(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"(-?[0-9]{1,18})\.([0-9]{1,18})", text)
    if match is None:
        raise Invalid("take the cursor from the Link of the page before", "cursor")
    return int(match[1]), int(match[2])
