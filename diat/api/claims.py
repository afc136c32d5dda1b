"""``/things/{id}/claims``: who drives what of a thing, who waits for it, and giving it back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from diat.api.access import on_thing
from diat.api.ports import StrictRoute, ThePlatform, ThingId, durably
from diat.kernel.clock import rfc3339
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Invalid
from diat.vol.arbitration import HOLD, PERSON, Claim

router = APIRouter(tags=["things"], route_class=StrictRoute)
LONGEST_HOLD = 30 * 86_400_000
"""Milliseconds for which a command may keep services off at most."""
Hold = Annotated[
    str | None,
    Query(
        description="How long services are kept off what this drives: `PT30M`, `30m`, seconds; `0` for not "
        "at all; an hour if not given, 30 days at most. `/things/{id}/claims` shows it and gives it back",
        examples=["PT30M"],
    ),
]


def hold_of(said: str | None) -> int:
    """Milliseconds for which a person's command keeps services off.

    Raises:
        Invalid: it is no duration, or too long a one.
    """
    if said is None:
        return HOLD
    if said.strip() in ("0", "PT0S"):
        return 0
    try:
        length = parse_duration(said)
    except ValueError as error:
        raise Invalid(str(error), "hold") from None
    if length > LONGEST_HOLD:
        raise Invalid("it may be held for 30 days at most", "hold")
    return length


@router.get(
    "/things/{thing}/claims",
    summary="Who drives it, and who waits for it",
    dependencies=[on_thing("discover")],
)
def list_claims(platform: ThePlatform, thing: ThingId) -> list[dict[str, Any]]:
    """All claims on the thing's actuators, of each the one that drives it first."""
    platform.things.registry.get(thing)
    found = platform.things.interaction.arbiter.claims(thing)
    return [
        _claim(actuator, claim, drives=at == 0)
        for actuator, claims in sorted(found.items())
        for at, claim in enumerate(claims)
    ]


@router.delete(
    "/things/{thing}/claims",
    status_code=204,
    summary="Give it back to the services",
    dependencies=[on_thing("write")],
)
async def give_back(
    platform: ThePlatform,
    thing: ThingId,
    affordance: Annotated[str | None, Query(description="Only what this property or action drives")] = None,
) -> None:
    """End what people hold by hand, at once: the services that want it take over."""
    each = platform.things.registry.get(thing)
    arbiter = platform.things.interaction.arbiter

    def change() -> None:
        arbiter.release_all(
            PERSON, platform.clock(), thing, None if affordance is None else each.actuator(affordance)
        )

    await durably(platform, change)


def _claim(actuator: str, claim: Claim, *, drives: bool) -> dict[str, Any]:
    return {
        "actuator": actuator,
        "affordances": list(claim.names),
        "holder": claim.holder,
        "title": claim.title,
        "priority": claim.priority,
        "drives": drives,
        "since": rfc3339(claim.since),
        "until": None if claim.until is None else rfc3339(claim.until),
    }
