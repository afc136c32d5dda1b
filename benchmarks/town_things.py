"""The things of the town: what they are, whatever the platform thinks of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["thermometer", "heater", "cooler"]
Json = dict[str, Any]

ACCURATE, INACCURATE = 0.2, 1.0
"""Half widths of the error of a thermometer, Kelvin."""


@dataclass(slots=True, eq=False)
class Thing:
    """A thing as it is, whatever the platform thinks.

    Attributes:
        known: it has announced itself.
        alive: it is switched on and connected.
        talking: it reports; a thermometer that does not grows stale.
        keeps: what is sent to it while it is away waits for it (its session is persistent).
        placed: a person said where it is, which counts more than what it says itself.
        own: it has a connection of its own, and a last will.
        accuracy: half width of its error.
        observed: when it last observed a temperature, Unix seconds; 0 if never.
        worse: when something last happened that might make it unfit, Unix seconds.
        on: whether it heats or cools.
        boot, n: as native messages count.
        done: ids of the commands that it performed, and how that ended.
        waiting: commands that wait for its return.
    """

    name: str
    kind: Kind
    place: str
    own: bool = False
    keeps: bool = False
    placed: bool = False
    known: bool = False
    alive: bool = False
    talking: bool = True
    accuracy: float = ACCURATE
    observed: float = 0.0
    worse: float = 0.0
    on: bool = False
    boot: int = 1
    n: int = 0
    done: set[str] = field(default_factory=set)
    waiting: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        """As the platform calls it."""
        return f"urn:dev:{self.name}"

    @property
    def there(self) -> bool:
        """Whether it can fill a role at all."""
        return self.known and self.alive

    def description(self) -> Json:
        """Its Thing Description."""
        if self.kind == "thermometer":
            affordance: Json = {
                "temperature": {
                    "type": "number",
                    "@type": "quantitykind:Temperature",
                    "unit": "Cel",
                    "readOnly": True,
                    "diat:accuracy": self.accuracy,
                }
            }
        else:
            direction = "increase" if self.kind == "heater" else "decrease"
            affects = {"quantity": "Temperature", "direction": direction}
            affordance = {"on": {"type": "boolean", "idempotent": True, "diat:affects": affects}}
        return {"id": self.id, "title": self.name, "diat:place": self.place, "properties": affordance}


def inside(place: str, whole: str) -> bool:
    """Whether a place is another one or lies in it."""
    return place == whole or place.startswith(f"{whole}/")
