"""Server-sent events: readings and events as they are stored, resumable by ``Last-Event-ID``.

A reader that may not have them any more is told why by an event ``ended``, the last one. One that does not
keep up is told by an event ``missed`` how many it was not given; it can read them from the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diat.api.access import Asking, on_affordance
from diat.api.ports import Affordance, Platform, ThePlatform, ThingId, durably
from diat.api.units import Unit, scale
from diat.api.values import PAGE, Handed, handed
from diat.api.watching import Watch
from diat.kernel.errors import Invalid, NotFound
from diat.security.principal import Principal
from diat.vol.streams import Item, Key, Reader

router = APIRouter(tags=["streams"])
BACKLOG = 1000
"""Items of the past that are sent at most when a stream is resumed."""

LastEventId = Annotated[str | None, Header(description="Go on behind the item with this id")]


class Source(NamedTuple):
    """A stream that exists, looked up before the answer begins: after that nothing can be refused.

    Attributes:
        asking: who reads it.
        past: what came behind a position, oldest first, one more than ``BACKLOG`` at most.
        after: the position to go on behind; None to begin with what comes.
        event: an item as it is sent; None if it is not for this reader.
        how: in which form values are told; None where each item is decided on by itself.
    """

    asking: Principal
    key: Key
    past: Callable[[int], list[Item]]
    after: int | None
    event: Callable[[Item], ServerSentEvent | None]
    how: Handed | None = None


def _position(last_event_id: LastEventId = None) -> int | None:
    if last_event_id is None:
        return None
    if not last_event_id.isdigit() or len(last_event_id) > 18:
        raise Invalid("Last-Event-ID is the id of an event of this stream", "Last-Event-ID")
    return int(last_event_id)


After = Annotated[int | None, Depends(_position)]


def _property(
    platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance, after: After, unit: Unit = None
) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.properties:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    shown = scale(each.properties[name], unit)
    how = handed(platform, asking, "observe", each, name)
    return _source(asking, ("property", thing, name), how, after, shown.value)


def _event(platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance, after: After) -> Source:
    each = platform.things.registry.get(thing)
    if name not in each.events:
        raise NotFound(f"{each.td['title']} has no event {name!r}")
    how = handed(platform, asking, "observe", each, name, event=True)
    return _source(asking, ("event", thing, name), how, after, lambda value: value)


def _source(
    asking: Principal, key: Key, how: Handed, after: int | None, shown: Callable[[Any], Any]
) -> Source:
    return Source(
        asking,
        key,
        lambda position: [Item(each.position, "", each.value) for each in how.since(position, BACKLOG + 1)],
        after,
        lambda item: ServerSentEvent(data=shown(item.data), id=str(item.position)),
        how,
    )


class Opened(NamedTuple):
    """A stream that is read: whatever happens from here on is in it."""

    platform: Platform
    source: Source
    reader: Reader
    there: asyncio.Event
    watch: Watch


@asynccontextmanager
async def opened(platform: Platform, source: Source) -> AsyncIterator[Opened]:
    """Read a stream, from before the answer begins until it ends."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    streams = platform.things.observers.streams

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            loop.call_soon_threadsafe(there.set)

    reader = streams.open(source.key, wake)
    watch = Watch(platform, source.asking, "observe", wake, source.how)
    try:
        if source.after is not None:
            # What the batch at hand noted before there was a reader is in the past once that batch is over.
            await durably(platform, _nothing)
        yield Opened(platform, source, reader, there, watch)
    finally:
        watch.close()
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
    """What was missed, then what happens, each once; and why it ends, if the reader may no longer have it."""
    watch, after = stream.watch, stream.source.after
    while not watch.over():
        how = watch.how
        tell = held_back if how is not None and how.held else at_once
        async for position, event in tell(stream, after):
            after = position
            if watch.over():
                break
            if event is not None:
                yield event
    yield watch.farewell()


Told = AsyncIterator[tuple[int | None, ServerSentEvent | None]]
"""How far a stream has got, and an event if there is one; ends when its form changes or it may not go on."""


async def at_once(stream: Opened, after: int | None) -> Told:
    """What came behind a position, then what comes, as it comes."""
    _, (_, _, past, _, event, _), reader, there, watch = stream
    how, version = watch.how, watch.version
    if after is not None:
        found = await run_in_threadpool(past, after)
        for item in found[:BACKLOG]:
            after = item.position
            yield after, event(_formed(item, how))
        if len(found) > BACKLOG:
            yield after, missed(f"more than {BACKLOG} in the past")
    while not _turned(watch, version):
        await there.wait()
        there.clear()
        items, count = reader.take()
        if count:
            yield after, missed("read too slowly", missed=count)
        for item in items:
            if _turned(watch, version):
                # What is left is in the past that the next one begins with.
                yield (item.position - 1 if after is None else after), None
                return
            if after is None or item.position > after:
                yield item.position, event(_formed(item, how))


async def held_back(stream: Opened, after: int | None) -> Told:
    """What may be told of what came behind a position, each as soon as it is old enough."""
    platform, source, reader, there, watch = stream
    how, version = watch.how, watch.version
    if how is None:
        return
    if after is None:
        after = await durably(platform, lambda: platform.things.journal.position)
    while not _turned(watch, version):
        there.clear()
        reader.take()  # it is read back from history, where nothing is dropped meanwhile
        found = await run_in_threadpool(how.since, after, PAGE)
        for each in found:
            due = await run_in_threadpool(how.due, each)
            while due is not None and (wait := due - platform.clock()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(there.wait(), min(wait / 1000, 60.0))
                there.clear()
                if _turned(watch, version):
                    return
            after = each.position
            said = None if due is None else source.event(Item(after, "", how.shaped(each).value))
            yield after, said
        if not found:
            await there.wait()


def _turned(watch: Watch, version: int) -> bool:
    return watch.over() or watch.version != version


def _formed(item: Item, how: Handed | None) -> Item:
    """An item with its value in the form in which it may be told."""
    if how is None or how.form is None:
        return item
    return Item(item.position, item.topic, how.form.value(item.data, how.platform.pseudonyms))


def missed(reason: str, **more: int) -> ServerSentEvent:
    """What tells a reader that it was not given everything."""
    return ServerSentEvent(event="missed", data={**more, "reason": reason})


def _nothing() -> None:
    """A change that changes nothing."""
