"""The steps that a composite is made of: what goes in, what comes out, what is remembered.

A step is a pure function of its input, its own remembered state and the time; it reads no clock and touches
nothing. ``drive`` alone has an effect, and that effect is only *asked for* here: the execution carries it out
through the gate of the Virtual Object Layer, in the same transaction.

None as a value means: nothing to say (no reading yet, or hold what there is).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any, ClassVar, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST = 10 * 366 * 86_400
"""Seconds at most in anything that is waited for or looked back upon: a wake-up must fit a database."""


class Sample(Struct, frozen=True):
    """The newest reading of one bound property, in the role's unit.

    Attributes:
        observed: Unix milliseconds.
        position: ingest position of the reading.
    """

    value: float
    observed: int
    position: int


class Given(Struct, frozen=True):
    """What a step works on.

    Attributes:
        samples: of its role, if it has one; only fresh ones.
        value: of its input step, if it has one.
        state: what it returned last time, None at first.
        now: Unix milliseconds.
        filled: names of the roles that something fills.
    """

    samples: Sequence[Sample]
    value: Any
    state: Any
    now: int
    filled: frozenset[str] = frozenset()


class Outcome(Struct, frozen=True):
    """What a step answers.

    Attributes:
        value: for the steps behind it.
        state: to be remembered; plain JSON.
        due: when it wants to run again without being asked, Unix milliseconds.
    """

    value: Any
    state: Any = None
    due: int | None = None


class Step(BaseModel):
    """What all steps have in common; a subclass is one kind of step.

    Attributes:
        pure: whether the same input always gives the same output, whatever came before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pure: ClassVar[bool] = True
    id: str

    def run(self, given: Given) -> Outcome:
        """Answer to what is given."""
        raise NotImplementedError


class Latest(Step):
    """The newest sample of a role."""

    role: str

    def run(self, given: Given) -> Outcome:
        """The newest value; None without samples."""
        newest = max(given.samples, key=lambda sample: (sample.observed, sample.position), default=None)
        return Outcome(None if newest is None else newest.value)


class Mean(Step):
    """The arithmetic mean over everything that fills a role."""

    role: str

    def run(self, given: Given) -> Outcome:
        """The mean; None without samples."""
        values = [sample.value for sample in given.samples]
        try:
            return Outcome(fmean(values) if values else None)
        except OverflowError:
            # The sum of enormous values is no number, their mean is.
            return Outcome(sum(value / len(values) for value in values))


class Hysteresis(Step):
    """A two-point switch: it changes at the edges of a band and holds within it.

    Attributes:
        on: on which side of the band the answer is true.
        against: a role that works the other way; while it is filled too, this switch lets go in the middle
            of the band, so that the two do not hand the quantity to and fro.
    """

    pure: ClassVar[bool] = False
    input: str
    on: Literal["below", "above"]
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    against: str | None = None

    @model_validator(mode="after")
    def _band(self) -> Hysteresis:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        return self

    def run(self, given: Given) -> Outcome:
        """True or false beyond the band, what it was within; None while never beyond."""
        if given.value is None:
            return Outcome(None, given.state)
        low, high = self.low, self.high
        if self.against in given.filled:
            middle = (low + high) / 2
            low, high = (low, middle) if self.on == "below" else (middle, high)
        if given.value < low:
            answer: bool | None = self.on == "below"
        elif given.value > high:
            answer = self.on == "above"
        else:
            answer = given.state
        return Outcome(answer, answer)


class Dwell(Step):
    """Holds a switch in each position for a minimum time (seconds); the last wish wins when it is over."""

    pure: ClassVar[bool] = False
    input: str
    min_on: float = Field(default=0, ge=0, le=LONGEST, allow_inf_nan=False)
    min_off: float = Field(default=0, ge=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The position that it may be in."""
        wanted = given.value
        if given.state is None:
            return Outcome(wanted, None if wanted is None else [wanted, given.now])
        position, since = given.state
        if wanted is None or wanted == position:
            return Outcome(position, given.state)
        until = since + round((self.min_on if position else self.min_off) * 1000)
        if given.now < until:
            return Outcome(position, given.state, until)
        return Outcome(wanted, [wanted, given.now])


class Drive(Step):
    """Drives whatever fills a role to the input's value.

    Attributes:
        otherwise: what it is driven to when the service cannot or must no longer decide (a required role is
            unmet, the service is paused or deleted); not given: it is left as it is.
    """

    role: str
    input: str
    otherwise: bool | None = None

    def run(self, given: Given) -> Outcome:
        """The wish itself; the execution carries it out."""
        return Outcome(given.value)


STEPS: dict[str, type[Step]] = {
    "latest": Latest,
    "mean": Mean,
    "hysteresis": Hysteresis,
    "dwell": Dwell,
    "drive": Drive,
}
"""Name in templates to kind of step."""
