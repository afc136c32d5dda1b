"""The components that are understood: one entry for each, by its name and schema.

To add one, write its facets in a file here and give it an entry.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.vol.dialects.homeassistant.components import (
    alarm,
    button,
    climate,
    cover,
    events,
    fan,
    humidifier,
    json_light,
    light,
    lock,
    number,
    pictures,
    sensor,
    siren,
    switch,
    template_light,
    texts,
    tracker,
    update,
    vacuum,
    valve,
    water_heater,
)
from diat.vol.dialects.homeassistant.components.attributes import attributes
from diat.vol.dialects.homeassistant.facets import FacetMaker
from diat.vol.dialects.words import is_topic, quoted


class Component(Struct, frozen=True):
    """A component.

    Attributes:
        facets: what it makes of an announcement.
        required: the keys without which it is of no use.
    """

    facets: tuple[FacetMaker, ...]
    required: tuple[str, ...] = ()


_COMMAND, _STATE = "command_topic", "state_topic"

COMPONENTS: dict[str, Component] = {
    "alarm_control_panel": Component(alarm.ALARM, (_COMMAND, _STATE)),
    "binary_sensor": Component(switch.BINARY_SENSOR, (_STATE,)),
    "button": Component(button.BUTTON, (_COMMAND,)),
    "camera": Component(pictures.CAMERA, ("topic",)),
    "climate": Component(climate.CLIMATE),
    "cover": Component(cover.COVER),
    "date": Component(texts.DATE, (_COMMAND,)),
    "datetime": Component(texts.DATETIME, (_COMMAND,)),
    "device_automation": Component(events.TRIGGER, ("topic",)),
    "device_tracker": Component(tracker.TRACKER),
    "event": Component(events.EVENT, (_STATE, "event_types")),
    "fan": Component(fan.FAN, (_COMMAND,)),
    "humidifier": Component(humidifier.HUMIDIFIER),
    "image": Component(pictures.IMAGE),
    "infrared/emitter": Component(button.INFRARED_EMITTER, (_COMMAND,)),
    "infrared/receiver": Component(events.INFRARED_RECEIVER, (_STATE,)),
    "lawn_mower": Component(vacuum.LAWN_MOWER),
    "light": Component(light.LIGHT, (_COMMAND,)),
    "light/json": Component(json_light.LIGHT, (_COMMAND,)),
    "light/template": Component(
        template_light.LIGHT, (_COMMAND, "command_on_template", "command_off_template")
    ),
    "lock": Component(lock.LOCK, (_COMMAND,)),
    "notify": Component(button.NOTIFY, (_COMMAND,)),
    "number": Component(number.NUMBER, (_COMMAND,)),
    "scene": Component(button.SCENE, (_COMMAND,)),
    "select": Component(texts.SELECT, (_COMMAND, "options")),
    "sensor": Component(sensor.SENSOR, (_STATE,)),
    "siren": Component(siren.SIREN, (_COMMAND,)),
    "switch": Component(switch.SWITCH, (_COMMAND,)),
    "tag": Component(events.TAG, ("topic",)),
    "text": Component(texts.TEXT, (_COMMAND,)),
    "time": Component(texts.TIME, (_COMMAND,)),
    "update": Component(update.UPDATE),
    "vacuum": Component(vacuum.VACUUM),
    "valve": Component(valve.VALVE),
    "water_heater": Component(water_heater.WATER_HEATER),
}

# Components that come in several schemas, and the schemas that are what the component is without one.
_SCHEMAS = {
    "infrared": frozenset[str](),
    "light": frozenset({"basic", "default"}),
    "vacuum": frozenset({"state"}),
}


def component(name: str, config: dict[str, Any]) -> Component | str:
    """The component of an announcement, or what about it is not understood."""
    schema = config.get("schema")
    plain = _SCHEMAS.get(name)
    named = (
        plain is not None
        and schema not in (None, "")
        and not (isinstance(schema, str) and schema.lower() in plain)
    )
    if found := COMPONENTS.get(f"{name}/{schema}" if named else name):
        return found
    return (
        f"the schema {quoted(schema)} is not understood"
        if plain is not None
        else "no such component is known"
    )


def makers(found: Component) -> tuple[FacetMaker, ...]:
    """All that makes facets of it: its own, and what any component may have."""
    return (*found.facets, attributes)


def missing(name: str, config: dict[str, Any]) -> str | None:
    """What a component cannot do without and does not have."""
    found = component(name, config)
    for key in found.required if isinstance(found, Component) else ():
        if config.get(key) is None:
            return f"{key} is missing"
        if key.endswith("topic") and not is_topic(config[key]):
            return f"{key} {quoted(config[key])} is not a topic that messages can be on"
    return None
