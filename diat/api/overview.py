"""``/overview``: the whole at a glance: what needs a person, what is going on, and things in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from diat.api import views
from diat.api.access import Asking, needs, on_each, permits, seen, sees
from diat.api.ports import Limit, Offset, Platform, ThePlatform
from diat.api.service_access import sees_service
from diat.api.values import told
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid
from diat.security.principal import Principal
from diat.vol import search
from diat.vol.search import Capability
from diat.vol.thing import VirtualObject
from diat.wot.quantities import quantity_kind

router = APIRouter(tags=["operation"])
Json = dict[str, Any]
MOST = 200
"""Lines of one kind that are told at most."""
LOW = 15.0
"""Per cent of charge from which on a battery is low."""
SHOWN = 4
"""Affordances that stand for a thing in a list."""
_DRIVES = ("increase", "decrease", "switch")
_RANK = {
    quantity: at
    for at, quantity in enumerate(
        ("Temperature", "RelativeHumidity", "CarbonDioxide", "Occupancy", "Motion", "Illuminance", "Power")
    )
}
"""What people ask for first of a thing."""
_TOTAL = "X-Total-Count"
State = Literal["online", "offline", "sleeping", "unknown", "stale", "pending", "rejected"]


@router.get("/overview/attention", summary="What needs a person now", dependencies=[on_each("discover")])
def list_attention(platform: ThePlatform, asking: Asking) -> list[Json]:
    """What needs a person, the gravest first: each with a ``kind``, a sentence, and what it is about.

    Kinds: ``service-failed``, ``service-degraded``, ``service-waiting``, ``conflict``, ``thing-pending``,
    ``thing-offline``, ``battery-low``, ``gateway-cut-off``, ``update-failed``.
    """
    lines = [*_services(platform, asking), *_gateways(platform, asking), *_updates(platform, asking)]
    lines += islice(_pending(platform, asking), MOST)
    lines += islice(_batteries(platform, asking), MOST)
    return lines + list(islice(_offline(platform, asking), MOST))


@router.get("/overview/figures", summary="What is going on, counted", dependencies=[needs("read")])
def get_figures(platform: ThePlatform) -> Json:
    """Counts since the start, how much there is, and since when everything is recorded as it came."""
    begins = platform.record.begins()
    return figures(platform) | {"recorded_since": None if begins is None else rfc3339(begins)}


def figures(platform: Platform) -> Json:
    """Counts since the start: messages, readings, commands; how many things and services there are.

    ``bytes_per_hour`` are those of things that do steps themselves, ``bytes_saved_per_hour`` what these sent
    more before they did.
    """
    things, now = platform.things, platform.clock()
    counts = things.intake.counts
    traffic = {thing: sent.hourly(now) for thing, sent in list(things.pushdown.traffic.items())}
    before = {thing: things.pushdown.before(thing) for thing in traffic}
    saved = sum(max(0.0, was - traffic[thing]) for thing, was in before.items() if was is not None)
    return {
        "messages": counts.messages,
        "readings": counts.readings,
        "rejected": counts.rejected,
        "commands": things.interaction.begun,
        "things": len(things.registry.objects.committed),
        "services": len(platform.services.everything()),
        "bytes_per_hour": round(sum(traffic.values()), 1),
        "bytes_saved_per_hour": round(saved, 1),
    }


@router.get("/overview/things", summary="Things, a line each", dependencies=[on_each("discover")])
def list_overview(
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    text: Annotated[
        str | None, Query(max_length=200, description="In the title, id, place, quantities or names")
    ] = None,
    quantity: Annotated[str | None, Query(description="Quantity kind, in any spelling that we know")] = None,
    place: Annotated[str | None, Query(description="Path of a place; what lies inside counts")] = None,
    capability: Annotated[Capability | None, Query(description="What it can do with the quantity")] = None,
    kind_of: Annotated[
        str | None, Query(alias="type", max_length=200, description="A semantic type of the thing (`@type`)")
    ] = None,
    state: Annotated[State | None, Query(description="Its status, or where it stands")] = None,
    sort_by: Literal["title", "place", "created"] = "title",
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[Json]:
    """Things by title with what they measure and drive; ``X-Total-Count`` says how many there are."""
    kind = quantity_kind(quantity) if quantity else None
    if quantity and kind is None:
        raise Invalid(f"unknown quantity {quantity!r}", "quantity")
    ids = search.ids(
        platform.things.registry, search.Query(quantity=kind, place=place or None, capability=capability)
    )
    found: Iterable[VirtualObject] = seen(platform, asking, platform.things.registry.some(ids))
    if text:
        words = text.casefold().split()
        found = [each for each in found if _speaks_of(each, words)]
    if kind_of is not None:
        found = [each for each in found if kind_of in _types(each)]
    if state is not None:
        found = [each for each in found if _is(platform, each, state)]
    found = list(found)
    response.headers[_TOTAL] = str(len(found))
    # The beginning of the list, which is asked for most, without putting all of it in order.
    ordered = nsmallest(offset + limit, found, key=_ORDERS[sort_by])
    return [_line(platform, each) for each in ordered[offset:]]


@router.get("/overview/facets", summary="What things can be found by", dependencies=[on_each("discover")])
def list_facets(platform: ThePlatform, asking: Asking) -> Json:
    """The quantities, and the places with those that they lie in: of many places the outer ones."""
    registry = platform.things.registry
    if platform.decider.everywhere(asking, "discover"):
        quantities = sorted(name for name, found in list(registry.by_quantity.committed.items()) if found)
        places = {each.place for each in list(registry.objects.committed.values())}
    else:
        known = seen(platform, asking, registry.everything())
        quantities = sorted({name for each in known for name in each.quantities})
        places = {each.place for each in known}
    return {"quantities": quantities, "places": _few(_with_outer(places))}


def _few(places: set[str]) -> list[str]:
    """The places by path; of more than can be chosen from, those that most lies in."""
    if len(places) > MOST:
        places = set(nsmallest(MOST, places, key=lambda each: (each.count("/"), each)))
    return sorted(places)


def _with_outer(places: set[str]) -> set[str]:
    """The places and all that they lie in."""
    found: set[str] = set()
    for place in places:
        while place and place not in found:
            found.add(place)
            place = place.rpartition("/")[0]
    return found


_ORDERS: dict[str, Any] = {
    "title": lambda each: (_title(each).casefold(), each.id),
    "place": lambda each: (each.place == "", each.place, _title(each).casefold()),
    "created": lambda each: (-each.record.created, each.id),
}


def _title(each: VirtualObject) -> str:
    return str(each.td.get("title", each.id))


def _types(each: VirtualObject) -> Sequence[Any]:
    said = each.td.get("@type")
    return [said] if isinstance(said, str) else said if isinstance(said, Sequence) else ()


def _speaks_of(each: VirtualObject, words: list[str]) -> bool:
    said = f"{_title(each)}\n{each.id}\n{each.place}".casefold()
    left = [word for word in words if word not in said]
    if not left:
        return True
    more = "\n".join((*each.quantities, *each.properties, *each.actions)).casefold()
    return all(word in more for word in left)


def _is(platform: Platform, each: VirtualObject, state: State) -> bool:
    if state in ("pending", "rejected"):
        return each.record.admission == state
    if state == "stale":
        heard = platform.things.twin(each.id).heard
        return each.taking_part and platform.clock() - heard > platform.stale_after * 1000
    return platform.things.twin(each.id).status == state


def _line(platform: Platform, each: VirtualObject) -> Json:
    twin = platform.things.twin(each.id)
    own = [prop for prop in each.properties.values() if prop.category is None and prop.readable]
    own.sort(key=lambda prop: (_RANK.get(prop.quantity or "", len(_RANK)), prop.quantity is None))
    return {
        "id": each.id,
        "title": _title(each),
        "place": each.place,
        "dialect": each.record.dialect,
        "admission": each.record.admission,
        "position": _position(each.td.get("diat:position")),
        "status": twin.status,
        "heard": rfc3339(twin.heard) if twin.heard else None,
        "quantities": sorted(each.quantities),
        "shows": [
            {
                "name": prop.name,
                "title": each.td["properties"][prop.name].get("title", prop.name),
                "quantity": prop.quantity,
                "unit": prop.unit,
                "type": prop.type,
            }
            for prop in own[:SHOWN]
        ],
        "measures": sorted({prop.quantity for prop in own if prop.quantity is not None}),
        "drives": sorted({skill[1] for skill in each.skills if skill[0] in _DRIVES and skill[1] is not None}),
        "actions": len(each.actions),
    }


def _position(said: Any) -> list[float] | None:
    """Where a thing is on a picture, if that can be understood."""
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) != 2:
        return None
    if not all(isinstance(each, int | float) and 0 <= each <= 1 for each in said):
        return None
    return [float(each) for each in said]


def _services(platform: Platform, asking: Principal) -> Iterator[Json]:
    grave = {"failed": 0, "degraded": 1, "waiting": 2}
    shown = [
        views.service(platform, asking, each)
        for each in platform.services.everything()
        if not each.paused and sees_service(platform, asking, each)
    ]
    unwell = sorted((each for each in shown if each["state"] in grave), key=lambda each: grave[each["state"]])
    for each in unwell[:MOST]:
        missing = "; ".join(one.partition(" (turned down")[0] for one in each["missing"])
        why = each.get("error") or missing or "not everything is there"
        yield {"kind": f"service-{each['state']}", "service": each["id"], "title": each["title"], "text": why}
    for each in [each for each in shown if each["conflicts"]][:MOST]:
        text = "; ".join(
            f"{line['winner']} drives {line['affordance']} instead" for line in each["conflicts"]
        )
        yield {"kind": "conflict", "service": each["id"], "title": each["title"], "text": text}


def _gateways(platform: Platform, asking: Principal) -> Iterator[Json]:
    for gateway in platform.things.tiers.gateways():
        each = platform.things.registry.objects.committed.get(gateway.thing)
        if each is None or gateway.connected or not gateway.accepted or not sees(platform, asking, each):
            continue
        text = f"its line is cut; {gateway.things:,} things are behind it"
        yield _about("gateway-cut-off", each, text) | {"since": rfc3339(gateway.since)}


def _updates(platform: Platform, asking: Principal) -> Iterator[Json]:
    objects = platform.things.registry.objects.committed
    for rollout in platform.rollouts.everything():
        for name, member in rollout.members.items():
            each = objects.get(name)
            if member.state != "failed" or each is None or not sees(platform, asking, each):
                continue
            text = f"{rollout.wish.title}: {member.why or 'the update failed'}"
            yield _about("update-failed", each, text) | {
                "rollout": rollout.id,
                "since": rfc3339(member.since),
            }


def _pending(platform: Platform, asking: Principal) -> Iterator[Json]:
    for each in list(platform.things.registry.objects.committed.values()):
        if each.record.admission == "pending" and permits(platform, asking, "discover", each):
            text = each.record.reason or "it waits to be let in"
            yield _about("thing-pending", each, text)


def _offline(platform: Platform, asking: Principal) -> Iterator[Json]:
    for thing, twin in list(platform.things.intake.twins.committed.items()):
        if twin.status != "offline":
            continue
        each = platform.things.registry.objects.committed.get(thing)
        if each is not None and each.taking_part and permits(platform, asking, "discover", each):
            yield _about("thing-offline", each, "it went offline") | {"since": rfc3339(twin.since)}


def _batteries(platform: Platform, asking: Principal) -> Iterator[Json]:
    registry = platform.things.registry
    for quantity in ("StateOfCharge", "BatteryLow"):
        for each in registry.some(list(registry.by_quantity.committed.get(quantity, {}))):
            if not each.taking_part:
                continue
            for prop in each.properties.values():
                if prop.quantity != quantity or not permits(platform, asking, "read", each, prop.name):
                    continue
                known = platform.things.twin(each.id).values.get(prop.name)
                if known is None:
                    continue
                value = told(platform, asking, each.id, prop.name, known.value, known.observed)
                if quantity == "BatteryLow" and value is True:
                    yield _about("battery-low", each, "its battery is low")
                elif quantity == "StateOfCharge" and isinstance(value, int | float) and value <= LOW:
                    yield _about("battery-low", each, f"its battery has {value:g} % left")


def _about(kind: str, each: VirtualObject, text: str) -> Json:
    return {"kind": kind, "thing": each.id, "title": _title(each), "place": each.place, "text": text}
