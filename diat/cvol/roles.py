"""Roles of a template: what kind of affordance is wanted, in terms of meaning."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_COUNT = re.compile(r"(\d{1,6})(?:(\.\.)(\d{1,6})?)?", re.ASCII)


class Strict(BaseModel):
    """What all parts of a template have in common: nothing unknown in them, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Capability = Literal["read", "notice", "increase", "decrease", "switch", "set"]
"""Read a property of the quantity; notice an event of it; increase or decrease the quantity, or switch it
either way; set a property of it."""
Kind = Literal["number", "boolean", "string", "any"]
Prefer = Literal["accuracy", "freshness", "native", "oldest"]


class Bounds(Strict):
    """A safety envelope that a template draws around what fills a role, beside the thing's own."""

    min: float | str | None = None
    max: float | str | None = None
    max_rate: float | str | None = Field(default=None, alias="max-rate")
    min_on: float | str | None = Field(default=None, alias="min-on")
    min_off: float | str | None = Field(default=None, alias="min-off")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Substitute(Strict):
    """What may stand in for a role that nothing fills.

    Attributes:
        quantity: the quantity kind that is read instead.
        error: what that costs, for a person.
    """

    quantity: str
    error: str = Field(min_length=1, max_length=300)


class Role(Strict):
    """What kind of affordance is wanted, and how many.

    Attributes:
        capability: see ``Capability``.
        quantity: a quantity kind in any spelling that we know, or several of which any will do.
        place: path of a place; what lies inside counts. Empty: anywhere.
        unit: UCUM code that values are converted to.
        type: of its values; not given: numbers, or true and false for kinds that have no unit.
        freshness: seconds that a reading may be old.
        accuracy: half width of the error that is still good enough, in the role's unit.
        count: ``1`` exactly one, ``1..`` one or more, ``0..1`` at most one, ``0..`` any number.
        prefer: by what candidates are ranked, the weightiest first.
        order: things by id, the most important first, before all others; a parameter as a rule.
        composites: whether things that are themselves composed may fill it.
        loss: what the service cannot promise while less fills it than could, or nothing does, for a person.
        substitutes: what may stand in while nothing fills it.
        envelope: limits for what is driven.
    """

    capability: Capability
    quantity: str | list[str]
    place: str = ""
    unit: str | None = None
    type: Kind | None = None
    freshness: float | str = 3600.0
    accuracy: float | str | None = None
    count: str = "1"
    prefer: list[Prefer] = ["accuracy"]
    order: str | list[str] = []
    composites: bool = True
    loss: str = ""
    substitutes: list[Substitute] = []
    envelope: Bounds = Bounds()

    @property
    def drives(self) -> bool:
        """Whether what fills it is driven."""
        return self.capability not in ("read", "notice")

    @field_validator("count")
    @classmethod
    def _counted(cls, value: str) -> str:
        match = _COUNT.fullmatch(value)
        if match is None or int(match.group(3) or 999_999) < int(match.group(1)):
            raise ValueError("a count is like 1, 1.., 0..1 or 2..5")
        return value

    @property
    def least(self) -> int:
        """How many must fill it."""
        match = _COUNT.fullmatch(self.count)
        return int(match.group(1)) if match else 0

    @property
    def most(self) -> int | None:
        """How many may fill it; None for any number."""
        match = _COUNT.fullmatch(self.count)
        if match is None or match.group(2) is None:
            return self.least
        return int(match.group(3)) if match.group(3) else None
