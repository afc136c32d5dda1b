"""Units by their UCUM codes, however a thing or a person spells them, and conversion between them.

Inside DIAT a unit is a UCUM code (https://ucum.org, case sensitive), ``Cel``, ``kW.h``, ``ug/m3``;
``unit_table`` maps to it what things send. Factors and offsets come from pint, as exact fractions, never
from here. This is the one place that converts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING

from diat.kernel.errors import Inconvertible
from diat.kernel.lazy import Lazy
from diat.wot.unit_table import BY_KIND, DEFINITIONS, UNITS

if TYPE_CHECKING:
    import pint
else:
    pint = Lazy("pint")

Conversion = Callable[[float], float]
DIFFERENCE = "TemperatureDifference"
"""The quantity kind whose values convert by their factor alone."""

_BY_CODE = {unit.ucum: unit for unit in UNITS}
_QUDT = re.compile(r"(?:unit:|https?://(?:www\.)?qudt\.org/(?:vocab|\d[\d.]*/vocab)/unit[/#])(.+)")
_PER = re.compile(r"\.([a-zA-Z_\[\]]+)-(\d)$")
_LIKENESS = str.maketrans("º˚⋅·∙\N{MINUS SIGN}μ\N{FRACTION SLASH}", "°°...-u/")


def _tidy(unit: str) -> str:
    """One spelling for what only differs in writing: ``µg/m³`` and ``μg.m-3`` become ``ug/m3``."""
    tidy = unicodedata.normalize("NFKC", unit.strip().translate(_LIKENESS)).translate(_LIKENESS)
    return _PER.sub(lambda per: f"/{per[1]}{per[2].removeprefix('1')}", tidy)


def _fold(unit: str) -> str:
    return re.sub(r"[\s_-]+", "", unit.casefold().replace("degrees", "degree").replace("metre", "meter"))


def _index() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Compile the table: exact spellings, spellings in any case unless two units differ only there, QUDT."""
    exact = {_tidy(s): unit.ucum for unit in UNITS for s in unit.spellings} | {u.ucum: u.ucum for u in UNITS}
    folded: dict[str, set[str]] = {}
    for spelling, code in exact.items():
        if len(spelling) > 1:
            folded.setdefault(_fold(spelling), set()).add(code)
            if len(spelling) > 3 and spelling.replace(" ", "").isalpha():
                folded.setdefault(_fold(spelling) + "s", set()).add(code)
    loose = {spelling: codes.pop() for spelling, codes in folded.items() if len(codes) == 1}
    return exact, loose, {name: unit.ucum for unit in UNITS for name in unit.qudt}


_EXACT, _LOOSE, _BY_QUDT = _index()


@lru_cache(maxsize=4096)
def ucum(unit: str, kind: str | None = None) -> str | None:
    """The UCUM code of a unit spelled in UCUM, QUDT, Home Assistant or plain English; None if unknown.

    Args:
        unit: the spelling.
        kind: the quantity kind that is measured: it tells a ``w`` that is a watt from one that is a week.
    """
    if qudt := _QUDT.fullmatch(unit.strip()):
        return _BY_QUDT.get(qudt[1])
    tidy = _tidy(unit)
    if (tidy, kind) in BY_KIND:
        return BY_KIND[tidy, kind or ""]
    return _EXACT.get(tidy) or _EXACT.get(tidy.replace(" ", "")) or _LOOSE.get(_fold(tidy))


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Fraction]:
    # Made at first use: it takes 0.2 s, and most daemons bind things of one unit and never convert.
    registry: pint.UnitRegistry[Fraction] = pint.UnitRegistry(non_int_type=Fraction)
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


def _same(value: float) -> float:
    return value


def conversion(source: str | None, wanted: str, kind: str | None = None) -> tuple[str, Conversion]:
    """The UCUM code of the unit that somebody asks for, and what brings values into it.

    Args:
        source: UCUM code of the unit in which the values are; None if nobody said.
        wanted: the unit asked for, however spelled.
        kind: the quantity kind of the values: differences of temperatures have no zero to be moved.

    Raises:
        Inconvertible: it is no unit that we know, or values in ``source`` do not convert to it.
    """
    target = ucum(wanted, kind)
    if target is None:
        raise Inconvertible(f"{wanted[:100]!r} is not a unit that is known", "unit")
    if source is None:
        raise Inconvertible(f"the unit of the values is not known: they do not convert to {wanted}", "unit")
    convert = converter(source, target, kind)
    if convert is None:
        raise Inconvertible(f"values in {source} do not convert to {target}", "unit")
    return target, convert


@lru_cache(maxsize=4096)
def converter(source: str, target: str, kind: str | None = None) -> Conversion | None:
    """A function from values in one UCUM unit to values in another; None if they do not convert.

    It is compiled once and cached. Equal codes give the identity, also for codes that are not in the table.
    Results are rounded once or twice at most, so that 68 [degF] is exactly 20 Cel. ``kind`` as in
    ``conversion``: 10 Cel are 50 [degF], but 10 Cel warmer is 18 [degF] warmer.
    """
    if source == target:
        return _same
    here, there = _BY_CODE.get(source), _BY_CODE.get(target)
    if not here or not there or here.family != there.family or here.pint is None or there.pint is None:
        return None
    try:
        # Linear, so two points tell all; as fractions they are exact, offsets included.
        at_0, at_1 = (
            Fraction(_registry().Quantity(Fraction(x), here.pint).to(there.pint).magnitude) for x in (0, 1)
        )
    except pint.DimensionalityError:
        return None
    return _linear(at_1 - at_0, Fraction(0) if kind == DIFFERENCE else at_0)


def moves_zero(source: str, target: str, kind: str | None = None) -> bool:
    """Whether zero in one unit is not zero in the other: then a sum of values does not convert."""
    convert = converter(source, target, kind)
    return convert is not None and convert(0.0) != 0.0


def _linear(slope: Fraction, intercept: Fraction) -> Conversion:
    """Compile ``slope * x + intercept``, over one denominator if floats hold its parts exactly."""
    denominator = lcm(slope.denominator, intercept.denominator)
    parts = (int(slope * denominator), int(intercept * denominator), denominator)
    if max(abs(part) for part in parts) > 2**53:
        factor, offset = float(slope), float(intercept)
        return lambda value: value * factor + offset
    factor, offset, divisor = map(float, parts)
    return lambda value: (value * factor + offset) / divisor
