"""As whom services act: each as itself, with what its creator may and for its own purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec

from diat.kernel.clock import Clock
from diat.security.decision import Decider, Decision, strictest
from diat.security.operations import PLATFORM, Operation, Target
from diat.security.principal import Grant, Principal
from diat.service.service import Service
from diat.service.situation import Situation
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject

PERMITTED = Decision(effect="permit", reason="its creator may")
NOBODY = Decision(effect="deny", reason="nobody wants it any more")
GrantsOf = Callable[[str], tuple[Grant, ...] | None]
"""What somebody was granted, by ``kind:name``, as of now; None if nobody knows."""


class Acting:
    """What composites may do: all that every service may that is done by them.

    Attributes:
        elsewhere: as whom a composite acts that is a part of a service of another daemon; None if it is none.
    """

    def __init__(
        self,
        services_of: Callable[[str], Iterable[Service]],
        decider: Decider,
        clock: Clock,
        grants_of: GrantsOf,
    ) -> None:
        self._services_of = services_of
        self._decider = decider
        self._clock = clock
        self._grants_of = grants_of
        self.elsewhere: Callable[[str], Principal | None] = lambda _: None

    def principals(self, composite: str) -> list[Principal]:
        """As whom a composite acts."""
        found = [self._principal(each) for each in self._services_of(composite)]
        if not found and (acting := self.elsewhere(composite)) is not None:
            found.append(acting)
        return found

    def allow(self, composite: str, each: VirtualObject, affordance: str, operation: Operation) -> Decision:
        """Whether a composite may do something with an affordance; see ``diat.cvol.execution.AllowFor``."""
        return self.decide(self.principals(composite), each, affordance, operation)

    def decide(
        self, principals: Iterable[Principal], each: VirtualObject, affordance: str, operation: Operation
    ) -> Decision:
        """What holds for all of these principals together."""
        principals, decider = list(principals), self._decider
        if not principals:
            return NOBODY
        if all(decider.everywhere(principal, operation) for principal in principals):
            return PERMITTED
        target, now = target_of(each, affordance), self._clock()
        return strictest(decider.decide(principal, operation, target, now) for principal in principals)

    def may_situation(
        self, situation: Situation, action: dict[str, Any], targets: Callable[[str], Iterable[Target]]
    ) -> str | None:
        """Whether a situation may do an action: None, or why not (``diat.service.doing.Permit``).

        Args:
            situation: which.
            action: what, as its request has it.
            targets: of a service by id, wherever that reaches.
        """
        what, said = next(iter(action.items()))
        grants = self._grants_of(situation.creator)
        principal = situation.acting
        if grants is not None:
            principal = msgspec.structs.replace(principal, grants=grants)
        operation: Operation = "operate" if what in ("pause", "resume") else "compose"
        service = said["service"] if what == "set" else said if what != "start" else None
        found = [PLATFORM] if service is None else list(targets(service))
        decided = [self._decider.decide(principal, operation, each, self._clock()) for each in found]
        return next((each.reason for each in decided if each.effect == "deny"), None)

    def _principal(self, service: Service) -> Principal:
        grants = self._grants_of(service.creator)
        return as_service(service.id, service.grants if grants is None else grants, service.purpose)


@lru_cache(maxsize=10_000)
def as_service(service: str, grants: tuple[Grant, ...], purpose: str) -> Principal:
    """The principal that a service is."""
    return Principal(kind="service", name=service, grants=grants, purpose=purpose)


def nobody_knows(creator: str) -> tuple[Grant, ...] | None:
    """Stands in where there are no users: creators may what they might as they made it."""
    return None
