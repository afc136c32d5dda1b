"""What is measured or watched: a quantity kind from the unit and the names that a dialect gives.

What a dialect says in words of its own vocabulary (a device class, an expose, a key of a report) is as good
as declared. What only the unit or a free name suggests is written down with how sure that is; a wrong meaning
is worse than none, so names count only where the unit does not speak against them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from diat.vol.dialects.words import quoted
from diat.wot.quantities import agrees, default_unit, kind_of_unit, quantity_kind
from diat.wot.units import ucum

DEVICE_CLASS = "device-class"
EXPOSE = "expose"
REPORT = "report"
MODEL = "model"
UNIT = "unit"
NAME = "name"

CONFIRMED = 0.8
"""How sure a name is that the unit agrees with."""
ALONE = 0.7
"""How sure a unit is of which only one kind comes."""
SUPPOSED = 0.5
"""How sure a name is that comes without a unit."""


class Meaning(NamedTuple):
    """What is measured or watched, and how that is known.

    Attributes:
        kind: QUDT quantity kind.
        source: ``device-class``, ``expose``, ``report``, ``model``, ``unit`` or ``name``; empty if it is
            declared.
        confidence: from 0 to 1.
    """

    kind: str
    source: str = ""
    confidence: float = 1.0


# A number with one of these in its name is in the unit of a quantity without being a value of it: a
# correction is a difference, a limit or an aim says nothing of now.
_CORRECTION = re.compile(
    r"offset|calibration|correction|hyster|dead.?(?:band|zone)|delta|differen|tolerance|accuracy|sensitivity"
)
_LIMIT = re.compile(r"limit|threshold|alarm|(?:^|[^a-z])(?:max|min)(?:imum)?(?:[^a-z]|$)")
_SET_POINT = re.compile(r"set.?point|target.?temp")
_AIM = re.compile(r"set.?(?:point|temp)|target|desired|wanted|goal|setting|schedule|preset")
# What tells one of several apart: voltage_l2, power_factor_phase_b, battery2.
_WHICH = re.compile(r"[_ -]?(?:phase[_ -]?)?(?:[abc]|l?\d{1,2})$", re.IGNORECASE)
# Names that can be of nothing else, though no unit comes with them.
_TELLING = re.compile(
    r"((air|room)?temperature|dewpoint|(relative)?humidity|soilmoisture|illuminance|colou?rtemp(erature)?|co2|pm(1|25|2\.5|10)|voltage"
    r"|rssi|linkquality|lqi|powerfactor|uvindex|vocindex|aqi|airqualityindex|(atmospheric|barometric)pressure)"
)
_ELSEWHERE = re.compile(r"soil|ground|leaf|wood|plant")
_HOW_KNOWN = ("diat:meaningFrom", "diat:confidence")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAPS = re.compile(r"[^A-Za-z0-9]+")


def classed(device_class: str | None, *, boolean: bool = False) -> Meaning | None:
    """The meaning of a device class of Home Assistant."""
    kind = quantity_kind(device_class, boolean=boolean) if device_class else None
    return Meaning(kind, DEVICE_CLASS) if kind else None


def measured(names: Sequence[str], code: str | None, vocabulary: str = "") -> Meaning | None:
    """What a number is, as its names say if its unit agrees, else as its unit alone suggests.

    Args:
        names: what the number is called, the most telling first.
        code: its UCUM code; None if it has no unit.
        vocabulary: what the dialect calls the words that the names are taken from; empty if they are free.
    """
    by_unit = kind_of_unit(code) if code else None
    if _any(_CORRECTION, names):
        return _named("TemperatureDifference", code, vocabulary) if by_unit == "Temperature" else None
    if _any(_LIMIT, names):
        return None
    for name in names:
        for word in (name, _WHICH.sub("", name)):
            kind = quantity_kind(word)
            if kind and agrees(kind, code) and (code or _TELLING.fullmatch(_GAPS.sub("", word).lower())):
                return _named(kind, code, vocabulary)
    return Meaning(by_unit, UNIT, ALONE) if by_unit else None


def reported(kind: str | None, code: str | None) -> Meaning | None:
    """What a key of a report stands for: the kind that the dialect's list of keys gives, or its unit."""
    known = kind or (kind_of_unit(code) if code else None)
    return Meaning(known, REPORT) if known else None


