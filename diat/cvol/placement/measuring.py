"""What the steps of a composite say, measured: run over what was recorded, as they run live."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.evaluation import Evaluated, Inputs, evaluate
from diat.cvol.running import alike, sample_of
from diat.cvol.steps import GREENWICH, Sample, Site
from diat.vol.twin import Reading
from diat.wire.envelope import encode

MOST = 3000
"""Readings at most that are run."""
ALIVE = 3.0
"""By how much a run takes longer while it is live: what steps remember is copied and written down."""
OBJECTS = 8
"""Bytes of memory for each byte of what is remembered as JSON."""


class Came(Struct, frozen=True):
    """Something that a thing said: values of properties, or of an event its data."""

    thing: str
    values: dict[str, Any]
    observed: int
    received: int


class Lived(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        seconds: over which time.
        said: step to what parts above would have been told of it, oldest first.
        came: how many messages went in.
        cpu: seconds of CPU that one step takes for one of them, on average.
        memory: step to bytes that it holds by the end, about.
    """

    seconds: float
    said: dict[str, list[Any]]
    came: int
    cpu: float = 0.0
    memory: dict[str, int] = {}


def live(
    composite: Composite,
    bindings: Iterable[Binding],
    readings: Iterable[Came],
    own: dict[str, Any] | None = None,
    site: Site = GREENWICH,
) -> Lived:
    """Run a composite's steps over readings, in the order in which they came; nothing is driven."""
    bound = list(bindings)
    said: dict[str, list[Any]] = {step.id: [] for step in composite.steps}
    told: dict[str, Any] = {}
    pulses = {wire.step.id for wire in composite.wires if wire.beats}
    newest: dict[str, dict[str, Sample]] = {role: {} for role in composite.roles}
    keys = {role: [each.key for each in bound if each.role == role] for role in composite.roles}
    memory: dict[str, Any] = {}
    due: int | None = None
    first = last = count = 0
    begun = time.thread_time()

    def run(now: int, arrived: dict[str, list[Sample]]) -> Evaluated:
        return evaluate(
            composite,
            memory,
            Inputs(
                samples={role: list(found.values()) for role, found in newest.items()},
                arrived=arrived,
                bound=keys,
                own=own or composite.defaults,
                site=site,
                now=now,
            ),
        )

    def heard(came: Came, name: str) -> dict[str, list[Sample]]:
        found: dict[str, list[Sample]] = {}
        for binding in (each for each in bound if (each.thing, each.affordance) == (came.thing, name)):
            role = composite.roles[binding.role]
            reading = Reading(came.values[name], came.observed, came.received)
            made = sample_of(role, binding, reading, 0) if not role.drives else None
            if made is not None:
                found.setdefault(binding.role, []).append(made)
                newest[binding.role][binding.key] = made
        return found

    def note(evaluated: Evaluated) -> None:
        nonlocal memory, due
        memory, due = evaluated.memory, evaluated.due
        for name, value in evaluated.values.items():
            if value is not None if name in pulses else not alike(value, told.get(name)):
                said[name].append(value)
                told[name] = value

    for came in islice(readings, MOST):
        while due is not None and due <= came.received and first:
            note(run(due, {}))
        for name in sorted(came.values):
            found = heard(came, name)
            if found:
                first, last, count = first or came.received, came.received, count + 1
                note(run(came.received, found))
    spent = time.thread_time() - begun
    return Lived(
        seconds=max(0.0, (last - first) / 1000),
        said=said,
        came=count,
        cpu=ALIVE * spent / (count * len(composite.steps)) if count else 0.0,
        memory={step: OBJECTS * len(encode(kept)) for step, kept in memory.items()},
    )
