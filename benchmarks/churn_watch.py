"""Watching over a churning town: when it is bound as it ought to be, and what went wrong (see ``churn``)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from benchmarks.crowd import Crowd
from benchmarks.processes import BenchmarkFailed
from benchmarks.town import Service, Town
from benchmarks.town_things import Json

PATIENCE = 20.0
"""Seconds after which services that are not bound as they ought to be count as failed."""
_POLL = 0.005


@dataclass(slots=True)
class Event:
    """Something that happened: when the platform was told (Unix seconds), and who has to re-bind still."""

    kind: str
    told: float
    touched: set[Service]
    rebound: float = 0.0


@dataclass(slots=True)
class Result:
    """What came out.

    Attributes:
        events: all that happened.
        commands: that reached a thing that was there.
        quiet: seconds from the last re-binding of a round until everything heated and cooled as it ought to.
        faults: orphans, duplicates and flapping, a line each.
        asked: answers of REST that it took to see this.
    """

    events: list[Event] = field(default_factory=list)
    commands: int = 0
    quiet: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    asked: int = 0

    def times(self) -> list[float]:
        """Re-bind times of the events that touched a service, seconds, ascending."""
        return sorted(each.rebound - each.told for each in self.events if each.rebound)


class Watch:
    """Compares what the platform shows with what ought to be.

    Attributes:
        happened: name of a thing to when something happened to it, Unix seconds.
        result: what came out so far.
    """

    def __init__(self, town: Town, crowd: Crowd, rest: httpx.Client) -> None:
        self._town, self._crowd, self._rest = town, crowd, rest
        self._views: dict[str, Json] = {}
        self._seen = 0.0
        self.happened: dict[str, list[float]] = {}
        self.result = Result()

    def settle(self, events: list[Event], patience: float) -> None:
        """Return when all services that were touched are bound as they ought to be."""
        waiting = [each for each in events if each.touched]
        deadline = max([each.told for each in waiting], default=0.0) + patience
        wrong: dict[Service, str] = {}
        while waiting:
            now = time.time()
            touched = {service for each in waiting if each.told <= now for service in each.touched}
            right = set()
            for service in sorted(touched, key=lambda each: each.id):
                fault = self._look(service)
                if fault is None:
                    right.add(service)
                    wrong.pop(service, None)
                else:
                    wrong[service] = fault
            answered = time.time()
            for each in waiting:
                if each.told <= now:
                    each.touched -= right
                    if not each.touched:
                        each.rebound = answered
            waiting = [each for each in waiting if each.touched]
            if time.time() > deadline:
                faults = [f"{each.template} {each.place}: {fault}" for each, fault in wrong.items()]
                raise BenchmarkFailed(f"not bound as it ought to be after {patience:.0f} s: {faults[:3]}")
            time.sleep(_POLL)

    def _look(self, service: Service) -> str | None:
        """What is wrong with a service just now."""
        if not service.id:
            return None
        view = demand(self._rest.get(f"/services/{service.id}")).json()
        self.result.asked += 1
        with self._crowd.lock:
            return self._town.wrong(service, view, time.time())

    def quiet(self) -> None:
        """Wait until everything heats and cools as it ought to, then compare with the last quiet moment."""
        begin = time.time()
        while True:
            views = {each["id"]: each for each in _all(self._rest, "/services")}
            with self._crowd.lock:
                wanted = self._town.driven(views.values())
                on = {each.name for each in self._town.things.values() if each.there and each.on}
            if wanted == on:
                break
            if time.time() - begin > PATIENCE:
                self.result.faults += [f"orphan: {name} is on and nobody wants it" for name in on - wanted]
                self.result.faults += [f"{name} ought to be on and is not" for name in wanted - on]
                break
            time.sleep(_POLL)
        self.result.quiet.append(time.time() - begin)
        now = time.time()
        with self._crowd.lock:
            for service in self._town.services:
                if service.id and (fault := self._town.wrong(service, views[service.id], now)):
                    self.result.faults.append(f"{service.template} {service.place}: {fault}")
                if service.id in self._views and service.id:
                    self.result.faults += self._flapped(service, views[service.id], now)
        self._views, self._seen = views, begin

    def _flapped(self, service: Service, view: Json, now: float) -> list[str]:
        bound = {(each["role"], each["thing"]): each["since"] for each in view["bindings"]}
        roles = {role.name: role for role in service.roles}
        faults = []
        for each in self._views[service.id]["bindings"]:
            thing = self._town.things[each["thing"].removeprefix("urn:dev:")]
            if thing.worse < self._seen and roles[each["role"]].fits(thing, now):
                since = bound.get((each["role"], each["thing"]))
                if since != each["since"]:
                    faults.append(
                        f"flapping: {service.place} {each['role']}: {thing.name} was bound since"
                        f" {each['since']}, and nothing happened to it: {since or 'not bound'}"
                    )
        return faults

    def duplicates(self) -> list[str]:
        """Commands of which the one before was the same, done, and undone by nothing."""
        faults = []
        last: dict[str, Json] = {}
        given = sorted(_all(self._rest, "/actuations"), key=lambda each: each["created"])
        for each in given:
            before = last.get(each["thing"])
            last[each["thing"]] = each
            if before is None or before["status"] != "completed":
                continue
            if any(before[key] != each[key] for key in ("service", "input")):
                continue
            name = each["thing"].removeprefix("urn:dev:")
            since, until = _seconds(before["created"]), _seconds(each["created"])
            if not any(since - 1 <= at <= until for at in self.happened.get(name, ())):
                faults.append(f"duplicate: {name} was told {each['input']} at {since:.3f} and {until:.3f}")
        failed = sum(each["status"] == "failed" for each in given)
        if failed:
            faults.append(f"{failed} commands failed")
        return faults


def demand(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one.

    Raises:
        BenchmarkFailed: it is not.
    """
    if not answer.is_success:
        raise BenchmarkFailed(f"the platform refused: {answer.text[:300]}")
    return answer


def _all(rest: httpx.Client, path: str) -> list[Json]:
    """All items of a list, page by page."""
    found: list[Json] = []
    answer = demand(rest.get(path, params={"limit": 1000}))
    found += answer.json()
    while "next" in answer.links:
        answer = demand(rest.get(answer.links["next"]["url"]))
        found += answer.json()
    return found


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()
