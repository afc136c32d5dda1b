"""Situations: services started, paused and set by themselves, as what is watched comes about and passes.

A reading only notes that a situation holds or does no longer; it acts in its turn right after, in the same
batch, at the time of the reading. So what it does is done exactly once, and the same in whatever batches
readings come. A cool-down lies between two of its changes, longer when it comes and goes: a situation that
ends itself by what it starts is slow, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from diat.cvol.execution import CATCH_UP, CompositeLayer
from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, NotFound, Stale
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Overlay
from diat.security.principal import LOCAL, Principal
from diat.service.doing import Doer, Permit, anything_goes
from diat.service.layer import ServiceLayer
from diat.service.situation import MOST_RESTLESS, Course, Situation, holds
from diat.service.situation_request import read_situation
from diat.service.watching import GONE, KIND, Watching
from diat.vol.diagnostics import STRANGERS
from diat.vol.layer import VirtualObjectLayer
from diat.vol.twin import Reading

MOST = 1000
"""Situations at most."""
DEEPEST = 8
"""Situations that may follow from each other at one time; further ones wait a second."""
_SECOND = 1000


class SituationLayer:
    """All situations; changed by the writer alone, read by any thread through ``get`` and ``everything``."""

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        services: ServiceLayer,
        clock: Clock,
        new_id: NewId,
        situations: Iterable[Situation] = (),
        permit: Permit = anything_goes,
    ) -> None:
        self._things = things
        self._clock = clock
        self._new_id = new_id
        self._doer = Doer(services, permit)
        self._situations: Overlay[str, Situation] = ledger.overlay(
            "situations", ((each.id, each) for each in situations)
        )
        self._wakes: Overlay[str, int] = ledger.overlay()
        self._watching = Watching(ledger, things, composites, services)
        things.observers.listen(KIND, self._on_reading, self._on_event)
        services.on_change = self._on_service
        for situation in self.everything():
            self._watch(situation)
            self._plan(situation)

    # --- asked by any thread ---

    def get(self, situation: str) -> Situation:
        """The committed situation.

        Raises:
            NotFound: there is none.
        """
        found = self._situations.committed.get(situation)
        if found is None:
            raise NotFound(f"there is no situation {situation!r}")
        return found

    def everything(self) -> list[Situation]:
        """All committed situations, oldest first."""
        return sorted(self._situations.committed.values(), key=lambda each: (each.created, each.id))

    def holding(self) -> frozenset[str]:
        """Ids of the committed situations that hold."""
        found = self._situations.committed.copy().items()
        return frozenset(name for name, each in found if each.course.holds)

    def known(self, situation: str) -> bool:
        """Whether there is a committed situation of this id."""
        return situation in self._situations.committed

    # --- asked within the writer ---

    def create(
        self, content: dict[str, Any], *, situation: str | None = None, creator: Principal = LOCAL
    ) -> Situation:
        """Watch for a situation; if it holds already it acts at once.

        Args:
            content: see ``SituationRequest``.
            situation: the id to give it, derived from an idempotency key.
            creator: for whom it acts.

        Raises:
            Invalid: it is none, or what it watches or would do is not there; ``field`` names the place.
            Conflict: the idempotency key was used for another one, or there are too many.
        """
        plain = self._checked(content)
        known = self._situations.get(situation) if situation is not None else None
        if known is not None:
            if known.content != plain:
                raise Conflict("this Idempotency-Key was used for another situation")
            return known
        if sum(1 for _ in self._situations.items()) >= MOST:
            raise Conflict(f"there are {MOST} situations already")
        now = self._clock()
        made = Situation(
            id=situation or self._new_id(),
            content=plain,
            creator=creator.id,
            grants=creator.grants,
            created=now,
            modified=now,
        )
        return self._begin(made)

    def replace(
        self, situation: str, content: dict[str, Any], revision: int | None, creator: Principal = LOCAL
    ) -> Situation:
        """Give a situation another content; what the old one did is undone first, if it says so.

        Raises:
            NotFound: there is no such situation.
            Stale: it is not at ``revision`` any more.
            Invalid: as in ``create``.
        """
        known = self._known(situation, revision)
        plain = self._checked(content)
        changed = msgspec.structs.replace(
            known,
            content=plain,
            creator=creator.id,
            grants=creator.grants,
            modified=self._clock(),
            revision=known.revision + 1,
        )
        if plain | {"title": ""} == known.content | {"title": ""}:
            self._situations.put(situation, changed)
            return changed
        self._end(known)
        return self._begin(msgspec.structs.replace(changed, course=Course()))

    def delete(self, situation: str, revision: int | None = None) -> None:
        """Watch no more; what it did is undone, if it says so.

        Raises:
            NotFound: there is no such situation.
            Stale: it is not at ``revision`` any more.
        """
        known = self._known(situation, revision)
        self._end(known)
        self._situations.remove(situation)

    # --- the writer's turn ---

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        if not self._wakes.committed and not self._wakes.changes:
            return None
        return min((at for _, at in self._wakes.items()), default=None)

    def tick(self, now: int) -> None:
        """Act on what holds, or does no longer, by now; each as of the time that it wanted."""
        for _ in range(DEEPEST):
            due = sorted((at, each) for each, at in self._wakes.items() if at <= now)
            if not due:
                return
            for at, situation in due:
                self._turn(situation, at if now - at < CATCH_UP else now)
        for situation, at in self._wakes.items():
            if at <= now:
                self._wakes.put(situation, now + _SECOND)
                self._note(self._situations.get(situation), "follows from too many others at once: it waits")

    # --- what happens ---

    def _on_reading(self, watcher: str, thing: str, name: str, reading: Reading) -> None:
        newest = self._things.intake.twin(thing).values.get(name)
        if newest is None or newest.position == reading.position:  # what comes late changes nothing
            self._look(watcher.removeprefix(f"{KIND}:"), reading.value, reading.received)

    def _on_event(self, watcher: str, thing: str, name: str, reading: Reading) -> None:
        situation = self._situations.get(watcher.removeprefix(f"{KIND}:"))
        if situation is not None:
            self._turned(situation, True, reading.received)

    def _on_service(self, service: str) -> None:
        """A service was made, changed or ended: what it makes may be another thing."""
        for each in self._watching.of_service(service):
            situation = self._situations.get(each)
            if situation is not None and self._watching.moved(situation):
                self._watch(situation)

    def _look(self, situation: str, value: Any, now: int) -> None:
        """See whether a value makes a situation hold."""
        found = self._situations.get(situation)
        if found is None:
            return
        so = holds(found.when, self._watching.in_its_unit(found, value), found.course.holds)
        if so is not None and so != found.course.holds:
            self._turned(found, so, now)

    def _turned(self, situation: Situation, so: bool, now: int) -> None:
        course = msgspec.structs.replace(situation.course, holds=so, since=now)
        self._plan(self._keep(situation, course))

    # --- acting ---

    def _turn(self, situation: str, now: int) -> None:
        self._wakes.remove(situation)
        found = self._situations.get(situation)
        if found is None:
            return
        when, course = found.when, found.course
        if "event" in when and course.holds and now >= course.since + found.lasts:
            course = msgspec.structs.replace(course, holds=False, since=course.since + found.lasts)
            found = self._keep(found, course)
        if course.holds != course.active and now >= found.ready:
            self._act(found, now)
            found = self._situations.get(situation) or found
        self._plan(found)

    def _act(self, situation: Situation, now: int) -> None:
        """Begin or end: do what is to be done, and remember what was."""
        content, course = situation.content, situation.course
        otherwise = content["otherwise"]
        done: list[Any] = []
        if course.holds:
            done, wrong = self._doer.do(situation, content["then"])
        elif otherwise == "undo":
            wrong = self._doer.undo(course.did)
        else:
            _, wrong = self._doer.do(situation, otherwise if isinstance(otherwise, list) else [])
        early = bool(course.acted) and situation.wanted < course.acted + situation.cooldown
        restless = min(course.restless + 1, MOST_RESTLESS) if early else 0
        latest = self._situations.get(situation.id) or situation  # what it did may have changed what it sees
        self._keep(
            latest,
            msgspec.structs.replace(
                latest.course,
                active=course.holds,
                acted=now,
                restless=restless,
                did=tuple(done),
                error="; ".join(wrong)[:1000] or None,
            ),
        )
        if wrong:
            self._note(situation, f"could not do all: {'; '.join(wrong)}")
        if restless == MOST_RESTLESS:
            self._note(situation, "comes and goes: does what it starts end it? It takes its time from now on")

    def _note(self, situation: Situation | None, text: str) -> None:
        if situation is not None:
            thing = self._watching.thing(situation.when) or STRANGERS
            line = f"situation {situation.title!r} {text}"
            self._things.diagnostics.note(thing, line, self._clock())

    # --- within ---

    def _known(self, situation: str, revision: int | None) -> Situation:
        known = self._situations.get(situation)
        if known is None:
            raise NotFound(f"there is no situation {situation!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the situation is at revision {known.revision}, not {revision}")
        return known

    def _checked(self, content: dict[str, Any]) -> dict[str, Any]:
        """The content with defaults; what it watches and would do is there."""
        plain = read_situation(content).plain()
        self._watching.check(plain["when"])
        self._doer.check(plain["then"], "then")
        if isinstance(plain["otherwise"], list):
            self._doer.check(plain["otherwise"], "otherwise")
        return plain

    def _begin(self, situation: Situation) -> Situation:
        self._situations.put(situation.id, situation)
        self._watch(situation)
        return self._known(situation.id, None)

    def _watch(self, situation: Situation) -> None:
        """Watch what it is about, and look at what that is just now."""
        value = self._watching.begin(situation)
        if value is GONE:
            if situation.course.holds:
                self._turned(situation, False, self._clock())
        elif value is not None:
            self._look(situation.id, value, self._clock())

    def _end(self, situation: Situation) -> None:
        self._watching.end(situation)
        self._wakes.remove(situation.id)
        if situation.content["otherwise"] == "undo":
            self._doer.undo(situation.course.did)

    def _keep(self, situation: Situation, course: Course) -> Situation:
        changed = msgspec.structs.replace(situation, course=course)
        self._situations.put(situation.id, changed)
        return changed

    def _plan(self, situation: Situation) -> None:
        """Have it looked at when there is something to do, or to forget."""
        course = situation.course
        if course.holds != course.active:
            self._wakes.put(situation.id, situation.ready)
        elif "event" in situation.when and course.holds:
            self._wakes.put(situation.id, course.since + situation.lasts)
        else:
            self._wakes.remove(situation.id)
