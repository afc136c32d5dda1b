"""What a component makes of an announcement: affordances that do not have their names yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from diat.vol.dialects.homeassistant.commands import Command, Encoder
from diat.vol.dialects.homeassistant.entity import COMMAND_NAMES, Entity
from diat.vol.dialects.homeassistant.messages import Decoder, Extract, Rendered
from diat.vol.dialects.homeassistant.templates import Template
from diat.vol.dialects.homeassistant.words import Unfit, quoted
from diat.wot.units import ucum


class Source(Struct, frozen=True):
    """Where the value of a property comes from."""

    topic: str
    encoding: str
    extract: Extract


class Facet(Struct, frozen=True, kw_only=True):
    """One property or action of an entity.

    Attributes:
        word: what it is called within the entity; empty if it is the entity itself.
        schema: its DataSchema with its meaning, without ``title`` and ``readOnly``; empty for an action.
        source: where its value comes from, None if nobody tells.
        command: how it is driven, None if it cannot be.
        action: whether it is an action; else it is a property.
        notes: what of the announcement was not understood.
    """

    word: str = ""
    schema: dict[str, Any]
    source: Source | None = None
    command: Command | None = None
    action: bool = False
    notes: tuple[str, ...] = ()


FacetMaker: TypeAlias = Callable[[Entity], Facet | None]
"""Makes one facet of an entity; None if the entity does not have it, ``Unfit`` if it cannot be used."""


def source(entity: Entity, topic_key: str, decode: Decoder, *template_keys: str) -> Source | None:
    """Values from the text on a topic, through the template under the first of these keys that is there."""
    topic = entity.state_topic(topic_key)
    if topic is None:
        return None
    return Source(topic, entity.encoding, Rendered(decode, entity.template(*template_keys)))


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


def unit(said: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The UCUM code of a unit, and a note if it is none that we know."""
    if said is None:
        return None, ()
    code = ucum(said)
    return code, () if code else (f"the unit {quoted(said)} is not understood",)


def quantity(kind: str | None) -> dict[str, str]:
    """The term that says what is measured."""
    return {"@type": f"quantitykind:{kind}"} if kind else {}
