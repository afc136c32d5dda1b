"""What can be done, what it can be done with, and the least role for it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from diat.security.principal import ROLES, Principal, Role

Operation = Literal[
    "discover",
    "read",
    "observe",
    "history",
    "export",
    "write",
    "invoke",
    "bind",
    "send-up",
    "operate",
    "compose",
    "manage",
    "administer",
]
"""On things: know that it is there (its description), read a value, follow it, ask for its past, take it away
as a file, set a property, invoke an action, use it in a composite, send its values to another tier.
On the platform: pause, resume, admit and swap; make and change services and situations; templates, models and
places; users, tokens, policies and the audit."""
LEAST: dict[Operation, Role] = {
    "discover": "viewer",
    "read": "viewer",
    "observe": "viewer",
    "history": "viewer",
    "export": "viewer",
    "write": "operator",
    "invoke": "operator",
    "operate": "operator",
    "bind": "engineer",
    "compose": "engineer",
    "send-up": "engineer",
    "manage": "engineer",
    "administer": "admin",
}
"""The least role that may do it, as long as no policy says otherwise."""


class Target(Struct, frozen=True, kw_only=True):
    """What something is done with: a thing's affordance, a thing, a service, or the platform.

    Attributes:
        id: of the thing or service; ``""`` for the platform itself.
        kind: which of them it is.
        affordance: name of the property, action or event; ``""`` for the whole of it.
        place: path of its place; ``""`` for nowhere.
        quantities: quantity kinds of the affordance, or of all of them: ``Temperature``.
        types: semantic types (``@type``) of the thing, and of the affordance if there is one.
    """

    id: str = ""
    kind: Literal["thing", "service", "platform"] = "platform"
    affordance: str = ""
    place: str = ""
    quantities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


PLATFORM = Target()


def role_permits(principal: Principal, operation: Operation, target: Target) -> bool:
    """Whether a role of the principal's is enough for an operation, at the place of its target."""
    held = principal.role_at(target.place)
    return held is not None and ROLES.index(held) >= ROLES.index(LEAST[operation])
