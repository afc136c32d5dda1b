"""``light`` in its basic schema: a topic for each of its properties."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.commands import Channels, Numeric, Switching, Verbal
from diat.vol.dialects.homeassistant import colours
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, command, command_template, source
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import OneOf, TwoStates, number, some_text
from diat.vol.dialects.words import Unfit, spellings
from diat.wot.units import ucum


def top(entity: Entity) -> int | float:
    """The greatest brightness."""
    scale = entity.number("brightness_scale")
    if scale is not None and scale <= 0:
        raise Unfit("brightness_scale must be above 0")
    return scale or 255


def colour_temperature(entity: Entity) -> dict[str, Any]:
    """The DataSchema of the colour temperature, in mired or kelvin as declared."""
    if entity.config.get("color_temp_kelvin") is True:
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


def _on_off(entity: Entity) -> Facet:
    on, off = entity.config.get("payload_on", "ON"), entity.config.get("payload_off", "OFF")
    states = TwoStates(spellings(on), spellings(off))
    # Some lights go on only by a message on another topic, and their payload_on does nothing.
    by_brightness = entity.config.get("on_command_type") == "brightness"
    return Facet(
        notes=("it is switched on by its brightness only",) if by_brightness else (),
        schema={"type": "boolean"},
        source=source(entity, "state_topic", states, "state_value_template", "value_template"),
        command=command(entity, "command_topic", Switching(on, off)),
    )


def _declared(facet: Facet) -> Facet | None:
    return facet if facet.source or facet.command else None


def _brightness(entity: Entity) -> Facet | None:
    encode = Numeric(command_template(entity, "brightness_command_template"))
    return _declared(
        Facet(
            word="brightness",
            schema={"type": "number", "minimum": 0, "maximum": top(entity)},
            source=source(entity, "brightness_state_topic", number, "brightness_value_template"),
            command=command(entity, "brightness_command_topic", encode),
        )
    )


def _colour_temperature(entity: Entity) -> Facet | None:
    encode = Numeric(command_template(entity, "color_temp_command_template"))
    return _declared(
        Facet(
            word="color_temp",
            schema=colour_temperature(entity),
            source=source(entity, "color_temp_state_topic", number, "color_temp_value_template"),
            command=command(entity, "color_temp_command_topic", encode),
        )
    )


def _colour(entity: Entity) -> Facet | None:
    """The colour in the first mode that can be set, else in the first that is told."""
    modes = [m for m in colours.MODES if entity.command_topic(f"{m}_command_topic")]
    modes += [m for m in colours.MODES if entity.state_topic(f"{m}_state_topic")]
    if not modes:
        return None
    mode = modes[0]
    names = colours.names(mode)
    template = entity.template(f"{mode}_command_template", names=frozenset(names.values()))
    return Facet(
        word="color",
        schema=colours.schema(mode),
        source=source(
            entity, f"{mode}_state_topic", partial(colours.from_text, mode), f"{mode}_value_template"
        ),
        command=command(entity, f"{mode}_command_topic", Channels(names, template)),
    )


def _effect(entity: Entity) -> Facet | None:
    effects = entity.words("effect_list")
    template = command_template(entity, "effect_command_template")
    return _declared(
        Facet(
            word="effect",
            schema={"type": "string", **({"enum": effects} if effects else {})},
            source=source(
                *(entity, "effect_state_topic", OneOf(frozenset(effects)) if effects else some_text),
                "effect_value_template",
            ),
            command=command(entity, "effect_command_topic", Verbal(template)),
        )
    )


LIGHT: tuple[FacetMaker, ...] = (_on_off, _brightness, _colour_temperature, _colour, _effect)
