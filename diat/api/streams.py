"""Server-sent events: readings and events as they are stored, resumable by ``Last-Event-ID``.

A reader that does not keep up is told with an event ``missed`` how many it was not given; it can read them
from the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.adapters.sql.history import Past
from diat.api.access import on_affordance
from diat.api.ports import Affordance, Platform, ThePlatform, ThingId, durably
from diat.api.units import Unit, scale
from diat.kernel.errors import Invalid, NotFound
from diat.vol.streams import Item, Key, Reader

router = APIRouter(tags=["streams"])
BACKLOG = 1000
"""Items of the past that are sent at most when a stream is resumed."""

LastEventId = Annotated[str | None, Header(description="Go on behind the item with this id")]


class Source(NamedTuple):
    """A stream that exists, looked up before the answer begins: after that nothing can be refused.

    Attributes:
        past: what came behind a position, oldest first, one more than ``BACKLOG`` at most.
        after: the position to go on behind; None to begin with what comes.
        event: an item as it is sent; None if it is not for this reader.
    """

    key: Key
    past: Callable[[int], list[Item]]
    after: int | None
    event: Callable[[Item], ServerSentEvent | None]


def _position(last_event_id: LastEventId = None) -> int | None:
    if last_event_id is None:
        return None
    if not last_event_id.isdigit() or len(last_event_id) > 18:
        raise Invalid("Last-Event-ID is the id of an event of this stream", "Last-Event-ID")
    return int(last_event_id)


After = Annotated[int | None, Depends(_position)]


def _property(
    platform: ThePlatform, thing: ThingId, name: Affordance, after: After, unit: Unit = None
) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.properties:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    number = each.record.no
    shown = scale(each.properties[name], unit)
    return Source(
        ("property", thing, name),
        lambda position: _items(platform.history.readings_since(number, name, position, BACKLOG + 1)),
        after,
        lambda item: ServerSentEvent(data=shown.value(item.data), id=str(item.position)),
    )


def _event(platform: ThePlatform, thing: ThingId, name: Affordance, after: After) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.events:
        raise NotFound(f"{each.td['title']} has no event {name!r}")
    number = each.record.no
    return Source(
        ("event", thing, name),
        lambda position: _items(platform.history.events_since(number, name, position, BACKLOG + 1)),
        after,
        lambda item: ServerSentEvent(data=item.data, id=str(item.position)),
    )


def _items(past: list[Past]) -> list[Item]:
    return [Item(each.position, "", each.value) for each in past]


class Opened(NamedTuple):
    """A stream that is read: whatever happens from here on is in it."""

    source: Source
    reader: Reader
    there: asyncio.Event


@asynccontextmanager
async def opened(platform: Platform, source: Source) -> AsyncIterator[Opened]:
    """Read a stream, from before the answer begins until it ends."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    streams = platform.things.observers.streams

    def wake() -> None:
        loop.call_soon_threadsafe(there.set)

    reader = streams.open(source.key, wake)
    try:
        if source.after is not None:
            # What the batch at hand noted before there was a reader is in the past once that batch is over.
            await durably(platform, _nothing)
        yield Opened(source, reader, there)
    finally:
        streams.close(source.key, reader)


async def _opened_property(
    platform: ThePlatform, source: Annotated[Source, Depends(_property)]
) -> AsyncIterator[Opened]:
    async with opened(platform, source) as stream:
        yield stream


async def _opened_event(
    platform: ThePlatform, source: Annotated[Source, Depends(_event)]
) -> AsyncIterator[Opened]:
    async with opened(platform, source) as stream:
        yield stream


@router.get(
    "/things/{thing}/properties/{name}/observe",
    response_class=EventSourceResponse,
    summary="Values of a property as they come",
    dependencies=[on_affordance("observe")],
)
async def observe_property(
    stream: Annotated[Opened, Depends(_opened_property)],
) -> AsyncIterator[ServerSentEvent]:
    """The bare value of each reading; the id is its ingest position."""
    async for event in told(stream):
        yield event


@router.get(
    "/things/{thing}/events/{name}",
    response_class=EventSourceResponse,
    summary="Events of a thing as they come",
    dependencies=[on_affordance("observe")],
)
async def subscribe_event(
    stream: Annotated[Opened, Depends(_opened_event)],
) -> AsyncIterator[ServerSentEvent]:
    """The data of each event; the id is its ingest position."""
    async for event in told(stream):
        yield event


async def told(stream: Opened) -> AsyncIterator[ServerSentEvent]:
    """What was missed, then what happens, each once."""
    (_, past, after, event), reader, there = stream
    if after is not None:
        found = await run_in_threadpool(past, after)
        for item in found[:BACKLOG]:
            after = item.position
            if (said := event(item)) is not None:
                yield said
        if len(found) > BACKLOG:
            yield missed(f"more than {BACKLOG} in the past")
    while True:
        await there.wait()
        there.clear()
        items, count = reader.take()
        if count:
            yield missed("read too slowly", missed=count)
        for item in items:
            if (after is None or item.position > after) and (said := event(item)) is not None:
                yield said


def missed(reason: str, **more: int) -> ServerSentEvent:
    """What tells a reader that it was not given everything."""
    return ServerSentEvent(event="missed", data={**more, "reason": reason})


def _nothing() -> None:
    """A change that changes nothing."""
