"""``water_heater``: what a boiler measures, aims at and does."""

from __future__ import annotations

from functools import partial

from diat.vol.dialects.homeassistant.components import thermal
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, choice

_RANGES = {"C": (43.3, 60.0), "F": (110.0, 140.0)}
_MODES = ["off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"]


def _mode(entity: Entity) -> Facet | None:
    words = entity.words("modes") or _MODES
    return choice(entity, "mode", words, templates=("mode_state_template", "value_template"))


WATER_HEATER: tuple[FacetMaker, ...] = (
    thermal.current_temperature,
    partial(thermal.target_temperature, "target_temperature", "temperature", _RANGES),
    _mode,
    thermal.power,
)
