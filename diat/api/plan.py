"""``/services/plan``: what a request would come to, and what it would have done. Nothing happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, on_each, permits
from diat.api.ports import Platform, StrictRoute, ThePlatform, durably
from diat.api.service_access import may_service, sees_service
from diat.api.services import ServiceRequest
from diat.api.views import KEPT, Json, reason
from diat.cvol.conflicts import Actuated, Conflict
from diat.cvol.placement.building import SAID
from diat.cvol.placement.predicting import Predicted
from diat.cvol.replay import Budget, Decision, Replayed
from diat.kernel.clock import parse_time, rfc3339
from diat.kernel.errors import Invalid, Unavailable
from diat.security.principal import Principal
from diat.service.placement.proposing import Expected, Proposal
from diat.service.planning import CLOSE, PLANNED, Difference, Given, Plan, Span, look, plan

router = APIRouter(tags=["services"], route_class=StrictRoute)
SHOWN = 1000
"""Commands that are shown of each kind, and what the composite would say."""
_LOOK = 0.25
"""Seconds between two looks whether somebody still waits for the answer."""
_ONE = threading.Lock()
"""A replay takes a processor for itself: there is one at a time."""


class ReplaySpan(BaseModel):
    """The recorded time to replay: RFC 3339 or Unix milliseconds; until now if ``to`` is not given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    from_: Annotated[str | int, Field(alias="from")]
    to: str | int | None = None


class PlanRequest(ServiceRequest):
    """What would be asked for, and the time over which it is to be tried."""

    replay: ReplaySpan | None = None


@router.post("/services/plan", summary="Plan a service", dependencies=[on_each("compose")])
async def plan_service(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    wanted: PlanRequest,
    instead: Annotated[
        str | None, Query(description="Id of the service in whose place it would be put")
    ] = None,
) -> Json:
    """Takes what ``POST /services`` takes; nothing happens.

    Answers what would be bound and why, what was turned down and why, the state that it would be in, whether
    it would ever want something else than a service that is there, and where its steps would run. With
    ``replay`` also the commands that it would have given over that time, by the very same execution, beside
    those that really were given to the same actuators, and what its own thing would have said: derived
    values and events.
    """
    now = platform.clock()
    span = None if wanted.replay is None else _span(wanted.replay, now)
    prospect = await durably(
        platform,
        lambda: look(
            platform.things,
            platform.composites,
            platform.services,
            now,
            title=wanted.title,
            template=wanted.template,
            parameters=wanted.parameters,
            goal=wanted.plain_goal,
            instead=instead,
            asking=asking,
            purpose=wanted.purpose or asking.purpose,
        ),
        told=False,
    )
    may_service(platform, asking, "compose", PLANNED, prospect.composite)
    if instead is not None:
        replaced = platform.composites.composite(platform.services.get(instead).composite)
        may_service(platform, asking, "compose", instead, replaced)
    gone = threading.Event()
    budget = Budget(cancelled=gone.is_set)

    def planned() -> tuple[Plan, tuple[Proposal, Expected] | str | None]:
        made = _alone(span, lambda: plan(prospect, platform.record, span, budget))
        try:
            return made, platform.reviewer.propose(prospect.composite, prospect.bound.bindings)
        except ValueError as error:
            return made, str(error)

    work = asyncio.ensure_future(run_in_threadpool(planned))
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK))[0]:
            if await request.is_disconnected():
                gone.set()
    finally:
        gone.set()
    made, proposed = await work
    shown = _shown(platform, asking, made)
    everywhere = platform.decider.everywhere(asking, "discover")
    placed = _placement(made, proposed, _shows(platform, asking), everywhere=everywhere)
    return shown | {"placement": placed}


def _alone(span: Span | None, work: Callable[[], Plan]) -> Plan:
    if span is None:
        return work()
    if not _ONE.acquire(blocking=False):
        raise Unavailable("another replay is running: try again when it is done")
    try:
        return work()
    finally:
        _ONE.release()


def _span(said: ReplaySpan, now: int) -> Span:
    return Span(_time(said.from_, "replay.from"), now if said.to is None else _time(said.to, "replay.to"))


def _time(said: str | int, field: str) -> int:
    try:
        return parse_time(str(said))
    except (ValueError, OverflowError):
        raise Invalid(f"neither RFC 3339 nor Unix milliseconds: {said!r}"[:200], field) from None


def _shown(platform: Platform, asking: Principal, made: Plan) -> Json:
    prospect = made.prospect
    composite, wanted = prospect.composite, prospect.wanted
    titles = {each.id: str(each.td.get("title", each.id)) for each in prospect.survey.objects}
    shows = _shows(platform, asking)
    shown: Json = {
        "title": prospect.title,
        "template": wanted.template.name,
        "version": wanted.template.version,
        "parameters": wanted.parameters,
        "priority": composite.priority,
        "state": prospect.state,
        "bindings": [
            {
                "role": each.role,
                "thing": each.thing,
                "title": titles.get(each.thing, each.thing),
                "affordance": each.affordance,
                "unit": each.unit,
                "cost": each.cost,
                "reason": each.reason,
            }
            for each in prospect.bound.bindings
            if shows(each.thing)
        ],
        "refused": [
            {
                "role": role,
                "thing": each.thing,
                "title": each.title,
                "affordance": each.affordance,
                "reason": each.refusal,
            }
            for role, candidates in prospect.refused.items()
            for each in candidates
            if shows(each.thing)
        ],
        "missing": prospect.bound.missing or prospect.bound.lacking,
        "shared_with": [each for each in prospect.reuses if _sees(platform, asking, each)],
        "conflicts": [
            _conflict(each)
            for each in made.conflicts.conflicts
            if shows(each.mine.thing) and shows(each.theirs.thing)
        ],
        "conflicts_complete": made.conflicts.complete,
    }
    if wanted.chosen is not None:
        shown["chosen"] = wanted.chosen.reason
    if made.replayed is not None and made.difference is not None:
        shown["replay"] = _replay(made.replayed, made.difference)
    return shown


