"""What climates, water heaters and humidifiers have in common: temperature and humidity, now and wanted."""

from __future__ import annotations

from typing import Any

from diat.vol.dialects.commands import Numeric, Switching
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    command,
    command_template,
    limits,
    settable,
    source,
    told,
    unless,
)
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Decoder, OneOf, number
from diat.vol.dialects.words import Unfit, quoted

_UNITS = {"C": "Cel", "F": "[degF]"}


def scale(entity: Entity) -> str:
    """``C`` or ``F``."""
    said = entity.text("temperature_unit", "C").strip("°").upper()
    if said not in _UNITS:
        raise Unfit(f"the temperature unit {quoted(said)} is not understood")
    return said


def temperature(entity: Entity) -> dict[str, Any]:
    """The DataSchema of a temperature."""
    return {**quantity("Temperature"), "type": "number", "unit": _UNITS[scale(entity)]}


def humidity(_: Entity) -> dict[str, Any]:
    """The DataSchema of a humidity."""
    return {**quantity("RelativeHumidity"), "type": "number", "unit": "%"}


def current_temperature(entity: Entity) -> Facet | None:
    """The temperature that it measures."""
    return _current("current_temperature", temperature(entity), entity)


def current_humidity(entity: Entity) -> Facet | None:
    """The humidity that it measures."""
    return _current("current_humidity", humidity(entity), entity)


def _current(word: str, schema: dict[str, Any], entity: Entity) -> Facet | None:
    values = source(entity, f"{word}_topic", number, f"{word}_template", "value_template")
    return told(Facet(word=word, schema=schema, source=values))


def target_temperature(
    word: str, key: str, ranges: dict[str, tuple[float, float]], entity: Entity
) -> Facet | None:
    """A temperature that it aims at.

    Args:
        word: what it is called.
        key: what its keys begin with.
        ranges: by scale the least and greatest that count if they are not said.
        entity: whose it is.
    """
    least, greatest = ranges[scale(entity)]
    around = limits(entity, ("min_temp", least), ("max_temp", greatest), "temp_step")
    return _target(word, key, {**temperature(entity), **around}, number, entity)


def target_humidity(least: float, greatest: float, reset_key: str, entity: Entity) -> Facet | None:
    """A humidity that it aims at."""
    around = limits(entity, ("min_humidity", least), ("max_humidity", greatest), "humidity_step")
    unset = entity.text(reset_key, "None")
    schema = {**humidity(entity), **around}
    return _target("target_humidity", "target_humidity", schema, unless(number, unset), entity)


def _target(word: str, key: str, schema: dict[str, Any], decode: Decoder, entity: Entity) -> Facet | None:
    template = command_template(entity, f"{key}_command_template")
    return settable(
        Facet(
            word=word,
            schema=schema,
            source=source(entity, f"{key}_state_topic", decode, f"{key}_state_template", "value_template"),
            command=command(entity, f"{key}_command_topic", Numeric(template)),
        )
    )


def action(word_list: list[str], entity: Entity) -> Facet | None:
    """What it does just now, or nothing."""
    words = OneOf(frozenset(word_list))
    values = source(entity, "action_topic", words, "action_template", "value_template")
    return told(Facet(word="action", schema={"type": "string", "enum": word_list}, source=values))


def power(entity: Entity) -> Facet | None:
    """Whether it is on, which nobody tells."""
    on, off = entity.config.get("payload_on", "ON"), entity.config.get("payload_off", "OFF")
    encode = Switching(on, off, command_template(entity, "power_command_template"))
    sent = command(entity, "power_command_topic", encode)
    return settable(Facet(word="power", schema={"type": "boolean"}, command=sent))
