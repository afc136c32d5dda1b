"""Situations worth looking at: values around whatever the steps of two composites tell apart.

What composites read is gathered into *variables*: sensors of one quantity at places that overlap show the
same value, for they look at the same air. Each variable gets a few values: one on each side of every edge
that stands in the steps behind it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.steps import Step
from diat.cvol.steps.effects import Shed
from diat.vol.thing import VirtualObject
from diat.wot.places import lies_in
from diat.wot.quantities import default_unit
from diat.wot.units import converter

MOST_VALUES = 9
"""Values of one variable."""
MOST_SITUATIONS = 120
"""Combinations of values."""
_TIMES = frozenset(
    ("seconds", "min_on", "min_off", "settle", "size", "every", "gap", "lateness", "within", "after", "for")
)
"""Fields of steps whose numbers are times, not values."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_WORD = re.compile(r"'([^']{1,100})'|\"([^\"]{1,100})\"")

Key = tuple[str, str]
"""Composite and ``thing affordance``, or composite and a setting of its own."""


class Party(Struct, frozen=True, kw_only=True):
    """A composite and what fills its roles; ``since`` when it began, Unix milliseconds."""

    composite: Composite
    bindings: Sequence[Binding]
    since: int = 0


class Variable(Struct, kw_only=True):
    """Something that composites look at.

    Attributes:
        name: the quantity, the event or the setting, for a person.
        unit: of its values.
        kind: ``value`` is so until it changes, ``event`` happens, ``own`` is a setting.
        places: of the things that show it.
        keys: who reads it from where.
        values: to look at.
    """

    name: str
    unit: str | None = None
    kind: str = "value"
    places: list[str] = []
    keys: set[Key] = set()
    values: list[Any] = []

    def shown(self, value: Any) -> str:
        """A value in a sentence; empty if there is nothing to say of it."""
        if self.kind == "event":
            return f"{self.name} happens" if value else ""
        if isinstance(value, bool):
            return f"{self.name} {'true' if value else 'false'}"
        if isinstance(value, int | float):
            return f"{self.name} {value:g}{f' {self.unit}' if self.unit else ''}"
        return f"{self.name} {value}"


class Grid(Struct, kw_only=True):
    """Variables, and the situations made of their values.

    Attributes:
        situations: one value for each variable, in their order.
        complete: whether these are all combinations.
    """

    variables: list[Variable]
    situations: list[tuple[Any, ...]]
    complete: bool


