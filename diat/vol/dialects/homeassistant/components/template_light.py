"""``light`` with ``"schema": "template"``: one topic, read and written through templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET, Struct

from diat.vol.dialects.commands import boolean, channels, finite, tidy, verbal
from diat.vol.dialects.homeassistant import colours
from diat.vol.dialects.homeassistant.components import lighting
from diat.vol.dialects.homeassistant.components.lighting import Setting
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, command, source
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.messages import Decoder, Message, OneOf, Rendered, TwoStates, Value, number, some_text
from diat.vol.dialects.words import Unfit

_NAMES = frozenset(
    {"state", "brightness", "color_temp", "red", "green", "blue", "hue", "sat", "white", "effect"}
    | {"flash", "transition"}
)
_STATES = TwoStates(frozenset({"on"}), frozenset({"off"}))
_CHANNELS = {"r": "red_template", "g": "green_template", "b": "blue_template"}


def _command_template(entity: Entity, word: str) -> Template:
    template = entity.template(f"command_{word}_template", names=_NAMES)
    if template is None:
        raise Unfit(f"command_{word}_template is missing")
    return template


def _sent(template: Template, names: dict[str, Any]) -> str:
    text = template.render(names)
    if text is None:
        raise Unfit("the command template asks for what there is not")
    return text


def _switched(on: Template, off: Template, value: Any) -> str:
    state = boolean(value)
    return _sent(on if state else off, {"state": state})


def _lit(on: Template, said: dict[str, Any]) -> str:
    return _sent(on, {"state": True, **said})


def _set(setting: Setting, on: Template, value: Any) -> str:
    return _lit(on, setting.encode(value))


def _on_off(entity: Entity) -> Facet:
    switch = partial(_switched, _command_template(entity, "on"), _command_template(entity, "off"))
    told = source(entity, "state_topic", _STATES, "state_template")
    return Facet(
        schema={"type": "boolean", **lighting.BRIGHTER},
        source=told if entity.config.get("state_template") else None,
        command=command(entity, "command_topic", switch),
    )


def _settings(entity: Entity) -> dict[str, Setting]:
    """What can be set, by its word."""
    said = entity.config
    found: dict[str, Setting] = {}
    if said.get("brightness_template"):
        found["brightness"] = Setting({"type": "number", "minimum": 0, "maximum": 255}, _named("brightness"))
    if said.get("color_temp_template"):
        found["color_temp"] = Setting(lighting.colour_temperature(entity), _named("color_temp"))
    if all(said.get(key) for key in _CHANNELS.values()):
        found["color"] = Setting(colours.schema("rgb"), _rgb)
    if said.get("effect_list"):
        found["effect"] = Setting(lighting.effects(entity), lambda value: {"effect": verbal(value)})
    return found


def _named(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: tidy(finite(value))}


def _rgb(value: Any) -> dict[str, Any]:
    names = colours.names("rgb")
    rgb = {names[channel]: level for channel, level in channels(value, names).items()}
    hue, saturation = colours.hue_and_saturation(*rgb.values())
    return {**rgb, "hue": hue, "sat": saturation}


def _setting(word: str, entity: Entity) -> Facet | None:
    setting = _settings(entity).get(word)
    if setting is None:
        return None
    on = _command_template(entity, "on")
    sent = command(entity, "command_topic", partial(_set, setting, on))
    return Facet(word=word, schema=setting.schema, source=_told(word, setting, entity), command=sent)


def _told(word: str, setting: Setting, entity: Entity) -> Source | None:
    topic = entity.state_topic("state_topic")
    if topic is None:
        return None
    if word == "color":
        mixed = {channel: entity.template(key) for channel, key in _CHANNELS.items()}
        return Source(topic, _Mixed({c: Rendered(number, t) for c, t in mixed.items()}), entity.encoding)
    decode: Decoder = number
    if word == "effect":
        decode = OneOf(frozenset(setting.schema["enum"])) if "enum" in setting.schema else some_text
    template = entity.template(f"{word}_template")
    return Source(topic, Rendered(decode, template), entity.encoding) if template else None


class _Mixed(Struct, frozen=True):
    """A colour of which each channel is read by itself."""

    channels: dict[str, Rendered]

    def __call__(self, message: Message) -> Value:
        """Read."""
        levels = {channel: read(message) for channel, read in self.channels.items()}
        return UNSET if UNSET in levels.values() else levels


def _turn_on(entity: Entity) -> Facet | None:
    on = _command_template(entity, "on")
    settings = _settings(entity)
    if "transition" in on.names:
        settings["transition"] = Setting(lighting.TRANSITION, _named("transition"))
    if "flash" in on.names:
        settings["flash"] = Setting(lighting.FLASH, lambda value: {"flash": verbal(value)})
    return lighting.turn_on(entity, settings, partial(_lit, on))


LIGHT: tuple[FacetMaker, ...] = (
    _on_off,
    *(partial(_setting, word) for word in ("brightness", "color_temp", "color", "effect")),
    _turn_on,
)
