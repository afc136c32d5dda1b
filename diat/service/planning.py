"""Planning: what a request would come to, and what it would have done. Nothing happens.

``look`` takes down within the writer what there is; ``plan`` works on that in any thread, for as long as it
takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from msgspec import Struct

from diat.cvol.binding import Bound, bind
from diat.cvol.composing import compose
from diat.cvol.composite import Composite, State
from diat.cvol.conflicts import Found, find
from diat.cvol.execution import CompositeLayer
from diat.cvol.exploring import Party
from diat.cvol.matching import Candidate, candidates
from diat.cvol.replay import MOST_COMMANDS, Budget, Decision, Replay, Replayed, Survey, decision
from diat.cvol.running import AT_WORK
from diat.kernel.errors import Invalid
from diat.security.decision import Decision as Permission
from diat.security.operations import Operation
from diat.security.principal import LOCAL, Principal
from diat.service.acting import as_service
from diat.service.choosing import Wanted
from diat.service.layer import ServiceLayer
from diat.service.service import acting_as
from diat.service.sharing import content_of
from diat.vol.layer import VirtualObjectLayer
from diat.vol.recorded import Record, Volume
from diat.vol.thing import VirtualObject

PLANNED = "planned"
"""The id of a composite that is only planned."""
TOLD = 20
"""Candidates that were turned down and are told, for each role."""
CLOSE = 60_000
"""Milliseconds within which two equal commands count as the same one."""
HOUR = 3_600_000


class Span(Struct, frozen=True):
    """A time that is replayed, Unix milliseconds: the first included, the last excluded."""

    start: int
    end: int


class Prospect(Struct, frozen=True, kw_only=True):
    """What there is when something is planned.

    Attributes:
        reuses: services whose composite would do it too.
        refused: for each role the candidates that were turned down.
        running: the other composites at work.
        now: Unix milliseconds.
    """

    title: str
    wanted: Wanted
    composite: Composite
    bound: Bound
    refused: dict[str, list[Candidate]]
    reuses: list[str]
    running: list[Party]
    survey: Survey
    now: int

    @property
    def state(self) -> State:
        """What it would be at once."""
        if self.bound.missing:
            return "waiting"
        return "degraded" if self.bound.lacking else "running"


class Given(Struct, frozen=True):
    """A command that really was given, and by whom: a service's title, or a person."""

    decision: Decision
    by: str


class Difference(Struct, frozen=True):
    """What would have been commanded beside what was.

    Attributes:
        same: pairs of equal commands, planned and real, given within a minute of each other.
        planned: those that nobody gave.
        real: those that it would not have given.
    """

    same: list[tuple[Decision, Given]]
    planned: list[Decision]
    real: list[Given]


class Plan(Struct, frozen=True, kw_only=True):
    """What a request would come to.

    Attributes:
        volumes: thing to what it said in the last hour, of all that it would read.
        replayed: what it would have decided; None if that was not asked.
        difference: to what was commanded then.
    """

    prospect: Prospect
    conflicts: Found
    volumes: dict[str, Volume]
    replayed: Replayed | None = None
    difference: Difference | None = None


