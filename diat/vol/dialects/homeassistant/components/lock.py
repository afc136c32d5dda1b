"""``lock``: locked or not, and the latch that opens the door."""

from __future__ import annotations

from functools import partial
from typing import Any

from diat.vol.dialects.effects import Direction, affecting
from diat.vol.dialects.homeassistant.components.codes import Coded, code_input, safe_pattern
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import (
    Facet,
    FacetMaker,
    command,
    command_template,
    source,
    told,
)
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.messages import Renamed
from diat.vol.dialects.words import Unfit

_STATES = ("locked", "locking", "unlocked", "unlocking", "jammed", "open", "opening")


def _state(entity: Entity) -> Facet | None:
    words = {entity.text(f"state_{state}", state.upper()): state for state in _STATES}
    words.pop(entity.text("payload_reset", "None"), None)
    return told(
        Facet(
            schema={**quantity("Lock"), "type": "string", "enum": list(_STATES)},
            source=source(entity, "state_topic", Renamed(words), "value_template"),
        )
    )


def _drive(
    word: str, usual: str | None, affects: tuple[str, Direction] | None, entity: Entity
) -> Facet | None:
    payload = entity.config.get(f"payload_{word}", usual)
    if payload is None:
        return None
    pattern = entity.text("code_format") or None
    notes: tuple[str, ...] = ()
    asked = pattern is not None
    try:
        pattern = safe_pattern(pattern) if pattern else None
    except Unfit as unfit:
        pattern, notes = None, (f"code_format: {unfit}",)
    template = command_template(entity, "command_template", "code")
    sent = command(entity, "command_topic", Coded(payload, template, required=asked))
    schema: dict[str, Any] = affecting(*affects) if affects else {}
    if asked or (template and "code" in template.names):
        schema |= code_input(pattern, required=asked)
    return Facet(word=word, schema=schema, command=sent, kind="action", idempotent=True, notes=notes)


LOCK: tuple[FacetMaker, ...] = (
    _state,
    partial(_drive, "lock", "LOCK", ("Lock", "decrease")),
    partial(_drive, "unlock", "UNLOCK", ("Lock", "increase")),
    partial(_drive, "open", None, ("Opening", "increase")),
)
