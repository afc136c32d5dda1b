"""Lineage: where a command came from, completely; and what a service does, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import APIRouter

from diat.api.access import Asking, on_each, permits
from diat.api.operation import command
from diat.api.ports import Platform, StrictRoute, ThePlatform
from diat.api.service_access import on_service, sees_service
from diat.api.values import Withheld
from diat.api.values import told as told_value
from diat.api.views import Json
from diat.kernel.clock import parse_time, rfc3339
from diat.kernel.errors import Forbidden, NotFound
from diat.security.principal import Principal
from diat.service.explaining import Known, explain, told
from diat.service.service import Service
from diat.vol.interaction import Actuation
from diat.vol.journal import KNOWN
from diat.vol.recorded import Row
from diat.vol.targets import target_of
from diat.vol.twin import Reading

router = APIRouter(route_class=StrictRoute)
_BACK = 50
"""Commands looked back upon for the last that was a decision."""


@router.get(
    "/actuations/{actuation}",
    tags=["operation"],
    summary="One command, completely explained",
    dependencies=[on_each("read")],
)
def get_actuation(platform: ThePlatform, asking: Asking, actuation: str) -> Json:
    """Who gave it, why, on which readings, and what became of it.

    Of a service: from which template with which parameters, in which step with which values, why to this
    thing, over whom it had priority. Of a person: until when it keeps services off.
    """
    each = platform.history.actuation(actuation)
    if not _reads(platform, asking, each.thing, each.affordance):
        raise NotFound(f"there is no command {actuation!r}")
    why = each.why or {}
    shown = command(platform, asking, each)
    on = readings(platform, each)
    read = [
        _as_told(platform, asking, line)
        for line in on
        if _reads(platform, asking, line["thing"], line["affordance"])
    ]
    if each.service is None:
        shown["by"] = {"person": True, "title": "a person", "hold": _maybe_time(why.get("hold"))}
        return shown
    return {
        **shown,
        "by": {
            "person": False,
            "title": why.get("title", ""),
            "services": _services(platform, asking, each.service),
        },
        "decision": why.get("decision"),
        "template": why.get("template"),
        "parameters": why.get("parameters"),
        "step": why.get("step"),
        "role": why.get("role"),
        "binding": why.get("binding"),
        "claim": {"priority": why.get("priority"), "over": why.get("over") or []},
        # What the steps made of readings tells as much as those.
        "values": (why.get("values") or {}) if read == on else {},
        "readings": read,
    }


@router.get(
    "/services/{service}/explanation",
    tags=["services"],
    summary="A service in plain sentences",
    dependencies=[on_service("read")],
)
def explain_service(platform: ThePlatform, asking: Asking, service: str) -> Json:
    """What it does, what is bound and why, what is missing and what that costs.

    And what it last decided and on what, who outranks it until when, and what it waits for.
    """
    known = knowledge(platform, platform.services.get(service), deeply=True)
    bindings = known.state.bindings if known.state is not None else []
    read = [(each.thing, each.affordance) for each in bindings]
    last = (known.last.why or {}).get("read") or [] if known.last is not None else []
    read += [(key.partition(" ")[0], key.partition(" ")[2]) for _, key in last]
    for thing, name in dict.fromkeys(read):
        if not _reads_plainly(platform, asking, thing, name):
            raise Forbidden("it tells of things that are not yours to read, or not as they are")
    return {"id": service, "title": known.service.title, "sentences": explain(known)}


def knowledge(platform: Platform, service: Service, *, deeply: bool = False) -> Known:
    """What an explanation of a service rests on; with its last decision if ``deeply``."""
    last = _last(platform, service.composite) if deeply else None
    arbiter = platform.things.interaction.arbiter
    try:
        template = platform.services.templates.get(service.template)
    except NotFound:
        template = None
    return Known(
        service=service,
        template=template,
        composite=platform.composites.composite(service.composite),
        state=platform.composites.states.committed.get(service.composite),
        things=platform.things.registry.objects.committed.get,
        twin=platform.things.twin,
        claims=arbiter.committed,
        last=last,
        read=tuple(_line(each) for each in readings(platform, last)) if last is not None else (),
    )


def readings(platform: Platform, command: Actuation) -> list[Json]:
    """What a command was decided on, oldest first; what retention has dropped has no value any more."""
    read = (command.why or {}).get("read") or []
    rows = {row.position: row for row in platform.record.at([position for position, _ in read])}
    return [_reading(platform, rows.get(position), position, key) for position, key in read]


def _reading(platform: Platform, row: Row | None, position: int, key: str) -> Json:
    thing, _, name = key.partition(" ")
    each = platform.things.registry.objects.committed.get(thing)
    prop = each.properties.get(name) if each is not None else None
    shown: Json = {
        "thing": thing,
        "title": thing if each is None else str(each.td.get("title", thing)),
        "affordance": name,
        "position": position,
        "kept": row is not None,
    }
    if row is None:
        return shown
    value, observed = row.data, row.observed
    if row.name == KNOWN:
        known = msgspec.convert(row.data.get(name), Reading)
        value, observed = known.value, known.observed
    elif not row.name:
        value = row.data.get(name)
    return {
        **shown,
        "value": value,
        "unit": prop.unit if prop is not None else None,
        "observed": rfc3339(observed),
        "received": rfc3339(row.received),
        "quality": row.quality,
    }


def _line(reading: Json) -> str:
    where = f"{reading['title']} ({reading['affordance']})"
    if not reading["kept"]:
        return f"{where}, which is not kept any more"
    unit = f" {reading['unit']}" if reading["unit"] else ""
    return f"{where} {told(reading['value'])}{unit}, observed {reading['observed']}"


def _last(platform: Platform, composite: str) -> Actuation | None:
    """The last command that was a decision, not one told again."""
    found: Iterable[Actuation] = platform.history.actuations(_BACK, 0, service=composite)
    return next((each for each in found if (each.why or {}).get("decision") != "told again"), None)


def _reads(platform: Platform, asking: Principal, thing: str, affordance: str) -> bool:
    """Whether a principal may read of a thing; of one that is gone only who may read everywhere."""
    if platform.decider.everywhere(asking, "read"):
        return True
    each = platform.things.registry.objects.committed.get(thing)
    return each is not None and permits(platform, asking, "read", each, affordance)


def _reads_plainly(platform: Platform, asking: Principal, thing: str, affordance: str) -> bool:
    """Whether it may read what a thing says as it says it, at once."""
    if platform.decider.everywhere(asking, "read"):
        return True
    each = platform.things.registry.objects.committed.get(thing)
    if each is None:
        return False
    target, now = target_of(each, affordance), platform.clock()
    return platform.decider.decide(asking, "read", target, now).effect == "permit"


def _as_told(platform: Platform, asking: Principal, line: Json) -> Json:
    """What a command was decided on, as somebody may know it."""
    at = parse_time(line["observed"]) if "observed" in line else 0
    value = told_value(platform, asking, line["thing"], line["affordance"], line.get("value"), at)
    if isinstance(value, Withheld):
        hidden = ("value", "observed", "received", "quality")
        return {key: each for key, each in line.items() if key not in hidden} | {"withheld": value.reason}
    return line if "value" not in line else line | {"value": value}


def _services(platform: Platform, asking: Principal, composite: str) -> list[Json]:
    """The services that the composite works for just now."""
    users: list[Any] = platform.services.sharing.committed(composite)
    found = (
        each
        for each in platform.services.everything()
        if each.id in users and sees_service(platform, asking, each)
    )
    return [{"id": each.id, "title": each.title, "revision": each.revision} for each in found]


def _maybe_time(ms: Any) -> str | None:
    return rfc3339(ms) if isinstance(ms, int) else None
