"""Inlets: one for each topic, whatever number of properties it feeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.messages import Extract, Message, NotJson
from diat.vol.dialects.port import Uptake
from diat.vol.dialects.words import Unfit, quoted


class Source(Struct, frozen=True):
    """A topic on which the value of a property, or an event, is told, and how it is read there.

    Without an encoding its messages are bytes. ``blank`` says whether an empty message says something too.
    """

    topic: str
    extract: Extract
    encoding: str = "utf-8"
    blank: bool = False


class Feed(Struct, frozen=True):
    """A property that is read from a topic, or an event that is told there.

    Attributes:
        name: of the property or the event.
        label: how notes name it.
        extract: how its value, or the event's data, is read; ``UNSET`` if the message does not speak of it.
        event: whether it is an event.
        blank: whether an empty message says something of it too.
    """

    name: str
    label: str
    extract: Extract
    event: bool = False
    blank: bool = False


class StateInlet(Struct, frozen=True):
    """Reads the state messages of one topic."""

    topic: str
    encoding: str
    feeds: tuple[Feed, ...]

    def read(self, payload: bytes) -> Uptake:
        """Say what the message means for each property and event; an empty one seldom says anything."""
        feeds = self.feeds if payload else [feed for feed in self.feeds if feed.blank]
        if not feeds:
            return Uptake()
        try:
            message = received(payload, self.encoding)
        except Unfit as unfit:
            return Uptake(notes=(str(unfit),))
        values: dict[str, Any] = {}
        events: list[tuple[str, Any]] = []
        notes: dict[str, None] = {}
        for feed in feeds:
            try:
                value = feed.extract(message)
            except NotJson as garbled:
                notes[str(garbled)] = None  # the same for all of them
            except Unfit as unfit:
                notes[f"{feed.label}: {unfit}"] = None
            else:
                if value is UNSET:
                    continue
                if feed.event:
                    events.append((feed.name, value))
                else:
                    values[feed.name] = value
        return Uptake(values=values, events=tuple(events), notes=tuple(notes))


def state_inlets(feeds: Iterable[tuple[Source, Feed]]) -> tuple[StateInlet, ...]:
    """Put together what is read from the same topic."""
    by_topic: dict[tuple[str, str], list[Feed]] = {}
    for source, feed in feeds:
        by_topic.setdefault((source.topic, source.encoding), []).append(feed)
    return tuple(StateInlet(topic, encoding, tuple(found)) for (topic, encoding), found in by_topic.items())


def received(payload: bytes, encoding: str) -> Message:
    """A message in this encoding; without one it is bytes.

    Raises:
        Unfit: it is not text in this encoding.
    """
    return Message(decoded(payload, encoding)) if encoding else Message.unread(payload)


def decoded(payload: bytes, encoding: str) -> str:
    """The text of a message.

    Raises:
        Unfit: it is not text in this encoding.
    """
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError:
        raise Unfit(f"{quoted(payload)} is not text in {encoding}") from None
