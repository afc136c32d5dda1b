"""``light`` in its basic schema: a topic for each of its properties."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from diat.vol.dialects.commands import Channels, Fixed, Numeric, Switching, Verbal, tidy
from diat.vol.dialects.homeassistant import colours
from diat.vol.dialects.homeassistant.components.lighting import (
    BRIGHTER,
    colour_temperature,
    effects,
    level,
    top,
)
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    settable,
    source,
    told,
)
from diat.vol.dialects.messages import OneOf, TwoStates, number, some_text
from diat.vol.dialects.words import spellings

_COLOUR_MODES = ["onoff", "brightness", "color_temp", "hs", "xy", "rgb", "rgbw", "rgbww", "white"]


def _on_off(entity: Entity) -> Facet:
    on, off = entity.config.get("payload_on", "ON"), entity.config.get("payload_off", "OFF")
    states = TwoStates(spellings(on), spellings(off))
    switched = command(entity, "command_topic", Switching(on, off))
    # Some lights go on only by a message on another topic, and their payload_on does nothing.
    if switched is not None and entity.word("on_command_type") == "brightness":
        full = Fixed(tidy(top(entity)), command_template(entity, "brightness_command_template"))
        lit = command(entity, "brightness_command_topic", full)
        switched = replace(switched, on=lit)
    return Facet(
        schema={"type": "boolean", **BRIGHTER},
        source=source(entity, "state_topic", states, "state_value_template", "value_template"),
        command=switched,
    )


def _brightness(entity: Entity) -> Facet | None:
    encode = Numeric(command_template(entity, "brightness_command_template"))
    return settable(
        Facet(
            word="brightness",
            schema=level(entity),
            source=source(entity, "brightness_state_topic", number, "brightness_value_template"),
            command=command(entity, "brightness_command_topic", encode),
        )
    )


def _white(entity: Entity) -> Facet | None:
    sent = command(entity, "white_command_topic", Numeric())
    return settable(Facet(word="white", schema=level(entity, "white_scale"), command=sent))


def _colour_temperature(entity: Entity) -> Facet | None:
    encode = Numeric(command_template(entity, "color_temp_command_template"))
    return settable(
        Facet(
            word="color_temp",
            schema=colour_temperature(entity),
            source=source(entity, "color_temp_state_topic", number, "color_temp_value_template"),
            command=command(entity, "color_temp_command_topic", encode),
        )
    )


def _colour(mode: str, entity: Entity) -> Facet | None:
    """The colour in one mode; the first that can be set, else the first that is told, is the colour."""
    modes = [m for m in colours.MODES if entity.command_topic(f"{m}_command_topic")]
    modes += [m for m in colours.MODES if entity.state_topic(f"{m}_state_topic")]
    if mode not in modes:
        return None
    names = colours.names(mode)
    template = entity.template(f"{mode}_command_template", names=frozenset(names.values()))
    return Facet(
        word="color" if mode == modes[0] else f"color_{mode}",
        schema=colours.schema(mode),
        source=source(
            entity, f"{mode}_state_topic", partial(colours.from_text, mode), f"{mode}_value_template"
        ),
        command=command(entity, f"{mode}_command_topic", Channels(names, template)),
    )


def _colour_mode(entity: Entity) -> Facet | None:
    modes = OneOf(frozenset(_COLOUR_MODES))
    values = source(entity, "color_mode_state_topic", modes, "color_mode_value_template")
    return told(Facet(word="color_mode", schema={"type": "string", "enum": _COLOUR_MODES}, source=values))


def _effect(entity: Entity) -> Facet | None:
    schema = effects(entity)
    template = command_template(entity, "effect_command_template")
    decode = OneOf(frozenset(schema["enum"])) if "enum" in schema else some_text
    return settable(
        Facet(
            word="effect",
            schema=schema,
            source=source(entity, "effect_state_topic", decode, "effect_value_template"),
            command=command(entity, "effect_command_topic", Verbal(template)),
        )
    )


LIGHT: tuple[FacetMaker, ...] = (
    _on_off,
    _brightness,
    _white,
    _colour_temperature,
    *(partial(_colour, mode) for mode in colours.MODES),
    _colour_mode,
    _effect,
)
