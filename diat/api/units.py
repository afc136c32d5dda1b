"""Values in the unit that somebody asks for: read, streamed and written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Query
from msgspec import Struct

from diat.adapters.sql.figures import Aggregate, Past
from diat.api import views
from diat.kernel.errors import Inconvertible, Invalid
from diat.vol.thing import Property
from diat.vol.twin import Reading
from diat.wot.units import Conversion, conversion, moves_zero

Unit = Annotated[
    str | None, Query(max_length=100, description="Unit of the values: UCUM (`[degF]`) or as people write it")
]
Units = Annotated[
    list[str] | None,
    Query(
        alias="unit",
        max_length=20,
        description="Units of the values; each property comes in the first that it can be converted to",
    ),
]


class Scale(Struct, frozen=True):
    """How values of a property are shown.

    Attributes:
        unit: UCUM code, None if the values have none.
        convert: from the property's own unit; None to show values as they are.
    """

    unit: str | None
    convert: Conversion | None = None

    def value(self, value: Any) -> Any:
        """A value in the unit; null if it is too large for a number there."""
        if self.convert is None or isinstance(value, bool) or not isinstance(value, int | float):
            return value
        shown = self.convert(value)
        return shown if math.isfinite(shown) else None

    def reading(self, prop: Property, known: Reading | Past, now: int | None = None) -> dict[str, Any]:
        """A reading, its value in the unit."""
        return views.reading(prop, known, now) | {"value": self.value(known.value), "unit": self.unit}


def scale(prop: Property, unit: str | None, aggregate: Aggregate | None = None) -> Scale:
    """How values of a property, or figures over them, are shown in a unit.

    Raises:
        Inconvertible: they do not come in it.
    """
    if aggregate == "count":
        if unit is not None and unit != "1":
            raise Inconvertible("a count has no unit", "unit")
        return Scale("1")
    if unit is None:
        return Scale(prop.unit)
    if not prop.numeric:
        raise Inconvertible(f"{prop.name!r} has no numbers: they do not convert to {unit!r}", "unit")
    code, convert = conversion(prop.unit, unit, prop.quantity)
    if aggregate == "sum" and moves_zero(prop.unit or "", code, prop.quantity):
        raise Inconvertible(f"a sum of values in {prop.unit} does not convert to {code}", "unit")
    return Scale(code, None if code == prop.unit else convert)


def scales(properties: Iterable[Property], units: list[str]) -> dict[str, Scale]:
    """How values of several properties are shown: each in the first unit that it converts to, else its own.

    Raises:
        Inconvertible: a unit is of no use to any of them.
    """
    shown: dict[str, Scale] = {}
    refused: dict[str, Inconvertible] = {}
    useful: set[str] = set()
    for prop in properties:
        shown[prop.name] = Scale(prop.unit)
        for unit in reversed(units):
            try:
                shown[prop.name] = scale(prop, unit)
                useful.add(unit)
            except Inconvertible as error:
                refused.setdefault(unit, error)
    for unit in units:
        if unit not in useful:
            raise refused.get(unit) or Inconvertible(f"nothing here converts to {unit!r}", "unit")
    return shown


def own_value(prop: Property, value: Any, unit: str | None) -> Any:
    """A value that came in a unit, in the property's own.

    Raises:
        Inconvertible: the property does not take values in that unit.
        Invalid: the value is no number, or too large.
    """
    if unit is None:
        return value
    if not prop.numeric:
        raise Inconvertible(f"{prop.name!r} takes no numbers: they do not convert from {unit!r}", "unit")
    code, _ = conversion(prop.unit, unit, prop.quantity)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid("a number is wanted where a unit is given")
    _, convert = conversion(code, prop.unit or "", prop.quantity)
    own = value if code == prop.unit else convert(value)
    if not math.isfinite(own):
        raise Invalid(f"{value} {code} is too large")
    return int(own) if prop.type == "integer" and own == int(own) else own
