"""``fan``: on or off, how fast, which way, and in which mode."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import UNSET

from diat.vol.dialects import effects
from diat.vol.dialects.commands import through
from diat.vol.dialects.effects import being
from diat.vol.dialects.homeassistant.components.onoff import on_off
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    choice,
    command,
    command_template,
    settable,
    source,
    unless,
)
from diat.vol.dialects.homeassistant.percent import PERCENT, Range, range_of
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.messages import OneOf, Value, number
from diat.vol.dialects.words import Unfit, quoted


def _speeds(entity: Entity) -> Range:
    """0 % is one below the lowest speed."""
    speeds = range_of(entity, ("speed_range_min", 1), ("speed_range_max", 100))
    if speeds.zero > speeds.full:
        raise Unfit(f"speed_range_min {speeds.zero} is above speed_range_max {speeds.full}")
    return Range(speeds.zero - 1, speeds.full)


def _percentage(entity: Entity) -> Facet | None:
    speeds = _speeds(entity)
    reset = entity.text("payload_reset_percentage", "None")
    template = command_template(entity, "percentage_command_template")
    return settable(
        Facet(
            word="percentage",
            schema={**PERCENT, **being(effects.FAN)},
            source=source(
                *(entity, "percentage_state_topic", unless(partial(_percent, speeds), reset)),
                "percentage_value_template",
            ),
            command=command(entity, "percentage_command_topic", partial(_speed, speeds, template)),
            confirmed=speeds.fine,
        )
    )


def _percent(speeds: Range, text: str) -> Value:
    raw = number(text)
    if raw is UNSET:
        return raw
    if not speeds.zero <= raw <= speeds.full:
        raise Unfit(f"{quoted(text)} is none of its speeds")
    return speeds.read(text)


def _speed(speeds: Range, template: Template | None, value: Any) -> str:
    return through(template, speeds.write(value, up=True)[1])


def _preset(entity: Entity) -> Facet | None:
    words = entity.words("preset_modes") or []
    decode = unless(OneOf(frozenset(words)), entity.text("payload_reset_preset_mode", "None"))
    return (
        choice(entity, "preset_mode", words, templates=("preset_mode_value_template",), decode=decode)
        if words
        else None
    )


def _direction(entity: Entity) -> Facet | None:
    return choice(entity, "direction", ("forward", "reverse"), templates=("direction_value_template",))


def _oscillation(entity: Entity) -> Facet | None:
    return on_off(entity, "oscillation_", "oscillation")


def _on_off(entity: Entity) -> Facet | None:
    return on_off(entity, schema=being(effects.FAN))


FAN: tuple[FacetMaker, ...] = (_on_off, _percentage, _preset, _oscillation, _direction)
