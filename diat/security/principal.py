"""Who asks: people, programs, things, services and daemons, and what each was granted."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

from diat.wot.places import lies_in

Role = Literal["viewer", "operator", "engineer", "admin"]
"""What somebody may do at all; each may what those before it may."""
ROLES: tuple[Role, ...] = get_args(Role)
Kind = Literal["local", "user", "account", "thing", "service", "situation", "daemon"]
"""What is behind a principal: this machine, a person, a program, …"""


class Grant(Struct, frozen=True, kw_only=True):
    """A role, and where it holds.

    Attributes:
        role: what may be done.
        places: paths; inside any of them it holds. None for everywhere.
    """

    role: Role
    places: tuple[str, ...] | None = None

    def holds_at(self, place: str) -> bool:
        """Whether it holds at a place; what is nowhere is only for grants that hold everywhere."""
        return self.places is None or any(lies_in(place, each) for each in self.places if each)


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        kind: what is behind it.
        name: of a user or account its login, of a thing, service or daemon its id.
        grants: roles, each with where it holds; none for things, which may use their own topics only.
        purpose: what it says it asks for, a word of the site (``comfort``); ``""`` for none.
        token: id of the token that it came with; ``""`` if it came otherwise.
    """

    kind: Kind
    name: str
    grants: tuple[Grant, ...] = ()
    purpose: str = ""
    token: str = ""

    @property
    def id(self) -> str:
        """``kind:name``, as policies and the audit name it."""
        return f"{self.kind}:{self.name}"

    def role_at(self, place: str) -> Role | None:
        """The highest role that it has at a place; None if it has none there."""
        held = [ROLES.index(each.role) for each in self.grants if each.holds_at(place)]
        return ROLES[max(held)] if held else None


LOCAL = Principal(kind="local", name="loopback", grants=(Grant(role="admin"),))
"""Whoever calls from this machine while the platform serves loopback only, without credentials."""
