"""In which unit a person likes to read a quantity."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.unit_table import UNITS
from diat.wot.units import converter, ucum

System = Literal["metric", "imperial"]
Preference = System | dict[str, str]
"""A system, or quantity kind to unit; what is not named is shown as the thing gives it."""

_IMPERIAL = {
    "Temperature": "[degF]",
    "TemperatureDifference": "[degF]",
    "DewPointTemperature": "[degF]",
    "Pressure": "[psi]",
    "AtmosphericPressure": "[in_i'Hg]",
    "Volume": "[gal_us]",
    "WaterVolume": "[gal_us]",
    "GasVolume": "[cft_i]",
    "Mass": "[lb_av]",
    "Length": "[ft_i]",
    "Distance": "[ft_i]",
    "Area": "[sft_i]",
    "Speed": "[mi_i]/h",
    "WindSpeed": "[mi_i]/h",
    "PrecipitationDepth": "[in_i]",
    "PrecipitationRate": "[in_i]/h",
}
_METRIC = {kind: unit for kind in _IMPERIAL if (unit := default_unit(kind)) is not None}
_SYSTEMS: dict[str, dict[str, str]] = {"imperial": _IMPERIAL, "metric": _METRIC}
_FOREIGN = frozenset(_IMPERIAL.values())


def shown_unit(preference: Preference, kind: str | None, unit: str | None) -> str | None:
    """The UCUM code in which values are shown that come in a unit.

    Metric values stay in the unit that they have: only those of the other system are converted.

    Args:
        preference: what the person likes.
        kind: (bare) quantity kind of the values; None if nobody knows.
        unit: UCUM code of the unit that they have.
    """
    if unit is None or kind is None:
        return unit
    if isinstance(preference, str):
        wanted = _SYSTEMS[preference].get(kind)
        if preference == "metric" and unit not in _FOREIGN:
            return unit
    else:
        wanted = preference.get(kind)
    return wanted if wanted is not None and converter(unit, wanted, kind) is not None else unit


@lru_cache(maxsize=200)
def units_of(kind: str) -> tuple[str, ...]:
    """UCUM codes of the units in which values of a quantity kind can be shown; the usual one first."""
    usual = default_unit(kind)
    if usual is None:
        return ()
    found = (each.ucum for each in UNITS if converter(usual, each.ucum, kind) is not None)
    return tuple(dict.fromkeys([usual, *found]))


def must_fit(wanted: dict[str, str]) -> dict[str, str]:
    """Quantity kinds and units as we know them.

    Raises:
        ValueError: one is not known, or the unit is none of that quantity.
    """
    fitting = {}
    for name, unit in wanted.items():
        kind = quantity_kind(name)
        usual = default_unit(kind) if kind is not None else None
        if kind is None or usual is None:
            raise ValueError(f"{name[:60]!r} is no quantity with a unit")
        code = ucum(unit, kind)
        if code is None or converter(usual, code, kind) is None:
            raise ValueError(f"{unit[:60]!r} is no unit of {kind}")
        fitting[kind] = code
    return fitting
