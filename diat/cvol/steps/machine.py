"""``machine``: a state machine, for what goes through phases."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic import ValidationInfo as Info

from diat.cvol.steps.base import LONGEST, Given, Outcome, Reduces, Step
from diat.cvol.steps.formula import Formula, formula

MOST_STATES = 50


class Transition(BaseModel):
    """A way out of a state; if both are said, both must hold.

    Attributes:
        to: the state that it leads to.
        when: a formula in CEL over the machine's inputs and parameters.
        after: seconds that it has been in the state at least.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str
    when: str | None = None
    after: float | None = Field(default=None, ge=0, le=LONGEST, allow_inf_nan=False)

    @model_validator(mode="after")
    def _some(self) -> Transition:
        if self.when is None and self.after is None:
            raise ValueError("when or after is wanted, or it would be taken at once")
        return self


class Machine(Step):
    """The name of the state that it is in.

    In a run the first transition of the state that holds is taken, and then those of the states that it
    leads to, none of them twice; a pulse moves it once. ``after`` is counted from when it came into the
    state, to the millisecond; a transition to the same state counts it anew. Where a formula cannot be worked
    out (an input has no value, say), it does not hold.

    Attributes:
        inputs: steps, each with its name in the formulas.
        parameters: what further names in the formulas stand for.
        initial: the state that it begins in.
        states: for each state the ways out of it, in the order in which they are tried.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    keeps: ClassVar[bool] = True
    inputs: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    initial: str
    states: dict[str, list[Transition]] = Field(min_length=1, max_length=MOST_STATES)

    @field_validator("states")
    @classmethod
    def _known(cls, value: dict[str, list[Transition]], info: Info) -> dict[str, list[Transition]]:
        if not {"inputs", "parameters", "initial"} <= info.data.keys():
            return value
        names = frozenset({*info.data["inputs"], *info.data["parameters"]})
        if len(names) < len(info.data["inputs"]) + len(info.data["parameters"]):
            raise ValueError("inputs and parameters need names of their own")
        if info.data["initial"] not in value:
            raise ValueError(f"there is no state {info.data['initial']!r} to begin in")
        for state, ways in value.items():
            for at, way in enumerate(ways):
                if way.to not in value:
                    raise ValueError(f"{state}.{at}.to: there is no state {way.to!r}")
                if way.when is not None:
                    try:
                        formula(way.when, names)
                    except ValueError as error:
                        raise ValueError(f"{state}.{at}.when: {error}") from None
        return value

    @cached_property
    def formulas(self) -> dict[str, Formula]:
        """The compiled formulas by their text."""
        names = frozenset({*self.inputs, *self.parameters})
        ways = [way for each in self.states.values() for way in each]
        return {way.when: formula(way.when, names) for way in ways if way.when is not None}

    def run(self, given: Given) -> Outcome:
        """The state's name."""
        state, since = given.state or [self.initial, given.now]
        values = {**self.parameters, **given.values}
        passed = {state}
        while (way := self._way(state, since, values, given.now, passed)) is not None:
            again = way.to == state
            state, since = way.to, given.now
            if again:
                break
            passed.add(state)
            values |= dict.fromkeys(given.pulses)
        dues = [since + round(way.after * 1000) for way in self.states[state] if way.after is not None]
        return Outcome(state, [state, since], min((due for due in dues if due > given.now), default=None))

    def _way(
        self, state: str, since: int, values: dict[str, Any], now: int, passed: set[str]
    ) -> Transition | None:
        """The first way out that holds."""
        for way in self.states[state]:
            if way.to in passed and way.to != state:
                continue
            if way.after is not None and now < since + round(way.after * 1000):
                continue
            if way.when is None or self.formulas[way.when].run(values)[0] is True:
                return way
        return None
