"""Virtual objects made by people from a description, with no thing that has announced itself yet.

A description without forms is one of a native thing: its topics are open from then on, and an announcement
by the thing itself on ``wot/td/{thing}`` takes its place. One with forms becomes an entry of the directory.
"""

from __future__ import annotations

from diat.kernel.errors import Conflict, Invalid
from diat.vol.dialects.described import last_segment
from diat.vol.dialects.directory import DIRECTORY
from diat.vol.dialects.port import Refusal
from diat.vol.layer import VirtualObjectLayer
from diat.vol.thing import VirtualObject
from diat.wire import topics
from diat.wire.envelope import Message, encode
from diat.wot.td import Json, bare


def make(things: VirtualObjectLayer, td: Json, now: int, *, again: bool = False) -> VirtualObject:
    """Register a thing as its description says; used within the writer.

    Args:
        things: where it is registered.
        td: a valid description with an ``id``.
        now: Unix milliseconds.
        again: this may be a repeat; a thing that is there already and so described will do.

    Raises:
        Conflict: there is a thing of this id already, or its topic is taken.
        Invalid: the id, or what the forms say, cannot be used.
    """
    thing = td["id"]
    topic = topics.announcement(last_segment(thing))
    payload = encode(td)
    known = things.registry.seen(thing)
    if known is not None:
        if again and _same(things, known, topic, payload, td):
            return known
        raise Conflict(f"there is a thing {thing!r} already")
    if not bare(td):
        made, _ = things.put(thing, td)
        return made
    heard = things.registry.announcements.hear(topic, payload)
    said = heard[1] if heard is not None else None
    if isinstance(said, Refusal):
        raise Invalid(said.reason, "id")
    if things.registry.announcements.at(topic) is not None:
        raise Conflict(f"{topic} already belongs to another thing")
    things.onboarding.announced(Message(topic=topic, payload=payload, received=now))
    things.ingest.finish(now)
    return things.registry.known(thing)


def _same(things: VirtualObjectLayer, known: VirtualObject, topic: str, payload: bytes, td: Json) -> bool:
    if known.record.dialect == DIRECTORY:
        return things.entries.same(known.id, td)
    standing = things.registry.announcements.at(topic)
    return standing is not None and standing.payload == payload
