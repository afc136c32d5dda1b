"""Server-sent events: readings and events as they are stored, resumable by ``Last-Event-ID``.

A reader that does not keep up is told with an event ``missed`` how many it was not given; it can read them
from the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.adapters.sql.history import Past
from diat.api.ports import Affordance, Platform, ThePlatform, ThingId, durably
from diat.kernel.errors import Invalid, NotFound
from diat.vol.streams import Key

router = APIRouter(tags=["streams"])
BACKLOG = 1000
"""Items of the past that are sent at most when a stream is resumed."""

LastEventId = Annotated[str | None, Header(description="Go on behind the item with this id")]


class Source(NamedTuple):
    """A stream that exists, looked up before the answer begins: after that nothing can be refused."""

    key: Key
    past: Callable[[int], list[Past]]
    after: int | None


def _position(last_event_id: LastEventId = None) -> int | None:
    if last_event_id is None:
        return None
    if not last_event_id.isdigit() or len(last_event_id) > 18:
        raise Invalid("Last-Event-ID is the id of an event of this stream", "Last-Event-ID")
    return int(last_event_id)


After = Annotated[int | None, Depends(_position)]


def _property(platform: ThePlatform, thing: ThingId, name: Affordance, after: After) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.properties:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    number = each.record.no
    return Source(
        ("property", thing, name),
        lambda position: platform.history.readings_since(number, name, position, BACKLOG + 1),
        after,
    )


def _event(platform: ThePlatform, thing: ThingId, name: Affordance, after: After) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.events:
        raise NotFound(f"{each.td['title']} has no event {name!r}")
    number = each.record.no
    return Source(
        ("event", thing, name),
        lambda position: platform.history.events_since(number, name, position, BACKLOG + 1),
        after,
    )


@router.get(
    "/things/{thing}/properties/{name}/observe",
    response_class=EventSourceResponse,
    summary="Values of a property as they come",
)
async def observe_property(
    platform: ThePlatform, source: Annotated[Source, Depends(_property)]
) -> AsyncIterator[ServerSentEvent]:
    """The bare value of each reading; the id is its ingest position."""
    async for event in _stream(platform, source):
        yield event


@router.get(
    "/things/{thing}/events/{name}",
    response_class=EventSourceResponse,
    summary="Events of a thing as they come",
)
async def subscribe_event(
    platform: ThePlatform, source: Annotated[Source, Depends(_event)]
) -> AsyncIterator[ServerSentEvent]:
    """The data of each event; the id is its ingest position."""
    async for event in _stream(platform, source):
        yield event


async def _stream(platform: Platform, source: Source) -> AsyncIterator[ServerSentEvent]:
    """What was missed, then what happens, each once."""
    key, past, after = source
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    streams = platform.things.observers.streams

    def wake() -> None:
        loop.call_soon_threadsafe(there.set)

    # Opened before the past is read, so that nothing falls between the two.
    reader = streams.open(key, wake)
    try:
        if after is not None:
            # What came just before the reader did is being stored: it is the past only once that is done.
            await durably(platform, lambda: None)
            found = await run_in_threadpool(past, after)
            for each in found[:BACKLOG]:
                after = each.position
                yield ServerSentEvent(data=each.value, id=str(each.position))
            if len(found) > BACKLOG:
                yield ServerSentEvent(event="missed", data={"reason": f"more than {BACKLOG} in the past"})
        while True:
            await there.wait()
            there.clear()
            items, missed = reader.take()
            if missed:
                yield ServerSentEvent(event="missed", data={"missed": missed, "reason": "read too slowly"})
            for item in items:
                if after is None or item.position > after:
                    yield ServerSentEvent(data=item.data, id=str(item.position))
    finally:
        streams.close(key, reader)
