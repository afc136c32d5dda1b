"""Replay: what a composite decides over what was recorded, by the very same execution.

The record is read in the order in which it came. Timers run before whatever came after them, as they do live.
What depends on how actuators answer (a command told again) is no decision and left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from diat.cvol.composite import Composite
from diat.cvol.past import MOST_COMMANDS, MOST_NOTES, Survey, scene, timeline
from diat.cvol.sandbox import Made, Sandbox
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid
from diat.vol.interaction import Actuation
from diat.vol.journal import CLAIMS, COMPOSED, LATE, NOBODY
from diat.vol.recorded import Record, Row

_LOOK = 200
"""Rows between two looks at the clock."""
DECISIONS = ("decided", "let go")


class Budget(Struct, frozen=True, kw_only=True):
    """How much a replay may take.

    Attributes:
        rows: of history.
        seconds: of the machine's time.
        commands: that are kept.
        cancelled: tells whether nobody wants it any more.
    """

    rows: int = 500_000
    seconds: float = 30.0
    commands: int = MOST_COMMANDS
    cancelled: Callable[[], bool] = lambda: False


class Decision(Struct, frozen=True, kw_only=True):
    """A command that was decided on: in a replay, or really.

    Attributes:
        at: when, Unix milliseconds.
        why: what else explains it.
    """

    thing: str
    affordance: str
    value: Any
    at: int
    why: dict[str, Any] = {}

    @property
    def key(self) -> tuple[str, str, Any, int]:
        """What two equal decisions have in common."""
        return (self.thing, self.affordance, _plain(self.value), self.at)


class Replayed(Struct, kw_only=True):
    """What came out.

    Attributes:
        decisions: oldest first.
        start: Unix milliseconds.
        end: how far it got, Unix milliseconds.
        rows: how many rows of history were replayed.
        stopped: why it did not get to the end, for a person; None if it did.
        things: ids of the things that it could drive.
        notes: what a person should know of it.
    """

    decisions: list[Decision]
    start: int
    end: int
    rows: int = 0
    stopped: str | None = None
    things: frozenset[str] = frozenset()
    notes: list[str] = []


class Replay:
    """Replays composites over a record.

    Args:
        record: what was recorded.
        survey: what is there now.
        budget: how much it may take.
    """

    def __init__(self, record: Record, survey: Survey, budget: Budget | None = None) -> None:
        self._record = record
        self._survey = survey
        self._budget = budget or Budget()

    def plan(self, composite: Composite, start: int, end: int) -> Replayed:
        """What a composite would have decided, had it been put to work at ``start``.

        Args:
            composite: which; a running one's id stands for putting this one in its place.
            start: Unix milliseconds, included.
            end: Unix milliseconds, excluded.

        Raises:
            Invalid: nothing was recorded of that time.
        """
        begins = self._record.begins()
        if begins is None or start < begins:
            since = "" if begins is None else f" before {rfc3339(begins)}"
            raise Invalid(f"nothing is recorded as it came{since}", "replay.from")
        position = self._record.position_at(start)
        first = self._survey.position + 1 if position is None else position
        course = timeline(self._record, self._survey, first)
        things = course.relevant({q for role in composite.roles.values() for q in role.watched})
        sandbox = Sandbox(
            scene(self._record, self._survey, course, composite.id, things, first, start),
            composite.id,
            course.following,
            None,
            lambda _: None,
            self._survey.site,
        )
        sandbox.deploy(composite, start)
        sandbox.settle(start)
        commands = self._record.commands(things.values(), start, end, MOST_COMMANDS)
        others = [each for each in commands if each.service != composite.id]
        return self._run(sandbox, first, (start, end), things, others)

    def follow(self, composite: str, made: Made, first: int, end: int) -> Replayed:
        """What a composite decided, from its own notes on: made, changed, paused and ended when it was.

        Args:
            composite: its id.
            made: makes it from what is noted of it.
            first: ingest position before it was made.
            end: Unix milliseconds, excluded.
        """
        notes = self._record.notes(COMPOSED, first, MOST_NOTES)
        mine = [each.data for each in notes if each.data["id"] == composite and not each.data.get("gone")]
        quantities = {q for each in mine for role in made(each).roles.values() for q in role.watched}
        course = timeline(self._record, self._survey, first)
        things = course.relevant(quantities)
        commands = self._record.commands(things.values(), 0, end, MOST_COMMANDS)
        own = {
            (each.thing, each.affordance, _plain(each.input), each.decided): each.created
            for each in commands
            if each.service == composite
        }
        sandbox = Sandbox(
            scene(self._record, self._survey, course, composite, things, first, 0),
            composite,
            course.following,
            made,
            lambda each: own.get((each.thing, each.affordance, _plain(each.input), each.decided)),
            self._survey.site,
        )
        others = [each for each in commands if each.service != composite and each.position >= first]
        return self._run(sandbox, first, (0, end), things, others)

    # --- within ---

    def _run(
        self,
        sandbox: Sandbox,
        first: int,
        span: tuple[int, int],
        things: dict[int, str],
        others: list[Actuation],
    ) -> Replayed:
        start, end = span
        found = Replayed(decisions=[], start=start, end=end, things=frozenset(things.values()))
        others = sorted(others, key=lambda each: (each.position, each.created), reverse=True)
        until = time.monotonic() + self._budget.seconds
        numbers = {NOBODY, sandbox.own_number, *things}
        rows = self._record.rows(numbers, first, self._survey.position + 1)
        for row, claims in _steps(rows, sandbox.before):
            if row.received >= end and row.name != LATE:
                break
            found.stopped = self._over(found.rows, len(sandbox.commands), until)
            if found.stopped is not None:
                found.end = row.received
                break
            while others and others[-1].position < row.position:
                sandbox.told(others.pop())
            sandbox.take(row, claims)
            found.rows += 1
        if found.stopped is None:
            sandbox.until(end - 1)
        found.decisions = [
            decision(each) for each in sandbox.commands if (each.why or {}).get("decision") in DECISIONS
        ]
        return found

    def _over(self, rows: int, commands: int, until: float) -> str | None:
        if rows >= self._budget.rows:
            return f"more than {self._budget.rows} messages came in that time"
        if commands >= self._budget.commands:
            return f"it would have given more than {self._budget.commands} commands"
        if rows % _LOOK == 0:
            if time.monotonic() > until:
                return f"it took more than {self._budget.seconds:g} s"
            if self._budget.cancelled():
                return "nobody waits for it any more"
        return None


def decision(command: Actuation) -> Decision:
    """A command as what was decided."""
    return Decision(
        thing=command.thing,
        affordance=command.affordance,
        value=command.input if command.kind == "property" else True,
        at=command.decided or command.created,
        why=command.why or {},
    )


def _steps(rows: Iterator[Row], before: Callable[[Row], bool]) -> Iterator[tuple[Row, list[Row]]]:
    """Rows, each with the claims that were changed by those who were told of it before the composite was."""
    waiting: Row | None = next(rows, None)
    while waiting is not None:
        row, claims, behind = waiting, list[Row](), list[Row]()
        waiting = next(rows, None)
        while waiting is not None and waiting.name == CLAIMS and waiting.data.get("within") == row.position:
            (claims if before(waiting) else behind).append(waiting)
            waiting = next(rows, None)
        yield row, claims
        for each in behind:
            yield each, []


def _plain(value: Any) -> Any:
    return value if not isinstance(value, dict | list) else msgspec.json.encode(value)
