"""Inlets: one for each topic, whatever number of properties it feeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.homeassistant.facets import Source
from diat.vol.dialects.homeassistant.messages import Extract, Message, NotJson
from diat.vol.dialects.homeassistant.words import Unfit, quoted
from diat.vol.dialects.port import Uptake


class Feed(Struct, frozen=True):
    """A property that is read from a topic.

    Attributes:
        name: of the property.
        label: how notes name it.
        extract: how its value is read.
    """

    name: str
    label: str
    extract: Extract


class StateInlet(Struct, frozen=True):
    """Reads the state messages of one topic."""

    topic: str
    encoding: str
    feeds: tuple[Feed, ...]

    def read(self, payload: bytes) -> Uptake:
        """Say what the message means for each property; an empty message says nothing."""
        if not payload:
            return Uptake()
        try:
            message = Message(decoded(payload, self.encoding))
        except Unfit as unfit:
            return Uptake(notes=(str(unfit),))
        values: dict[str, Any] = {}
        notes: dict[str, None] = {}
        for feed in self.feeds:
            try:
                value = feed.extract(message)
            except NotJson as garbled:
                notes[str(garbled)] = None  # the same for all of them
            except Unfit as unfit:
                notes[f"{feed.label}: {unfit}"] = None
            else:
                if value is not UNSET:
                    values[feed.name] = value
        return Uptake(values=values, notes=tuple(notes))


def state_inlets(feeds: Iterable[tuple[Source, str, str]]) -> list[StateInlet]:
    """Put together what is read from the same topic; each feed is a source, a property's name and a label."""
    by_topic: dict[tuple[str, str], list[Feed]] = {}
    for source, name, label in feeds:
        by_topic.setdefault((source.topic, source.encoding), []).append(Feed(name, label, source.extract))
    return [StateInlet(topic, encoding, tuple(found)) for (topic, encoding), found in by_topic.items()]


def decoded(payload: bytes, encoding: str) -> str:
    """The text of a message.

    Raises:
        Unfit: it is not text in this encoding.
    """
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError:
        raise Unfit(f"{quoted(payload)} is not text in {encoding}") from None
