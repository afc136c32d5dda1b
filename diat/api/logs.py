"""``/logs``: what the platform logged within the last hour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.api.access import Asking, needs
from diat.api.history import time_of
from diat.api.ports import Limit, Platform, StrictRoute, ThePlatform
from diat.api.streams import After, missed
from diat.kernel.clock import rfc3339
from diat.operation.recent import Line, Wanted
from diat.security.decision import Decision
from diat.security.operations import PLATFORM
from diat.security.principal import Principal

router = APIRouter(tags=["operation"], route_class=StrictRoute)


def _wanted(
    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"], Query(description="This one or graver")
    ] = "debug",
    logger: Annotated[
        str, Query(max_length=200, description="Who says it, `diat.writer`; those below it too")
    ] = "",
    text: Annotated[str, Query(max_length=200, description="With this in it, in whatever case")] = "",
    since: Annotated[str | None, Query(description="RFC 3339 or Unix milliseconds")] = None,
) -> Wanted:
    return Wanted(level, logger, text, time_of(since, "since") or 0)


Filter = Annotated[Wanted, Depends(_wanted)]


@router.get("/logs", summary="The log of the last hour", dependencies=[needs("administer")])
def list_logs(
    platform: ThePlatform,
    wanted: Filter,
    limit: Limit = 200,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="With a lower number than this")] = None,
) -> list[dict[str, Any]]:
    """The newest lines that fit, oldest first, without secrets; ``before`` goes on to earlier ones."""
    return [shown(each) for each in platform.log.newest(wanted, limit, before)]


@router.get(
    "/logs/follow",
    response_class=EventSourceResponse,
    summary="The log as it is written",
    dependencies=[needs("administer")],
)
async def follow_logs(
    platform: ThePlatform, asking: Asking, wanted: Filter, after: After
) -> AsyncIterator[ServerSentEvent]:
    """Each line that fits, from now on or behind ``Last-Event-ID``; the id is its number.

    An event ``missed`` tells how many lines were gone before they could be told, ``ended`` that the reader
    may no longer have it.
    """
    async for event in _followed(platform, asking, wanted, after):
        yield event


async def _followed(
    platform: Platform, asking: Principal, wanted: Wanted, after: int | None
) -> AsyncIterator[ServerSentEvent]:
    loop, there, log = asyncio.get_running_loop(), asyncio.Event(), platform.log
    ended: list[Decision] = []

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            loop.call_soon_threadsafe(there.set)

    def turned(decision: Decision) -> None:
        if decision.effect == "deny":
            ended.append(decision)
            wake()

    use = platform.uses.open(asking, "administer", lambda: PLATFORM, turned)
    leave = log.listen(wake)
    # What has a higher number than there is comes from an earlier life of the process.
    told = log.last if after is None else 0 if after > log.last else after
    there.set()
    try:
        while True:
            await there.wait()
            there.clear()
            if ended:
                why = {"reason": ended[0].reason, "policies": list(ended[0].policies)}
                yield ServerSentEvent(event="ended", data=why)
                return
            lines, gone = log.behind(told)
            if gone and told:
                yield missed("they are not kept any more", missed=gone)
            for line in lines:
                told = line.no
                if wanted.fits(line):
                    yield ServerSentEvent(data=shown(line), id=str(line.no))
    finally:
        leave()
        platform.uses.close(use)


def shown(line: Line) -> dict[str, Any]:
    """A line as it is told."""
    return {
        "no": line.no,
        "at": rfc3339(line.at),
        "level": line.level,
        "logger": line.logger,
        "text": line.text,
    }
