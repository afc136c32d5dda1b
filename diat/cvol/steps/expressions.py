"""Steps that work values out by a formula in CEL; what formulas may have: ``formula.py``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator, model_validator

from diat.cvol.steps.base import Given, Outcome, Reduces, Step
from diat.cvol.steps.formula import Formula, formula, moment


class Expression(Step):
    """What ``map`` and ``filter`` have in common: a formula over values.

    In the formula ``value`` is the input's value, each of ``inputs`` and ``parameters`` has its own name, and
    ``now`` is the time that is decided as of, in the platform's time zone. An input without a value is null.

    A value that the formula cannot work with (not the type, a division by zero, no finite number) gives no
    value; it is counted and noted, and the service goes on.

    Attributes:
        input: the step whose value is ``value``; while it has none, nothing is worked out.
        inputs: further steps, each with its name in the formula.
        parameters: what the names in the formula stand for that are no steps.
        expr: the formula.
    """

    passes: ClassVar[bool] = True
    input: str | None = None
    inputs: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    expr: str

    @field_validator("expr")
    @classmethod
    def _compiled(cls, value: str, info: ValidationInfo) -> str:
        if {"input", "inputs", "parameters"} <= info.data.keys():
            formula(value, _known(info.data))
        return value

    @model_validator(mode="after")
    def _fed(self) -> Expression:
        taken = [*self.inputs, *self.parameters, "value", "now"]
        if len(set(taken)) < len(taken):
            raise ValueError("inputs and parameters need names of their own, and not value or now")
        if self.input is None and not self.inputs:
            raise ValueError("input or inputs is wanted: what it works on")
        return self

    @cached_property
    def formula(self) -> Formula:
        """The compiled formula."""
        return formula(self.expr, _known(self.__dict__))

    def worked_out(self, given: Given) -> tuple[Any, str | None]:
        """The formula's value, or None and why there is none, if that is worth counting."""
        if self.input is not None and given.value is None:
            return None, None
        variables = {**self.parameters, **given.values, "value": given.value}
        if "now" in self.formula.uses:
            variables["now"] = moment(given.now, given.site.zone)
        value, why = self.formula.run(variables)
        if why is not None and any(given.values[name] is None for name in self.inputs):
            return None, None
        return value, why


class Map(Expression):
    """The formula's value.

    {do: map, id: dew-point-near, inputs: {t: temperature, d: dew-point}, expr: "t - d < 2"}
    """

    def run(self, given: Given) -> Outcome:
        """It; None where nothing can be worked out."""
        return _outcome(given, *self.worked_out(given))


class Filter(Expression):
    """The input's value while the formula is true; else nothing.

    {do: filter, id: plausible, input: level, expr: "value > -40 && value < 85"}
    """

    reduces: ClassVar[Reduces] = "some"
    input: str

    def run(self, given: Given) -> Outcome:
        """The value, or None."""
        passes, why = self.worked_out(given)
        if passes is not None and not isinstance(passes, bool):
            passes, why = None, f"a filter wants true or false, not {passes!r}"[:200]
        return _outcome(given, given.value if passes else None, why)


def _known(fields: Mapping[str, Any]) -> frozenset[str]:
    """The names that a formula may use."""
    return frozenset(
        {*fields["inputs"], *fields["parameters"], "now"} | ({"value"} if fields["input"] else set())
    )


def _outcome(given: Given, value: Any, why: str | None) -> Outcome:
    """What it answers; it remembers how often it could not, and why the last time, which decides nothing."""
    state = given.state
    if why is not None:
        state = [state[0] + 1 if state is not None else 1, why]
    note = f"{state[0]} values could not be worked with; the last: {state[1]}" if state is not None else None
    return Outcome(value, state, note=note)
