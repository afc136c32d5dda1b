"""Explaining: what a service does and why, in plain sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from diat.cvol.composite import Composite, CompositeState
from diat.cvol.matching import freshness
from diat.cvol.placement.splitting import PART_OF
from diat.cvol.template import Template
from diat.kernel.clock import rfc3339
from diat.service.service import Service
from diat.vol.arbitration import Claim
from diat.vol.interaction import Actuation
from diat.vol.thing import VirtualObject
from diat.vol.twin import Twin

_SHOWN = 20
"""Parts of one kind that are told."""


class Known(Struct, frozen=True, kw_only=True):
    """What an explanation rests on.

    Attributes:
        things: a thing by id, None if it is gone.
        twin: the live state of a thing by id.
        claims: who claims an actuator, by thing and actuator, the winner first.
        last: what it last decided, None if it never did.
        read: what that was decided on, a line each.
    """

    service: Service
    template: Template | None
    composite: Composite | None
    state: CompositeState | None
    things: Callable[[str], VirtualObject | None]
    twin: Callable[[str], Twin]
    claims: Callable[[str, str], tuple[Claim, ...]]
    last: Actuation | None = None
    read: tuple[str, ...] = ()


class Outranked(Struct, frozen=True):
    """An actuator that somebody else drives, and that somebody's claim."""

    thing: str
    affordance: str
    claim: Claim


def explain(known: Known) -> list[str]:
    """What the service does, what it is bound to, what it lacks, what it last did, what it waits for."""
    return [
        *_what(known),
        *_bound(known),
        *_lacking(known),
        *_decided(known),
        *_conflicts(known),
        *_next(known),
    ]


def outranked(
    state: CompositeState | None,
    things: Callable[[str], VirtualObject | None],
    claims: Callable[[str, str], tuple[Claim, ...]],
) -> Iterator[Outranked]:
    """The actuators that a composite wants and somebody else drives; arguments as in ``Known``."""
    for key in state.outranked if state is not None else ():
        thing, _, name = key.partition(" ")
        each = things(thing)
        found = claims(thing, name if each is None else each.actuator(name))
        if found:
            yield Outranked(thing, name, found[0])


def told(value: Any) -> str:
    """A value in a sentence."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)[:100]


def _what(known: Known) -> Iterator[str]:
    service, template = known.service, known.template
    about = f": {template.title}" if template is not None else ", a template that is no more"
    yield f"“{service.title}” is made from {service.template} {service.version}{about}."
    said = [f"{name} {told(value)}" for name, value in list(service.parameters.items())[:_SHOWN]]
    if said:
        yield f"Its parameters: {', '.join(said)}."
    if service.chosen is not None:
        yield f"The template was found for the goal: {service.chosen.reason}."
    state = known.state
    if service.paused:
        yield "It is paused: it wants nothing."
    elif state is None or state.state == "waiting":
        yield "It waits for what it needs, and drives nothing meanwhile."
    elif state.state == "failed":
        yield f"It failed: {state.error}."
    elif state.state == "degraded":
        yield "It is at work, though not everything is there that it could use."
    else:
        yield "It is at work, and has all that it needs."


def _bound(known: Known) -> Iterator[str]:
    bindings = known.state.bindings if known.state is not None else []
    for each in bindings[:_SHOWN]:
        if each.role.startswith(PART_OF):
            yield f"Steps of it run at {each.role.removeprefix(PART_OF)}, since {rfc3339(each.since)}."
            continue
        cost = f"; it stands in for what was wanted: {each.cost}" if each.cost else ""
        yield (
            f"{each.role} is filled by {_title(known, each.thing)} ({each.affordance}) "
            f"since {rfc3339(each.since)}, for it {each.reason}{cost}."
        )
    if len(bindings) > _SHOWN:
        yield f"So are {len(bindings) - _SHOWN} more."


def _lacking(known: Known) -> Iterator[str]:
    state, composite = known.state, known.composite
    if state is None or composite is None or known.service.paused:
        return
    for line in state.missing:
        yield f"Missing: {line}."
    filled = {each.role for each in state.bindings}
    for role in composite.roles.values():
        if role.name not in filled and role.loss:
            yield f"Without {role.name}: {role.loss}."
    for step, note in state.notes.items():
        yield f"{step}: {note}."


def _decided(known: Known) -> Iterator[str]:
    last = known.last
    if last is None:
        yield "It has not commanded anything yet."
        return
    why = last.why or {}
    values = [f"{name} was {told(value)}" for name, value in list((why.get("values") or {}).items())[:_SHOWN]]
    did = f"set {_title(known, last.thing)} ({last.affordance}) to {told(last.input)}"
    if last.kind == "action":
        did = f"invoked {last.affordance} of {_title(known, last.thing)}"
    because = f", for {' and '.join(values)}" if values else ""
    if why.get("decision") == "let go":
        because = ", for it let go of it"
    end = "has not ended yet" if last.resolved is None else f"ended {last.state} at {rfc3339(last.resolved)}"
    yield f"At {rfc3339(last.decided or last.created)} it {did}{because}; that {end}."
    if known.read:
        yield f"It had read {'; '.join(known.read)}."


def _conflicts(known: Known) -> Iterator[str]:
    for each in outranked(known.state, known.things, known.claims):
        until = f"until {rfc3339(each.claim.until)}" if each.claim.until is not None else "until it lets go"
        yield (
            f"{_title(known, each.thing)} ({each.affordance}) is driven by {each.claim.title} "
            f"({each.claim.priority}) since {rfc3339(each.claim.since)}, {until}."
        )


def _next(known: Known) -> Iterator[str]:
    state, composite = known.state, known.composite
    if state is None or composite is None or known.service.paused:
        return
    if state.wake is not None:
        stale = [name for at, name in _stale(known, composite, state) if at == state.wake]
        what = f"if {' and '.join(stale)} has said nothing new by then" if stale else "for a step of it waits"
        yield f"It looks again at {rfc3339(state.wake)} at the latest, {what}."
    if state.retry is not None:
        yield f"It tells again at {rfc3339(state.retry)} what did not do as it was told."
    if state.wake is None and state.retry is None and state.state != "failed":
        yield "It waits for what comes."


def _stale(known: Known, composite: Composite, state: CompositeState) -> Iterable[tuple[int, str]]:
    """When each reading that it rests on becomes too old."""
    for binding in state.bindings:
        role, each = composite.roles.get(binding.role), known.things(binding.thing)
        prop = each.properties.get(binding.affordance) if each is not None else None
        reading = known.twin(binding.thing).values.get(binding.affordance)
        if role is not None and role.capability == "read" and prop is not None and reading is not None:
            at = reading.observed + round(freshness(role, prop) * 1000) + 1
            yield at, f"{_title(known, binding.thing)} ({binding.affordance})"


def _title(known: Known, thing: str) -> str:
    each = known.things(thing)
    return thing if each is None else str(each.td.get("title", thing))
