"""Conflicts: whether two composites ever want different things, found by trying.

Both are evaluated by the very same ``evaluate`` over short courses of situations (``exploring``), also after
waiting for what their steps wait for. A conflict is told with the situation in which it shows. There are two
kinds: *direct*, both want one actuator and want it to be different; *opposed*, one drives a quantity up and
the other down at places that overlap. Those who always want the same are in no conflict.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from diat.cvol.composite import Binding
from diat.cvol.courses import Course, Courses, Situation, Wish
from diat.cvol.exploring import Grid, Party, Variable, explore, overlap
from diat.cvol.steps import GREENWICH, Site
from diat.cvol.steps.effects import Drive
from diat.vol.arbitration import RANKS, Priority
from diat.vol.thing import Affects, VirtualObject

MOST_EVALUATIONS = 8_000
"""Evaluations for one pair."""
MOST_SECONDS = 5.0
"""Of the machine's time, for all pairs together."""

Kind = Literal["direct", "opposed"]


class Actuated(Struct, frozen=True):
    """An affordance that a composite drives, as it is named to a person."""

    thing: str
    affordance: str
    title: str


class Conflict(Struct, frozen=True, kw_only=True):
    """Two composites want different things.

    Attributes:
        other: id of the other composite.
        title: of it.
        mine: what the first one drives.
        theirs: what the other drives; the same if the conflict is direct.
        sentence: the situation in which it shows, and what each wants then.
        winner: title of the one who is obeyed; None where both are.
        priority: of that one.
        since: since when the other is at work, Unix milliseconds.
    """

    other: str
    title: str
    kind: Kind
    mine: Actuated
    theirs: Actuated
    sentence: str
    winner: str | None
    priority: Priority | None
    since: int


class Found(Struct, frozen=True):
    """All conflicts of a composite; ``complete`` tells whether everything was tried that was to be tried."""

    conflicts: list[Conflict]
    complete: bool


class _Clash(Struct, frozen=True):
    """Two bindings that may come into conflict."""

    kind: Kind
    mine: Binding
    theirs: Binding


def find(
    planned: Party, running: Iterable[Party], objects: Mapping[str, VirtualObject], site: Site = GREENWICH
) -> Found:
    """The conflicts of a composite with others that are at work.

    Args:
        planned: the composite.
        running: the others.
        objects: things by id.
        site: where we are.
    """
    found: list[Conflict] = []
    complete = True
    until = time.monotonic() + MOST_SECONDS
    for other in running:
        clashes = list(_clashes(planned, other, objects))
        if not clashes:
            continue
        search = _Search(planned, other, objects, site, until)
        found += search.run(clashes)
        complete = complete and search.complete
    return Found(found, complete)


def _clashes(one: Party, other: Party, objects: Mapping[str, VirtualObject]) -> Iterator[_Clash]:
    for mine in _driven(one):
        for theirs in _driven(other):
            here, there = objects.get(mine.thing), objects.get(theirs.thing)
            if here is None or there is None:
                continue
            if here.id == there.id and here.actuator(mine.affordance) == there.actuator(theirs.affordance):
                yield _Clash("direct", mine, theirs)
            elif overlap(here.place, there.place) and _against(_affects(here, mine), _affects(there, theirs)):
                yield _Clash("opposed", mine, theirs)


def _driven(party: Party) -> list[Binding]:
    roles = {step.role for step in party.composite.steps if isinstance(step, Drive)}
    return [each for each in party.bindings if each.role in roles]


def _affects(each: VirtualObject, binding: Binding) -> Affects | None:
    found = each.properties.get(binding.affordance) or each.actions.get(binding.affordance)
    return found.affects if found is not None else None


def _against(one: Affects | None, other: Affects | None) -> bool:
    if one is None or other is None or one.quantity != other.quantity:
        return False
    return {one.direction, other.direction} == {"increase", "decrease"}


