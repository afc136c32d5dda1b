"""Decisions: roles first, policies after, each taken once and kept while nothing changes that it rests on.

What is decided follows from principal, operation and target alone, as long as the policies, the situations
that hold and the time of day are the same. So a kept decision is found by those three, and all are dropped
when one of the others changes; a changed grant, place or description makes another key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from diat.security.cedar import Compiled, Moment, Statement
from diat.security.decision import Decision
from diat.security.operations import Operation, Target
from diat.security.policy import DAYS
from diat.security.principal import Principal
from diat.security.roles import ByRole

KEPT = 50_000
"""Decisions that are kept at most, the newest."""
COUNTED = 50_000
"""Counters of uses at most, the newest."""
_HALF_HOUR = 1_800_000
Key = tuple[Principal, Operation, Target]


class Counter(Struct):
    """Uses in one period."""

    period: int
    used: int = 0


class Decisions:
    """Decides by roles and policies (``Decider``); any thread may ask.

    Attributes:
        generation: grows whenever decisions have to be taken anew.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._roles = ByRole()
        self._policies = Compiled()
        self._situations: frozenset[str] = frozenset()
        self._kept: dict[Key, Decision] = {}
        self._counters: dict[tuple[str, str], Counter] = {}
        self._lock = threading.Lock()
        self.generation = 0
        self.on_turn: Callable[[], None] = _nobody_cares

    def rest_on(self, policies: Compiled | None = None, situations: frozenset[str] | None = None) -> None:
        """Decide by other policies, or as other situations hold, from now on."""
        with self._lock:
            if policies is not None:
                self._policies = policies
            if situations is not None:
                self._situations = situations
            self.generation += 1
            self._kept = {}
        self.on_turn()

    def decide(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Whether, and how, something may be done; that alone is no use. Arguments as ``Decider.decide``."""
        key = (principal, operation, target)
        kept = self._kept.get(key)
        if kept is not None and (kept.until is None or now < kept.until):
            return kept
        decision, _ = self._decide(principal, operation, target, now)
        return decision

    def use(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Decide, and count it as a use if it is not denied."""
        kept = self._kept.get((principal, operation, target))
        if kept is not None and (kept.until is None or now < kept.until):
            return kept
        decision, counted = self._decide(principal, operation, target, now)
        if decision.effect != "deny":
            for each in counted:
                self._count(each, principal, now).used += 1
        return decision

    def everywhere(self, principal: Principal, operation: Operation) -> bool:
        """Whether a role is enough everywhere, and there is no policy that could say otherwise."""
        return not self._policies and self._roles.everywhere(principal, operation)

    def next_turn(self, now: int) -> int | None:
        """When the time of day may make other decisions, Unix milliseconds; None if it never does.

        At the next half hour in any case: then the clocks of a zone may have been changed.
        """
        policies = self._policies
        if not policies.minutes and not policies.daily:
            return None
        local = datetime.fromtimestamp(now / 1000, self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        minute = local.hour * 60 + local.minute
        later = next((each for each in policies.minutes if each > minute), 1440)
        turn = round((midnight + timedelta(minutes=later)).timestamp() * 1000)
        half_hour = now - now % _HALF_HOUR + _HALF_HOUR
        return min(turn, half_hour) if turn > now else half_hour

    def _decide(
        self, principal: Principal, operation: Operation, target: Target, now: int
    ) -> tuple[Decision, list[Statement]]:
        generation, policies = self.generation, self._policies
        by_role = self._roles.decide(principal, operation, target, now)
        if not policies:
            self._keep((principal, operation, target), by_role, generation)
            return by_role, []
        if operation == "administer" and target.kind == "platform" and by_role.effect == "permit":
            # Else nobody could take a policy away that denies too much.
            return by_role, []
        until = self.next_turn(now)
        found, wrong = policies.matching(principal, operation, target, self._moment(now))
        counted = [each for each in found if each.count is not None]
        holding = [
            each
            for each in found
            if each.count is None or each.count.holds(self._count(each, principal, now).used)
        ]
        decision = combine(by_role, holding, until)
        if wrong is not None and decision.effect != "deny":
            reason = f"a policy cannot be evaluated, so nothing is permitted: {wrong}"[:500]
            decision = Decision(effect="deny", reason=reason, until=until)
        if not counted:
            self._keep((principal, operation, target), decision, generation)
        return decision, counted

    def _keep(self, key: Key, decision: Decision, generation: int) -> None:
        with self._lock:
            if generation != self.generation:
                return  # it rests on what is so no more
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = decision

    def _moment(self, now: int) -> Moment:
        local = datetime.fromtimestamp(now / 1000, self._zone)
        return Moment(local.hour * 60 + local.minute, DAYS[local.weekday()], self._situations)

    def _count(self, statement: Statement, principal: Principal, now: int) -> Counter:
        period = now // statement.count.period if statement.count is not None else 0
        with self._lock:
            key = (statement.id, principal.id)
            counter = self._counters.get(key)
            if counter is None or counter.period != period:
                while len(self._counters) >= COUNTED:
                    del self._counters[next(iter(self._counters))]
                counter = self._counters[key] = Counter(period)
            return counter


def combine(by_role: Decision, holding: Sequence[Statement], until: int | None = None) -> Decision:
    """The one decision that follows from the role's and the policies that hold.

    A denial wins over all. What neither the role nor a policy permits is denied. Of what is permitted the
    policies that restrict hold together: every form, the longest delay.
    """
    denying = [each for each in holding if each.denies]
    if denying:
        return _made("deny", denying, "denies it", until)
    granting = [each for each in holding if each.grants]
    if by_role.effect == "deny" and not granting:
        return Decision(effect="deny", reason=by_role.reason, until=until)
    modify = tuple(each.modify for each in holding if each.modify)
    delay = max((each.delay for each in holding), default=0)
    if modify or delay:
        restricting = [each for each in holding if each.modify or each.delay]
        how = "gives it in another form" if modify else f"holds it back by {delay / 1000:g} s"
        said = _made("modify" if modify else "delay", restricting, how, until)
        return Decision(
            effect=said.effect,
            reason=said.reason,
            policies=_ids(holding),
            modify=modify,
            delay=delay,
            obligations=_owed(holding),
            until=until,
        )
    if by_role.effect == "deny":
        return _made("permit", granting, "permits it", until)
    return Decision(
        effect="permit",
        reason=by_role.reason,
        policies=_ids(holding),
        obligations=_owed(holding),
        until=until,
    )


def _made(effect: str, policies: Sequence[Statement], does: str, until: int | None) -> Decision:
    names = dict.fromkeys(f"{each.title!r} ({each.policy})" for each in policies)
    shown = ", ".join(list(names)[:5]) + (f" and {len(names) - 5} others" if len(names) > 5 else "")
    return Decision(
        effect=effect,  # type: ignore[arg-type]
        reason=f"policy {shown} {does}",
        policies=_ids(policies),
        obligations=_owed(policies),
        until=until,
    )


def _ids(policies: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.policy for each in policies))


def _owed(policies: Sequence[Statement]) -> tuple[dict[str, object], ...]:
    return tuple({**owed, "policy": each.policy} for each in policies for owed in each.obligations)


def _nobody_cares() -> None:
    """Stands in until somebody listens."""
