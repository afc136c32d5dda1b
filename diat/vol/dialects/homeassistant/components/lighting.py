"""What all lights have in common, whatever way they are spoken to."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.vol.dialects.commands import Encoder
from diat.vol.dialects.effects import affecting
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.words import Unfit, quoted
from diat.wot.units import ucum

BRIGHTER = affecting("Illuminance", "increase")
"""What a light does that goes on."""

TRANSITION: dict[str, Any] = {"type": "number", "minimum": 0, "unit": "s"}
FLASH: dict[str, Any] = {"type": "string", "enum": ["short", "long"]}


def top(entity: Entity, key: str = "brightness_scale") -> int | float:
    """The greatest brightness."""
    scale = entity.number(key)
    if scale is not None and scale <= 0:
        raise Unfit(f"{key} must be above 0")
    return scale or 255


def level(entity: Entity, key: str = "brightness_scale") -> dict[str, Any]:
    """The DataSchema of a brightness."""
    return {"type": "number", "minimum": 0, "maximum": top(entity, key)}


def colour_temperature(entity: Entity) -> dict[str, Any]:
    """The DataSchema of the colour temperature, in mired or kelvin as declared."""
    if entity.flag("color_temp_kelvin"):
        least, greatest, unit = entity.number("min_kelvin") or 2000, entity.number("max_kelvin") or 6535, "K"
    else:
        least, greatest, unit = (
            entity.number("min_mireds") or 153,
            entity.number("max_mireds") or 500,
            "mired",
        )
    code = ucum(unit)
    return {
        **(quantity("CorrelatedColorTemperature") if unit == "K" else {}),
        "type": "number",
        "minimum": min(least, greatest),
        "maximum": max(least, greatest),
        **({"unit": code} if code else {}),
    }


def effects(entity: Entity) -> dict[str, Any]:
    """The DataSchema of an effect."""
    names = entity.words("effect_list")
    return {"type": "string", **({"enum": names} if names else {})}


class Setting(Struct, frozen=True):
    """Something that can be said when a light is switched on.

    Attributes:
        schema: its DataSchema.
        encode: from its value to the fields of the message, or the names in the template; raises ``Unfit``.
    """

    schema: dict[str, Any]
    encode: Any


class Together(Struct, frozen=True):
    """Writes several settings as one message."""

    settings: dict[str, Setting]
    write: Any

    def __call__(self, value: Any) -> str:
        """Encode an object with any of the settings."""
        wanted = {} if value is None else value
        if not isinstance(wanted, dict):
            raise Unfit(f"{quoted(wanted)} is not an object")
        said: dict[str, Any] = {}
        for name, each in wanted.items():
            if name not in self.settings:
                raise Unfit(f"it has no {quoted(name)}")
            said |= self.settings[name].encode(each)
        return str(self.write(said))


def turn_on(entity: Entity, settings: dict[str, Setting], write: Encoder) -> Facet | None:
    """The action that switches a light on with several settings at once, and slowly if that is wanted."""
    sent = command(entity, "command_topic", Together(settings, write))
    if sent is None or not settings.keys() - {"transition", "flash"}:
        return None
    properties = {name: setting.schema for name, setting in settings.items()}
    schema = {"input": {"type": "object", "properties": properties}, **BRIGHTER}
    return Facet(word="turn_on", schema=schema, command=sent, kind="action", idempotent=True)
