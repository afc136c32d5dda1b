"""``climate``: what a thermostat or an air conditioner measures, aims at and does.

The keys of most facets follow one pattern, so they stand in tables.
"""

from __future__ import annotations

from functools import partial

from diat.vol.dialects.homeassistant.components import thermal
from diat.vol.dialects.homeassistant.components.onoff import on_off
from diat.vol.dialects.homeassistant.entity import Entity
from diat.vol.dialects.homeassistant.facets import Facet, FacetMaker, choice

_RANGES = {"C": (7.0, 35.0), "F": (45.0, 95.0)}
_ACTIONS = ["off", "preheating", "heating", "cooling", "drying", "fan", "defrosting", "idle"]


def _mode(
    word: str, list_key: str, template_key: str, usual: tuple[str, ...], entity: Entity
) -> Facet | None:
    """A mode: one of the words that are declared, or else of the usual ones."""
    words = entity.words(list_key) or list(usual)
    if word == "preset_mode":
        words = list(dict.fromkeys(["none", *words]))  # without a preset is a choice too, never declared
    return choice(entity, word, words, templates=(template_key, "value_template"))


_TARGETS: tuple[tuple[str, str], ...] = (
    ("target_temperature", "temperature"),
    ("target_temperature_low", "temperature_low"),
    ("target_temperature_high", "temperature_high"),
)
# Word, key of the declared words, key of the template of its state, the usual words.
_MODES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("mode", "modes", "mode_state_template", ("auto", "off", "cool", "heat", "dry", "fan_only")),
    ("preset_mode", "preset_modes", "preset_mode_value_template", ()),
    ("fan_mode", "fan_modes", "fan_mode_state_template", ("auto", "low", "medium", "high")),
    ("swing_mode", "swing_modes", "swing_mode_state_template", ("on", "off")),
    (
        *("swing_horizontal_mode", "swing_horizontal_modes", "swing_horizontal_mode_state_template"),
        ("on", "off"),
    ),
)


def _auxiliary(entity: Entity) -> Facet | None:
    """The auxiliary heater, which Home Assistant no longer has and devices go on announcing."""
    return on_off(entity, "aux_", "aux_heat", names="", template="aux_state_template")


CLIMATE: tuple[FacetMaker, ...] = (
    thermal.current_temperature,
    thermal.current_humidity,
    *(partial(thermal.target_temperature, word, key, _RANGES) for word, key in _TARGETS),
    partial(thermal.target_humidity, 30, 99, "payload_reset"),
    *(partial(_mode, *mode) for mode in _MODES),
    partial(thermal.action, _ACTIONS),
    thermal.power,
    _auxiliary,
)
