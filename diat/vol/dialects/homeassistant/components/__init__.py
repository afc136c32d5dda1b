"""The components that are understood: one entry for each, by its name and schema.

To add one, write its facets in a file here and give it an entry.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.vol.dialects.homeassistant.components import (
    button,
    climate,
    json_light,
    light,
    number,
    sensor,
    switch,
)
from diat.vol.dialects.homeassistant.facets import FacetMaker
from diat.vol.dialects.words import is_topic, quoted


class Component(Struct, frozen=True):
    """A component.

    Attributes:
        facets: what it makes of an announcement.
        required: the keys without which it is of no use; all are topics.
    """

    facets: tuple[FacetMaker, ...]
    required: tuple[str, ...] = ()


COMPONENTS: dict[str, Component] = {
    "binary_sensor": Component(switch.BINARY_SENSOR, ("state_topic",)),
    "button": Component(button.BUTTON, ("command_topic",)),
    "climate": Component(climate.CLIMATE),
    "light": Component(light.LIGHT, ("command_topic",)),
    "light/json": Component(json_light.LIGHT, ("command_topic",)),
    "number": Component(number.NUMBER, ("command_topic",)),
    "sensor": Component(sensor.SENSOR, ("state_topic",)),
    "switch": Component(switch.SWITCH, ("command_topic",)),
}

_BASIC = frozenset({"", "basic", "default"})


def component(name: str, config: dict[str, Any]) -> Component | str:
    """The component of an announcement, or what about it is not understood."""
    schema = config.get("schema")
    plain = name != "light" or schema is None or (isinstance(schema, str) and schema in _BASIC)
    if found := COMPONENTS.get(name if plain else f"{name}/{schema}"):
        return found
    return (
        "this component is not understood yet"
        if plain
        else f"the schema {quoted(schema)} is not understood yet"
    )


def missing(name: str, config: dict[str, Any]) -> str | None:
    """What a component cannot do without and does not have."""
    found = component(name, config)
    for key in found.required if isinstance(found, Component) else ():
        if key not in config:
            return f"{key} is missing"
        if not is_topic(config[key]):
            return f"{key} {quoted(config[key])} is not a topic that messages can be on"
    return None
