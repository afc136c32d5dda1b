"""Whether somebody may do something with a service: it must be permitted wherever the service reaches."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import Path

from diat.api.access import Asking, Need, declared, permits
from diat.api.ports import Platform, ThePlatform
from diat.cvol.composite import Composite
from diat.kernel.errors import NotFound
from diat.security.operations import Operation
from diat.security.principal import Principal
from diat.service.service import Service
from diat.service.situation import Situation
from diat.service.targets import targets_of


@cache
def on_service(operation: Operation) -> Any:
    """The route is for whoever may do this with the service of its path."""

    async def ask(platform: ThePlatform, asking: Asking, service: Annotated[str, Path()]) -> None:
        each = platform.services.get(service)
        may_service(platform, asking, operation, service, platform.composites.composite(each.composite))

    return declared(ask, Need("service", operation))


def may_service(
    platform: Platform, principal: Principal, operation: Operation, service: str, composite: Composite | None
) -> None:
    """Return if an operation with a service, or one that is only planned, is permitted.

    Raises:
        NotFound: the principal may not know that it is there.
        Forbidden: it may not do this; the message says which role or policy decided.
    """
    now = platform.clock()
    decided = [
        platform.decider.decide(principal, operation, target, now)
        for target in targets_of(service, composite)
    ]
    if all(each.effect != "deny" for each in decided):
        return
    if platform.services.known(service) and not _permits(platform, principal, "discover", service, composite):
        raise NotFound(f"there is no service {service!r}")
    for each in decided:
        each.or_refuse()


def sees_service(platform: Platform, principal: Principal, each: Service) -> bool:
    """Whether a principal may know that a service is there."""
    return _permits(platform, principal, "discover", each.id, platform.composites.composite(each.composite))


def sees_situation(platform: Platform, principal: Principal, each: Situation) -> bool:
    """Whether a principal may know of a situation: of what it watches, and of every service that it names."""
    if platform.decider.everywhere(principal, "discover"):
        return True
    content = each.content
    otherwise = content["otherwise"]
    actions = [*content["then"], *(otherwise if isinstance(otherwise, list) else [])]
    services = [content["when"].get("service")]
    for action in actions:
        what, said = next(iter(action.items()))
        if what == "start":  # a service that is not there yet has no place of its own
            return False
        services.append(said["service"] if what == "set" else said)
    services += [done.service for done in each.course.did]
    thing = platform.things.registry.objects.committed.get(content["when"].get("thing") or "")
    if content["when"].get("thing") is not None and (
        thing is None or not permits(platform, principal, "discover", thing)
    ):
        return False
    try:
        return all(sees_service(platform, principal, platform.services.get(one)) for one in services if one)
    except NotFound:
        return False


def _permits(
    platform: Platform, principal: Principal, operation: Operation, service: str, composite: Composite | None
) -> bool:
    now = platform.clock()
    return all(
        platform.decider.decide(principal, operation, target, now).effect != "deny"
        for target in targets_of(service, composite)
    )
