"""Steps that know where things are on the ground: tracks over several observers, and who is near whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from pydantic import Field

from diat.cvol.steps.base import Given, Outcome, Reduces, Step
from diat.cvol.tracks.fusion import Rules, after, applied
from diat.cvol.tracks.motion import Track as Followed
from diat.cvol.tracks.motion import ahead
from diat.cvol.tracks.offsets import Offset, doubt, offset
from diat.cvol.tracks.reports import Report, read

_WAITING = 128
"""Reports at most that are kept for those that come later than they."""
_LONG = 1000
"""Characters of a note at most."""
_NAMED = 8
"""Observers at most that are named for what is wrong with them."""
_AHEAD = 2000
"""Milliseconds by which a report may be ahead of our own clock."""
_SHOWN = 1000
"""Milliseconds for which something unseen is still told of."""
_STALL = 2000
"""Milliseconds of silence that mean nothing."""
_TURN = 1000
"""Milliseconds between two looks while nothing comes."""


class _Memory(Struct, array_like=True):
    """What is remembered; times are Unix milliseconds.

    Attributes:
        settled: tracks as of all reports that are not waiting.
        tip: tracks as of all reports.
        waiting: reports that something earlier may still come before, in order.
        upto: to when it is settled.
        newest: of when the newest report is, and when that came.
        late: reports that came too late, or of the future; ``bad``: entries that were no sightings.
        by: the observer to how many of its reports came too late, and how many were of the future.
        off: observer to how far it is from what others say, see ``fusion.offset``.
    """

    settled: list[Followed] = []
    tip: list[Followed] = []
    waiting: list[Report] = []
    upto: int = 0
    newest: int = 0
    heard: int = 0
    late: int = 0
    bad: int = 0
    by: dict[str, tuple[int, int]] = {}
    off: dict[str, Offset] = {}


class Track(Step):
    """Follows what moves on the ground over all that fills a role, as a list of objects, one for each.

    Each reading is what one observer sees at one time: a list of ``{id, x, y, within?, colour?}``; ``id`` is
    the observer's own number of it, metres otherwise. What this step gives is such a reading as well, so that
    maps are joined to larger maps. The answer does not depend on the order in which readings come, as long as
    none comes more than ``lateness`` after a later one; what is later than that is left out and counted.

    {do: track, id: vehicles, role: observers, lateness: 1, clock: 0.1}

    Attributes:
        role: the observers.
        lateness: seconds by which a reading may come after a later one.
        clock: seconds by which the clocks of observers may differ; it makes what moves less certain.
        gap: seconds for which something keeps its number while nobody sees it.
        apart: metres within which two tracks that no observer tells apart are one.
        hits: readings in which something is seen before it is told of.
        most: how many are followed at once.
    """

    pure: ClassVar[bool] = False
    reduces: ClassVar[Reduces] = "some"
    keeps: ClassVar[bool] = True
    role: str
    lateness: float = Field(default=1.0, ge=0, le=60, allow_inf_nan=False)
    clock: float = Field(default=0.1, ge=0, le=10, allow_inf_nan=False)
    gap: float = Field(default=4.0, gt=0, le=60, allow_inf_nan=False)
    apart: float = Field(default=4.0, ge=0, le=20, allow_inf_nan=False)
    hits: int = Field(default=3, ge=1, le=100)
    most: int = Field(default=64, ge=1, le=64)

    def run(self, given: Given) -> Outcome:
        """The map; None before anything was said."""
        memory = msgspec.convert(given.state, _Memory) if given.state is not None else _Memory()
        rules = Rules(clock=self.clock, gap=self.gap, apart=self.apart, hits=self.hits, most=self.most)
        for sample in given.arrived:
            report, bad = read(sample.value, sample.observed, sample.thing)
            memory.bad += bad
            self._take(memory, report, rules, given.now)
        if memory.heard == 0:
            state = msgspec.to_builtins(memory) if memory.late else None
            return Outcome(None, state, note=_note(memory, rules))
        self._settle(memory, rules, memory.newest - round(self.lateness * 1000))
        # Lines stall: that nothing comes for a moment does not mean that nothing is there.
        silent = max(0, given.now - memory.heard - _STALL)
        if silent > (self.gap + self.lateness) * 1000:
            memory.tip = memory.settled = []
            memory.waiting = []
        value = [
            _told(ahead(each, memory.newest, rules.push), memory.newest)
            for each in sorted(memory.tip, key=lambda each: each.id)
            if each.hits >= self.hits and memory.newest + silent - each.seen <= _SHOWN
        ]
        due = given.now + _TURN if memory.tip or memory.waiting else None
        return Outcome(value, msgspec.to_builtins(memory), due, _note(memory, rules))

    def _take(self, memory: _Memory, report: Report, rules: Rules, now: int) -> None:
        if report.at <= memory.upto or report.at > now + _AHEAD:
            memory.late += 1
            if report.observer in memory.by or len(memory.by) < _NAMED:
                late, ahead_of = memory.by.get(report.observer, (0, 0))
                future = report.at > memory.upto
                memory.by[report.observer] = (late + (not future), ahead_of + future)
            return
        waiting = memory.waiting
        if any(each.key == report.key for each in waiting):
            return
        memory.waiting = sorted([*waiting, report], key=lambda each: each.key)
        if memory.waiting[-1] is report:
            memory.off = offset(memory.off, memory.tip, report, rules)
            memory.tip = applied(memory.tip, report, rules)
        else:
            memory.tip = after(memory.settled, memory.waiting, rules)
        if report.at > memory.newest or memory.heard == 0:
            memory.newest, memory.heard = report.at, now
        if len(memory.waiting) > _WAITING:
            self._settle(memory, rules, memory.waiting[0].at)

    def _settle(self, memory: _Memory, rules: Rules, upto: int) -> None:
        """What nothing may come before any more is settled."""
        over = [each for each in memory.waiting if each.at <= upto]
        if over:
            memory.settled = after(memory.settled, over, rules)
            memory.waiting = memory.waiting[len(over) :]
        memory.upto = max(memory.upto, upto)
        if not memory.waiting:
            memory.settled = memory.tip


class Neighbours(Step):
    """Who is near whom: an object of each number on a map to the numbers of those around, nearest first.

    {do: neighbours, id: around, input: vehicles, reach: 30}

    Attributes:
        input: a step that gives a map, as ``track`` does.
        reach: metres.
        most: how many neighbours each has at most.
    """

    reduces: ClassVar[Reduces] = "some"
    input: str
    reach: float = Field(default=50.0, gt=0, le=10_000, allow_inf_nan=False)
    most: int = Field(default=8, ge=1, le=64)

    def run(self, given: Given) -> Outcome:
        """Number to numbers; None while there is no map."""
        there = _places(given.value)
        if there is None:
            return Outcome(None)
        return Outcome({name: self._around(name, x, y, there) for name, x, y in there})

    def _around(self, name: str, x: float, y: float, there: Sequence[tuple[str, float, float]]) -> list[str]:
        away = sorted((math.hypot(ox - x, oy - y), other) for other, ox, oy in there if other != name)
        return [other for distance, other in away if distance <= self.reach][: self.most]


def _places(value: Any) -> list[tuple[str, float, float]] | None:
    if not isinstance(value, list):
        return None
    return [(each.id, each.x, each.y) for each in read(value, 0, "")[0].sightings]  # type: ignore[misc]


def _told(track: Followed, at: int) -> dict[str, Any]:
    """A track as it stands on the map."""
    told: dict[str, Any] = {
        "id": track.id,
        "x": round(track.x, 2),
        "y": round(track.y, 2),
        "heading": None if track.heading is None else round(track.heading, 1),
        "speed": round(track.speed, 1),
        "within": round(math.sqrt(track.pp), 2),
        "at": at,
        "by": sorted(name for name, seen in track.by.items() if at - seen.at <= _SHOWN),
    }
    if track.colour is not None:
        told["colour"] = "".join(f"{min(255, max(0, round(255 * part))):02x}" for part in track.colour)
    return told


def _note(memory: _Memory, rules: Rules) -> str | None:
    said = []
    if memory.late:
        said.append(f"{memory.late} reports came too late or were of the future")
    for observer, (late, future) in sorted(memory.by.items()):
        what = f"{late} too late" if late >= future else f"{future} of the future: its clock may be ahead"
        said.append(f"of {observer} {what}")
    if memory.bad:
        said.append(f"{memory.bad} entries were no sightings")
    doubts = {name: doubt(each, rules) for name, each in sorted(memory.off.items())}
    said += [f"{name} {what}" for name, what in doubts.items() if what is not None]
    return "; ".join(said)[:_LONG] or None
