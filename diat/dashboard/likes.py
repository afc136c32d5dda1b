"""Units as a person likes them, and as people write them."""

from __future__ import annotations

from diat.api.units import Scale, scale
from diat.dashboard.visit import Units
from diat.kernel.errors import Inconvertible
from diat.vol.thing import Property

_PAIRS = (
    ("Cel", "[degF]"),
    ("m", "[ft_i]"),
    ("cm", "[in_i]"),
    ("mm", "[in_i]"),
    ("km", "[mi_i]"),
    ("m/s", "[mi_i]/h"),
    ("km/h", "[mi_i]/h"),
    ("kg", "[lb_av]"),
    ("L", "[gal_us]"),
    ("hPa", "[in_i'Hg]"),
)
_US = dict(_PAIRS)
_METRIC = {us: metric for metric, us in reversed(_PAIRS)} | {"K": "Cel"}
_SYSTEMS: dict[str, dict[str, str]] = {"own": {}, "metric": _METRIC, "us": _US}
_WRITTEN = {
    "Cel": "°C",
    "[degF]": "°F",
    "[ft_i]": "ft",
    "[in_i]": "in",
    "[mi_i]": "mi",
    "[mi_i]/h": "mph",
    "[lb_av]": "lb",
    "[gal_us]": "gal",
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


def preferred(prop: Property, units: Units) -> Scale:
    """How values of a property are shown to somebody who likes these units."""
    if isinstance(units, tuple):
        wanted = dict(units).get(prop.quantity or "")
    else:
        wanted = _SYSTEMS[units].get(prop.unit or "")
    try:
        return scale(prop, wanted)
    except Inconvertible:
        return scale(prop, None)


def written(unit: str | None) -> str:
    """A UCUM code as people write it; ``""`` for none."""
    return _WRITTEN.get(unit, unit) if unit else ""