def explore(parties: Sequence[Party], objects: Mapping[str, VirtualObject]) -> Grid:
    """The situations in which composites may want different things.

    Args:
        parties: the composites.
        objects: things by id.
    """
    variables: list[Variable] = []
    edges: dict[int, set[float]] = {}
    exact: dict[int, set[Any]] = {}
    for party in parties:
        for binding, variable in _read(party, objects, variables):
            at = next(index for index, each in enumerate(variables) if each is variable)
            numbers, points = _told_apart(party.composite, binding, variable)
            edges.setdefault(at, set()).update(numbers)
            exact.setdefault(at, set()).update(points)
        variables += _settings(party)
    for at, variable in enumerate(variables):
        if not variable.values:
            variable.values = _values(edges.get(at, set()), exact.get(at, set()))
    complete = all(len(each.values) <= MOST_VALUES for each in variables)
    for each in variables:
        each.values = _thinned(each.values, MOST_VALUES)
    count = 1
    for each in variables:
        count *= len(each.values)
    every: Iterator[tuple[Any, ...]] = itertools.product(*(each.values for each in variables))
    if count > MOST_SITUATIONS:
        every = itertools.islice(every, 0, None, -(-count // MOST_SITUATIONS) | 1)
    return Grid(variables=variables, situations=list(every), complete=complete and count <= MOST_SITUATIONS)


def in_role(value: Any, variable: Variable, role_unit: str | None, quantity: str) -> Any:
    """A value of a variable in the unit of a role that reads it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not role_unit or not variable.unit or role_unit == variable.unit:
        return value
    convert = converter(variable.unit, role_unit, quantity)
    return value if convert is None else convert(float(value))


def _read(
    party: Party, objects: Mapping[str, VirtualObject], variables: list[Variable]
) -> Iterator[tuple[Binding, Variable]]:
    """What a party reads, each with its variable; new ones are put among the others."""
    for binding in party.bindings:
        role, each = party.composite.roles.get(binding.role), objects.get(binding.thing)
        if role is None or each is None or role.drives:
            continue
        key = (party.composite.id, binding.key)
        if binding.kind == "event":
            name = f"{each.td.get('title', each.id)} {binding.affordance}"
            variable = _same_event(variables, binding.key) or Variable(name=name, kind="event")
            variable.values = [False, True]
        else:
            prop = each.properties.get(binding.affordance)
            quantity = (prop.quantity if prop is not None else None) or role.quantity
            variable = _same_air(variables, quantity, each.place) or Variable(name=quantity)
            if role.type == "boolean":
                variable.values = [False, True]
            elif variable.unit is None:
                variable.unit = default_unit(quantity) or role.unit or binding.unit
        if not any(variable is known for known in variables):
            variable.places, variable.keys = [], set()
            variables.append(variable)
        variable.places.append(each.place)
        variable.keys.add(key)
        yield binding, variable


def _same_air(variables: Iterable[Variable], quantity: str, place: str) -> Variable | None:
    for each in variables:
        here = any(overlap(place, other) for other in each.places)
        if here and each.kind == "value" and each.name == quantity:
            return each
    return None


def _same_event(variables: Iterable[Variable], key: str) -> Variable | None:
    found = (each for each in variables if each.kind == "event" and any(k == key for _, k in each.keys))
    return next(found, None)


def overlap(one: str, other: str) -> bool:
    """Whether one place lies in the other; nowhere lies nowhere."""
    return bool(one) == bool(other) and (lies_in(one, other) or lies_in(other, one))


def _settings(party: Party) -> Iterator[Variable]:
    for name, setting in party.composite.settings.items():
        if setting.type == "boolean":
            values: list[Any] = [bool(setting.default), not setting.default]
        else:
            values = [setting.default, *(setting.enum or ()), setting.minimum, setting.maximum]
        kept = [value for value in dict.fromkeys(values) if value is not None]
        yield Variable(
            name=f"{name} of “{party.composite.title}”",
            kind="own",
            keys={(party.composite.id, name)},
            values=kept or [None],
        )


def _told_apart(composite: Composite, binding: Binding, variable: Variable) -> tuple[set[float], set[Any]]:
    """Edges in the steps behind a role, in the variable's unit; and values that they name exactly."""
    role = composite.roles[binding.role]
    numbers: set[float] = set()
    points: set[Any] = set()
    for step in _behind(composite, binding.role):
        found, named = _numbers(step.model_dump())
        numbers |= found
        points |= named
        low, high = getattr(step, "low", None), getattr(step, "high", None)
        if isinstance(low, float) and isinstance(high, float):
            numbers.add((low + high) / 2)
        if isinstance(step, Shed):
            numbers.add(step.limit - step.step)
    convert = None
    if role.unit and variable.unit and role.unit != variable.unit:
        convert = converter(role.unit, variable.unit, role.quantity)
    if convert is None:
        return numbers, points
    return {convert(each) for each in numbers}, {
        convert(each) if isinstance(each, float) else each for each in points
    }


def _behind(composite: Composite, role: str) -> list[Step]:
    """The steps that work on what fills a role, directly or over others."""
    reached: set[str] = set()
    found = []
    for wire in composite.wires:
        if wire.role == role or any(source in reached for _, source in wire.sources):
            reached.add(wire.step.id)
            found.append(wire.step)
    return found


def _numbers(said: Any, field: str = "") -> tuple[set[float], set[Any]]:
    """Numbers that are edges, and numbers and words that a formula compares with."""
    numbers: set[float] = set()
    points: set[Any] = set()
    if field in _TIMES or isinstance(said, bool):
        return numbers, points
    if isinstance(said, int | float):
        numbers.add(float(said))
    elif isinstance(said, str) and field not in ("id", "role", "input", "against"):
        points |= {float(each) for each in _NUMBER.findall(said)}
        points |= {one or other for one, other in _WORD.findall(said)}
    elif isinstance(said, Mapping | list | tuple):
        parts = said.items() if isinstance(said, Mapping) else ((field, each) for each in said)
        for name, each in parts:
            found, named = _numbers(each, str(name))
            numbers |= found
            points |= named
    return numbers, points


def _values(edges: set[float], exact: set[Any]) -> list[Any]:
    """One value on each side of each edge, and what is named exactly."""
    words = sorted(each for each in exact if isinstance(each, str))
    points = {each for each in exact if isinstance(each, float)}
    order = sorted(edges | points)
    if words and not order:
        return [*words, "something else"]
    if not order:
        return [0.0, 1.0]
    gaps = [above - below for below, above in itertools.pairwise(order)]
    step = min([1.0, *gaps])
    found = {order[0] - step, order[-1] + step, *points}
    found |= {(below + above) / 2 for below, above in itertools.pairwise(order)}
    return sorted(found)


def _thinned(values: list[Any], most: int) -> list[Any]:
    if len(values) <= most:
        return values
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]
