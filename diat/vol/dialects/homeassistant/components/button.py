"""``button``: something to press."""

from __future__ import annotations

from diat.vol.dialects.commands import Fixed
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, command, command_template


def _button(entity: Entity) -> Facet:
    press = Fixed(entity.config.get("payload_press", "PRESS"), command_template(entity, "command_template"))
    return Facet(schema={}, command=command(entity, "command_topic", press), kind="action")


BUTTON = (_button,)
