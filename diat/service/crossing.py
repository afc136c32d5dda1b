"""What crosses from one tier to another for one service: how many messages and bytes a second, as it goes.

Counted as long as somebody asks. What things say to a gateway is known from what the gateway passes on and
what it reports of the rest, so that is as old as the last of its reports; all else is counted here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.steps.parts import TOLD
from diat.kernel.clock import Clock
from diat.service.placement.links import read_here
from diat.service.placement.placing import HERE, Placing, part_id
from diat.service.placement.placings import Placings
from diat.service.placement.reviewing import Reviewer
from diat.vol.interaction import COMPOSITE
from diat.vol.layer import VirtualObjectLayer
from diat.vol.traffic import Flow

THINGS = "things"
"""The tier of what does no steps of services."""
_EVERY = 900
"""Milliseconds between two looks at least."""
_SOON, _LONG = 10_000, 60_000
"""Milliseconds over which rates are taken: the shorter ones if enough came in them."""
_ENOUGH = 5
_FORGOTTEN = 60_000
"""Milliseconds after which nobody asks for it any more."""
_REPORTS = 200_000
"""Milliseconds of reports of gateways that count."""


class Rate(NamedTuple):
    """So much a second."""

    messages: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: object) -> Rate:
        """Both together."""
        if not isinstance(other, Rate):
            return NotImplemented
        return Rate(self.messages + other.messages, self.bytes + other.bytes)


class Leg(NamedTuple):
    """The way of what one binding reads or drives, or one part tells, from a tier to the next.

    Attributes:
        thing: its id; of a part its name in topics.
    """

    source: str
    goal: str
    thing: str
    affordance: str


class Crossing(Struct, frozen=True):
    """What crosses for a service.

    Attributes:
        seconds: over which time it was counted.
        legs: in which each counts once, whatever number of roles it fills.
    """

    seconds: float
    legs: dict[Leg, Rate]

    def lines(self) -> dict[tuple[str, str], Rate]:
        """The same by line: from a tier to the next."""
        found: dict[tuple[str, str], Rate] = {}
        for leg, rate in self.legs.items():
            key = leg.source, leg.goal
            found[key] = found.get(key, Rate()) + rate
        return found


class _Look(NamedTuple):
    at: int
    counts: dict[Leg, tuple[int, float]]


class _Looks(Struct):
    """What was seen of one composite, and of which things that was."""

    asked: int
    things: frozenset[str] = frozenset()
    seen: deque[_Look] = msgspec.field(default_factory=deque)


class Has(Protocol):
    """What is looked at; the daemon."""

    things: VirtualObjectLayer
    clock: Clock


class Crossings:
    """What crosses for which service; any thread may ask."""

    def __init__(self, daemon: Has, placings: Placings, reviewer: Reviewer) -> None:
        self._daemon = daemon
        self._placings = placings
        self._reviewer = reviewer
        self._known: dict[str, _Looks] = {}
        self._lock = threading.Lock()

    def of(self, composite: str) -> Crossing:
        """What crosses for a composite; the first who asks has nothing measured yet (``seconds`` is 0)."""
        now = self._daemon.clock()
        with self._lock:
            for each in [one for one, looks in self._known.items() if now - looks.asked > _FORGOTTEN]:
                del self._known[each]
            looks = self._known.setdefault(composite, _Looks(now))
            looks.asked = now
            if looks.seen and now < looks.seen[-1].at:
                looks.seen.clear()  # the clock was set back
            if not looks.seen or now - looks.seen[-1].at >= _EVERY:
                self._look(composite, looks, now)
            while len(looks.seen) > 1 and looks.seen[1].at <= now - _LONG:
                looks.seen.popleft()
            return self._crossing(looks)

    def _look(self, composite: str, looks: _Looks, now: int) -> None:
        whole, placing = self._placings.committed(composite)
        bound = self._placings.bindings(composite) if whole is not None else []
        things = frozenset(each.thing for each in bound)
        looks.things = things
        wanted = {thing for each in self._known.values() for thing in each.things}
        self._daemon.things.intake.meters.keep(wanted)
        counts = dict(self._counts(whole, placing, bound)) if whole is not None else {}
        looks.seen.append(_Look(now, counts))

    def _counts(
        self, whole: Composite, placing: Placing, bound: Iterable[Binding]
    ) -> Iterator[tuple[Leg, tuple[int, float]]]:
        """What came and went so far, of each leg."""
        things = self._daemon.things
        here = read_here(whole, placing)
        for each in bound:
            made = things.registry.objects.committed.get(each.thing)
            meter = things.intake.meters.by.get(each.thing)
            if made is None or meter is None:
                continue
            gateway = things.tiers.gateway_of(each.thing)
            of = each.thing, each.affordance
            if whole.roles[each.role].drives:
                told = _so_far(meter.told.get((whole.id, each.affordance)))
                if made.record.dialect != COMPOSITE:
                    yield Leg(HERE, gateway or THINGS, *of), told
                if gateway is not None:
                    yield Leg(gateway, THINGS, *of), told
            elif gateway is None:
                if made.record.dialect != COMPOSITE:
                    yield Leg(THINGS, HERE, *of), _so_far(meter.said.get(each.affordance))
            else:
                ups = things.tiers.traffic(gateway).ups
                went = _so_far(ups.get((made.wire, each.affordance)))
                yield Leg(THINGS, gateway, *of), went
                if each.role in here:
                    yield Leg(gateway, HERE, *of), went
        for gateway in set(placing.where.values()) & set(placing.told):
            part = part_id(whole.id, gateway)
            yield Leg(gateway, HERE, part, TOLD), _so_far(things.tiers.traffic(gateway).ups.get((part, TOLD)))

    def _crossing(self, looks: _Looks) -> Crossing:
        first, last = looks.seen[0], looks.seen[-1]
        legs = {leg: _rate(looks.seen, leg) for leg in last.counts}
        for leg in legs:
            if leg.source == THINGS and leg.goal != HERE:
                legs[leg] += self._kept_below(leg)
        return Crossing((last.at - first.at) / 1000, legs)

    def _kept_below(self, leg: Leg) -> Rate:
        """What a thing says to its gateway that goes no further, from the gateway's last reports."""
        made = self._daemon.things.registry.objects.committed.get(leg.thing)
        if made is None:
            return Rate()
        key = made.wire, leg.affordance
        since = self._daemon.clock() - _REPORTS
        seen = [each for each in self._reviewer.looks(leg.goal) if each.at >= since]
        told = [
            (each.at, all_of[1] - went[1], all_of[0] - went[0])
            for each in seen
            for all_of, went in [(each.by.get(key, (0.0, 0)), each.up.get(key, (0.0, 0)))]
        ]
        turns = [after for before, after in pairwise(told) if before[1] != after[1]]
        ends = turns if len(turns) > 1 else told if turns else []
        if not ends or ends[-1][0] == ends[0][0]:
            return Rate()
        seconds = (ends[-1][0] - ends[0][0]) / 1000
        return Rate(max(0, ends[-1][1] - ends[0][1]) / seconds, max(0.0, ends[-1][2] - ends[0][2]) / seconds)


def _rate(seen: deque[_Look], leg: Leg) -> Rate:
    """Of the last seconds if enough came in them, else of the last minute."""
    known = [(each.at, *each.counts[leg]) for each in seen if leg in each.counts]
    last = known[-1]
    soon = next(each for each in known if last[0] - each[0] <= _SOON)
    first = soon if last[1] - soon[1] >= _ENOUGH else known[0]
    if last[0] == first[0]:
        return Rate()
    seconds = (last[0] - first[0]) / 1000
    return Rate(max(0, last[1] - first[1]) / seconds, max(0.0, last[2] - first[2]) / seconds)


def _so_far(flow: Flow | None) -> tuple[int, float]:
    return (flow.messages, flow.bytes) if flow is not None else (0, 0.0)
