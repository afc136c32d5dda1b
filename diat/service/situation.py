"""A situation as it is kept: what somebody asked for, and how it stands."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from diat.security.principal import LOCAL, Grant, Principal

MOST_RESTLESS = 3
"""Doublings of the cool-down at most."""
LASTS = 60.0
"""Seconds that a situation holds after an event, unless it says otherwise."""


class Done(Struct, frozen=True):
    """Something that was done, and can be undone.

    Attributes:
        what: ``start``, ``pause``, ``resume`` or ``set``.
        service: to which service.
        before: for ``set``, the parameters as they were.
        after: for ``set``, what they were set to.
    """

    what: str
    service: str
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


class Course(Struct, frozen=True):
    """How a situation stands; changes with what is watched.

    Attributes:
        holds: whether what is watched is so.
        since: since when that is known, Unix milliseconds; of an event, when it last happened.
        active: whether ``then`` was done.
        acted: when something was last done, Unix milliseconds.
        restless: how many times in a row it wanted to change before its cool-down was over.
        did: what was done and is to be undone.
        error: what could not be done the last time, for a person.
    """

    holds: bool = False
    since: int = 0
    active: bool = False
    acted: int = 0
    restless: int = 0
    did: tuple[Done, ...] = ()
    error: str | None = None


class Situation(Struct, frozen=True, kw_only=True):
    """A situation as it is kept.

    Attributes:
        content: the request, see ``SituationRequest``.
        creator: who gave it its content, ``kind:name``: for whom it acts.
        grants: what the creator may, as of then.
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change that somebody asks for; the ETag.
    """

    id: str
    content: dict[str, Any]
    course: Course = Course()
    creator: str = LOCAL.id
    grants: tuple[Grant, ...] = LOCAL.grants
    created: int
    modified: int
    revision: int = 1

    @property
    def acting(self) -> Principal:
        """As whom it starts, pauses and sets services."""
        return Principal(kind="situation", name=self.id, grants=self.grants)

    @property
    def title(self) -> str:
        """For people."""
        return str(self.content["title"])

    @property
    def when(self) -> dict[str, Any]:
        """What is watched."""
        when: dict[str, Any] = self.content["when"]
        return when

    @property
    def cooldown(self) -> int:
        """Milliseconds between two changes at least; more the more it comes and goes."""
        return round(float(self.content["cooldown"]) * 1000) << min(self.course.restless, MOST_RESTLESS)

    @property
    def lasts(self) -> int:
        """Milliseconds that it holds after an event."""
        return round(float(self.when.get("lasts", LASTS)) * 1000)

    @property
    def wanted(self) -> int:
        """When it wants to change: it must have held for a time, and ends at once; Unix milliseconds."""
        wait = round(self.when["for"] * 1000) if self.course.holds else 0
        return self.course.since + wait

    @property
    def ready(self) -> int:
        """When it may change: not before its cool-down is over."""
        return max(self.wanted, self.course.acted + self.cooldown if self.course.acted else 0)


def holds(when: dict[str, Any], value: Any, was: bool) -> bool | None:
    """Whether a value, in the unit of ``when``, makes it so; None if the value says nothing about it."""
    if "is" in when:
        wanted = when["is"]
        if isinstance(wanted, bool) or isinstance(value, bool):
            return wanted is value
        return bool(wanted == value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    edge = when["above"] if "above" in when else when["below"]
    edge = when.get("until", edge) if was else edge
    return bool(value > edge if "above" in when else value < edge)
