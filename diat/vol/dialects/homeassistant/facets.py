"""What a component makes of an announcement: affordances that do not have their names yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from diat.vol.dialects.commands import Command, Encoder, Fixed, Verbal
from diat.vol.dialects.effects import Direction, affecting
from diat.vol.dialects.homeassistant.entity import COMMAND_NAMES, Entity
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.messages import Decoder, OneOf, Rendered
from diat.vol.dialects.values import counts_from_zero
from diat.vol.dialects.words import Unfit


class Facet(Struct, frozen=True, kw_only=True):
    """One property, action or event of an entity.

    Attributes:
        word: what it is called within the entity; empty if it is the entity itself.
        kind: which of the three it is.
        schema: for a property its DataSchema with its meaning, without ``title`` and ``readOnly``; for an
            action or an event what else it has (``input``, ``data``).
        source: where its value, or that it happened, comes from; None if nobody tells.
        also: where it is told as well.
        command: how it is driven, None if it cannot be.
        idempotent: for an action whether doing it twice does the same as once; setting a property does.
        confirmed: whether what is told after a command equals what was commanded.
        notes: what of the announcement was not understood.
    """

    word: str = ""
    schema: dict[str, Any]
    source: Source | None = None
    also: tuple[Source, ...] = ()
    command: Command | None = None
    kind: Literal["property", "action", "event"] = "property"
    idempotent: bool = False
    confirmed: bool = True
    notes: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that tell of it."""
        return (*((self.source,) if self.source else ()), *self.also)


FacetMaker: TypeAlias = Callable[[Entity], Facet | None]
"""Makes one facet of an entity; None if the entity does not have it, ``Unfit`` if it cannot be used."""


def source(
    entity: Entity,
    topic_key: str,
    decode: Decoder,
    *template_keys: str,
    known: Mapping[str, Any] | None = None,
    blank: bool = False,
) -> Source | None:
    """Values from the text on a topic, through the template under the first of these keys that is there.

    Args:
        entity: whose they are.
        topic_key: key of the topic.
        decode: the text.
        template_keys: where its template may stand.
        known: what the template may ask for that is always the same.
        blank: whether an empty message says something too.
    """
    topic = entity.state_topic(topic_key)
    if topic is None:
        return None
    read = Rendered(decode, entity.template(*template_keys, known=known))
    return Source(topic, read, entity.encoding, blank)


def command(entity: Entity, topic_key: str, encode: Encoder) -> Command | None:
    """Commands on a topic."""
    topic = entity.command_topic(topic_key)
    if topic is None:
        return None
    return Command(topic=topic, encode=encode, qos=entity.qos, retain=entity.retain)


def command_template(
    entity: Entity, key: str, *more: str, known: Mapping[str, Any] | None = None
) -> Template | None:
    """The template that commands go through, and the names that it may ask for beside ``value``."""
    return entity.template(key, names=COMMAND_NAMES | set(more), known=known)


def settable(facet: Facet) -> Facet | None:
    """The property, unless it is neither told nor set."""
    return facet if facet.source or facet.command else None


def told(facet: Facet) -> Facet | None:
    """The property, unless it is not told."""
    return facet if facet.source else None


def press(
    entity: Entity,
    word: str,
    topic_key: str,
    payload: Any,
    template: Template | None = None,
    *,
    idempotent: bool = True,
    affects: tuple[str, Direction] | None = None,
) -> Facet | None:
    """An action without input that always sends the same; None if there is no topic or nothing to send."""
    sent = command(entity, topic_key, Fixed(payload, template))
    if sent is None or payload is None:
        return None
    schema = affecting(*affects) if affects else {}
    return Facet(word=word, schema=schema, command=sent, kind="action", idempotent=idempotent)


def choice(
    entity: Entity,
    word: str,
    words: Sequence[str],
    *,
    key: str = "",
    templates: Sequence[str] = (),
    command_key: str = "",
    decode: Decoder | None = None,
) -> Facet | None:
    """A property that is one of several words.

    Args:
        entity: whose it is.
        word: what it is called within the entity.
        words: which it may be.
        key: what its keys begin with (``<key>_state_topic``), if not with the word.
        templates: keys of the template of its state.
        command_key: what the key of its command's template begins with, if not with ``key``.
        decode: how its state is read, if not as one of the words.
    """
    key = key or word
    template = command_template(entity, f"{command_key or key}_command_template")
    return settable(
        Facet(
            word=word,
            schema={"type": "string", "enum": list(words)},
            source=source(entity, f"{key}_state_topic", decode or OneOf(frozenset(words)), *templates),
            command=command(entity, f"{key}_command_topic", Verbal(template)),
        )
    )


def unless(decode: Decoder, unset: str) -> Decoder:
    """Decode with a text that stands for no value."""
    return lambda text: decode("" if text == unset else text)


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
    if said_low is not None and said_high is not None and minimum > maximum:
        raise Unfit(f"{low[0]} {minimum} is above {high[0]} {maximum}")
    around = {"minimum": minimum, "maximum": maximum}
    if minimum > maximum:  # what is said goes beyond what is usual
        del around["maximum" if said_high is None else "minimum"]
    steps = {"multipleOf": step} if counts_from_zero(around.get("minimum"), maximum, step) else {}
    return {**around, **steps}