def look(
    things: VirtualObjectLayer,
    composites: CompositeLayer,
    services: ServiceLayer,
    now: int,
    *,
    title: str,
    template: str | None,
    parameters: dict[str, Any],
    goal: dict[str, Any] | None = None,
    instead: str | None = None,
    asking: Principal = LOCAL,
    purpose: str = "",
) -> Prospect:
    """Take down what a request would come to and what there is; within the writer.

    Args:
        things: the Virtual Object Layer.
        composites: the Composite Virtual Object Layer.
        services: the Service Layer.
        now: Unix milliseconds.
        title: for people.
        template: name of a template, None if a goal is given.
        parameters: as its schema says.
        goal: what is to be reached instead.
        instead: id of the service in whose place it would be put, if any.
        asking: for whom it would act.
        purpose: what it would be for.

    Raises:
        Invalid: unknown template, wrong parameters, or a goal that no template reaches; ``field`` names it.
        NotFound: there is no service to be replaced.
    """
    wanted = services.resolve(template, parameters, goal)
    replaced = services.must_be(instead).composite if instead is not None else None
    alone = replaced is not None and services.sharing.users(replaced) == [instead]
    own = replaced if replaced is not None and alone else PLANNED
    composite = compose(wanted.template, wanted.parameters, own, title)
    known = composites.seen(own)
    dependants = composites.dependants(known) if known is not None else set[str]()
    state = composites.states.get(own)
    current = state.bindings if state is not None else []
    twin = things.intake.twin
    acting = [as_service(instead or PLANNED, asking.grants, purpose)]

    def allow_for(_: str, each: VirtualObject, affordance: str, operation: Operation) -> Permission:
        return services.acting.decide(acting, each, affordance, operation)

    allow = partial(allow_for, own)
    bound = bind(composite, current, things.registry, twin, now, dependants, allow)
    content = content_of(wanted.template, wanted.parameters, acting_as(asking.id, purpose))
    running = services.sharing.find(content)
    apart = {own, running}
    return Prospect(
        title=title,
        wanted=wanted,
        composite=composite,
        bound=bound,
        refused={
            name: [
                each
                for each in candidates(role, things.registry, twin, now, dependants, allow=allow)
                if each.refusal is not None
            ][:TOLD]
            for name, role in composite.roles.items()
        },
        reuses=services.sharing.users(running) if running not in (None, own) else [],
        running=[
            Party(composite=each, bindings=list(at_work.bindings))
            for each, at_work in composites.everything()
            if each.id not in apart and at_work.state in AT_WORK
        ],
        survey=Survey(
            position=things.journal.position,
            objects=[each for _, each in things.registry.objects.items()],
            twins=dict(things.intake.twins.items()),
            dependants=frozenset(dependants),
            site=composites.site,
            allow=allow_for,
            key=composites.key,
        ),
        now=now,
    )


def plan(prospect: Prospect, record: Record, span: Span | None = None, budget: Budget | None = None) -> Plan:
    """What it comes to: conflicts with others, how much is read, and what it would have done.

    Args:
        prospect: what there is.
        record: what was recorded.
        span: the time to replay, if any.
        budget: how much that may take.

    Raises:
        Invalid: nothing was recorded of the time; ``field`` names what is wrong.
    """
    if span is not None and span.start >= span.end:
        raise Invalid("it ends before it begins", "replay.to")
    if span is not None and span.end > prospect.now:
        raise Invalid("it has not been yet", "replay.to")
    survey, composite = prospect.survey, prospect.composite
    objects = {each.id: each for each in survey.objects}
    party = Party(composite=composite, bindings=prospect.bound.bindings)
    conflicts = find(party, prospect.running, objects, survey.site)
    read = {each.thing for each in party.bindings if not composite.roles[each.role].drives}
    volumes = {
        thing: record.volume(objects[thing].record.no, prospect.now - HOUR)
        for thing in sorted(read)
        if thing in objects
    }
    if span is None:
        return Plan(prospect=prospect, conflicts=conflicts, volumes=volumes)
    replayed = Replay(record, survey, budget).plan(composite, span.start, span.end)
    driven = {each.thing for each in party.bindings if composite.roles[each.role].drives}
    driven |= {each.thing for each in replayed.decisions}
    real = _given(record, driven, Span(span.start, replayed.end))
    return Plan(
        prospect=prospect,
        conflicts=conflicts,
        volumes=volumes,
        replayed=replayed,
        difference=compare(replayed.decisions, real),
    )


def compare(planned: Iterable[Decision], real: Iterable[Given]) -> Difference:
    """Set what would have been commanded against what was; both oldest first."""
    same: list[tuple[Decision, Given]] = []
    only: list[Decision] = []
    left = list(real)
    for each in planned:
        match = next((other for other in left if _alike(each, other.decision)), None)
        if match is None:
            only.append(each)
        else:
            left.remove(match)
            same.append((each, match))
    return Difference(same, only, left)


def _alike(one: Decision, other: Decision) -> bool:
    return one.key[:3] == other.key[:3] and abs(one.at - other.at) <= CLOSE


def _given(record: Record, things: Iterable[str], span: Span) -> list[Given]:
    found = record.commands(sorted(things), span.start, span.end, MOST_COMMANDS)
    return [
        Given(decision(each), "a person" if each.service is None else str((each.why or {}).get("title", "")))
        for each in found
        if (each.why or {}).get("decision") != "told again"
    ]
