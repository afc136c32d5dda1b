"""What a decision says, whoever takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

from msgspec import Struct

from diat.kernel.errors import Forbidden
from diat.security.operations import Operation, Target
from diat.security.principal import Principal

Effect = Literal["permit", "deny", "modify", "delay"]


class Decision(Struct, frozen=True, kw_only=True):
    """Whether, and how, something may be done.

    Attributes:
        effect: permit, deny, permit in another form (``modify``), or permit later (``delay``).
        reason: one line for a person: which role or policy decided.
        policies: ids of the policies that decided, in order.
        modify: how values are to be changed before they are handed out; JSON, as the policies have it.
        delay: milliseconds by which values are held back.
        obligations: what has to be done besides: notify, delete after, log; JSON, as the policies have it.
        until: when it has to be taken anew, Unix milliseconds; None for when a policy changes.
    """

    effect: Effect
    reason: str
    policies: tuple[str, ...] = ()
    modify: tuple[dict[str, Any], ...] = ()
    delay: int = 0
    obligations: tuple[dict[str, Any], ...] = ()
    until: int | None = None

    def or_refuse(self) -> Decision:
        """Itself, unless it denies.

        Raises:
            Forbidden: it denies; the message is its reason.
        """
        if self.effect == "deny":
            raise Forbidden(self.reason, self.policies)
        return self


def strictest(decisions: Iterable[Decision]) -> Decision:
    """What holds where several decisions do: a denial, or all forms together and the longest delay.

    Args:
        decisions: at least one.
    """
    found = list(decisions)
    denied = next((each for each in found if each.effect == "deny"), None)
    if denied is not None or len(found) == 1:
        return denied or found[0]
    restricting = [each for each in found if each.effect != "permit"]
    modify = _unlike(part for each in found for part in each.modify)
    return Decision(
        effect="modify" if modify else "delay" if restricting else "permit",
        reason="; ".join(dict.fromkeys(each.reason for each in restricting or found[:1])),
        policies=tuple(dict.fromkeys(one for each in found for one in each.policies)),
        modify=modify,
        delay=max(each.delay for each in found),
        obligations=_unlike(owed for each in found for owed in each.obligations),
        until=min((each.until for each in found if each.until is not None), default=None),
    )


def _unlike(parts: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Each once, in order."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if part not in found:
            found.append(part)
    return tuple(found)


class Decider(Protocol):
    """Takes decisions: roles first, policies after."""

    def decide(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Decide on one operation with one target; now in Unix milliseconds. Never raises."""

    def use(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Decide as ``decide`` does and, unless it denies, count that as a use."""

    def everywhere(self, principal: Principal, operation: Operation) -> bool:
        """Whether it permits an operation with every target, as it is: then nobody need ask of each."""
