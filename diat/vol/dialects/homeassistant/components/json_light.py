"""``light`` with ``"schema": "json"``: one topic, JSON that says all at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET

from diat.vol.dialects.commands import Stated, Switching, channels, finite, tidy, verbal
from diat.vol.dialects.homeassistant import colours
from diat.vol.dialects.homeassistant.components.light import colour_temperature, top
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, command
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.messages import Field, Value
from diat.vol.dialects.words import Unfit, quoted


def _modes(entity: Entity) -> frozenset[str]:
    """The declared colour modes, also those of the older way of declaring them one by one."""
    flags = ("brightness", "color_temp", *colours.MODES)
    return frozenset(entity.words("supported_color_modes") or ()) | {
        flag for flag in flags if entity.config.get(flag) is True
    }


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
        schema={"type": "boolean"},
        source=_source(entity, "state", _on),
        command=command(entity, "command_topic", Switching('{"state":"ON"}', '{"state":"OFF"}')),
    )


def _brightness(entity: Entity) -> Facet | None:
    if not _modes(entity) - {"onoff"}:
        return None
    schema = {"type": "number", "minimum": 0, "maximum": top(entity)}
    return _facet(entity, "brightness", schema, _level, _level)


def _colour_temperature(entity: Entity) -> Facet | None:
    if "color_temp" not in _modes(entity):
        return None
    return _facet(entity, "color_temp", colour_temperature(entity), _level, _level)


def _colour(entity: Entity) -> Facet | None:
    declared = _modes(entity)
    mode = next((mode for mode in colours.MODES if mode in declared), None)
    if mode is None:
        return None
    check = partial(channels, names=colours.names(mode))
    return _facet(entity, "color", colours.schema(mode), partial(colours.from_object, mode), check)


def _effect(entity: Entity) -> Facet | None:
    if entity.config.get("effect") is not True:
        return None
    effects = entity.words("effect_list") or []
    schema = {"type": "string", **({"enum": effects} if effects else {})}
    return _facet(entity, "effect", schema, partial(_effect_name, frozenset(effects)), verbal)


LIGHT: tuple[FacetMaker, ...] = (_on_off, _brightness, _colour_temperature, _colour, _effect)