def wanted(names: Sequence[str], code: str | None, vocabulary: str = "") -> Meaning | None:
    """What a number is that is set: only its names tell a set-point from a limit or a timer.

    Without a unit it is nothing: ``speed`` is a percentage, a stage or a delay.
    """
    found = measured(names, code, vocabulary) if code else None
    if found is None or found.source != UNIT:
        return found
    return _named(found.kind, code, vocabulary) if _any(_SET_POINT, names) else None


def watched(names: Sequence[str], vocabulary: str = "") -> Meaning | None:
    """What is true or false, as its names say."""
    for name in names:
        kind = quantity_kind(name, boolean=True)
        if kind and default_unit(kind) is None:
            return _named(kind, None, vocabulary)
    return None


def supposed(name: str, code: str | None) -> Meaning | None:
    """What a number is that cannot be set, by its unit, and by a free name or the last word of it."""
    if _any(_AIM, (name,)):
        return None
    return measured((name,) if _any(_ELSEWHERE, (name,)) else (name, last_word(name)), code)


def undeclared(name: str, affordance: Mapping[str, Any]) -> Meaning | None:
    """What a property is of a Thing Description whose ``@type`` says nothing, by its unit and its name.

    Without ``readOnly`` it may be an aim as well as a value: then only its whole name counts.
    """
    said, kind = affordance.get("unit"), affordance.get("type")
    fixed = affordance.get("readOnly") is True
    if affordance.get("@type"):
        return None
    if kind == "boolean":
        return watched((name,)) if fixed else None
    code = ucum(said) if isinstance(said, str) else None
    if kind not in ("number", "integer") or (said and code is None):
        return None
    found = supposed(name, code)
    return found if found and (fixed or (found.source == NAME and quantity_kind(name))) else None


def with_meaning(td: dict[str, Any]) -> dict[str, Any]:
    """A Thing Description in which properties that do not say what they are have the meaning that shows."""
    properties = td.get("properties")
    if not isinstance(properties, dict):
        return td
    meant = {
        name: {**affordance, **quantity(found)}
        if isinstance(affordance, dict) and (found := undeclared(name, affordance))
        else affordance
        for name, affordance in properties.items()
    }
    return {**td, "properties": meant}


def corrected(td: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A patched description: where people say what an affordance is, nothing is supposed any more."""
    for group, said in patch.items():
        for name, affordance in said.items() if isinstance(said, Mapping) else ():
            there = td[group].get(name) if isinstance(td.get(group), dict) else None
            if isinstance(affordance, Mapping) and isinstance(there, dict) and _explains(affordance, there):
                kept = {k: v for k, v in there.items() if k not in _HOW_KNOWN or k in affordance}
                td = {**td, group: {**td[group], name: kept}}
    return td


def _explains(said: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether people said what had been supposed: what it is, or what it does if that is all there was."""
    return "@type" in said or ("diat:affects" in said and "@type" not in there)


def last_word(name: str) -> str:
    """What a name is about: ``temperature`` of ``engine-temperature``."""
    return _GAPS.split(_HUMP.sub("-", name.strip()))[-1]


def _named(kind: str, code: str | None, vocabulary: str) -> Meaning:
    if vocabulary:
        return Meaning(kind, vocabulary)
    return Meaning(kind, NAME, CONFIRMED if code else SUPPOSED)


def _any(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return any(pattern.search(name[:200].lower()) for name in names)


def unit(said: str | None, kind: str | None = None) -> tuple[str | None, tuple[str, ...]]:
    """The UCUM code of a unit, and a note if it is none that we know.

    Args:
        said: the unit as the dialect spells it.
        kind: what is measured, if that is known: it tells a watt from a week.
    """
    if said is None:
        return None, ()
    code = ucum(said, kind)
    return code, () if code else (f"the unit {quoted(said)} is not understood",)


def quantity(meaning: Meaning | str | None) -> dict[str, Any]:
    """The terms that say what is measured, and how that is known unless it is declared."""
    if meaning is None:
        return {}
    kind, source, sure = meaning if isinstance(meaning, Meaning) else Meaning(meaning)
    said: dict[str, Any] = {"@type": f"quantitykind:{kind}"}
    if source:
        said["diat:meaningFrom"] = source
    if sure < 1:
        said["diat:confidence"] = sure
    return said
