"""What a decision says, whoever takes it."""

from __future__ import annotations

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
            raise Forbidden(self.reason)
        return self


class Decider(Protocol):
    """Takes decisions: roles first, policies after."""

    def decide(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Decide on one operation with one target; now in Unix milliseconds. Never raises."""

    def everywhere(self, principal: Principal, operation: Operation) -> bool:
        """Whether it permits an operation with every target, as it is: then nobody need ask of each."""
