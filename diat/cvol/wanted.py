"""A role with its parameters filled in: what matching looks for."""

from __future__ import annotations

from msgspec import Struct

from diat.cvol.roles import Capability, Kind, Prefer
from diat.vol.thing import Envelope


class Wanted(Struct, frozen=True, kw_only=True):
    """A role with its parameters filled in; units in UCUM, freshness in seconds.

    Attributes:
        quantities: quantity kinds of which any will do; the first gives the role its unit and name.
        type: of its values.
        accuracy: half width of the error that is still good enough, in ``unit``.
        prefer: by what candidates are ranked, the weightiest first.
        order: ids of things before all others, the most important first.
        loss: what cannot be promised while less fills it than could.
        substitutes: quantity kinds that may stand in while nothing fills it, each with what that costs.
        envelope: limits for what is driven.
        exact: thing and property that it is, whatever they mean; for what parts tell each other.
        apart: gateways whose things do not count: a part there takes care of them.
    """

    name: str
    capability: Capability
    quantities: tuple[str, ...]
    place: str
    unit: str | None
    type: Kind
    freshness: float
    accuracy: float | None = None
    least: int
    most: int | None
    prefer: tuple[Prefer, ...] = ("accuracy",)
    order: tuple[str, ...] = ()
    composites: bool
    loss: str = ""
    substitutes: tuple[tuple[str, str], ...] = ()
    envelope: Envelope = Envelope()
    exact: tuple[str, str] | None = None
    apart: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For a person: ``something that can increase Temperature at hq/2``."""
        where = f" at {self.place}" if self.place else ""
        what = " or ".join(self.quantities)
        if self.capability == "read":
            return f"a property of {what}{where}"
        if self.capability == "notice":
            return f"an event of {what}{where}"
        return f"something that can {self.capability} {what}{where}"

    @property
    def quantity(self) -> str:
        """The first of its quantity kinds."""
        return self.quantities[0]

    @property
    def drives(self) -> bool:
        """Whether what fills it is driven."""
        return self.capability not in ("read", "notice")

    @property
    def watched(self) -> tuple[str, ...]:
        """All quantity kinds whose things may fill it."""
        return (*self.quantities, *(quantity for quantity, _ in self.substitutes))
