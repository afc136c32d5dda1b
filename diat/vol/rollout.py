"""A roll-out as it is kept: which release for which things, in which stages, and how each thing stands."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

State = Literal["running", "paused", "stopped", "completed", "cancelled"]
Standing = Literal["waiting", "asked", "updating", "healthy", "failed", "missed"]
"""Not asked yet; asked, not answered; has it on trial; keeps it; did not take or keep it; did not come."""
UNDER_WAY: tuple[Standing, ...] = ("asked", "updating")
OPEN: tuple[State, ...] = ("running", "paused")


class Stage(Struct, frozen=True):
    """How far a stage goes: ``things`` of them, or a ``share`` (0 to 1) of all."""

    things: int | None = None
    share: float | None = None

    def of(self, all_of_them: int) -> int:
        """How many things that is."""
        wanted = (
            self.things if self.things is not None else math.ceil((self.share or 1.0) * all_of_them - 1e-9)
        )
        return max(1, min(wanted, all_of_them))


STAGES = (Stage(things=1), Stage(share=0.1), Stage(share=1.0))


class Member(Struct, frozen=True):
    """A thing of a roll-out.

    Attributes:
        since: since when it stands so, Unix milliseconds.
        attempt: how often it was asked.
        command: the actuation that asked it last.
        why: what went wrong.
    """

    state: Standing = "waiting"
    since: int = 0
    attempt: int = 0
    command: str | None = None
    why: str | None = None


class Wish(Struct, frozen=True, kw_only=True):
    """Which things are meant, and how it is to be gone about.

    Attributes:
        place: only things there, or inside; empty for any.
        version: only things that run this number.
        stages: how far each goes.
        failures: things that may fail before it stops.
        within: seconds in which a thing that was asked has to be healthy.
        wait: seconds for which things that are away are waited for in the last stage.
    """

    title: str = ""
    place: str = ""
    version: int | None = None
    stages: tuple[Stage, ...] = STAGES
    failures: int = 0
    within: float = 900.0
    wait: float = 86_400.0


class Rollout(Struct, frozen=True, kw_only=True):
    """A roll-out.

    Attributes:
        release: id of the release; ``number`` is its number.
        address: where the nodes fetch it.
        stage: which one is under way, from 0.
        staged: since when, Unix milliseconds.
        members: thing to how it stands.
        why: why it was stopped.
    """

    id: str
    wish: Wish
    release: str
    number: int
    address: str
    creator: str
    created: int
    modified: int
    revision: int = 1
    state: State = "running"
    stage: int = 0
    staged: int = 0
    members: dict[str, Member] = {}
    why: str | None = None

    def count(self, *states: Standing) -> int:
        """How many things stand so."""
        return sum(each.state in states for each in self.members.values())

    @property
    def wanted(self) -> int:
        """How many things have to be healthy for this stage to be over; those that failed are made up for."""
        there = len(self.members) - self.count("missed")
        return max(1, min(self.wish.stages[self.stage].of(there), there - self.count("failed")))
