"""A composite: a template with its parameters, ready to run, and what it remembers while it runs."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from pydantic import ValidationError

from diat.cvol.matching import Wanted
from diat.cvol.steps import LONGEST, Step
from diat.cvol.template import Derived, Role, Template, fill, filled_steps, parameter_of
from diat.kernel.errors import Invalid
from diat.vol.dialects.port import Description
from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import converter, ucum

State = Literal["running", "degraded", "waiting", "paused", "failed"]


class Binding(Struct, frozen=True, kw_only=True):
    """An affordance that fills a role.

    Attributes:
        unit: UCUM code that its values come in.
        reason: why it was chosen, for a person.
        since: when it was bound, Unix milliseconds.
    """

    role: str
    thing: str
    affordance: str
    unit: str | None = None
    reason: str = ""
    since: int = 0


class Driven(Struct, frozen=True):
    """What an actuator was last told: the value, the command's id, when (Unix milliseconds)."""

    value: Any
    actuation: str
    at: int


class CompositeState(Struct):
    """What a composite remembers; durable. The writer changes a copy and puts that.

    Attributes:
        missing: what is not there, a line for a person each.
        waits: properties that may fill a role with their next reading, as ``[thing, property]``.
        steps: what each step remembers.
        wake: when it must be looked at even if nothing comes, Unix milliseconds.
        driven: for each actuator ``thing affordance``, what it was last told.
        derived: derived property to its last value and when that was observed.
        error: why it failed, None if it did not.
    """

    state: State = "waiting"
    bindings: list[Binding] = []
    missing: list[str] = []
    waits: list[tuple[str, str]] = []
    steps: dict[str, Any] = {}
    wake: int | None = None
    driven: dict[str, Driven] = {}
    derived: dict[str, tuple[Any, int]] = {}
    error: str | None = None

    def copy(self) -> CompositeState:
        """A copy that may be changed without changing this one."""
        return CompositeState(
            self.state,
            self.bindings.copy(),
            self.missing.copy(),
            self.waits.copy(),
            self.steps.copy(),
            self.wake,
            self.driven.copy(),
            self.derived.copy(),
            self.error,
        )


class Composite(Struct, frozen=True, kw_only=True):
    """A template with its parameters filled in; ``id`` is the service that it serves."""

    id: str
    title: str
    roles: dict[str, Wanted]
    requires: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]
    derives: dict[str, Derived]
    place: str
    paused: bool = False

    @property
    def thing(self) -> str | None:
        """The id of the thing that it makes, None if it derives nothing."""
        return f"urn:diat:composite:{self.id}" if self.derives else None

    def description(self) -> Description:
        """The thing that it makes, described."""
        properties = {}
        for name, derived in self.derives.items():
            quantity = quantity_kind(derived.quantity) if derived.quantity else None
            described: dict[str, Any] = {"type": derived.type, "readOnly": True}
            if derived.title:
                described["title"] = derived.title
            if quantity is not None:
                described["@type"] = f"quantitykind:{quantity}"
                unit = ucum(derived.unit) if derived.unit else default_unit(quantity)
                if unit is not None:
                    described["unit"] = unit
            properties[name] = described
        td: dict[str, Any] = {"title": self.title, "diat:service": self.id, "properties": properties}
        if self.place:
            td["diat:place"] = self.place
        return Description(td=td)


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
    derives = {name: _derived(derived, parameters) for name, derived in template.derives.items()}
    return Composite(
        id=service,
        title=title,
        roles=roles,
        requires=tuple(tuple(group) for group in template.requires),
        steps=tuple(filled_steps(template, parameters)),
        derives=derives,
        place=str(fill(template.place, parameters) or ""),
        paused=paused,
    )


def _wanted(name: str, role: Role, parameters: dict[str, Any]) -> Wanted:
    said = {key: fill(value, parameters) for key, value in role.model_dump().items()}
    quantity = quantity_kind(str(said["quantity"]))
    if quantity is None:
        raise Invalid(f"unknown quantity {said['quantity']!r}", parameter_of(role.quantity))
    usual = default_unit(quantity)
    unit = None
    if said["unit"]:
        unit = ucum(str(said["unit"]))
        if unit is None:
            raise Invalid(f"unknown unit {said['unit']!r}", parameter_of(role.unit))
        if usual is not None and converter(usual, unit) is None:
            raise Invalid(f"{said['unit']!r} is no unit of {quantity}", parameter_of(role.unit))
    return Wanted(
        name=name,
        capability=said["capability"],
        quantity=quantity,
        place=str(said["place"] or ""),
        unit=unit,
        freshness=_seconds(said["freshness"], parameter_of(role.freshness)),
        least=role.least,
        most=role.most,
        composites=said["composites"],
    )


def _seconds(said: Any, field: str) -> float:
    if said is None:
        return 3600.0
    try:
        seconds = float(said)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"seconds are wanted, not {said!r}"[:300], field) from None
    if not 0 < seconds <= LONGEST:
        raise Invalid(f"seconds from above 0 to {LONGEST} are wanted, not {seconds:g}", field)
    return seconds


def _derived(derived: Derived, parameters: dict[str, Any]) -> Derived:
    raw = derived.model_dump(by_alias=True)
    try:
        return Derived.model_validate(fill(raw, parameters))
    except ValidationError as error:
        first = error.errors()[0]
        field = parameter_of(raw.get(str(first["loc"][0]))) if first["loc"] else "parameters"
        raise Invalid(first["msg"], field) from None
