"""What the layers know, in the shapes that REST promises."""

from __future__ import annotations

from typing import Any

from diat.adapters.sql.history import Past
from diat.api.access import permits
from diat.api.peers import runs_at
from diat.api.ports import Platform
from diat.cvol.composite import Composite, CompositeState
from diat.cvol.placement.explaining import Reason
from diat.kernel.clock import rfc3339
from diat.security.principal import Principal
from diat.service.explaining import outranked
from diat.service.placement.placing import HERE, Placing
from diat.service.service import Service
from diat.vol.diagnostics import Diagnostic
from diat.vol.interaction import Actuation
from diat.vol.thing import Property
from diat.vol.twin import Reading

Json = dict[str, Any]
KEPT = "a policy keeps what it reads where it is"


def reading(prop: Property, known: Reading | Past, now: int | None = None) -> Json:
    """A reading with its unit, both times and its quality; past the property's silence it is uncertain."""
    quality = known.quality
    if now is not None and prop.silence is not None and now - known.received > prop.silence * 1000:
        quality = "uncertain" if quality == "good" else quality
    return {
        "value": known.value,
        "unit": prop.unit,
        "observed": rfc3339(known.observed),
        "received": rfc3339(known.received),
        "quality": quality,
    }


def service(platform: Platform, asking: Principal, each: Service, *, whole: bool = False) -> Json:
    """A service with its state, what fills its roles and why, what is missing, and who drives its actuators.

    Things that the one who asks may not know of are left out.
    ``dropped`` counts commands, sent at most once, of which nobody knows that they arrived. The ``whole`` of
    it is told with why each of its steps runs where it does.
    """
    state = platform.composites.states.committed.get(each.composite)
    composite = platform.composites.composite(each.composite)
    everywhere = platform.decider.everywhere(asking, "discover")
    objects = platform.things.registry.objects.committed

    def shows(thing: str) -> bool:
        found = objects.get(thing)
        return everywhere or (found is not None and permits(platform, asking, "discover", found))

    placings = platform.services.placings
    at_work = placings.state(each.composite, state.state if state is not None else "waiting")
    shown: Json = {
        "id": each.id,
        "title": each.title,
        "goal": each.goal,
        "template": each.template,
        "version": each.version,
        "parameters": each.parameters,
        "state": "paused" if each.paused else at_work,
        "bindings": [
            {
                "role": binding.role,
                "thing": binding.thing,
                "affordance": binding.affordance,
                "unit": binding.unit,
                "cost": binding.cost,
                "reason": binding.reason,
                "since": rfc3339(binding.since),
            }
            for binding in platform.services.placings.bindings(each.composite)
            if shows(binding.thing)
        ],
        "missing": [*(state.missing if state is not None else []), *placings.missing(each.composite)],
        "placement": placement(placings.committed(each.composite)),
        "notes": state.notes if state is not None else {},
        "conflicts": [line for line in _conflicts(platform, state) if shows(line["thing"])],
        "dropped": state.dropped if state is not None else 0,
        "thing": composite.thing if composite is not None else None,
        "shared_with": platform.services.shared_with(each),
        "started_by": each.started_by,
        "creator": each.creator,
        "purpose": each.purpose,
        "created": rfc3339(each.created),
        "modified": rfc3339(each.modified),
    }
    if whole:
        shown["placement"] |= _reasons(platform.reviewer.why(each.composite), everywhere=everywhere)
    if state is not None and state.error is not None:
        shown["error"] = state.error
    if (elsewhere := runs_at(platform, each.id)) is not None:
        shown["runs_at"] = elsewhere
        if not each.paused:
            shown["state"] = elsewhere["state"] or "waiting"
    if each.chosen is not None:
        shown["chosen"] = {
            "reason": each.chosen.reason,
            "others": [
                {"template": other.template, "state": other.state, "reason": other.reason}
                for other in each.chosen.others
            ],
        }
    return shown


def placement(known: tuple[Composite | None, Placing]) -> Json:
    """Where the steps of a service run, and what that was expected to make travel."""
    whole, placing = known
    steps = [step.id for step in whole.steps] if whole is not None else []
    tiers: dict[str, list[str]] = {HERE: []}
    for step in steps:
        tiers.setdefault(placing.where.get(step, HERE), []).append(step)
    for step, tier in placing.where.items():
        if step not in steps and tier != HERE:
            tiers.setdefault(tier, []).append(step)
    shown: list[Json] = []
    for tier, found in tiers.items():
        line: Json = {"tier": tier, "steps": found}
        if tier in placing.told:
            line["state"] = placing.told[tier].state
        if tier in placing.predicted:
            line["predicted_bytes_per_hour"] = round(placing.predicted[tier], 1)
            line["everything_above_bytes_per_hour"] = round(placing.above.get(tier, 0.0), 1)
        shown.append(line)
    return {
        "tiers": shown,
        "moving": placing.moving if placing.phase != "rests" else None,
        "since": rfc3339(placing.since) if placing.since else None,
    }


def reason(known: Reason | None, *, everywhere: bool = True) -> Json:
    """Why a step runs where it does; which things a policy speaks of hears who may know of all of them."""
    if known is None:
        return {}
    text = known.text if everywhere or known.by != "policy" else KEPT
    return {"tier": known.tier, "decided": known.by, "why": text}


def _reasons(known: dict[str, Reason] | str, *, everywhere: bool) -> Json:
    if isinstance(known, str):
        return {
            "steps": {},
            "impossible": known if everywhere else KEPT,
        }
    return {
        "steps": {step: reason(each, everywhere=everywhere) for step, each in known.items()},
        "impossible": None,
    }


def _conflicts(platform: Platform, state: CompositeState | None) -> list[Json]:
    """The actuators that somebody else drives, who does, and until when if that is known."""
    things, arbiter = platform.things.registry.objects.committed, platform.things.interaction.arbiter
    return [
        {
            "thing": each.thing,
            "affordance": each.affordance,
            "winner": each.claim.title,
            "priority": each.claim.priority,
            "since": rfc3339(each.claim.since),
            "until": None if each.claim.until is None else rfc3339(each.claim.until),
        }
        for each in outranked(state, things.get, arbiter.committed)
    ]


def actuation(each: Actuation) -> Json:
    """A command and what became of it."""
    return {
        "id": each.id,
        "thing": each.thing,
        "affordance": each.affordance,
        "kind": each.kind,
        "input": each.input,
        "service": each.service,
        "cause": list(each.cause),
        "status": each.state,
        "delivery": each.delivery,
        "decided": rfc3339(each.decided or each.created),
        "created": rfc3339(each.created),
        "expires": rfc3339(each.expires),
        "resolved": None if each.resolved is None else rfc3339(each.resolved),
        "output": each.output,
        "error": each.error,
    }


def invocation(each: Actuation) -> Json:
    """An action's invocation as WoT's ActionStatus has it."""
    shown: Json = {"id": each.id, "status": each.state, "timeRequested": rfc3339(each.created)}
    if each.resolved is not None:
        shown["timeEnded"] = rfc3339(each.resolved)
    if each.output is not None:
        shown["output"] = each.output
    if each.error is not None:
        shown["error"] = each.error
    return shown


def diagnostic(line: Diagnostic) -> Json:
    """A diagnostic with its times."""
    return {
        "text": line.text,
        "count": line.count,
        "first": rfc3339(line.first),
        "last": rfc3339(line.last),
    }
