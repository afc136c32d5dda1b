"""``/events``: what becomes of things in the directory, as server-sent events.

Events are ``thing_created``, ``thing_updated`` and ``thing_deleted``; their ids are ingest positions, by
which a reader who was away goes on. A reader who cannot be given everything is told by an event ``missed``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.api.access import Asking, on_each, sees
from diat.api.descriptions import description
from diat.api.ports import DirectoryRoute, Platform, ThePlatform, base_url
from diat.api.streams import BACKLOG, After, Opened, Source, missed, opened, told
from diat.kernel.errors import NotFound
from diat.security.operations import Target
from diat.security.principal import Principal
from diat.vol.notices import Kind, Notice
from diat.vol.streams import THINGS, Item
from diat.wot.td import AFFORDANCES

router = APIRouter(tags=["directory"], route_class=DirectoryRoute)

Diff = Annotated[
    bool, Query(description="With the whole description of what came, and a merge patch of what changed")
]


class Asked(NamedTuple):
    """What a reader wants of the notices."""

    kinds: tuple[Kind, ...]
    asking: Principal
    diff: bool
    base: str


async def _of_all(
    request: Request, platform: ThePlatform, asking: Asking, after: After, diff: Diff = False
) -> AsyncIterator[Opened]:
    asked = Asked(("thing_created", "thing_updated", "thing_deleted"), asking, diff, base_url(request))
    async with opened(platform, _source(platform, asked, after)) as stream:
        yield stream


async def _of_one(
    request: Request, platform: ThePlatform, asking: Asking, kind: Kind, after: After, diff: Diff = False
) -> AsyncIterator[Opened]:
    asked = Asked((kind,), asking, diff, base_url(request))
    async with opened(platform, _source(platform, asked, after)) as stream:
        yield stream


@router.get(
    "/events",
    response_class=EventSourceResponse,
    summary="What becomes of things",
    dependencies=[on_each("discover")],
)
async def all_notices(
    platform: ThePlatform, stream: Annotated[Opened, Depends(_of_all)]
) -> AsyncIterator[ServerSentEvent]:
    """Notices of all kinds."""
    async for event in _told(platform, stream):
        yield event


@router.get(
    "/events/{kind}",
    response_class=EventSourceResponse,
    summary="Things that come, change or go",
    dependencies=[on_each("discover")],
)
async def notices_of_a_kind(
    platform: ThePlatform, stream: Annotated[Opened, Depends(_of_one)]
) -> AsyncIterator[ServerSentEvent]:
    """Notices of one kind."""
    async for event in _told(platform, stream):
        yield event


def _source(platform: Platform, asked: Asked, after: int | None) -> Source:
    return Source(
        asked.asking,
        THINGS,
        lambda position: [_item(each) for each in platform.notices.since(position, BACKLOG + 1)],
        after,
        lambda item: _event(platform, item.data, asked),
    )


async def _told(platform: Platform, stream: Opened) -> AsyncIterator[ServerSentEvent]:
    """All that a reader missed, however much it is, and what happens from there on."""
    source = stream.source
    after = source.after
    if after is not None:
        if not await run_in_threadpool(platform.notices.reach_back_to, after):
            yield missed("older ones are not kept: list the things anew")
        while len(found := await run_in_threadpool(source.past, after)) > BACKLOG:
            for item in found:
                after = item.position
                if (event := source.event(item)) is not None:
                    yield event
    async for event in told(stream._replace(source=source._replace(after=after))):
        yield event


def _item(notice: Notice) -> Item:
    return Item(notice.position, notice.kind, notice)


def _event(platform: Platform, notice: Notice, asked: Asked) -> ServerSentEvent | None:
    if notice.kind not in asked.kinds or not _told_of(platform, asked.asking, notice):
        return None
    data = _data(platform, notice, asked)
    return ServerSentEvent(event=notice.kind, data=data, id=str(notice.position))


def _told_of(platform: Platform, asking: Principal, notice: Notice) -> bool:
    """Whether somebody is told: who may know of the thing, or of one that is gone, of things where it was."""
    if platform.decider.everywhere(asking, "discover"):
        return True
    each = platform.things.registry.objects.committed.get(notice.thing)
    if each is not None:
        return sees(platform, asking, each)
    place = (notice.patch or {}).get("diat:place", "")
    gone = Target(id=notice.thing, kind="thing", place=place if isinstance(place, str) else "")
    return platform.decider.decide(asking, "discover", gone, platform.clock()).effect != "deny"


def _data(platform: Platform, notice: Notice, asked: Asked) -> dict[str, Any]:
    named = {"id": notice.thing}
    if not asked.diff or notice.kind == "thing_deleted":
        return named
    try:
        now = description(platform, platform.things.registry.get(notice.thing), asked.base)
    except NotFound:  # it went meanwhile, of which a later notice tells
        return named
    if notice.kind == "thing_created":
        return now
    return {**_with_forms(notice.patch or {}, now), **named}


def _with_forms(patch: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """A patch in which what came anew has the forms by which it is reached."""
    registration = {key: value for key, value in now["registration"].items() if key != "retrieved"}
    shown = {**patch, "registration": registration}
    for kind in AFFORDANCES:
        group, there = patch.get(kind), now.get(kind, {})
        if isinstance(group, dict):
            shown[kind] = {
                name: {**said, "forms": there[name]["forms"]}
                if isinstance(said, dict) and name in there
                else said
                for name, said in group.items()
            }
    return shown
