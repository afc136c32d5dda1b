"""Churn: a town of things of which some die, return, join, move, get worse or go, and services that re-bind.

Quantities, all seen from outside, over REST and MQTT:

- *re-bind time* of an event: from the moment at which the platform was told (the message was published, the
  connection with the last will broke, the last reading passed its freshness) to the first answer of REST in
  which each service that it touches is bound as the naive reference (``town``) says for the state then.
  REST shows what is committed, so the answer's way back is in it.
- *orphan*: something that heats or cools though it is there and no service binds it for that, also because
  the service was deleted; and what ought to heat or cool and does not. Looked for at each quiet moment.
- *duplicate*: a second command of the same service and value to the same thing, the first one completed and
  nothing having happened to the thing in between; or two things driven for a role that takes one, which is an
  orphan as well.
- *flapping*: at a quiet moment something that was bound at the last one, and that nothing happened to since,
  is not bound any more or was bound anew in between (its ``since`` differs).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import httpx

from benchmarks.churn_watch import PATIENCE, Event, Result, Watch, demand
from benchmarks.crowd import Crowd, Said
from benchmarks.town import COLD, FRESH, HOT, TEMPLATE, WATCHFUL, Service, Town
from benchmarks.town_things import ACCURATE, INACCURATE, Thing

OFTEN = {
    "die": 22,
    "return": 22,
    "join": 8,
    "move": 16,
    "be moved": 4,
    "judge": 8,
    "fall silent": 3,
    "retire": 4,
    "turn": 8,
    "end": 2,
    "begin": 2,
}
"""How often each kind of event comes, relatively."""


class Churn:
    """Lets things happen in a town, and watches what the platform makes of it.

    Args:
        town: which.
        crowd: its things at work.
        rest: a client of the platform.
        random: decides what happens; the same seed lets the same things happen in the same order.
    """

    def __init__(self, town: Town, crowd: Crowd, rest: httpx.Client, random: Random) -> None:
        self._town, self._crowd, self._rest, self._random = town, crowd, rest, random
        self._watch = Watch(town, crowd, rest)
        self._taken: set[object] = set()

    def begin(self, absent: float = 0.1) -> None:
        """Most things join, all services are made, and everything is bound."""
        everybody = list(self._town.things.values())
        joining = everybody[: round(len(everybody) * (1 - absent))]
        said: list[Said] = []
        with self._crowd.lock:
            for thing in joining:
                said += self._crowd.join(thing)
        self._crowd.say(said)
        demand(self._rest.post("/templates", content=TEMPLATE, headers={"Content-Type": "application/yaml"}))
        for service in self._town.services:
            self._make(service)
        everyone = set(self._town.services)
        self._watch.settle([Event("begin", time.time(), everyone)], 6 * PATIENCE)
        self._watch.quiet()

    def round(self, events: int) -> None:
        """So many things happen at once; returns when everything is as it ought to be again."""
        self._taken = set()
        kinds = self._random.choices(list(OFTEN), list(OFTEN.values()), k=events)
        happened = [event for kind in kinds if (event := self._happen(kind)) is not None]
        self._watch.result.events += happened
        self._watch.settle(happened, PATIENCE)
        self._watch.quiet()

    def end(self) -> Result:
        """What came out; all commands that were ever given are looked at."""
        result = self._watch.result
        result.commands = len(self._crowd.told)
        result.faults += self._watch.duplicates()
        return result

    # --- what happens ---

    def _happen(self, kind: str) -> Event | None:
        """Let it happen; None if there is nobody whom it could happen to."""
        told = time.time()
        if kind in ("end", "begin"):
            return self._end_or_begin(kind, told)
        if kind == "turn":
            return self._turn(told)
        watched = set(self._town.watched())
        can = _CAN[kind]
        thing = self._some(lambda each: can(each) and (kind != "fall silent" or each in watched))
        if thing is None:
            return None
        before = thing.place
        with self._crowd.lock:
            said = self._act(kind, thing)
            touched = self._town.touched(before, thing.place)
            if kind == "fall silent":
                told = thing.observed + FRESH
                touched = [each for each in touched if each.template == WATCHFUL]
        self._watch.happened.setdefault(thing.name, []).append(told)
        self._crowd.say(said)
        return Event(kind, told, set(touched))

    def _act(self, kind: str, thing: Thing) -> list[Said]:
        crowd, random = self._crowd, self._random
        if kind == "die":
            return crowd.die(thing)
        if kind == "return":
            return crowd.come_back(thing, rebooted=random.random() < 0.5)
        if kind == "join":
            self._town.put(thing, random.choice(self._town.places))
            return crowd.join(thing)
        if kind == "move":
            return crowd.move(thing, random.choice(self._town.places))
        if kind == "be moved":
            return self._patch(thing, random.choice(self._town.places))
        if kind == "judge":
            return crowd.judge(thing, INACCURATE if thing.accuracy == ACCURATE else ACCURATE)
        if kind == "fall silent":
            thing.talking, thing.worse = False, time.time()
            return []
        return crowd.retire(thing)

    def _patch(self, thing: Thing, place: str) -> list[Said]:
        """A person says where it is; it measures there. It is not moved in another way any more."""
        media = {"Content-Type": "application/merge-patch+json"}
        demand(self._rest.patch(f"/things/{thing.id}", json={"diat:place": place}, headers=media))
        self._town.put(thing, place)
        thing.worse, thing.placed, thing.talking = time.time(), True, True
        return self._crowd.report(thing)

    def _turn(self, told: float) -> Event | None:
        """A room turns cold, or hot; nothing is to re-bind."""
        place = self._random.choice(self._town.places)
        with self._crowd.lock:
            self._town.warmth[place] = COLD if self._town.warmth[place] == HOT else HOT
            said: list[Said] = []
            for thing in self._town.near(place):
                self._watch.happened.setdefault(thing.name, []).append(told)
                if thing.kind == "thermometer" and thing.talking:
                    said += self._crowd.report(thing)
        self._crowd.say(said)
        return Event("turn", told, set())

    def _end_or_begin(self, kind: str, told: float) -> Event | None:
        there = [each for each in self._town.services if bool(each.id) is (kind == "end")]
        there = [each for each in there if each not in self._taken]
        if not there:
            return None
        service = self._random.choice(there)
        self._taken.add(service)
        if kind == "end":
            demand(self._rest.delete(f"/services/{service.id}"))
            with self._crowd.lock:
                service.id = ""
            return Event(kind, told, set())
        with self._crowd.lock:
            self._make(service)
        return Event(kind, told, {service})

    def _make(self, service: Service) -> None:
        service.id = demand(self._rest.post("/services", json=service.body())).json()["id"]

    def _some(self, suits: Callable[[Thing], bool]) -> Thing | None:
        suiting = [each for each in self._town.things.values() if suits(each) and each not in self._taken]
        if not suiting:
            return None
        thing = self._random.choice(suiting)
        self._taken.add(thing)
        return thing


_CAN: dict[str, Callable[[Thing], bool]] = {
    "die": lambda thing: thing.there,
    "return": lambda thing: thing.known and not thing.alive,
    "join": lambda thing: not thing.known and not thing.placed,
    "move": lambda thing: thing.there and not thing.placed,
    "be moved": lambda thing: thing.there,
    "judge": lambda thing: thing.there and thing.kind == "thermometer",
    "fall silent": lambda thing: thing.there and thing.talking and thing.kind == "thermometer",
    "retire": lambda thing: thing.there,
}
