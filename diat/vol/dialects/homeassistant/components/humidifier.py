"""``humidifier``: makes the air moister, or drier."""

from __future__ import annotations

from functools import partial

from diat.vol.dialects.effects import affecting
from diat.vol.dialects.homeassistant.components import thermal
from diat.vol.dialects.homeassistant.components.onoff import on_off
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, choice, unless
from diat.vol.dialects.messages import OneOf

_ACTIONS = ["off", "humidifying", "drying", "idle"]


def _on_off(entity: Entity) -> Facet | None:
    dries = entity.word("device_class") == "dehumidifier"
    return on_off(entity, schema=affecting("RelativeHumidity", "decrease" if dries else "increase"))


def _mode(entity: Entity) -> Facet | None:
    words = entity.words("modes")
    if not words:
        return None
    decode = unless(OneOf(frozenset(words)), entity.text("payload_reset_mode", "None"))
    return choice(entity, "mode", words, templates=("mode_state_template",), decode=decode)


HUMIDIFIER: tuple[FacetMaker, ...] = (
    _on_off,
    partial(thermal.target_humidity, 0, 100, "payload_reset_humidity"),
    _mode,
    thermal.current_humidity,
    partial(thermal.action, _ACTIONS),
)
