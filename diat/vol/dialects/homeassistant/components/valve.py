"""``valve``: open or closed, or part way: 0 % is closed, 100 % is open."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import UNSET, Struct

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
from diat.vol.dialects.homeassistant.percent import PERCENT, Inside, Range, json_object, range_of
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Decoder, Renamed, Value
from diat.vol.dialects.words import as_text

KIND = "Valve"
_MOVING = ("opening", "closing")
_STATES = ("open", "closed", *_MOVING)


def _travel(entity: Entity) -> Range:
    return range_of(entity, ("position_closed", 0), ("position_open", 100))


def _known(entity: Entity) -> dict[str, Any]:
    to = _travel(entity)
    return {"position_open": to.full, "position_closed": to.zero}


def _template(entity: Entity) -> Template | None:
    return command_template(entity, "command_template", "position", known=_known(entity))


def _positions(entity: Entity) -> bool:
    """Whether it tells how far it is open."""
    return entity.flag("reports_position")


class _State(Struct, frozen=True):
    """The state of a valve that tells its position: in words only while it moves."""

    moving: dict[str, str]
    to: Range

    def __call__(self, text: str) -> Value:
        """Decode a text, which may be JSON that says both."""
        said = json_object(text) if text.lstrip().startswith("{") else {"state": text, "position": text}
        if (word := said.get("state")) in self.moving:
            return self.moving[word]
        position = said.get("position")
        percent = UNSET if position is None else self.to.read(as_text(position))
        return percent if percent is UNSET else "open" if percent else "closed"


def _state(entity: Entity) -> Facet | None:
    words = openings.words(entity, _STATES)
    decode: Decoder
    if _positions(entity):
        words = openings.words(entity, _MOVING)
        decode = _State(words, _travel(entity))
    else:
        decode = Inside("state", Renamed(words), Renamed(words))
    return told(
        Facet(
            schema={**quantity(openings.kind(entity, KIND)), "type": "string", "enum": list(_STATES)},
            source=source(entity, "state_topic", decode, "value_template", known=_known(entity)),
        )
    )


def _position(entity: Entity) -> Facet | None:
    if not _positions(entity):
        return None
    to, opens = _travel(entity), openings.kind(entity, KIND)
    moving = openings.words(entity, _MOVING)

    def decode(text: str) -> Value:
        return UNSET if text in moving else to.read(text)

    return settable(
        Facet(
            word="position",
            schema={**PERCENT, **being(opens, "switch")},
            source=source(
                *(entity, "state_topic", Inside("position", decode, decode), "value_template"),
                known=_known(entity),
            ),
            command=command(entity, "command_topic", partial(_written, to, _template(entity))),
            confirmed=to.fine,
        )
    )


def _written(to: Range, template: Template | None, value: Any) -> str:
    percent, raw = to.write(value)
    return openings.scaled(template, raw, percent, "position")


def _drive(word: str, usual: str | None, percent: int | None, entity: Entity) -> Facet | None:
    """Open, close or stop; one that takes positions is opened and closed by these."""
    if not _positions(entity) or percent is None:
        return openings.drive(word, usual, KIND, _template(entity), entity)
    raw = _travel(entity).write(percent)[1]
    affects = (openings.kind(entity, KIND), openings.DIRECTIONS[word])
    template = command_template(entity, "command_template", known={**_known(entity), "position": percent})
    return press(entity, word, "command_topic", raw, template, affects=affects)


VALVE: tuple[FacetMaker, ...] = (
    _state,
    _position,
    partial(_drive, "open", "OPEN", 100),
    partial(_drive, "close", "CLOSE", 0),
    partial(_drive, "stop", None, None),
)
