"""What happens and is no state: ``event``, ``tag``, triggers (``device_automation``), received infrared."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, source
from diat.vol.dialects.homeassistant.percent import json_object
from diat.vol.dialects.messages import Value, some_text
from diat.vol.dialects.values import plain
from diat.vol.dialects.words import Unfit, quoted, spellings

_MAX_TIMINGS = 10_000


class _Occurrence(Struct, frozen=True):
    """The data of an event: JSON that says which of its types it is."""

    types: frozenset[str]

    def __call__(self, text: str) -> Value:
        """Decode."""
        if some_text(text) is UNSET or text == "{}":
            return UNSET
        data = json_object(text)
        if (kind := data.get("event_type")) not in self.types:
            raise Unfit(f"the event type {quoted(kind)} is none of those announced")
        return plain(data)


def _event(entity: Entity) -> Facet:
    types = entity.words("event_types") or []
    if not types:
        raise Unfit("it lists no event_types")
    kind = {"type": "string", "enum": types}
    data = {"type": "object", "properties": {"event_type": kind}, "required": ["event_type"]}
    occurs = source(entity, "state_topic", _Occurrence(frozenset(types)), "value_template")
    return Facet(schema={"data": data}, source=occurs, kind="event")


def _tag(entity: Entity) -> Facet:
    scanned = source(entity, "topic", some_text, "value_template")
    return Facet(schema={"data": {"type": "string"}}, source=scanned, kind="event")


def _trigger(entity: Entity) -> Facet:
    if (automation := entity.word("automation_type")) != "trigger":
        raise Unfit(f"the automation type {quoted(automation)} is not understood")
    payload = entity.config.get("payload")
    wanted = None if payload is None else spellings(payload)

    def decode(text: str) -> Value:
        return text if wanted is None or text in wanted else UNSET

    fired = source(entity, "topic", decode, "value_template", blank=wanted is None)
    title = " ".join(filter(None, (entity.word("subtype"), entity.word("type")))).replace("_", " ")
    schema: dict[str, Any] = {"data": {"type": "string"}, **({"title": title} if title else {})}
    return Facet(schema=schema, source=fired, kind="event")


def _signal(text: str) -> Value:
    if some_text(text) is UNSET or text == '""':
        return UNSET
    data = json_object(text)
    timings, modulation = data.get("timings"), data.get("modulation")
    if not isinstance(timings, list) or not 0 < len(timings) <= _MAX_TIMINGS:
        raise Unfit(f"{quoted(text)} has no timings")
    return plain({"timings": timings, **({} if modulation is None else {"modulation": modulation})})


def _received(entity: Entity) -> Facet:
    timings = {"type": "array", "items": {"type": "integer"}}
    signal = {"timings": timings, "modulation": {"type": "integer", "unit": "Hz"}}
    data = {"type": "object", "properties": signal, "required": ["timings"]}
    return Facet(
        schema={"data": data}, source=source(entity, "state_topic", _signal, "value_template"), kind="event"
    )


EVENT = (_event,)
TAG = (_tag,)
TRIGGER = (_trigger,)
INFRARED_RECEIVER = (_received,)
