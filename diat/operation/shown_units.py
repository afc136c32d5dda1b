"""In which units a person likes to read quantities."""

from __future__ import annotations

from typing import Literal

from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import converter, ucum

System = Literal["metric", "imperial"]


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
