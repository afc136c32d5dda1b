"""``siren``: on or off; how loud, how long and with which tone is said when it is switched on."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import Struct

from diat.vol.dialects.commands import boolean, finite, tidy, verbal
from diat.vol.dialects.commands import through as payload_of
from diat.vol.dialects.effects import affecting
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
from diat.vol.dialects.homeassistant.percent import Inside
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.messages import Decoder, OneOf, TwoStates, number, some_text
from diat.vol.dialects.values import json_text
from diat.vol.dialects.words import Unfit, as_text, quoted, spellings

_LOUDER = affecting("SoundPressureLevel", "increase")


def _settings(entity: Entity) -> dict[str, dict[str, Any]]:
    """What may be said when it is switched on."""
    tones = entity.words("available_tones")
    found: dict[str, dict[str, Any]] = {"tone": {"type": "string", "enum": tones}} if tones else {}
    if entity.flag("support_duration", default=True):
        found["duration"] = {"type": "integer", "minimum": 0, "unit": "s"}
    if entity.flag("support_volume_set", default=True):
        found["volume_level"] = {"type": "number", "minimum": 0, "maximum": 1}
    return found


class _Sounding(Struct, frozen=True):
    """Writes what switches it on or off."""

    on: str
    off: str
    template: Template | None
    off_template: Template | None
    settings: dict[str, dict[str, Any]]

    def switch(self, value: Any) -> str:
        """Encode true or false."""
        if boolean(value):
            return self.start(None)
        if self.off_template is not None:
            return payload_of(self.off_template, self.off, {"state": self.off})
        return json_text({"state": self.off})

    def start(self, value: Any) -> str:
        """Encode how it is to sound; nothing said leaves it to the siren."""
        wanted = {} if value is None else value
        if not isinstance(wanted, dict):
            raise Unfit(f"{quoted(wanted)} is not an object")
        said = {name: self._checked(name, each) for name, each in wanted.items()}
        if self.template is not None:
            return payload_of(self.template, self.on, {"state": self.on, **said})
        return json_text({"state": self.on, **said})

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self.settings:
            raise Unfit(f"it has no {quoted(name)}")
        return verbal(value) if name == "tone" else tidy(finite(value))


def _sounding(entity: Entity) -> _Sounding:
    names = ("state", "duration", "tone", "volume_level")
    template = command_template(entity, "command_template", *names)
    return _Sounding(
        as_text(entity.config.get("payload_on", "ON")),
        as_text(entity.config.get("payload_off", "OFF")),
        template,
        command_template(entity, "command_off_template", *names) or template,
        _settings(entity),
    )


def _on_off(entity: Entity) -> Facet | None:
    on, off = (
        spellings(entity.config.get(f"state_{state}") or entity.config.get(f"payload_{state}", usual))
        for state, usual in (("on", "ON"), ("off", "OFF"))
    )
    states = TwoStates(on, off)
    return settable(
        Facet(
            schema={"type": "boolean", **_LOUDER},
            source=source(entity, "state_topic", Inside("state", states, states), "state_value_template"),
            command=command(entity, "command_topic", _sounding(entity).switch),
        )
    )


def _turn_on(entity: Entity) -> Facet | None:
    settings = _settings(entity)
    sent = command(entity, "command_topic", _sounding(entity).start)
    if not settings or sent is None:
        return None
    schema = {"input": {"type": "object", "properties": settings}, **_LOUDER}
    return Facet(word="turn_on", schema=schema, command=sent, kind="action")


def _setting(word: str, decode: Decoder, entity: Entity) -> Facet | None:
    schema = _settings(entity).get(word)
    if schema is None:
        return None
    if "enum" in schema:
        decode = OneOf(frozenset(schema["enum"]))
    values = source(entity, "state_topic", Inside(word, decode), "state_value_template")
    return told(Facet(word=word, schema=schema, source=values))


SIREN: tuple[FacetMaker, ...] = (
    _on_off,
    _turn_on,
    partial(_setting, "tone", some_text),
    partial(_setting, "duration", number),
    partial(_setting, "volume_level", number),
)
