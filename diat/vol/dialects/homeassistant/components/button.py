"""What is done and has no state: ``button``, ``scene``, ``notify``, infrared that is sent."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.commands import Verbal, through
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template, press
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.values import json_text, some_number
from diat.vol.dialects.words import Unfit, quoted

_MAX_TIMINGS = 10_000
_INFRARED = ("timings", "modulation", "repeat_count")


def _button(entity: Entity) -> Facet | None:
    payload = entity.config.get("payload_press", "PRESS")
    template = command_template(entity, "command_template")
    return press(entity, "", "command_topic", payload, template, idempotent=False)


def _scene(entity: Entity) -> Facet | None:
    return press(entity, "", "command_topic", entity.config.get("payload_on", "ON"))


def _notify(entity: Entity) -> Facet:
    sent = command(entity, "command_topic", Verbal(command_template(entity, "command_template")))
    return Facet(schema={"input": {"type": "string"}}, command=sent, kind="action")


def _send(entity: Entity) -> Facet:
    template = command_template(entity, "command_template", *_INFRARED)
    whole = {"type": "integer"}
    properties = {
        "timings": {"type": "array", "items": whole, "minItems": 1, "maxItems": _MAX_TIMINGS},
        "modulation": {**whole, "minimum": 0, "unit": "Hz"},
        "repeat_count": {**whole, "minimum": 0},
    }
    schema = {"input": {"type": "object", "properties": properties, "required": ["timings"]}}
    sent = command(entity, "command_topic", partial(_signal, template))
    return Facet(schema=schema, command=sent, kind="action")


def _signal(template: Template | None, value: Any) -> str:
    timings = value.get("timings") if isinstance(value, dict) else None
    if not isinstance(timings, list) or not 0 < len(timings) <= _MAX_TIMINGS:
        raise Unfit(f"{quoted(value)} has no timings")
    said = {
        "timings": [some_number(each) for each in timings],
        "modulation": some_number(value.get("modulation", 38_000)),
        "repeat_count": some_number(value.get("repeat_count", 0)),
    }
    return through(template, json_text(said), said)


BUTTON = (_button,)
SCENE = (_scene,)
NOTIFY = (_notify,)
INFRARED_EMITTER = (_send,)
