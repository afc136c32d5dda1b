"""Steps that see how things that happen belong together: at once, one after another, one without another."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from diat.cvol.steps.base import LONGEST, Given, Outcome, Reduces, Step


class Join(Step):
    """An object of several values, while the times that they are of lie close together.

    A value is of the time at which the last reading behind it was observed. What pulses is remembered until
    it pulses again; what has no value any more is forgotten.

    {do: join, id: climate, inputs: {t: temperature, h: humidity}, within: 60}

    Attributes:
        inputs: the steps, each with its name in the object.
        within: seconds that lie between the earliest and the latest at most.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "some"
    keeps: ClassVar[bool] = True
    passes: ClassVar[bool] = True
    inputs: dict[str, str] = Field(min_length=2, max_length=50)
    within: float = Field(ge=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """The object; None while one is missing or they lie too far apart."""
        known: dict[str, Any] = dict(given.state or {})
        for name in self.inputs:
            value = given.values[name]
            if value is None:
                if name not in given.pulses:
                    known.pop(name, None)
            elif name in given.fresh or name in given.pulses or name not in known or known[name][1] != value:
                known[name] = [given.observed, value]
        times = [at for at, _ in known.values()]
        close = len(times) == len(self.inputs) and max(times) - min(times) <= self.within * 1000
        # With pulses among them it is one itself: it says so when something came, and only then.
        if given.pulses and not any(given.values[name] is not None for name in given.pulses):
            close = False
        return Outcome({name: known[name][1] for name in self.inputs} if close else None, known)


class Sequence(Step):
    """Pulses when one step becomes true, and then another within so many seconds.

    What is so already when the service begins has not become so. The order is that in which it was observed,
    whatever comes first; at the same moment counts. Each ``first`` counts once, the newest.

    {do: sequence, id: came-home, first: door-opened, then: motion, within: 600}
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    pulse: ClassVar[bool] = True
    joins: ClassVar[tuple[str, ...]] = ("first", "then")
    first: str
    then: str
    within: float = Field(ge=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """True when it happened just now, else None."""
        state = given.state or {}
        seen = {name: _so(given, name, state) for name in self.joins}
        at = {name: state.get(f"{name}-at") for name in self.joins}
        for name in self.joins:
            if _became(given, name, state):
                at[name] = given.observed
        first, then = at["first"], at["then"]
        happened = first is not None and then is not None and 0 <= then - first <= self.within * 1000
        if happened:
            at = {"first": None, "then": None}
        return Outcome(True if happened else None, {**seen, "first-at": at["first"], "then-at": at["then"]})


class Absence(Step):
    """Pulses when a step became true and another was not true within so many seconds after.

    While it waits, a further ``after`` changes nothing. One step for both: it pulses when that is not true
    again in time, as of a heartbeat.

    {do: absence, id: left-open, after: door-opened, of: door-closed, within: 300}

    Attributes:
        after: the step that starts the waiting, each time that it becomes true.
        of: the step that ends it by being true.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "much"
    pulse: ClassVar[bool] = True
    joins: ClassVar[tuple[str, ...]] = ("after", "of")
    after: str
    of: str
    within: float = Field(gt=0, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """True when the time is over just now, else None."""
        state = given.state or {}
        since, met = state.get("since"), state.get("met")
        becomes = _became(given, "after", state)
        if given.values["of"] and (self.of != self.after or becomes):
            met = given.observed
            if since is not None and met >= since:
                since = None
        wait = round(self.within * 1000)
        if becomes and since is None:
            since = given.observed
            if self.of != self.after and met is not None and since <= met <= since + wait:
                since = None
        over = since is not None and given.now >= since + wait
        if over:
            since = None
        return Outcome(
            True if over else None,
            {"after": _so(given, "after", state), "since": since, "met": met},
            since + wait if since is not None else None,
        )


def _so(given: Given, name: str, state: dict[str, Any]) -> bool | None:
    """Whether a step is true, as far as is known; None before anything is."""
    return state.get(name) if given.values[name] is None else bool(given.values[name])


def _became(given: Given, name: str, state: dict[str, Any]) -> bool:
    """Whether a step became true just now: it pulses, or it was false before."""
    return bool(given.values[name]) and (name in given.pulses or state.get(name) is False)
