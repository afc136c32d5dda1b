"""``light`` with ``"schema": "json"``: one topic, JSON that says all at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.commands import Stated, Switching, channels, finite, tidy, verbal
from diat.vol.dialects.homeassistant import colours
from diat.vol.dialects.homeassistant.components import lighting
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, command
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Field, Message, Value
from diat.vol.dialects.values import json_text
from diat.vol.dialects.words import Unfit, quoted

_COLOUR_MODES = ("onoff", "brightness", "color_temp", *colours.MODES, "white")


def _modes(entity: Entity) -> frozenset[str]:
    """The declared colour modes, also those of the older way of declaring them one by one."""
    flags = ("brightness", "color_temp", *colours.MODES)
    declared = entity.words("supported_color_modes") or ()
    return frozenset(declared) | {flag for flag in flags if entity.flag(flag)}


def _facet(
    entity: Entity,
    word: str,
    schema: dict[str, Any],
    decode: Callable[[Any], Value],
    check: Callable[[Any], Any],
) -> Facet:
    """A field of the state, set together with the light being on."""
    return Facet(
        word=word,
        schema=schema,
        source=_source(entity, word, decode),
        command=command(entity, "command_topic", Stated(word, check)),
    )


def _source(entity: Entity, key: str, decode: Callable[[Any], Value]) -> Source | None:
    topic = entity.state_topic("state_topic")
    return Source(topic, Field(key, decode), entity.encoding) if topic else None


def _on(said: Any) -> Value:
    if said not in ("ON", "OFF"):
        raise Unfit(f"its state {quoted(said)} is neither 'ON' nor 'OFF'")
    return said == "ON"


def _level(said: Any) -> Value:
    return tidy(finite(said))


def _effect_name(effects: frozenset[str], said: Any) -> Value:
    name = verbal(said)
    if not effects or name in effects:
        return name
    if name in {"", "none", "None", "off"}:
        return UNSET
    raise Unfit(f"its effect {quoted(name)} is not in its list")


def _on_off(entity: Entity) -> Facet:
    return Facet(
        schema={"type": "boolean", **lighting.BRIGHTER},
        source=_source(entity, "state", _on),
        command=command(entity, "command_topic", Switching('{"state":"ON"}', '{"state":"OFF"}')),
    )


def _brightness(entity: Entity) -> Facet | None:
    if not _modes(entity) - {"onoff"}:
        return None
    return _facet(entity, "brightness", lighting.level(entity), _level, _level)


def _white(entity: Entity) -> Facet | None:
    if "white" not in _modes(entity):
        return None
    sent = command(entity, "command_topic", Stated("white", _level))
    return Facet(word="white", schema=lighting.level(entity, "white_scale"), command=sent)


def _colour_temperature(entity: Entity) -> Facet | None:
    if "color_temp" not in _modes(entity):
        return None
    return _facet(entity, "color_temp", lighting.colour_temperature(entity), _level, _level)


def _colours(entity: Entity) -> list[str]:
    """The modes in which it takes a colour."""
    declared = _modes(entity)
    return [mode for mode in colours.MODES if mode in declared]


def _word(mode: str, modes: list[str]) -> str:
    """The colour in the first mode is its colour."""
    return "color" if mode == modes[0] else f"color_{mode}"


def _colour(mode: str, entity: Entity) -> Facet | None:
    modes, topic = _colours(entity), entity.state_topic("state_topic")
    if mode not in modes:
        return None
    check = partial(channels, names=colours.names(mode))
    return Facet(
        word=_word(mode, modes),
        schema=colours.schema(mode),
        source=Source(topic, _Coloured(mode, tuple(modes)), entity.encoding) if topic else None,
        command=command(entity, "command_topic", Stated("color", check)),
    )


class _Coloured(Struct, frozen=True):
    """The colour in one mode, unless the message tells of another mode that is declared too."""

    mode: str
    modes: tuple[str, ...]

    def __call__(self, message: Message) -> Value:
        """Read."""
        if isinstance(message.json, dict):
            told = message.json.get("color_mode")
            if told != self.mode and told in self.modes:
                return UNSET
        return Field("color", partial(colours.from_object, self.mode))(message)


def _colour_mode(entity: Entity) -> Facet | None:
    modes = [mode for mode in _COLOUR_MODES if mode in _modes(entity)]
    told = _source(entity, "color_mode", partial(_known_mode, frozenset(_COLOUR_MODES)))
    if told is None or len(modes) < 2:
        return None
    return Facet(word="color_mode", schema={"type": "string", "enum": list(_COLOUR_MODES)}, source=told)


def _known_mode(modes: frozenset[str], said: Any) -> Value:
    if said not in modes:
        raise Unfit(f"its colour mode {quoted(said)} is not known")
    return said


def _effect(entity: Entity) -> Facet | None:
    if not entity.flag("effect"):
        return None
    schema = lighting.effects(entity)
    return _facet(entity, "effect", schema, partial(_effect_name, frozenset(schema.get("enum", ()))), verbal)


def _turn_on(entity: Entity) -> Facet | None:
    """All that can be set, in one message."""
    settings = {
        facet.word: _setting(facet.word, facet.schema, verbal if make is _effect else _level)
        for make in (_brightness, _white, _colour_temperature, _effect)
        if (facet := make(entity))
    }
    modes = _colours(entity)
    for mode in modes:
        check = partial(channels, names=colours.names(mode))
        settings[_word(mode, modes)] = _setting("color", colours.schema(mode), check)
    settings["transition"] = _setting("transition", lighting.TRANSITION, _level)
    seconds = {
        "short": entity.number("flash_time_short") or 2,
        "long": entity.number("flash_time_long") or 10,
    }
    settings["flash"] = _setting("flash", lighting.FLASH, partial(_flash, seconds))
    return lighting.turn_on(entity, settings, lambda said: json_text({"state": "ON", **said}))


def _setting(key: str, schema: dict[str, Any], check: Callable[[Any], Any]) -> lighting.Setting:
    return lighting.Setting(schema, lambda value: {key: check(value)})


def _flash(seconds: dict[str, float], value: Any) -> float:
    if value not in seconds:
        raise Unfit(f"{quoted(value)} is neither 'short' nor 'long'")
    return seconds[value]


LIGHT: tuple[FacetMaker, ...] = (
    _on_off,
    _brightness,
    _white,
    _colour_temperature,
    *(partial(_colour, mode) for mode in colours.MODES),
    _colour_mode,
    _effect,
    _turn_on,
)
