"""``climate``: what a thermostat or an air conditioner measures, aims at and does.

The keys of most facets follow one pattern, so they stand in tables.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.commands import Numeric, Switching, Verbal
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    limits,
    source,
)
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import OneOf, number
from diat.vol.dialects.words import Unfit, quoted

_UNITS = {"C": "Cel", "F": "[degF]"}
_RANGES = {"C": (7.0, 35.0), "F": (45.0, 95.0)}
_ACTIONS = ["off", "preheating", "heating", "cooling", "drying", "fan", "defrosting", "idle"]


def _scale(entity: Entity) -> str:
    scale = entity.text("temperature_unit", "C").strip("°").upper()
    if scale not in _UNITS:
        raise Unfit(f"the temperature unit {quoted(scale)} is not understood")
    return scale


def _temperature(entity: Entity) -> dict[str, Any]:
    return {**quantity("Temperature"), "type": "number", "unit": _UNITS[_scale(entity)]}


def _current_temperature(entity: Entity) -> Facet | None:
    values = source(
        entity, "current_temperature_topic", number, "current_temperature_template", "value_template"
    )
    return Facet(word="current_temperature", schema=_temperature(entity), source=values) if values else None


def _current_humidity(entity: Entity) -> Facet | None:
    values = source(entity, "current_humidity_topic", number, "current_humidity_template", "value_template")
    schema = {**quantity("RelativeHumidity"), "type": "number", "unit": "%"}
    return Facet(word="current_humidity", schema=schema, source=values) if values else None


def _settable(facet: Facet) -> Facet | None:
    return facet if facet.source or facet.command else None


def _target_temperature(word: str, key: str, entity: Entity) -> Facet | None:
    least, greatest = _RANGES[_scale(entity)]
    return _settable(
        Facet(
            word=word,
            schema=_temperature(entity)
            | limits(entity, ("min_temp", least), ("max_temp", greatest), "temp_step"),
            source=source(entity, f"{key}_state_topic", number, f"{key}_state_template", "value_template"),
            command=command(
                entity, f"{key}_command_topic", Numeric(command_template(entity, f"{key}_command_template"))
            ),
        )
    )


def _target_humidity(entity: Entity) -> Facet | None:
    key = "target_humidity"
    schema = {**quantity("RelativeHumidity"), "type": "number", "unit": "%"}
    return _settable(
        Facet(
            word=key,
            schema=schema | limits(entity, ("min_humidity", 30), ("max_humidity", 99), "humidity_step"),
            source=source(entity, f"{key}_state_topic", number, f"{key}_state_template", "value_template"),
            command=command(
                entity, f"{key}_command_topic", Numeric(command_template(entity, f"{key}_command_template"))
            ),
        )
    )


def _choice(
    word: str, list_key: str, template_key: str, usual: tuple[str, ...], entity: Entity
) -> Facet | None:
    """A mode: one of the words that are declared, or else of the usual ones."""
    words = entity.words(list_key) or list(usual)
    if word == "preset_mode":
        words = list(dict.fromkeys(["none", *words]))  # without a preset is a choice too, never declared
    return _settable(
        Facet(
            word=word,
            schema={"type": "string", "enum": words},
            source=source(
                entity, f"{word}_state_topic", OneOf(frozenset(words)), template_key, "value_template"
            ),
            command=command(
                entity, f"{word}_command_topic", Verbal(command_template(entity, f"{word}_command_template"))
            ),
        )
    )


def _action(entity: Entity) -> Facet | None:
    values = source(entity, "action_topic", OneOf(frozenset(_ACTIONS)), "action_template", "value_template")
    return (
        Facet(word="action", schema={"type": "string", "enum": _ACTIONS}, source=values) if values else None
    )


def _power(entity: Entity) -> Facet | None:
    encode = Switching(
        entity.config.get("payload_on", "ON"),
        entity.config.get("payload_off", "OFF"),
        command_template(entity, "power_command_template"),
    )
    return _settable(
        Facet(
            word="power", schema={"type": "boolean"}, command=command(entity, "power_command_topic", encode)
        )
    )


_TARGETS: tuple[tuple[str, str], ...] = (
    ("target_temperature", "temperature"),
    ("target_temperature_low", "temperature_low"),
    ("target_temperature_high", "temperature_high"),
)
# Word, key of the declared words, key of the template of its state, the usual words.
_CHOICES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("mode", "modes", "mode_state_template", ("auto", "off", "cool", "heat", "dry", "fan_only")),
    ("preset_mode", "preset_modes", "preset_mode_value_template", ()),
    ("fan_mode", "fan_modes", "fan_mode_state_template", ("auto", "low", "medium", "high")),
    ("swing_mode", "swing_modes", "swing_mode_state_template", ("on", "off")),
    (
        *("swing_horizontal_mode", "swing_horizontal_modes", "swing_horizontal_mode_state_template"),
        ("on", "off"),
    ),
)

CLIMATE: tuple[FacetMaker, ...] = (
    _current_temperature,
    _current_humidity,
    *(partial(_target_temperature, *target) for target in _TARGETS),
    _target_humidity,
    *(partial(_choice, *choice) for choice in _CHOICES),
    _action,
    _power,
)
