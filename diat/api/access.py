"""Who asks, and whether they may: every route declares here what it takes, and asks the decider.

A route without a declaration is an error of the program, found when the application is made
(``hold_declared``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from msgspec import Struct
from starlette.routing import BaseRoute

from diat.api.ports import Affordance, Platform, ThePlatform, ThingId
from diat.kernel.errors import Forbidden, NotFound, Unauthenticated
from diat.security.decision import Decision
from diat.security.operations import PLATFORM, Operation
from diat.security.principal import Principal
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject

_MARK = "__diat_need__"


class Need(Struct, frozen=True):
    """What a route takes.

    Attributes:
        scope: what it is asked of: the platform, the thing or service of the path, each item by the handler
            itself, or nothing but that somebody has a role (``role``), is known (``known``) or is the broker,
            or nothing.
        operation: what is asked for; None where the scope says it all.
    """

    scope: Literal["platform", "thing", "affordance", "service", "each", "role", "known", "broker", "nothing"]
    operation: Operation | None = None


async def _asking(request: Request) -> Principal:
    principal: Principal | None = request.scope.get("state", {}).get("principal")
    if principal is None:
        raise Unauthenticated("a credential is needed: log in, or send a token as Authorization: Bearer")
    return principal


Asking = Annotated[Principal, Depends(_asking)]


@cache
def needs(operation: Operation) -> Any:
    """The route is for whoever may do this with the platform as a whole; its value is the decision."""

    async def ask(platform: ThePlatform, asking: Asking) -> Decision:
        return platform.decider.decide(asking, operation, PLATFORM, platform.clock()).or_refuse()

    return declared(ask, Need("platform", operation))


@cache
def on_thing(operation: Operation) -> Any:
    """The route is for whoever may do this with the thing of its path; its value is the decision."""

    async def ask(platform: ThePlatform, asking: Asking, thing: ThingId) -> Decision:
        return may(platform, asking, operation, platform.things.registry.get(thing))

    return declared(ask, Need("thing", operation))


@cache
def on_affordance(operation: Operation) -> Any:
    """The same for the property, action or event of its path."""

    async def ask(platform: ThePlatform, asking: Asking, thing: ThingId, name: Affordance) -> Decision:
        return may(platform, asking, operation, platform.things.registry.get(thing), name)

    return declared(ask, Need("affordance", operation))


@cache
def on_each(operation: Operation) -> Any:
    """The route asks for itself, of each item that it lists or makes; only who has a role at all comes in."""

    async def ask(asking: Asking) -> None:
        _has_a_role(asking)

    return declared(ask, Need("each", operation))


@cache
def for_roles() -> Any:
    """The route tells nothing of what is there, but only those who have some role are told."""

    async def ask(asking: Asking) -> None:
        _has_a_role(asking)

    return declared(ask, Need("role"))


@cache
def for_known() -> Any:
    """The route is about the one who asks: whoever is known may."""

    async def ask(asking: Asking) -> None:
        """Asking was enough."""

    return declared(ask, Need("known"))


@cache
def for_all() -> Any:
    """The route is open to everybody, known or not."""

    async def ask() -> None:
        """Nothing is asked."""

    return declared(ask, Need("nothing"))


def may(
    platform: Platform, principal: Principal, operation: Operation, each: VirtualObject, affordance: str = ""
) -> Decision:
    """The decision on an operation with a thing or one of its affordances; it permits, if not as it is.

    Raises:
        NotFound: the principal may not know that the thing is there.
        Forbidden: it may not do this; the message says which role or policy decided.
    """
    now = platform.clock()
    decided = platform.decider.decide(principal, operation, target_of(each, affordance), now)
    if decided.effect != "deny":
        return decided
    if not sees(platform, principal, each):
        raise NotFound(f"there is no thing {each.id!r}") from Forbidden(decided.reason, decided.policies)
    return decided.or_refuse()


def sees(platform: Platform, principal: Principal, each: VirtualObject) -> bool:
    """Whether a principal may know that a thing is there."""
    return permits(platform, principal, "discover", each)


def permits(
    platform: Platform, principal: Principal, operation: Operation, each: VirtualObject, affordance: str = ""
) -> bool:
    """Whether the decision on an operation permits it, in whatever form."""
    target = target_of(each, affordance)
    return platform.decider.decide(principal, operation, target, platform.clock()).effect != "deny"


def seen(platform: Platform, principal: Principal, things: Iterable[VirtualObject]) -> list[VirtualObject]:
    """Those of the things that a principal may know of, in their order."""
    if platform.decider.everywhere(principal, "discover"):
        return list(things)
    return [each for each in things if sees(platform, principal, each)]


def hold_declared(routes: Iterable[BaseRoute]) -> None:
    """Hold every route to say what it takes.

    Raises:
        LookupError: one does not, or says two things.
    """
    for route in routes:
        need_of(route)


def need_of(route: BaseRoute) -> Need:
    """What a route takes.

    Raises:
        LookupError: it does not say, or says two things.
        TypeError: it is none of FastAPI's, and cannot say.
    """
    if not isinstance(route, APIRoute):
        raise TypeError(f"{route} cannot say what it takes: make it a route of FastAPI's")
    found = {id(need): need for need in _needs_in(route.dependant)}
    if len(found) != 1:
        raise LookupError(f"{route.path} declares {len(found)} needs: each route takes exactly one")
    return next(iter(found.values()))


def _needs_in(dependant: Dependant) -> Iterator[Need]:
    need = getattr(dependant.call, _MARK, None)
    if need is not None:
        yield need
    for each in dependant.dependencies:
        yield from _needs_in(each)


def declared(ask: Callable[..., Any], need: Need) -> Any:
    """What asks, as a dependency that declares a need."""
    setattr(ask, _MARK, need)
    return Depends(ask)


def _has_a_role(principal: Principal) -> None:
    if not principal.grants:
        raise Forbidden(f"{principal.id} has no role")
