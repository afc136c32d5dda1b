"""``number``: a number that can be set."""

from __future__ import annotations

from msgspec import UNSET

from diat.vol.dialects.commands import Numeric
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template, limits, source
from diat.vol.dialects.meaning import classed, quantity, unit
from diat.vol.dialects.messages import Value, number
from diat.vol.dialects.words import spellings


def _number(entity: Entity) -> Facet:
    reset = spellings(entity.config.get("payload_reset", "None"))

    def decode(text: str) -> Value:
        return UNSET if text in reset else number(text)

    # A unit alone does not tell a temperature to hold from a correction in degrees, so only the class counts.
    kind = classed(entity.word("device_class"))
    code, notes = unit(entity.word("unit_of_measurement"), kind.kind if kind else None)
    return Facet(
        schema={
            **quantity(kind),
            "type": "number",
            **limits(entity, ("min", 1), ("max", 100), "step"),
            **({"unit": code} if code else {}),
        },
        source=source(entity, "state_topic", decode, "value_template"),
        command=command(entity, "command_topic", Numeric(command_template(entity, "command_template"))),
        notes=notes,
    )


NUMBER = (_number,)
