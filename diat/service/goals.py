"""Goals: what somebody wants to be so, whoever brings it about.

A closed set of shapes. Each names a quantity and a place, and reads as a sentence:

    keep      a quantity between two values, above one or below one
    maintain  a state: something is true, false, a number or a word; maybe only while something else holds
    notify    whoever listens, when a quantity is above or below a value, or is one; maybe for a time
    know      one value for a place, kept up to date as a property of its own

A template says in ``achieves`` which goals it reaches, as patterns of the same shapes with placeholders;
``unify`` holds a goal against such a pattern, and what stands in the placeholders' places are the parameters.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from diat.cvol.steps import LONGEST
from diat.kernel.errors import Invalid
from diat.wot.quantities import default_unit, quantity_kind
from diat.wot.units import converter, ucum

Number = Annotated[float, Field(allow_inf_nan=False)]
Value = bool | Number | Annotated[str, Field(max_length=200)]
Kind = Literal["keep", "maintain", "notify", "know"]
LIMITS = ("between", "above", "below", "is")
"""The fields of which a condition has exactly one."""


class Where(BaseModel):
    """What a goal is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    quantity: str = Field(min_length=1, max_length=200, description="A quantity kind: Temperature")
    place: str = Field(default="", max_length=1000, description="Path of a place; empty: anywhere")
    unit: str | None = Field(default=None, description="A UCUM code; not given: the usual one")


class Driven(Where):
    """What is reached by driving something."""

    latency: float | None = Field(
        default=None,
        gt=0,
        le=LONGEST,
        allow_inf_nan=False,
        description="Seconds within which what is driven must answer a reading",
    )


class Keep(Driven):
    """Keep a quantity at a place between two values, above one, or below one."""

    between: tuple[Number, Number] | None = None
    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Keep:
        _exactly_one(self, "between", "above", "below")
        if self.between is not None and self.between[0] >= self.between[1]:
            raise ValueError("between: the first must be less than the second")
        return self


class Condition(BaseModel):
    """While a quantity is above or below a value, or is one; at the goal's place unless another is named."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    quantity: str = Field(min_length=1, max_length=200)
    place: str | None = Field(default=None, max_length=1000)
    unit: str | None = None
    above: Number | None = None
    below: Number | None = None
    is_: Value | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _one(self) -> Condition:
        _exactly_one(self, "above", "below", "is")
        return self


class Maintain(Driven):
    """Maintain a state of a place, always or while something holds."""

    is_: Value = Field(alias="is")
    while_: Condition | None = Field(default=None, alias="while")


class Notify(Where):
    """Tell when a quantity at a place is above or below a value, or is one, for a time."""

    above: Number | None = None
    below: Number | None = None
    is_: Value | None = Field(default=None, alias="is")
    for_: float | None = Field(
        default=None, alias="for", ge=0, le=LONGEST, allow_inf_nan=False, description="Seconds"
    )

    @model_validator(mode="after")
    def _one(self) -> Notify:
        _exactly_one(self, "above", "below", "is")
        return self


class Know(Where):
    """Know one value of a quantity for a place."""


class Goal(BaseModel):
    """A goal: exactly one of its kinds."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [
                {"keep": {"quantity": "Temperature", "place": "hq/2", "between": [20, 24], "unit": "Cel"}},
                {"notify": {"quantity": "WaterLeak", "place": "home", "is": True}},
                {"know": {"quantity": "Temperature", "place": "hq"}},
                {
                    "maintain": {
                        "quantity": "LightDetected",
                        "place": "home/hall",
                        "is": True,
                        "while": {"quantity": "Occupancy", "is": True},
                    }
                },
            ],
        },
    )
    keep: Keep | None = None
    maintain: Maintain | None = None
    notify: Notify | None = None
    know: Know | None = None

    @model_validator(mode="after")
    def _one(self) -> Goal:
        _exactly_one(self, "keep", "maintain", "notify", "know")
        return self

    def plain(self) -> dict[str, Any]:
        """As it was written."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _exactly_one(made: BaseModel, *names: str) -> None:
    said = [name for name in names if getattr(made, "is_" if name == "is" else name) is not None]
    if len(said) != 1:
        raise ValueError(f"exactly one of {', '.join(names)} is wanted")


class Asked(Struct, frozen=True, kw_only=True):
    """A goal, or what holds in its ``while``, in our own words.

    Attributes:
        kind: which goal it is; ``while`` for a condition.
        quantity: a quantity kind.
        unit: UCUM code of the values; None for quantities without units.
        limits: ``between``, ``above``, ``below`` or ``is`` with what was said.
        lasting: seconds, if they were said.
        latency: seconds within which what is driven must answer, if they were said.
        condition: what must hold meanwhile.
    """

    kind: str
    quantity: str
    place: str
    unit: str | None
    limits: dict[str, Any]
    lasting: float | None = None
    latency: float | None = None
    condition: Asked | None = None


def asked(goal: dict[str, Any]) -> Asked:
    """Read a goal.

    Raises:
        Invalid: it is none, or a quantity or unit is not known; ``field`` names the place.
    """
    try:
        read = Goal.model_validate(goal)
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"] if str(part) not in ("bool", "str", "float")]
        path = [part for part in path if "[" not in part]
        raise Invalid(first["msg"].removeprefix("Value error, "), ".".join(["goal", *path])) from None
    kind, said = next(iter(read.plain().items()))
    return _asked(kind, said, f"goal.{kind}")


def _asked(kind: str, said: dict[str, Any], field: str, place: str = "") -> Asked:
    quantity = quantity_kind(said["quantity"])
    if quantity is None:
        raise Invalid(f"unknown quantity {said['quantity']!r}", f"{field}.quantity")
    usual, unit = default_unit(quantity), said.get("unit")
    code = usual if unit is None else ucum(unit, quantity)
    unknown = unit is not None and code is None
    if unknown or (usual and code and converter(usual, code, quantity) is None):
        raise Invalid(f"{unit!r} is no unit of {quantity}", f"{field}.unit")
    place = said.get("place", place)
    condition = said.get("while")
    return Asked(
        kind=kind,
        quantity=quantity,
        place=place,
        unit=code,
        limits={name: said[name] for name in LIMITS if name in said},
        lasting=said.get("for"),
        latency=said.get("latency"),
        condition=None if condition is None else _asked("while", condition, f"{field}.while", place),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values of a goal are equal; numbers may differ by what conversion leaves."""
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str) or isinstance(other, str):
        return one == other and type(one) is type(other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
