"""``cover``: a blind, an awning, a garage door. 0 % is closed, 100 % is open."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from diat.vol.dialects.commands import Fixed
from diat.vol.dialects.effects import being
from diat.vol.dialects.homeassistant.components import openings
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    press,
    settable,
    source,
    told,
)
from diat.vol.dialects.homeassistant.percent import PERCENT, Inside, Range, range_of
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Decoder, Renamed

KIND = "Opening"
_STATES = ("open", "opening", "closed", "closing", "stopped")


def _known(entity: Entity) -> dict[str, Any]:
    """The numbers that any of its templates may ask for."""
    usual = {"position_open": 100, "position_closed": 0, "tilt_min": 0, "tilt_max": 100}
    return usual | {key: said for key in usual if (said := entity.number(key)) is not None}


def _state(entity: Entity) -> Facet | None:
    states = openings.words(entity, _STATES)
    return told(
        Facet(
            schema={
                **quantity(openings.kind(entity, KIND)),
                "type": "string",
                "enum": list(dict.fromkeys(states.values())),
            },
            source=source(entity, "state_topic", Renamed(states), "value_template", known=_known(entity)),
        )
    )


def _travel(entity: Entity) -> Range:
    return range_of(entity, ("position_closed", 0), ("position_open", 100))


def _turn(entity: Entity) -> Range:
    return range_of(entity, ("tilt_min", 0), ("tilt_max", 100))


def _command_template(entity: Entity, key: str, word: str) -> Template | None:
    return command_template(entity, key, word, known=_known(entity))


def _written(to: Range, template: Template | None, word: str, value: Any) -> str:
    percent, raw = to.write(value)
    return openings.scaled(template, raw, percent, word)


def _from_position(entity: Entity, decode: Decoder) -> Any:
    # Covers that have no state topic are also met with their position under value_template.
    keys = ("position_template", *(() if entity.config.get("state_topic") else ("value_template",)))
    return source(entity, "position_topic", decode, *keys, known=_known(entity))


def _position(entity: Entity) -> Facet | None:
    to, opens = _travel(entity), openings.kind(entity, KIND)
    template = _command_template(entity, "set_position_template", "position")
    return settable(
        Facet(
            word="position",
            schema={**PERCENT, **being(opens, "switch")},
            source=_from_position(entity, Inside("position", to.read, to.read)),
            command=command(entity, "set_position_topic", partial(_written, to, template, "position")),
            confirmed=to.fine,
        )
    )


def _tilt(entity: Entity) -> Facet | None:
    to = _turn(entity)
    template = _command_template(entity, "tilt_command_template", "tilt_position")
    found = settable(
        Facet(
            word="tilt",
            schema=PERCENT,
            source=source(entity, "tilt_status_topic", to.read, "tilt_status_template", known=_known(entity)),
            command=command(entity, "tilt_command_topic", partial(_written, to, template, "tilt_position")),
            confirmed=to.fine,
        )
    )
    beside = _from_position(entity, Inside("tilt_position", to.read)) if found else None
    return replace(found, also=(beside,)) if found and beside else found


def _tilt_fully(word: str, key: str, usual: int, percent: int, entity: Entity) -> Facet | None:
    """Open or close the slats: to the number that is announced for that, which may lie within the range."""
    value = entity.number(key)
    template = _command_template(entity, "tilt_command_template", "tilt_position")
    sent = Fixed(usual if value is None else value, template, {"tilt_position": percent})
    topic = command(entity, "tilt_command_topic", sent)
    return Facet(word=word, schema={}, command=topic, kind="action", idempotent=True) if topic else None


def _stop_tilt(entity: Entity) -> Facet | None:
    return press(entity, "stop_tilt", "tilt_command_topic", entity.config.get("payload_stop_tilt"))


def _drive(word: str, usual: str, entity: Entity) -> Facet | None:
    return openings.drive(word, usual, KIND, None, entity)


COVER: tuple[FacetMaker, ...] = (
    _state,
    _position,
    _tilt,
    partial(_drive, "open", "OPEN"),
    partial(_drive, "close", "CLOSE"),
    partial(_drive, "stop", "STOP"),
    partial(_tilt_fully, "open_tilt", "tilt_opened_value", 100, 100),
    partial(_tilt_fully, "close_tilt", "tilt_closed_value", 0, 0),
    _stop_tilt,
)
