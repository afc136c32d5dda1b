"""Steps that turn a value into a calm switch: bands, least times, delays, limits of rate and size."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from diat.cvol.steps.base import LONGEST, Given, Outcome, Reduces, Step


class Hysteresis(Step):
    """A two-point switch: it changes at the edges of a band and holds within it.

    Attributes:
        on: on which side of the band the answer is true.
        against: a role that works the other way; while it is filled too, this switch lets go in the middle
            of the band, so that the two do not hand the quantity to and fro.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
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
    reduces: ClassVar[Reduces] = "some"
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


class Debounce(Step):
    """Takes a new value over only when it has stood for a time (seconds)."""

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "some"
    input: str
    seconds: float = Field(gt=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The last value that stood long enough; the very first counts at once."""
        if given.value is None:
            return Outcome(None if given.state is None else given.state[0], given.state)
        if given.state is None:
            return Outcome(given.value, [given.value, None, 0])
        settled, coming, since = given.state
        if given.value == settled:
            return Outcome(settled, [settled, None, 0])
        if coming != given.value:
            since = given.now
        until = since + round(self.seconds * 1000)
        if given.now >= until:
            return Outcome(given.value, [given.value, None, 0])
        return Outcome(settled, [settled, given.value, since], until)


class Hold(Step):
    """Goes true at once and stays so for a time (seconds) after its input was last true."""

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "some"
    input: str
    seconds: float = Field(ge=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """True, or false when the time is over; None while there never was a value."""
        if given.value:
            if "input" in given.pulses:
                # A pulse is true of that moment alone: nobody says when it is over.
                return Outcome(True, given.now, given.now + round(self.seconds * 1000))
            return Outcome(True, True)
        if given.state is None:
            return Outcome(None if given.value is None else False)
        # It was true until now, however long ago that was last said.
        since = given.now if given.state is True else given.state
        until = since + round(self.seconds * 1000)
        if given.now < until:
            return Outcome(True, since, until)
        return Outcome(False, since)


class Lasting(Step):
    """True once its input has been true for a time (seconds, 0: at once) without a break."""

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    input: str
    seconds: float = Field(ge=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """Whether it has lasted; None while there is no value."""
        if given.value is None:
            return Outcome(None, given.state)
        if not given.value:
            return Outcome(False)
        since = given.state if given.state is not None else given.now
        until = since + round(self.seconds * 1000)
        return Outcome(True, since) if given.now >= until else Outcome(False, since, until)


class RateLimit(Step):
    """Lets a changed value through once in so many seconds; the newest then."""

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    input: str
    seconds: float = Field(gt=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The value that was last let through."""
        if given.value is None:
            return Outcome(None if given.state is None else given.state[0], given.state)
        if given.state is None or given.value == given.state[0]:
            return Outcome(given.value, given.state or [given.value, given.now])
        until = given.state[1] + round(self.seconds * 1000)
        if given.now >= until:
            return Outcome(given.value, [given.value, given.now])
        return Outcome(given.state[0], given.state, until)


class Deadband(Step):
    """Lets a number through only when it differs from the last by more than a width."""

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    input: str
    width: float = Field(gt=0, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The number that was last let through."""
        if given.value is None:
            return Outcome(given.state, given.state)
        if given.state is None or abs(given.value - given.state) > self.width:
            return Outcome(given.value, given.value)
        return Outcome(given.state, given.state)
