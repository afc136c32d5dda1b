"""From a template and its parameters to a composite; what does not go together names the parameter."""

from __future__ import annotations

import math
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from diat.cvol.composite import Composite
from diat.cvol.placeholders import fill, parameter_of
from diat.cvol.roles import Role, Strict
from diat.cvol.steps import LONGEST
from diat.cvol.template import Template, filled_steps
from diat.cvol.wanted import Wanted
from diat.kernel.errors import Invalid
from diat.vol.arbitration import Priority
from diat.vol.interaction import Delivery
from diat.vol.thing import envelope
from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import converter, ucum

P = TypeVar("P", bound=Strict)


def compose(
    template: Template, parameters: dict[str, Any], service: str, title: str, *, paused: bool = False
) -> Composite:
    """Make a composite from a template.

    Args:
        template: what to make.
        parameters: valid by the template's schema, defaults filled in.
        service: id of the service that it serves.
        title: for people.
        paused: whether it rests.

    Raises:
        Invalid: the parameters contradict each other; ``field`` names one.
    """
    roles = {}
    for name, role in template.roles.items():
        roles[name] = _wanted(name, role, parameters)
    return Composite(
        id=service,
        title=title,
        template=f"{template.name} {template.version}",
        parameters=parameters,
        roles=roles,
        requires=tuple(tuple(group) for group in template.requires),
        steps=tuple(filled_steps(template, parameters)),
        derives={name: _filled(each, parameters) for name, each in template.derives.items()},
        emits={name: _filled(each, parameters) for name, each in template.emits.items()},
        settings={name: _filled(each, parameters) for name, each in template.settings.items()},
        place=str(fill(template.place, parameters) or ""),
        priority=_one_of(Priority, template.priority, parameters),
        delivery=_one_of(Delivery, template.delivery, parameters),
        latency=_latency(template, parameters),
        paused=paused,
    )


def _latency(template: Template, parameters: dict[str, Any]) -> float | None:
    said = fill(template.latency, parameters)
    return None if said is None else _seconds(said, parameter_of(template.latency))


def _wanted(name: str, role: Role, parameters: dict[str, Any]) -> Wanted:
    said = fill(role.model_dump(by_alias=True), parameters)
    quantities = _quantities(said["quantity"], parameter_of(role.quantity))
    usual = default_unit(quantities[0])
    unit = None
    if said["unit"]:
        unit = ucum(str(said["unit"]))
        if unit is None:
            raise Invalid(f"unknown unit {said['unit']!r}", parameter_of(role.unit))
        if usual is not None and converter(usual, unit) is None:
            raise Invalid(f"{said['unit']!r} is no unit of {quantities[0]}", parameter_of(role.unit))
    watches = role.capability in ("read", "set")
    return Wanted(
        name=name,
        capability=said["capability"],
        quantities=quantities,
        place=str(said["place"] or ""),
        unit=unit,
        type=said["type"] or ("number" if watches and (unit or usual) else "boolean"),
        freshness=_seconds(said["freshness"], parameter_of(role.freshness)),
        accuracy=_number(said["accuracy"], parameter_of(role.accuracy)),
        least=role.least,
        most=role.most,
        prefer=tuple(role.prefer),
        order=tuple(_things(said["order"], parameter_of(role.order))),
        composites=said["composites"],
        loss=said["loss"] or "",
        substitutes=tuple(
            (quantity, each["error"])
            for each in said["substitutes"]
            for quantity in _quantities(each["quantity"], "template")
        ),
        envelope=envelope(
            {key: _number(value, parameter_of(role.envelope)) for key, value in said["envelope"].items()}
        ),
    )


def _quantities(said: Any, field: str) -> tuple[str, ...]:
    found = []
    for term in said if isinstance(said, list) else [said]:
        quantity = quantity_kind(str(term))
        if quantity is None:
            raise Invalid(f"unknown quantity {term!r}", field)
        found.append(quantity)
    if not found:
        raise Invalid("at least one quantity is wanted", field)
    return tuple(dict.fromkeys(found))


def _things(said: Any, field: str) -> list[str]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise Invalid("a list of ids of things is wanted", field)
    return said


def _number(said: Any, field: str) -> float | None:
    if said is None:
        return None
    try:
        number = float(said)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"a number is wanted, not {said!r}"[:300], field) from None
    if not math.isfinite(number):
        raise Invalid("a finite number is wanted", field)
    return number


def _seconds(said: Any, field: str) -> float:
    seconds = _number(said, field)
    if seconds is None:
        return 3600.0
    if not 0 < seconds <= LONGEST:
        raise Invalid(f"seconds from above 0 to {LONGEST} are wanted, not {seconds:g}", field)
    return seconds


def _one_of(choices: Any, said: str, parameters: dict[str, Any]) -> Any:
    chosen = fill(said, parameters)
    if chosen not in get_args(choices):
        raise Invalid(
            f"one of {', '.join(get_args(choices))} is wanted, not {chosen!r}"[:300], parameter_of(said)
        )
    return chosen


def _filled(said: P, parameters: dict[str, Any]) -> P:
    """A part of the template with the parameters in it."""
    raw = said.model_dump(by_alias=True)
    try:
        return type(said).model_validate(fill(raw, parameters))
    except ValidationError as error:
        first = error.errors()[0]
        field = parameter_of(raw.get(str(first["loc"][0]))) if first["loc"] else "parameters"
        raise Invalid(first["msg"], field) from None