def _conflict(each: Conflict) -> Json:
    return {
        "service": each.other,
        "title": each.title,
        "kind": each.kind,
        "mine": _actuated(each.mine),
        "theirs": _actuated(each.theirs),
        "situation": each.sentence,
        "winner": each.winner,
        "priority": each.priority,
        "since": rfc3339(each.since),
    }


def _actuated(each: Actuated) -> Json:
    return {"thing": each.thing, "title": each.title, "affordance": each.affordance}


def _shows(platform: Platform, asking: Principal) -> Callable[[str], bool]:
    """Whether the one who asks may know of a thing."""
    everywhere = platform.decider.everywhere(asking, "discover")
    objects = platform.things.registry.objects.committed

    def shows(thing: str) -> bool:
        found = objects.get(thing)
        return everywhere or (found is not None and permits(platform, asking, "discover", found))

    return shows


def _sees(platform: Platform, asking: Principal, service: str) -> bool:
    return platform.services.known(service) and sees_service(platform, asking, platform.services.get(service))


def _placement(
    made: Plan,
    proposed: tuple[Proposal, Expected] | str | None,
    shows: Callable[[str], bool],
    *,
    everywhere: bool,
) -> Json:
    volumes = made.volumes
    steps = [step.id for step in made.prospect.composite.steps]
    heard = sum(each.bytes for each in volumes.values())
    shown: Json = {
        "readings": [
            {"thing": thing, "messages_per_hour": each.messages, "bytes_per_hour": each.bytes}
            for thing, each in volumes.items()
            if shows(thing)
        ],
    }
    if not isinstance(proposed, tuple):
        note = (
            KEPT
            if proposed and not everywhere
            else proposed
            or "every step runs in the core: nothing that it reads or drives is beside a gateway"
        )
        return {
            "tiers": [{"tier": "core", "steps": steps, "bytes_per_hour": heard}],
            **shown,
            "note": f"{note}; bytes are those of the values that these things reported within the last hour, "
            "as they are stored",
        }
    proposal, expected = proposed
    where, why = proposal.where, proposal.reasons(proposed=True)
    tiers: dict[str, list[str]] = {"core": [step for step in steps if step not in where]}
    for step, tier in where.items():
        tiers.setdefault(tier, []).append(step)
    costs = {
        node.name: {
            "messages_per_hour": round(node.messages, 1),
            "bytes_per_hour": round(node.bytes, 1),
            "tiers": list(proposal.problem.ways[proposal.problem.starts[node.name]]),
            **reason(why.get(node.name), everywhere=everywhere),
        }
        for node in proposal.problem.nodes
        if node.name != SAID
    }
    nothing = Predicted(bytes=0.0, messages=0.0, by={})
    return {
        "tiers": [
            {
                "tier": tier,
                "steps": found,
                "bytes_per_hour": round(expected.proposed.get(tier, nothing).bytes, 1)
                if tier != "core"
                else heard,
                "everything_above_bytes_per_hour": round(expected.all_above.get(tier, nothing).bytes, 1)
                if tier != "core"
                else heard,
            }
            for tier, found in {**tiers, **{t: tiers.get(t, []) for t in expected.proposed}}.items()
        ],
        "steps": costs,
        "strained": proposal.strained,
        **shown,
        "note": "bytes of a gateway are those over the line to it, in MQTT packets; of a step, what it would "
        "take over a line if nothing behind it ran where it does",
    }


def _replay(replayed: Replayed, difference: Difference) -> Json:
    return {
        "from": rfc3339(replayed.start),
        "to": rfc3339(replayed.end),
        "messages": replayed.rows,
        "complete": replayed.stopped is None,
        "stopped": replayed.stopped,
        "commands": [_decision(each) for each in replayed.decisions[:SHOWN]],
        "count": len(replayed.decisions),
        "said": [
            {"kind": each.kind, "name": each.name, "value": each.value, "at": rfc3339(each.at)}
            for each in replayed.said[:SHOWN]
        ],
        "said_count": len(replayed.said),
        "difference": {
            "within": CLOSE // 1000,
            "same": [
                {"planned": _decision(one), "real": _given(other)} for one, other in difference.same[:SHOWN]
            ],
            "planned": [_decision(each) for each in difference.planned[:SHOWN]],
            "real": [_given(each) for each in difference.real[:SHOWN]],
            "counts": {
                "same": len(difference.same),
                "planned": len(difference.planned),
                "real": len(difference.real),
            },
        },
        "note": "the readings are those of then: what the commands would have changed is not pretended; "
        "other services and people did what they did then",
    }


def _decision(each: Decision) -> Json:
    return {
        "thing": each.thing,
        "affordance": each.affordance,
        "input": each.value,
        "at": rfc3339(each.at),
        "decision": each.why.get("decision"),
        "step": each.why.get("step"),
        "values": each.why.get("values") or {},
    }


def _given(each: Given) -> Json:
    return {**_decision(each.decision), "by": each.by}
