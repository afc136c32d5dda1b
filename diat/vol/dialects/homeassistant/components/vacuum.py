"""``vacuum`` and ``lawn_mower``: robots that are sent out and come home."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.commands import through, verbal
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    press,
    source,
    told,
)
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Field, OneOf, Value
from diat.vol.dialects.values import json_text, plain, some_number, text
from diat.vol.dialects.words import Unfit, quoted

_STATES = ("cleaning", "docked", "paused", "idle", "returning", "error")
_ACTIVITIES = ("mowing", "paused", "docked", "returning", "error")
_USUAL = frozenset({"start", "stop", "return_home", "clean_spot", "battery"})
_MAX_SEGMENTS = 200


def _features(entity: Entity) -> frozenset[str]:
    listed = entity.words("supported_features")
    return _USUAL if listed is None else frozenset(listed)


def _field(entity: Entity, key: str, decode: Any) -> Source | None:
    topic = entity.state_topic("state_topic")
    return Source(topic, Field(key, decode), entity.encoding) if topic else None


def _one_of(words: tuple[str, ...], value: Any) -> Value:
    if value not in words:
        raise Unfit(f"{quoted(value)} is none of its options")
    return value


def _state(entity: Entity) -> Facet | None:
    schema = {"type": "string", "enum": list(_STATES)}
    return told(Facet(schema=schema, source=_field(entity, "state", partial(_one_of, _STATES))))


def _battery(entity: Entity) -> Facet | None:
    if "battery" not in _features(entity):
        return None
    schema = {**quantity("StateOfCharge"), "type": "number", "minimum": 0, "maximum": 100, "unit": "%"}
    level = _field(entity, "battery_level", some_number)
    return told(Facet(word="battery_level", schema=schema, source=level))


def _fan_speed(entity: Entity) -> Facet | None:
    speeds = entity.words("fan_speed_list") or []
    sent = command(entity, "set_fan_speed_topic", partial(_one_of_speeds, tuple(speeds)))
    if "fan_speed" not in _features(entity) or not (sent or speeds):
        return None
    schema = {"type": "string", **({"enum": speeds} if speeds else {})}
    return Facet(word="fan_speed", schema=schema, source=_field(entity, "fan_speed", text), command=sent)


def _one_of_speeds(speeds: tuple[str, ...], value: Any) -> str:
    speed = verbal(value)
    if speeds and speed not in speeds:
        raise Unfit(f"{quoted(speed)} is none of its speeds")
    return speed


def _act(word: str, feature: str, entity: Entity) -> Facet | None:
    if feature not in _features(entity):
        return None
    again = word != "clean_spot"
    payload = entity.config.get(f"payload_{word}", word)
    return press(entity, word, "command_topic", payload, idempotent=again)


def _send_command(entity: Entity) -> Facet | None:
    sent = command(entity, "send_command_topic", _free_command)
    if sent is None or "send_command" not in _features(entity):
        return None
    schema = {
        "input": {
            "type": "object",
            "properties": {"command": {"type": "string"}, "params": {"type": "object"}},
            "required": ["command"],
        }
    }
    return Facet(word="send_command", schema=schema, command=sent, kind="action")


def _free_command(value: Any) -> str:
    if not isinstance(value, dict):
        raise Unfit(f"{quoted(value)} is not an object with a command")
    name, params = verbal(value.get("command")), value.get("params")
    return json_text({"command": name, **params}) if isinstance(params, dict) and params else name


def _segments(entity: Entity) -> Facet | None:
    if entity.config.get("clean_segments_command_topic") is None:
        return None
    return told(Facet(word="segments", schema={"type": "object"}, source=_field(entity, "segments", _names)))


def _names(value: Any) -> Value:
    if not isinstance(value, dict) or len(value) > _MAX_SEGMENTS:
        raise Unfit(f"{quoted(value)} does not name its segments")
    return plain(value)


def _clean_segments(entity: Entity) -> Facet | None:
    template = command_template(entity, "clean_segments_command_template")
    sent = command(entity, "clean_segments_command_topic", partial(_listed, template))
    if sent is None:
        return None
    items = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MAX_SEGMENTS}
    return Facet(word="clean_segments", schema={"input": items}, command=sent, kind="action")


def _listed(template: Template | None, value: Any) -> str:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_SEGMENTS:
        raise Unfit(f"{quoted(value)} is not a list of segments")
    ids = [verbal(each) for each in value]
    return through(template, ids) if template else json_text(ids)


def _activity(entity: Entity) -> Facet | None:
    decode = OneOf(frozenset(_ACTIVITIES))
    schema = {"type": "string", "enum": list(_ACTIVITIES)}
    values = source(entity, "activity_state_topic", decode, "activity_value_template")
    return told(Facet(schema=schema, source=values))


def _mow(word: str, entity: Entity) -> Facet | None:
    template = command_template(entity, f"{word}_command_template")
    return press(entity, word, f"{word}_command_topic", word, template)


VACUUM: tuple[FacetMaker, ...] = (
    _state,
    _battery,
    _fan_speed,
    partial(_act, "start", "start"),
    partial(_act, "pause", "pause"),
    partial(_act, "stop", "stop"),
    partial(_act, "return_to_base", "return_home"),
    partial(_act, "clean_spot", "clean_spot"),
    partial(_act, "locate", "locate"),
    _send_command,
    _segments,
    _clean_segments,
)
LAWN_MOWER: tuple[FacetMaker, ...] = (
    _activity,
    *(partial(_mow, word) for word in ("start_mowing", "pause", "dock")),
)
