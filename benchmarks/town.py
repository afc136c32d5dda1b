"""A town of rooms in which things come, go, move and get worse, and what each service ought to be bound to.

It is the naive reference of the churn benchmark: for each role all things in its rooms are looked at anew, by
nothing but what they said of themselves. It has no part in how the platform binds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.town_things import Json, Kind, Thing, inside

WATCHFUL = "keep-watchful"
"""A template of our own: as keep-within, but with accuracy and freshness that can get lost."""
GOOD_ENOUGH = 0.5
"""Kelvin that a watchful service wants its thermometer to be accurate within."""
FRESH = 3.0
"""Seconds that a reading may be old for a watchful service."""
COLD, HOT = 17.0, 27.0
LOW, HIGH = 20.0, 24.0

TEMPLATE = f"""
name: {WATCHFUL}
version: 1
title: Keep a quantity within a band by a good and fresh reading
parameters:
  type: object
  properties: {{place: {{type: string}}}}
  required: [place]
roles:
  sensor:
    capability: read
    quantity: Temperature
    place: "{{{{place}}}}"
    unit: Cel
    freshness: {FRESH}
    accuracy: {GOOD_ENOUGH}
    composites: false
  warmer: {{capability: increase, quantity: Temperature, place: "{{{{place}}}}", count: "0..1"}}
  cooler: {{capability: decrease, quantity: Temperature, place: "{{{{place}}}}", count: "0..1"}}
requires: [[warmer, cooler]]
steps:
  - {{id: level, do: latest, role: sensor}}
  - {{id: cold, do: hysteresis, input: level, "on": below, against: cooler, low: {LOW}, high: {HIGH}}}
  - {{id: warm, do: drive, role: warmer, input: cold, otherwise: false}}
  - {{id: hot, do: hysteresis, input: level, "on": above, against: warmer, low: {LOW}, high: {HIGH}}}
  - {{id: cool, do: drive, role: cooler, input: hot, otherwise: false}}
"""


@dataclass(frozen=True, slots=True)
class Role:
    """What a service wants of one kind of thing at a place; ``most`` is None for any number."""

    name: str
    kind: Kind
    place: str
    most: int | None = 1
    watchful: bool = False

    def fits(self, thing: Thing, now: float) -> bool:
        """Whether a thing could fill it now."""
        if not thing.there or thing.kind != self.kind or not inside(thing.place, self.place):
            return False
        if thing.kind != "thermometer":
            return True
        if not self.watchful:
            return thing.observed > 0
        return thing.accuracy <= GOOD_ENOUGH and now - thing.observed <= FRESH


@dataclass(slots=True, eq=False)
class Service:
    """A service that somebody asked for; its id once it was made, empty when it is ended."""

    template: str
    place: str
    roles: tuple[Role, ...]
    id: str = ""

    def body(self) -> Json:
        """As it is asked for."""
        said: Json = {"place": self.place}
        if self.template != WATCHFUL:
            said |= {"quantity": "Temperature", "unit": "Cel"}
        if self.template == "keep-within":
            said |= {"low": LOW, "high": HIGH}
        return {"title": f"{self.template} {self.place}", "template": self.template, "parameters": said}


class Town:
    """All rooms, things and services.

    Attributes:
        warmth: room to the temperature in it.
    """

    def __init__(self, things: int, services: int, random: Random) -> None:
        """So many of each; of the services 85 % keep a room, every tenth of those watchfully."""
        rooms = services * 85 // 100
        floors = services - rooms
        self.places = [f"town/{room % floors}/{room}" for room in range(rooms)]
        self.floors = [f"town/{floor}" for floor in range(floors)]
        self.warmth = {place: random.choice((COLD, HOT)) for place in self.places}
        kinds: list[Kind] = ["thermometer", "heater", "thermometer", "cooler", "heater"]
        self.things = {
            name: Thing(
                name,
                kinds[number % len(kinds)],
                random.choice(self.places),
                own=number % (things // 40) == 0,
                keeps=random.random() < 0.5,
            )
            for number in range(things)
            for name in (f"thing-{number:05d}",)
        }
        self._rooms: dict[str, dict[Thing, None]] = {place: {} for place in self.places}
        for thing in self.things.values():
            self._rooms[thing.place][thing] = None
        self.services = [
            _keeper(place, watchful=number % 10 == 0) for number, place in enumerate(self.places)
        ] + [_mean(floor) for floor in self.floors]

    def put(self, thing: Thing, place: str) -> None:
        """Put a thing into a room."""
        del self._rooms[thing.place][thing]
        thing.place = place
        self._rooms[place][thing] = None

    def near(self, place: str) -> Iterator[Thing]:
        """All things in a room, or on a floor."""
        rooms = [place] if place in self._rooms else [room for room in self.places if inside(room, place)]
        for room in rooms:
            yield from self._rooms[room]

    def touched(self, *places: str) -> list[Service]:
        """The services that what happens at these places may concern."""
        return [
            each for each in self.services if each.id and any(inside(place, each.place) for place in places)
        ]

    def watched(self) -> Iterator[Thing]:
        """Thermometers in rooms that are kept watchfully: they have to report again and again."""
        for service in self.services:
            if service.template == WATCHFUL:
                yield from (each for each in self.near(service.place) if each.kind == "thermometer")

    def wrong(self, service: Service, view: Json, now: float) -> str | None:
        """What is wrong with what a service is bound to, as REST shows it; None if nothing is."""
        filled = {}
        for role in service.roles:
            fitting = {each.id for each in self.near(role.place) if role.fits(each, now)}
            bound = [each["thing"] for each in view["bindings"] if each["role"] == role.name]
            if len(set(bound)) != len(bound):
                return f"{role.name}: bound twice to one of {bound}"
            if not set(bound) <= fitting:
                return f"{role.name}: bound to {set(bound) - fitting}, which does not fit"
            wanted = len(fitting) if role.most is None else min(role.most, len(fitting))
            if len(bound) != wanted:
                return (
                    f"{role.name}: bound to {len(bound)} where {wanted} of {len(fitting)} that fit are wanted"
                )
            filled[role.name] = bool(bound)
        works = self.works(filled)
        if (view["state"] in ("running", "degraded")) is not works:
            return f"it is {view['state']} with {filled}"
        return None

    @staticmethod
    def works(filled: dict[str, bool]) -> bool:
        """Whether a service with these roles filled can do its work."""
        if "sensors" in filled:
            return filled["sensors"]
        return filled["sensor"] and (filled["warmer"] or filled["cooler"])

    def driven(self, views: Iterable[Json]) -> set[str]:
        """Names of the things that ought to be on, given what services are bound to."""
        found = set()
        for view in views:
            if view["state"] in ("running", "degraded"):
                wanted = "warmer" if self.warmth.get(view["parameters"]["place"]) == COLD else "cooler"
                found |= {
                    each["thing"].removeprefix("urn:dev:")
                    for each in view["bindings"]
                    if each["role"] == wanted
                }
        return found


def _keeper(place: str, *, watchful: bool) -> Service:
    return Service(
        WATCHFUL if watchful else "keep-within",
        place,
        (
            Role("sensor", "thermometer", place, watchful=watchful),
            Role("warmer", "heater", place),
            Role("cooler", "cooler", place),
        ),
    )


def _mean(floor: str) -> Service:
    return Service("mean-of-place", floor, (Role("sensors", "thermometer", floor, most=None),))
