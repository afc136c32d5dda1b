"""Steps with an effect: they ask for it, the execution carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from diat.cvol.steps.base import Given, Outcome, Step

_SHED = 500
"""Loads at most that are remembered to be off."""


class Drive(Step):
    """Drives whatever fills a role to the input's value.

    A value that is an object drives each actuator to its own, by ``thing affordance``; of what it leaves out
    nothing is wanted, as while ``when`` is not true. An action is invoked each time the value becomes true.

    Attributes:
        value: what it is driven to whenever the input is true, instead of to the input itself.
        when: a step; while its value is not true nothing is wanted of the actuators, and others may have
            them. Not given: they are wanted as long as the service runs.
        otherwise: what it is driven to when the service cannot or must no longer decide (a required role is
            unmet, the service is paused or deleted, ``when`` ends) and nobody else wants it; not given: it is
            left as it is.
        leave_found: whether what was so already when it was wanted so is left so then: it was not our doing.
    """

    takes: ClassVar[Literal["read", "notice", "drive"]] = "drive"
    role: str
    input: str
    value: bool | float | str | None = None
    when: str | None = None
    otherwise: bool | float | str | None = None
    leave_found: bool = False

    def run(self, given: Given) -> Outcome:
        """The wish itself; None: nothing to say."""
        if self.value is None:
            return Outcome(given.value)
        return Outcome(self.value if given.value else None)


class Shed(Step):
    """Switches loads off while too much is drawn, the least important first, and on again when there is room.

    Loads are what fills the role, the best (most important) first. Of a load that was switched off it is
    assumed that it comes back with ``step`` of the quantity. A load that it did not switch off is left alone.

    Attributes:
        input: what is drawn now.
        limit: what may be drawn.
        step: what one load is taken to draw, for deciding whether it may come back; the same unit.
        settle: seconds to wait after each switching, for the meter to show what it did.
    """

    pure: ClassVar[bool] = False
    takes: ClassVar[Literal["read", "notice", "drive"]] = "drive"
    role: str
    input: str
    limit: float = Field(allow_inf_nan=False)
    step: float = Field(gt=0, allow_inf_nan=False)
    settle: float = Field(default=30, ge=0, le=86_400, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The loads that are to be off, each false; None while nothing was measured."""
        loads: Sequence[str] = given.bound.get(self.role, ())
        off, since = given.state or [[], 0]
        if given.value is None:
            return Outcome(dict.fromkeys(off, False) if given.state else None, [off, since])
        until = since + round(self.settle * 1000)
        on = [load for load in loads if load not in off]
        # What is away stays shed: it comes back as it was left.
        there = [load for load in off if load in loads]
        if given.now >= until or not since:
            if given.value > self.limit and on:
                off, since = [*off, on[-1]][-_SHED:], given.now
            elif there and given.value + self.step <= self.limit:
                off, since = [load for load in off if load != there[-1]], given.now
        due = since + round(self.settle * 1000)
        waiting = given.now < due and (off or given.value > self.limit)
        return Outcome(dict.fromkeys(off, False), [off, since], due if waiting else None)


class Webhook(Step):
    """Tells an HTTP address each time the input becomes true, or changes if it is no truth value.

    The request is kept with the batch that decided on it and repeated until it is answered, with an
    ``Idempotency-Key``. Addresses inside the house are refused unless the operator allows them.

    Attributes:
        url: ``https://…`` or ``http://…``.
        body: sent along with the value; JSON.
    """

    pure: ClassVar[bool] = False
    pulse: ClassVar[bool] = True
    keeps: ClassVar[bool] = True
    input: str
    # A bound within the pattern would be unrolled: as many automata, of 9 MiB together.
    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=2008)
    body: dict[str, Any] = {}

    def run(self, given: Given) -> Outcome:
        """The value to tell; None while there is nothing new to tell."""
        value = given.value
        if "input" in given.pulses:
            return Outcome(None if value is False else value)
        if value is None:
            return Outcome(None, given.state)
        known = given.state is not None and given.state[0] == value
        return Outcome(None if known or value is False else value, [value])
