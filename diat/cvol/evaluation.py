"""Evaluating a composite: all its steps in order, on what is given. Live and in a replay it is this.

It touches nothing: what comes out is values, what the steps want remembered, and when they want to run again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from diat.cvol.composite import Composite
from diat.cvol.steps import GREENWICH, Given, Sample, Site

_NONE: frozenset[str] = frozenset()
_NOTHING: dict[str, Any] = {}


class Inputs(Struct, frozen=True, kw_only=True):
    """What a composite is evaluated on.

    Attributes:
        samples: for each role the newest sample of each bound affordance, only fresh ones.
        arrived: for each role what came just now and made it run, late ones too, in order.
        bound: for each role ``thing affordance`` of what fills it, the best first.
        own: the composite's own settable properties.
        site: where we are.
        now: Unix milliseconds.
    """

    samples: Mapping[str, Sequence[Sample]]
    arrived: Mapping[str, Sequence[Sample]] = {}
    bound: Mapping[str, Sequence[str]] = {}
    own: Mapping[str, Any] = {}
    site: Site = GREENWICH
    now: int


class Evaluated(Struct, frozen=True):
    """What came out.

    Attributes:
        values: step to its value.
        memory: step to what it wants remembered; steps that remember nothing are left out.
        due: when a step wants to run again, Unix milliseconds.
        notes: step to what a person should know of it.
        came: the steps whose values rest on what arrived just now.
        observed: Unix milliseconds to which the run belongs: of what arrived, else of the run.
    """

    values: dict[str, Any]
    memory: dict[str, Any]
    due: int | None
    notes: dict[str, str] = {}
    came: Collection[str] = ()
    observed: int = 0


def evaluate(composite: Composite, memory: Mapping[str, Any], inputs: Inputs) -> Evaluated:
    """Run all steps once.

    Args:
        composite: whose steps they are.
        memory: what each step remembers.
        inputs: what they work on.
    """
    values: dict[str, Any] = {}
    notes: dict[str, str] = {}
    came: set[str] = set()
    kept = dict(memory)
    due: int | None = None
    samples, arrived, now = inputs.samples, inputs.arrived, inputs.now
    bound, own, site = inputs.bound, inputs.own, inputs.site
    observed = max((each.observed for found in arrived.values() for each in found), default=now)
    filled = frozenset([role for role, keys in bound.items() if keys])
    for wire in composite.wires:
        step, role = wire.step, wire.role
        fresh = _NONE
        if came and wire.sources:
            fresh = frozenset([name for name, source in wire.sources if source in came])
        if fresh or (role is not None and role in arrived and step.comes(arrived[role])):
            came.add(step.id)
        outcome = step.run(
            Given(
                samples=samples.get(role, ()) if role is not None else (),
                arrived=arrived.get(role, ()) if role is not None else (),
                value=values[wire.input] if wire.input is not None else None,
                values={name: values[each] for name, each in wire.named} if wire.named else _NOTHING,
                state=kept.get(step.id),
                now=now,
                observed=observed,
                fresh=fresh,
                pulses=wire.pulses,
                filled=filled,
                bound=bound,
                own=own,
                site=site,
            )
        )
        values[step.id] = outcome.value
        if outcome.state is not None:
            kept[step.id] = outcome.state
        else:
            kept.pop(step.id, None)
        if outcome.due is not None:
            due = outcome.due if due is None else min(due, outcome.due)
        if outcome.note is not None:
            notes[step.id] = outcome.note
    return Evaluated(values, kept, due, notes, came, observed)
