"""What is measured or watched: a quantity kind from the unit and the names that a dialect gives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diat.vol.dialects.words import quoted
from diat.wot.quantities import default_unit, kind_of_unit, quantity_kind
from diat.wot.units import ucum

# A number with one of these in its name is in the unit of a quantity without being a value of it: a
# correction is a difference, a limit says nothing of now.
_CORRECTION = re.compile(
    r"offset|calibration|correction|hyster|dead.?(?:band|zone)|delta|differen|tolerance|accuracy|sensitivity"
)
_LIMIT = re.compile(r"limit|threshold|alarm|(?:^|[^a-z])(?:max|min)(?:imum)?(?:[^a-z]|$)")
_SET_POINT = re.compile(r"set.?point|target.?temp")


def measured(names: Sequence[str], code: str | None) -> str | None:
    """The kind of a number, as its names say if its unit agrees, else as its unit alone suggests.

    Args:
        names: what the number is called, the most telling first.
        code: its UCUM code; None if it has no unit.
    """
    by_unit = kind_of_unit(code) if code else None
    if _any(_CORRECTION, names):
        return "TemperatureDifference" if by_unit == "Temperature" else None
    if _any(_LIMIT, names):
        return None
    for name in names:
        kind = quantity_kind(name)
        if kind and _agrees(kind, code):
            return kind
    return by_unit


def wanted(names: Sequence[str], code: str | None) -> str | None:
    """The kind of a number that is set: only its names tell a set-point from a limit or a timer.

    Without a unit it has none: ``speed`` is a percentage, a stage or a delay.
    """
    kind = measured(names, code) if code else None
    named = any(quantity_kind(name) == kind for name in names)
    return kind if named or _any(_CORRECTION, names) or _any(_SET_POINT, names) else None


def watched(names: Sequence[str]) -> str | None:
    """The kind of what is true or false, as its names say."""
    for name in names:
        kind = quantity_kind(name, boolean=True)
        if kind and default_unit(kind) is None:
            return kind
    return None


def last_word(name: str) -> str:
    """What a name is about: ``temperature`` of ``engine-temperature``."""
    return re.split(r"[^A-Za-z0-9]+", name.strip())[-1]


def _agrees(kind: str, code: str | None) -> bool:
    usual = default_unit(kind)
    if usual is None:  # a kind of what is true or false
        return False
    return code is None or code == usual or kind_of_unit(code) == kind_of_unit(usual)


def _any(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return any(pattern.search(name[:200].lower()) for name in names)


def unit(said: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The UCUM code of a unit, and a note if it is none that we know."""
    if said is None:
        return None, ()
    code = ucum(said)
    return code, () if code else (f"the unit {quoted(said)} is not understood",)


def quantity(kind: str | None) -> dict[str, str]:
    """The term that says what is measured."""
    return {"@type": f"quantitykind:{kind}"} if kind else {}
