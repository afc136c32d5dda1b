"""Decisions by role alone."""

from __future__ import annotations

from diat.security.decision import Decision
from diat.security.operations import LEAST, Operation, Target, role_permits
from diat.security.principal import ROLES, Principal


class ByRole:
    """Decides by the principal's role at the target's place."""

    def decide(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """Permit if a role is enough; arguments as ``Decider.decide``."""
        role = principal.role_at(target.place)
        if role_permits(principal, operation, target):
            return Decision(effect="permit", reason=f"{principal.id} is {role} there")
        where = f" at {target.place}" if target.place else ""
        held = f"is {role}" if role is not None else "has no role"
        reason = f"{principal.id} {held}{where}; {operation} takes {LEAST[operation]}"
        return Decision(effect="deny", reason=reason)

    def use(self, principal: Principal, operation: Operation, target: Target, now: int) -> Decision:
        """The same: roles count nothing."""
        return self.decide(principal, operation, target, now)

    def everywhere(self, principal: Principal, operation: Operation) -> bool:
        """Whether a role that holds everywhere is enough."""
        least = ROLES.index(LEAST[operation])
        return any(each.places is None and ROLES.index(each.role) >= least for each in principal.grants)
