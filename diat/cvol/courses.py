"""Courses: what two composites remember and want as situations follow each other, and time passes in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.driving import in_its_terms
from diat.cvol.evaluation import Inputs, evaluate
from diat.cvol.exploring import Grid, Party, in_role
from diat.cvol.steps import Sample, Site
from diat.cvol.steps.effects import Drive

LONGEST_COURSE = 3
"""Situations that follow each other."""
MOST_WAITS = 3
"""Times that are waited for in one situation."""
MOST_TIMES = 8
"""Times of day that are looked at."""
_WEEK = 8 * 86_400_000
_MONDAY = 1_767_571_200_000
"""2026-01-05T00:00:00Z, when every course begins."""
_TICK = 1000
"""Milliseconds between two situations."""
_TIME = 100_000_000_000
"""Whole numbers from here on are times."""

Situation = tuple[Any, ...]
"""A value for each variable of the grid."""


class Wish(Struct, frozen=True):
    """What a composite wants of an affordance: as its steps put it, and as the actuator takes it."""

    wanted: Any
    value: Any


class State(Struct, frozen=True):
    """Where one party is: what its steps remember, and what it wants as of now."""

    memory: dict[str, Any]
    wishes: dict[str, Wish]
    due: int | None


NOTHING = State({}, {}, None)
"""What a composite starts from."""


class Course(Struct, frozen=True):
    """Where both are, and how they got there."""

    states: tuple[State, State]
    now: int
    path: tuple[Situation, ...]
    began: int
    waited: int = 0


class Courses:
    """Follows two composites through situations.

    Attributes:
        evaluations: how many there were.
        failed: whether one could not be evaluated.
        timed: whether it matters what time it is.
    """

    def __init__(self, parties: tuple[Party, Party], grid: Grid, site: Site) -> None:
        self._parties = parties
        self._grid = grid
        self._site = site
        self.evaluations = 0
        self.failed = False
        times = self._times()
        self.timed = len(times) > 1
        self.beginnings = [Course((NOTHING, NOTHING), each, (), each) for each in times]

    def onward(self, course: Course) -> Iterator[Course]:
        """What may come next: another situation, or what somebody waits for."""
        dues = [state.due for state in course.states if state.due is not None and state.due > course.now]
        if course.path and dues and course.waited < MOST_WAITS and min(dues) - course.began < _WEEK:
            now = min(dues)
            states = tuple(
                self._evaluate(at, state, course.path[-1], None, now)
                for at, state in enumerate(course.states)
            )
            yield Course((states[0], states[1]), now, course.path, course.began, course.waited + 1)
        if len(course.path) >= LONGEST_COURSE:
            return
        now = course.now + _TICK
        for situation in self._grid.situations:
            if course.path and situation == course.path[-1]:
                continue
            before = course.path[-1] if course.path else None
            states = tuple(
                self._evaluate(at, state, situation, before or (), now)
                for at, state in enumerate(course.states)
            )
            yield Course((states[0], states[1]), now, (*course.path, situation), course.began)

    def _times(self) -> list[int]:
        """Times at which a schedule or the sun changes something: those are due though nothing came."""
        times, now = [_MONDAY], _MONDAY
        states = [NOTHING, NOTHING]
        for _ in range(MOST_TIMES * 2):
            states = [self._evaluate(at, state, (), None, now) for at, state in enumerate(states)]
            dues = [state.due for state in states if state.due is not None and state.due > now]
            if not dues or min(dues) - _MONDAY > _WEEK or len(times) > MOST_TIMES:
                break
            now = min(dues)
            times.append(now)
        return times

    def _evaluate(
        self,
        at: int,
        state: State,
        situation: Situation,
        before: Situation | None,
        now: int,
    ) -> State:
        """One party in a situation: newly come to it from ``before``, or waiting in it (None)."""
        self.evaluations += 1
        party = self._parties[at]
        inputs = self._inputs(party, situation, before, now)
        try:
            evaluated = evaluate(party.composite, state.memory, inputs)
        except Exception:  # noqa: BLE001 - what cannot be evaluated wants nothing; live it fails and says so
            self.failed = True
            return NOTHING
        return State(evaluated.memory, wishes_of(party, state.wishes, evaluated.values), evaluated.due)

    def _inputs(self, party: Party, situation: Situation, before: Situation | None, now: int) -> Inputs:
        composite = party.composite
        samples: dict[str, list[Sample]] = {name: [] for name in composite.roles}
        arrived: dict[str, list[Sample]] = {}
        bound: dict[str, list[str]] = {name: [] for name in composite.roles}
        for rank, binding in enumerate(party.bindings):
            bound[binding.role].append(binding.key)
            number = self._variable(composite, binding)
            if number is None or not situation:
                continue
            variable, value = self._grid.variables[number], situation[number]
            role, happens = composite.roles[binding.role], variable.kind == "event"
            said = None if happens else in_role(value, variable, role.unit, role.quantity)
            key, accuracy = binding.key, binding.accuracy
            sample = Sample(said, now, self.evaluations, binding.thing, key, accuracy, rank)
            if not happens:
                samples[binding.role].append(sample)
            changed = before is not None and (not before or before[number] != value)
            if changed if not happens else (before is not None and value):
                arrived.setdefault(binding.role, []).append(sample)
        own = composite.defaults | self._set(composite, situation)
        return Inputs(samples=samples, arrived=arrived, bound=bound, own=own, site=self._site, now=now)

    def _set(self, composite: Composite, situation: Situation) -> dict[str, Any]:
        """What its own settings are in a situation."""
        return {
            name: value
            for variable, value in zip(self._grid.variables, situation, strict=False)
            if variable.kind == "own"
            for holder, name in variable.keys
            if holder == composite.id
        }

    def _variable(self, composite: Composite, binding: Binding) -> int | None:
        key = (composite.id, binding.key)
        return next(
            (at for at, each in enumerate(self._grid.variables) if key in each.keys and each.kind != "own"),
            None,
        )

    def mark(self, course: Course) -> bytes:
        """What two courses have in common from which the same follows."""
        state = [
            [_relative(each.memory, course.now), sorted((k, wish.wanted) for k, wish in each.wishes.items())]
            for each in course.states
        ]
        clock = course.now % 86_400_000 // 60_000 if self.timed else 0
        last = course.path[-1] if course.path else ()
        return msgspec.json.encode([state, last, clock], order="deterministic")


def wishes_of(party: Party, standing: Mapping[str, Wish], values: Mapping[str, Any]) -> dict[str, Wish]:
    """What a composite wants once its steps have these values; what they say nothing of stays."""
    wishes = dict(standing)
    for step in party.composite.steps:
        if not isinstance(step, Drive):
            continue
        value = values[step.id]
        for binding in party.bindings:
            if binding.role != step.role:
                continue
            each = value.get(binding.key) if isinstance(value, dict) else value
            idle = binding.kind == "action" and each is not None and not each
            if idle or (step.when is not None and not values.get(step.when)):
                wishes.pop(binding.key, None)
            elif each is not None:
                role = party.composite.roles[binding.role]
                told = in_its_terms(each, role, binding) if binding.kind == "property" else bool(each)
                wishes[binding.key] = Wish(each, told)
    return wishes


def _relative(said: Any, now: int) -> Any:
    if isinstance(said, int) and not isinstance(said, bool) and said > _TIME:
        return f"{now - said}"
    if isinstance(said, Mapping):
        return {name: _relative(each, now) for name, each in said.items()}
    if isinstance(said, list | tuple):
        return [_relative(each, now) for each in said]
    return said
