"""``sensor``: a number, one of several words, or text."""

from __future__ import annotations

from typing import Any

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, source
from diat.vol.dialects.meaning import classed, quantity, supposed, unit
from diat.vol.dialects.messages import Decoder, OneOf, number, some_text

# Device classes whose values are not numbers. Others are, also those that came after this was written.
_VERBAL_CLASSES = frozenset({"date", "enum", "timestamp", "uptime"})
_NUMERIC_KEYS = ("state_class", "suggested_display_precision", "unit_of_measurement")


def _sensor(entity: Entity) -> Facet:
    device_class = entity.word("device_class")
    options = entity.words("options")
    kind = classed(device_class)
    code, notes = unit(entity.word("unit_of_measurement"), kind.kind if kind else None)
    schema: dict[str, Any]
    decode: Decoder
    if options is not None and device_class in (None, "enum"):
        schema, decode = {"type": "string", "enum": options}, OneOf(frozenset(options))
    elif device_class not in _VERBAL_CLASSES and (device_class or any(map(entity.word, _NUMERIC_KEYS))):
        kind = kind if device_class or notes else supposed(entity.object_id, code)
        schema = {**quantity(kind), "type": "number", **({"unit": code} if code else {})}
        decode = number
    else:
        schema, decode = {"type": "string"}, some_text
    return Facet(schema=schema, source=source(entity, "state_topic", decode, "value_template"), notes=notes)


SENSOR = (_sensor,)
