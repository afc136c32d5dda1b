"""Units as a person likes them, and as people write them."""

from __future__ import annotations

from diat.api.ports import Platform
from diat.api.units import Scale, scale
from diat.kernel.errors import Inconvertible
from diat.operation.shown_units import Preference, shown_unit
from diat.vol.thing import Property

UNITS = "diat_units"
"""The cookie in which a browser keeps the choice: ``own``, ``metric``, ``imperial``, or none of them for the
platform's setting."""
_WRITTEN = {
    "Cel": "°C",
    "[degF]": "°F",
    "[ft_i]": "ft",
    "[in_i]": "in",
    "[in_i]/h": "in/h",
    "[mi_i]": "mi",
    "[mi_i]/h": "mph",
    "[lb_av]": "lb",
    "[gal_us]": "gal",
    "[cft_i]": "ft³",
    "[sft_i]": "ft²",
    "[psi]": "psi",
    "[in_i'Hg]": "inHg",
    "kW.h": "kWh",
    "W.h": "Wh",
    "V.A": "VA",
    "W/m2": "W/m²",
    "m2": "m²",
    "m3": "m³",
    "m3/h": "m³/h",
    "ug/m3": "µg/m³",
    "mg/m3": "mg/m³",
    "[ppm]": "ppm",
    "[ppb]": "ppb",
    "deg": "°",
    "Ohm": "Ω",
    "1": "",
}


def liked(platform: Platform, chosen: str | None) -> Preference | None:
    """The units that a browser's choice stands for; None for those of the things."""
    if chosen == "own":
        return None
    if chosen in ("metric", "imperial"):
        return "metric" if chosen == "metric" else "imperial"
    said: Preference | None = platform.preferences.get("units")
    return said


def preferred(prop: Property, units: Preference | None) -> Scale:
    """How values of a property are shown to somebody who likes these units."""
    if units is None or not prop.numeric:
        return scale(prop, None)
    try:
        return scale(prop, shown_unit(units, prop.quantity, prop.unit))
    except Inconvertible:
        return scale(prop, None)


def written(unit: str | None) -> str:
    """A UCUM code as people write it; ``""`` for none."""
    return _WRITTEN.get(unit, unit) if unit else ""
