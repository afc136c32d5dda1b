"""``select``, ``text``, ``date``, ``time`` and ``datetime``: words, texts and times that can be set."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.commands import Verbal
from diat.vol.dialects.homeassistant.components.codes import safe_pattern
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template, source
from diat.vol.dialects.messages import Decoder, OneOf, Value, some_text
from diat.vol.dialects.words import Unfit

MAX_LENGTH = 255
"""Characters of a text if the announcement does not say."""


def _settable(
    entity: Entity,
    schema: dict[str, Any],
    decode: Decoder,
    notes: tuple[str, ...] = (),
    *,
    blank: bool = False,
) -> Facet:
    template = command_template(entity, "command_template")
    return Facet(
        schema=schema,
        source=source(entity, "state_topic", decode, "value_template", blank=blank),
        command=command(entity, "command_topic", Verbal(template)),
        notes=notes,
    )


def _select(entity: Entity) -> Facet:
    options = entity.words("options") or []
    if not options:
        raise Unfit("it lists no options")
    return _settable(entity, {"type": "string", "enum": options}, OneOf(frozenset(options)))


def _text(entity: Entity) -> Facet:
    least, greatest = entity.number("min") or 0, entity.number("max")
    greatest = MAX_LENGTH if greatest is None else greatest
    schema: dict[str, Any] = {"type": "string"}
    notes: tuple[str, ...] = ()
    if 0 <= least <= greatest:
        schema |= {"minLength": int(least), "maxLength": int(greatest)}
    else:
        notes = (f"min {least} is above max {greatest}",)
    try:
        if pattern := entity.text("pattern"):
            schema["pattern"] = safe_pattern(pattern, whole=True)
    except Unfit as unfit:
        notes = (*notes, f"pattern: {unfit}")
    return _settable(entity, schema, _written, notes, blank=True)


def _written(text: str) -> Value:
    """Decode a text, which may be an empty one."""
    return text if text == "" else some_text(text)


def _moment(form: str, entity: Entity) -> Facet:
    return _settable(entity, {"type": "string", "format": form}, some_text)


SELECT = (_select,)
TEXT = (_text,)
DATE = (partial(_moment, "date"),)
TIME = (partial(_moment, "time"),)
DATETIME = (partial(_moment, "date-time"),)
