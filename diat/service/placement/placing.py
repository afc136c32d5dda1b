"""Where the steps of a service run, as it is remembered."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from diat.cvol.composite import Binding

HERE = "core"
"""The tier of the daemon that a service belongs to."""


class Told(Struct, frozen=True, kw_only=True):
    """What a gateway was told last of a service, and what it answered.

    Attributes:
        message: as it went down.
        since: Unix milliseconds.
        answered: whether it has it.
        state: of the part there.
        missing: what it lacks.
        error: why it cannot run there.
    """

    message: dict[str, Any]
    since: int
    answered: bool = False
    state: str = ""
    missing: list[str] = []
    error: str | None = None


class Placing(Struct, frozen=True, kw_only=True):
    """Where the steps of a service run; durable.

    Attributes:
        where: step to tier; of steps that are not here it is ``core``.
        portions: steps that are made of portions, with the tiers that make one.
        wanted: where they are to run; as ``where`` when all is done.
        moving: the gateway that is being dealt with.
        phase: how far it is.
        revision: of what is said to gateways.
        told: gateway to what it was told.
        since: when it last came to rest, Unix milliseconds.
        predicted: bytes in an hour over each line, as it was expected.
        above: the same with everything here.
        bound: what filled the roles that are read elsewhere, as they were handed over.
    """

    where: dict[str, str] = {}
    portions: dict[str, tuple[str, ...]] = {}
    wanted: dict[str, str] = {}
    moving: str | None = None
    phase: Literal["rests", "asked", "stopped"] = "rests"
    revision: int = 0
    told: dict[str, Told] = {}
    since: int = 0
    predicted: dict[str, float] = {}
    above: dict[str, float] = {}
    bound: list[Binding] = []


def part_id(composite: str, tier: str) -> str:
    """The id of the part of a composite on a tier."""
    return composite if tier == HERE else f"{composite[:36]}--{tier[:26]}"
