"""Unifying: holding a goal against what a template says that it achieves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec import Struct

from diat.cvol.placeholders import placeholders, whole
from diat.kernel.errors import Invalid
from diat.service.goals import LIMITS, Asked, same
from diat.wot.places import steps
from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import converter, ucum

_FIELDS = {
    "keep": {"quantity", "place", "unit", "between", "above", "below", "latency"},
    "maintain": {"quantity", "place", "unit", "is", "while", "latency"},
    "notify": {"quantity", "place", "unit", "above", "below", "is", "for"},
    "know": {"quantity", "place", "unit"},
    "while": {"quantity", "place", "unit", "above", "below", "is"},
}


class Unified(Struct):
    """What a goal says of a template's parameters.

    Attributes:
        parameters: those that it determines.
        fixed: how many of its parts the template states itself: the more, the more special it is.
    """

    parameters: dict[str, Any] = {}
    fixed: int = 0


class _Apart(Exception):
    """The goal is none of the pattern; the text says why."""


def unify(pattern: dict[str, Any], goal: Asked) -> Unified | str:
    """Hold a goal against a pattern: the parameters, or why it is none of the pattern, for a person."""
    kind, said = next(iter(pattern.items()))
    if kind != goal.kind:
        return f"it is made to {kind}, not to {goal.kind}"
    found = Unified()
    try:
        _unify(said, goal, found)
    except _Apart as reason:
        return str(reason)
    return found


def must_be_pattern(pattern: dict[str, Any], field: str) -> None:
    """Hold what a template says under ``achieves`` to be a pattern of a goal.

    Raises:
        Invalid: it is none; ``field`` names the place.
    """
    if len(pattern) != 1 or (kind := next(iter(pattern))) not in _FIELDS or kind == "while":
        raise Invalid("exactly one of keep, maintain, notify, know is wanted", field)
    _must_be(pattern[kind], kind, f"{field}.{kind}")


def _must_be(said: Any, kind: str, field: str) -> None:
    if not isinstance(said, dict):
        raise Invalid("an object is wanted", field)
    for name in said:
        if name not in _FIELDS[kind]:
            raise Invalid(f"a goal to {kind} has no such field", f"{field}.{name}")
    limits = [name for name in LIMITS if name in said]
    if "quantity" not in said:
        raise Invalid("it is needed", f"{field}.quantity")
    if len(limits) != (kind != "know"):
        wanted = ", ".join(name for name in LIMITS if name in _FIELDS[kind])
        raise Invalid(f"exactly one of {wanted} is wanted", field)
    for name, value in said.items():
        if name == "while":
            _must_be(value, "while", f"{field}.while")
        elif name == "between" and not (isinstance(value, list) and len(value) == 2):
            raise Invalid("two values are wanted", f"{field}.between")
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and placeholders(each) and whole(each) is None:
                raise Invalid("a placeholder stands for the whole of a value", f"{field}.{name}")


def _unify(pattern: dict[str, Any], goal: Asked, found: Unified) -> None:
    _quantity(pattern["quantity"], goal, found)
    if "place" in pattern:
        _meet(pattern["place"], goal.place, found, "place", lambda one, other: steps(one) == steps(other))
    elif goal.place:
        raise _Apart("it knows no places")
    _values(pattern, goal, found)
    if goal.condition is None and "while" in pattern:
        raise _Apart("it does so only while something holds")
    if goal.condition is not None:
        if "while" not in pattern:
            raise _Apart("it does so always, not only while something holds")
        _unify({"place": pattern.get("place", "")} | pattern["while"], goal.condition, found)


def _values(pattern: dict[str, Any], goal: Asked, found: Unified) -> None:
    into = _unit(pattern, goal, found)
    wanted = {name for name in LIMITS if name in pattern}
    if wanted != set(goal.limits):
        raise _Apart(f"it takes {_named(wanted)}, not {_named(set(goal.limits))}")
    for name, value in goal.limits.items():
        if name == "between":
            for edge, number in zip(pattern[name], value, strict=True):
                _meet(edge, into(number), found, name, same)
        else:
            _meet(pattern[name], into(value), found, name, same)
    if goal.lasting is not None:
        if "for" not in pattern:
            raise _Apart("it knows no time for which it must be so")
        _meet(pattern["for"], goal.lasting, found, "for", same)
    elif "for" in pattern and whole(pattern["for"]) is None:
        raise _Apart(f"it is for what is so for {pattern['for']} s")
    if goal.latency is not None:
        if "latency" not in pattern:
            raise _Apart("it knows no time within which what it drives must answer")
        _meet(pattern["latency"], goal.latency, found, "latency", same)


def _quantity(said: Any, goal: Asked, found: Unified) -> None:
    if whole(said) is not None:
        _meet(said, goal.quantity, found, "quantity", lambda one, other: bool(one == other))
        return
    kinds = [quantity_kind(str(term)) for term in (said if isinstance(said, list) else [said])]
    if goal.quantity not in kinds:
        raise _Apart(f"it is about {' or '.join(str(kind) for kind in kinds)}, not {goal.quantity}")
    found.fixed += 1


def _unit(pattern: dict[str, Any], goal: Asked, found: Unified) -> Callable[[Any], Any]:
    """What brings a value of the goal into the template's unit."""
    said = pattern.get("unit")
    if whole(said) is not None:
        if goal.unit is not None:
            _meet(said, goal.unit, found, "unit", lambda one, other: bool(one == other))
        return lambda value: value
    unit = default_unit(goal.quantity) if said is None else ucum(str(said), goal.quantity)
    convert = None
    if goal.unit is not None and unit is not None and unit != goal.unit:
        convert = converter(goal.unit, unit, goal.quantity)
        if convert is None:
            raise _Apart(f"{goal.unit} does not convert to {unit}")

    def into(value: Any) -> Any:
        number = convert is not None and isinstance(value, int | float) and not isinstance(value, bool)
        return cast("Callable[[float], float]", convert)(value) if number else value

    return into


def _meet(pattern: Any, value: Any, found: Unified, name: str, equal: Callable[[Any, Any], bool]) -> None:
    """Give the placeholder the value, or hold the template's own value against it."""
    parameter = whole(pattern)
    if parameter is None:
        if not _comparable(pattern, value) or not equal(pattern, value):
            raise _Apart(f"its {name} is {pattern!r}, not {value!r}")
        found.fixed += 1
    elif parameter not in found.parameters:
        found.parameters[parameter] = value
    elif not _comparable(found.parameters[parameter], value) or not equal(found.parameters[parameter], value):
        raise _Apart(f"{name} and what else is {parameter} must be the same")


def _comparable(one: Any, other: Any) -> bool:
    plain = (bool, str)
    return isinstance(one, plain) == isinstance(other, plain) and isinstance(one, int | float | str)


def _named(limits: set[str]) -> str:
    return " and ".join(sorted(limits)) or "no value"
