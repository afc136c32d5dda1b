"""Server-sent events: readings and events as they are stored, resumable by ``Last-Event-ID``.

A reader that does not keep up is told with an event ``missed`` how many it was not given; it can read them
from the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.adapters.sql.history import Past
from diat.api.ports import Affordance, Platform, ThePlatform, ThingId
from diat.kernel.errors import Invalid, NotFound
from diat.vol.streams import Key

router = APIRouter(tags=["streams"])
BACKLOG = 1000
"""Items of the past that are sent at most when a stream is resumed."""

LastEventId = Annotated[str | None, Header(description="Go on behind the item with this id")]


@router.get(
    "/things/{thing}/properties/{name}/observe",
    response_class=EventSourceResponse,
    summary="Values of a property as they come",
)
async def observe_property(
    platform: ThePlatform, thing: ThingId, name: Affordance, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """The bare value of each reading; the id is its ingest position."""
    each = platform.things.registry.get(thing)
    if name not in each.properties:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    number = each.record.no
    async for event in _stream(
        platform,
        ("property", thing, name),
        last_event_id,
        lambda after: platform.history.readings_since(number, name, after, BACKLOG + 1),
    ):
        yield event


@router.get(
    "/things/{thing}/events/{name}",
    response_class=EventSourceResponse,
    summary="Events of a thing as they come",
)
async def subscribe_event(
    platform: ThePlatform, thing: ThingId, name: Affordance, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """The data of each event; the id is its ingest position."""
    each = platform.things.registry.get(thing)
    if name not in each.events:
        raise NotFound(f"{each.td['title']} has no event {name!r}")
    number = each.record.no
    async for event in _stream(
        platform,
        ("event", thing, name),
        last_event_id,
        lambda after: platform.history.events_since(number, name, after, BACKLOG + 1),
    ):
        yield event


async def _stream(
    platform: Platform, key: Key, resume: str | None, past: Callable[[int], list[Past]]
) -> AsyncIterator[ServerSentEvent]:
    """What was missed since ``resume``, then what happens, each once."""
    after = _position(resume)
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    streams = platform.things.observers.streams

    def wake() -> None:
        loop.call_soon_threadsafe(there.set)

    # Opened before the past is read, so that nothing falls between the two.
    reader = streams.open(key, wake)
    try:
        if after is not None:
            found = await asyncio.to_thread(past, after)
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


def _position(resume: str | None) -> int | None:
    if resume is None:
        return None
    if not resume.isdigit():
        raise Invalid("Last-Event-ID is the id of an event of this stream", "Last-Event-ID")
    return int(resume)
