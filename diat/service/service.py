"""A service: what somebody asked for, and what it was made into."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.security.principal import LOCAL, Grant


class Choice(Struct, frozen=True):
    """A template that was looked at for a goal.

    Attributes:
        state: what a service of it would have been at once; None if it cannot be made from it.
        reason: why it was chosen, or why it was not, for a person.
    """

    template: str
    state: str | None
    reason: str


class Chosen(Struct, frozen=True):
    """How the template of a goal was found.

    Attributes:
        reason: why this one, for a person.
        others: those that were turned down, each with the reason.
    """

    reason: str
    others: tuple[Choice, ...] = ()


class Service(Struct, frozen=True, kw_only=True):
    """A service as it is kept.

    Attributes:
        goal: what was asked for, if it was a goal.
        chosen: how the template was found, if a goal was asked for.
        template: name of the composite template that it is made from.
        version: of the template.
        parameters: valid by the template's schema, defaults filled in.
        uses: id of the composite that it uses; empty if that one bears its own id.
        started_by: id of the situation that made it; None if a person did.
        creator: who gave it its content, ``kind:name``.
        grants: what the creator may, as of then.
        purpose: what it is for, a word of the site (``comfort``).
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change; the ETag.
        fingerprint: what a repeat under the same idempotency key must equal.
    """

    id: str
    title: str
    goal: dict[str, Any] | None = None
    chosen: Chosen | None = None
    template: str
    version: int
    parameters: dict[str, Any]
    uses: str = ""
    started_by: str | None = None
    creator: str = LOCAL.id
    grants: tuple[Grant, ...] = LOCAL.grants
    purpose: str = ""
    paused: bool = False
    created: int
    modified: int
    revision: int = 1
    fingerprint: str = ""

    @property
    def acting(self) -> str:
        """As whom it acts, beside itself: only services that are alike in that are done by one composite."""
        return acting_as(self.creator, self.purpose)

    @property
    def composite(self) -> str:
        """The id of the composite that does its work, alone or for others too."""
        return self.uses or self.id


def acting_as(creator: str, purpose: str) -> str:
    """See ``Service.acting``."""
    return "" if (creator, purpose) == (LOCAL.id, "") else f"{creator} {purpose}"
