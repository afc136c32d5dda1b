"""How the steps of a composite are joined, worked out once, so that a run only looks values up."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from diat.cvol.steps.base import Step, fields


class Wire(Struct, frozen=True):
    """A step and what it works on.

    Attributes:
        role: whose samples it takes.
        input: the step whose value it takes.
        named: further steps, each with the name that it calls it.
        sources: all steps that it works on, each with the name that it calls it.
        pulses: the names of those that pulse.
        beats: whether it pulses itself.
    """

    step: Step
    role: str | None
    input: str | None
    named: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    pulses: frozenset[str]
    beats: bool


def wire(steps: Iterable[Step]) -> tuple[Wire, ...]:
    """The wires of steps that come in the order in which they run."""
    made: list[Wire] = []
    beating: set[str] = set()
    for step in steps:
        sources = tuple(_sources(step))
        pulses = frozenset(name for name, source in sources if source in beating)
        beats = step.pulse or (step.passes and bool(pulses))
        if beats:
            beating.add(step.id)
        named = tuple((name, source) for name, source in sources if name != "input")
        role, source = getattr(step, "role", None), getattr(step, "input", None)
        made.append(Wire(step, role, source, named, sources, pulses, beats))
    return tuple(made)


def _sources(step: Step) -> Iterable[tuple[str, str]]:
    attributes = fields(type(step))
    for name in step.joins:
        named = getattr(step, attributes[name], None) if name in attributes else None
        if isinstance(named, dict):
            yield from named.items()
        elif named is not None:
            yield name, named