class _Search:
    """Looks for situations in which one pair of composites is in conflict."""

    def __init__(
        self, mine: Party, theirs: Party, objects: Mapping[str, VirtualObject], site: Site, until: float
    ) -> None:
        self._parties = (mine, theirs)
        self._objects = objects
        self._site = site
        self._until = until
        self._grid: Grid = explore(self._parties, objects)
        self._courses = Courses(self._parties, self._grid, site)
        self.complete = self._grid.complete

    def run(self, clashes: Sequence[_Clash]) -> list[Conflict]:
        """The first witness of each clash."""
        left = list(clashes)
        found: list[Conflict] = []
        seen: set[bytes] = set()
        courses = deque(self._courses.beginnings)
        while courses and left:
            if self._courses.evaluations >= MOST_EVALUATIONS or time.monotonic() > self._until:
                self.complete = False
                break
            for course in self._courses.onward(courses.popleft()):
                shows = [clash for clash in left if self._clashes(clash, course)]
                found += [self._conflict(clash, course) for clash in shows]
                left = [clash for clash in left if clash not in shows]
                mark = self._courses.mark(course)
                if mark not in seen:
                    seen.add(mark)
                    courses.append(course)
        self.complete = self.complete and not self._courses.failed
        return found

    def _clashes(self, clash: _Clash, course: Course) -> bool:
        mine = course.states[0].wishes.get(clash.mine.key)
        theirs = course.states[1].wishes.get(clash.theirs.key)
        if mine is None or theirs is None:
            return False
        if clash.kind == "opposed":
            return _on(mine.wanted) and _on(theirs.wanted)
        if clash.mine.affordance == clash.theirs.affordance:
            return not _same(mine.value, theirs.value)
        return _on(mine.wanted) is not _on(theirs.wanted)

    # --- in words ---

    def _conflict(self, clash: _Clash, course: Course) -> Conflict:
        one, other = (party.composite for party in self._parties)
        mine, theirs = self._actuated(clash.mine), self._actuated(clash.theirs)
        wants = [
            f"“{composite.title}” wants {_wanted(actuated, state.wishes[binding.key], binding)}"
            for composite, actuated, state, binding in (
                (one, mine, course.states[0], clash.mine),
                (other, theirs, course.states[1], clash.theirs),
            )
        ]
        direct = clash.kind == "direct"
        if direct and mine == theirs:
            wish = course.states[1].wishes[clash.theirs.key]
            wants[1] = f"“{other.title}” wants it {_position(wish, clash.theirs)}"
        sentence = f"{self._situation(course)}{' and '.join(wants)}"
        if not direct:
            sentence += ", which work against each other"
        # Who is at work already was there first.
        first = one if RANKS[one.priority] < RANKS[other.priority] else other
        return Conflict(
            other=other.id,
            title=other.title,
            kind=clash.kind,
            mine=mine,
            theirs=theirs,
            sentence=sentence,
            winner=first.title if direct else None,
            priority=first.priority if direct else None,
            since=max(self._parties[1].since, clash.theirs.since),
        )

    def _situation(self, course: Course) -> str:
        parts = []
        if self._courses.timed:
            shown = datetime.fromtimestamp(course.now / 1000, self._site.zone)
            parts.append(f"at {shown:%H:%M} on a {shown:%A}")
        told = [text for each in course.path[:-1] if (text := self._values(each))]
        if told:
            parts.append(f"after {' and then '.join(told)}")
        last = self._values(course.path[-1]) if course.path else ""
        if last:
            parts.append(f"at {last}")
        if course.waited:
            parts.append("after a while")
        return f"{', '.join(parts)} " if parts else ""

    def _values(self, situation: Situation) -> str:
        variables: Sequence[Variable] = self._grid.variables
        texts = [each.shown(value) for each, value in zip(variables, situation, strict=True)]
        if len(variables) == 1 and isinstance(situation[0], float) and variables[0].unit:
            return texts[0].removeprefix(f"{variables[0].name} ")
        return " and ".join(text for text in texts if text)

    def _actuated(self, binding: Binding) -> Actuated:
        each = self._objects[binding.thing]
        return Actuated(binding.thing, binding.affordance, str(each.td.get("title", each.id)))


def _wanted(actuated: Actuated, wish: Wish, binding: Binding) -> str:
    return f"{actuated.title} {_position(wish, binding)}"


def _position(wish: Wish, binding: Binding) -> str:
    if binding.kind == "action":
        return f"to {binding.affordance}"
    if isinstance(wish.wanted, bool):
        return "on" if wish.wanted else "off"
    return f"at {wish.value:g}" if isinstance(wish.value, float) else f"at {wish.value}"


def _on(wanted: Any) -> bool:
    return bool(wanted) and (not isinstance(wanted, int | float) or wanted > 0)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)
