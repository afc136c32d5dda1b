"""``device_tracker``: where somebody or something is: at home, away, in a zone, or by coordinates."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, source, told
from diat.vol.dialects.homeassistant.percent import json_object
from diat.vol.dialects.messages import Value, some_text
from diat.vol.dialects.values import some_number

_DEGREES = {"type": "number", "unit": "deg"}
_LOCATION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "latitude": {**_DEGREES, "minimum": -90, "maximum": 90},
        "longitude": {**_DEGREES, "minimum": -180, "maximum": 180},
        "accuracy": {"type": "number", "minimum": 0, "unit": "m"},
    },
    "required": ["latitude", "longitude"],
}


def _place(entity: Entity) -> Facet | None:
    words = {
        entity.text("payload_home", "home"): "home",
        entity.text("payload_not_home", "not_home"): "not_home",
    }
    reset = entity.text("payload_reset", "None")

    def decode(text: str) -> Value:
        return UNSET if text == reset else words.get(text) or some_text(text)

    values = source(entity, "state_topic", decode, "value_template")
    return told(Facet(schema={"type": "string"}, source=values))


def _location(entity: Entity) -> Facet | None:
    values = source(entity, "json_attributes_topic", _coordinates, "json_attributes_template")
    return told(Facet(word="location", schema=_LOCATION, source=values))


def _coordinates(text: str) -> Value:
    said = json_object(text)
    if said.get("latitude") is None or said.get("longitude") is None:
        return UNSET
    accuracy = said.get("gps_accuracy")
    return {
        "latitude": some_number(said["latitude"]),
        "longitude": some_number(said["longitude"]),
        **({} if accuracy is None else {"accuracy": some_number(accuracy)}),
    }


TRACKER: tuple[FacetMaker, ...] = (_place, _location)
