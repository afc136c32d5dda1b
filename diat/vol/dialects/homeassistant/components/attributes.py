"""Attributes: whatever else an entity tells of itself, any of them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, source, told
from diat.vol.dialects.homeassistant.percent import json_object
from diat.vol.dialects.messages import Value, some_text
from diat.vol.dialects.values import plain
from diat.vol.dialects.words import Unfit

WORD = "attributes"
MAX_SIZE = 16_384
"""Characters of the attributes in one message."""

_SCHEMA: dict[str, Any] = {"type": "object", "diat:entityCategory": "diagnostic"}


def attributes(entity: Entity) -> Facet | None:
    """The attributes of an entity that has any."""
    values = source(entity, "json_attributes_topic", _decode, "json_attributes_template")
    return told(Facet(word=WORD, schema=_SCHEMA, source=values))


def _decode(text: str) -> Value:
    if some_text(text) is UNSET:
        return UNSET
    if len(text) > MAX_SIZE:
        raise Unfit(f"attributes of more than {MAX_SIZE} characters")
    return plain(json_object(text))
