"""What a component makes of an announcement: affordances that do not have their names yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from diat.vol.dialects.commands import Command, Encoder
from diat.vol.dialects.homeassistant.entity import COMMAND_NAMES, Entity
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.messages import Decoder, Rendered
from diat.vol.dialects.words import Unfit


class Facet(Struct, frozen=True, kw_only=True):
    """One property, action or event of an entity.

    Attributes:
        word: what it is called within the entity; empty if it is the entity itself.
        kind: which of the three it is.
        schema: for a property its DataSchema with its meaning, without ``title`` and ``readOnly``; for an
            action or an event what else it has (``input``, ``data``).
        source: where its value, or that it happened, comes from; None if nobody tells.
        command: how it is driven, None if it cannot be.
        notes: what of the announcement was not understood.
    """

    word: str = ""
    schema: dict[str, Any]
    source: Source | None = None
    command: Command | None = None
    kind: Literal["property", "action", "event"] = "property"
    notes: tuple[str, ...] = ()


FacetMaker: TypeAlias = Callable[[Entity], Facet | None]
"""Makes one facet of an entity; None if the entity does not have it, ``Unfit`` if it cannot be used."""


def source(entity: Entity, topic_key: str, decode: Decoder, *template_keys: str) -> Source | None:
    """Values from the text on a topic, through the template under the first of these keys that is there."""
    topic = entity.state_topic(topic_key)
    if topic is None:
        return None
    return Source(topic, Rendered(decode, entity.template(*template_keys)), entity.encoding)


def command(entity: Entity, topic_key: str, encode: Encoder) -> Command | None:
    """Commands on a topic."""
    topic = entity.command_topic(topic_key)
    if topic is None:
        return None
    return Command(topic=topic, encode=encode, qos=entity.qos, retain=entity.retain)


def command_template(entity: Entity, key: str) -> Template | None:
    """The template that commands go through."""
    return entity.template(key, names=COMMAND_NAMES)


def limits(entity: Entity, low: tuple[str, float], high: tuple[str, float], step_key: str) -> dict[str, Any]:
    """``minimum``, ``maximum`` and ``multipleOf``.

    Args:
        entity: whose they are.
        low: key of the least value, and what counts if it is not said.
        high: key of the greatest value, and what counts if it is not said.
        step_key: key of the step.
    """
    said_low, said_high, step = entity.number(low[0]), entity.number(high[0]), entity.number(step_key)
    minimum = low[1] if said_low is None else said_low
    maximum = high[1] if said_high is None else said_high
    if minimum > maximum:
        raise Unfit(f"{low[0]} {minimum} is above {high[0]} {maximum}")
    return {"minimum": minimum, "maximum": maximum, **({"multipleOf": step} if step and step > 0 else {})}
