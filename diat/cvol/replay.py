"""Replay: what a composite decides over what was recorded, by the very same execution.

The record is read in the order in which it came. Timers run before whatever came after them, as they do live.
What depends on how actuators answer (a command told again) is no decision and left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from diat.cvol.composite import Composite, own_thing
from diat.cvol.execution import AllowFor
from diat.cvol.sandbox import ClaimsNote, Made, Said, Sandbox, Scene, counts_from
from diat.cvol.steps import GREENWICH, Site
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid
from diat.vol.arbitration import Claim
from diat.vol.dialects.port import Description
from diat.vol.interaction import LATER, Actuation
from diat.vol.journal import CLAIMS, COMPOSED, DESCRIBED, KNOWN, LATE, NOBODY, STATUS, Gone
from diat.vol.recorded import Record, Row
from diat.vol.thing import ThingRecord, VirtualObject, compile_object
from diat.vol.twin import Reading, Twin

MOST_NOTES = 20_000
"""Times that things came, went or changed within a replay at most."""
MOST_COMMANDS = 10_000
"""Commands that are looked at."""
_LOOK = 200
"""Rows between two looks at the clock."""
_BACK = 50
"""Notes of one kind that are looked back upon for each thing."""
DECISIONS = ("decided", "let go")


class Survey(Struct, kw_only=True):
    """What there was at one moment; taken within the writer.

    Attributes:
        position: ingest position of what had come last.
        objects: all things.
        twins: what was known of them.
        dependants: things that depend on the composite, which therefore does not read them.
        site: where we are.
        allow: what composites may bind; None for anything.
        key: of pseudonyms.
    """

    position: int
    objects: list[VirtualObject]
    twins: dict[str, Twin]
    dependants: frozenset[str] = frozenset()
    site: Site = GREENWICH
    allow: AllowFor | None = None
    key: bytes = b""


class Budget(Struct, frozen=True, kw_only=True):
    """How much a replay may take.

    Attributes:
        rows: of history.
        seconds: of the machine's time.
        commands: that are kept, together with what it says.
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
        said: what the composite's own thing would have said, oldest first.
        start: Unix milliseconds.
        end: how far it got, Unix milliseconds.
        rows: how many rows of history were replayed.
        stopped: why it did not get to the end, for a person; None if it did.
        things: ids of the things that it could drive.
        notes: what a person should know of it.
    """

    decisions: list[Decision]
    said: list[Said] = []
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
        timeline = self._timeline(first)
        things = timeline.relevant({q for role in composite.roles.values() for q in role.watched})
        sandbox = Sandbox(
            self._scene(timeline, composite.id, things, first, start),
            composite.id,
            timeline.following,
            None,
            lambda _: None,
            self._survey.site,
            self._survey.allow,
            self._survey.key,
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
        timeline = self._timeline(first)
        things = timeline.relevant(quantities)
        commands = self._record.commands(things.values(), 0, end, MOST_COMMANDS)
        own = {
            (each.thing, each.affordance, _plain(each.input), each.decided): counts_from(each)
            for each in commands
            if each.service == composite
        }
        sandbox = Sandbox(
            self._scene(timeline, composite, things, first, 0),
            composite,
            timeline.following,
            made,
            lambda each: own.get((each.thing, each.affordance, _plain(each.input), each.decided)),
            self._survey.site,
            self._survey.allow,
            self._survey.key,
        )
        others = [
            each
            for each in commands
            if (each.service != composite or (each.why or {}).get("decision") == LATER)
            and each.position >= first
        ]
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
            given = len(sandbox.commands) + len(sandbox.said)
            found.stopped = self._over(found.rows, given, until)
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
        found.said = sandbox.said
        return found

    def _over(self, rows: int, commands: int, until: float) -> str | None:
        if rows >= self._budget.rows:
            return f"more than {self._budget.rows} messages came in that time"
        if commands >= self._budget.commands:
            return f"it would have given or said more than {self._budget.commands} things"
        if rows % _LOOK == 0:
            if time.monotonic() > until:
                return f"it took more than {self._budget.seconds:g} s"
            if self._budget.cancelled():
                return "nobody waits for it any more"
        return None

    def _timeline(self, first: int) -> _Timeline:
        notes = self._record.notes(DESCRIBED, first, MOST_NOTES + 1)
        if len(notes) > MOST_NOTES:
            raise Invalid(
                f"things came, went or changed more than {MOST_NOTES} times since then", "replay.from"
            )
        present = [each for each in self._survey.objects if each.id not in self._survey.dependants]
        return _Timeline(present, [each for each in notes if each.position <= self._survey.position])

    def _scene(
        self, timeline: _Timeline, composite: str, things: dict[int, str], first: int, start: int
    ) -> Scene:
        mine = own_thing(composite)
        objects = [each for each in timeline.at_first(things) if each.id != mine]
        claims: dict[tuple[str, str], tuple[Claim, ...]] = {}
        for each in objects:
            for row in self._record.last_notes(each.record.no, CLAIMS, first, _BACK):
                note = msgspec.convert(row.data, ClaimsNote)
                claims.setdefault((each.id, note.actuator), note.claims)
        return Scene(
            objects=objects,
            own=next((no for no, thing in timeline.names.items() if thing == mine), 0),
            twins={each.id: self._twin(each, first, start) for each in objects},
            claims={
                key: tuple(each for each in held if each.until is None or each.until > start)
                for key, held in claims.items()
            },
            commands=self._record.last_commands([each.id for each in objects], start, MOST_COMMANDS)[::-1],
        )

    def _twin(self, each: VirtualObject, first: int, start: int) -> Twin:
        """What was known of a thing when what has a position came."""
        number = each.record.no
        twin = Twin(values=self._record.known(number, list(each.properties), first))
        for row in reversed(self._record.last_notes(number, KNOWN, first, _BACK)):
            for name, reading in msgspec.convert(row.data, dict[str, Reading]).items():
                twin.learn(name, reading)
        turned = self._record.last_notes(number, STATUS, first, 1)
        now = self._survey.twins.get(each.id)
        if turned:
            twin.status, twin.since = turned[0].data, turned[0].received
        elif now is not None and now.since < start:
            twin.status, twin.since = now.status, now.since
        elif twin.values:
            twin.status = "online"
        return twin


class _Timeline:
    """What things were, going back from what they are: each note says what a thing was before it."""

    def __init__(self, present: list[VirtualObject], notes: list[Row]) -> None:
        self._states: dict[int, list[tuple[int, VirtualObject | None]]] = {}
        now = {each.record.no: each for each in present}
        for row in notes:
            self._states.setdefault(row.thing, []).append((row.position, _before(row)))
        for number in self._states:
            self._states[number].append((0, now.get(number)))
        for number, each in now.items():
            self._states.setdefault(number, [(0, each)])
        self.names = {
            number: each.id
            for number, states in self._states.items()
            for _, each in states
            if each is not None
        }

    def relevant(self, quantities: set[str]) -> dict[int, str]:
        """Numbers and ids of things that ever had one of these quantities."""
        return {
            number: self.names[number]
            for number, states in self._states.items()
            if any(each is not None and each.quantities & quantities for _, each in states)
        }

    def at_first(self, things: Iterable[int]) -> list[VirtualObject]:
        """These things as they were at the beginning; those that were there."""
        found = (self._states[number][0][1] for number in sorted(things))
        return [each for each in found if each is not None]

    def following(self, row: Row) -> VirtualObject | None:
        """What a thing was after a note; None if it was gone."""
        states = self._states.get(row.thing, [])
        at = next((at for at, (position, _) in enumerate(states) if position == row.position), None)
        return states[at + 1][1] if at is not None else None


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


def _before(row: Row) -> VirtualObject | None:
    """What a thing was before it was described anew."""
    said = row.data.get("before")
    if said is None:
        return None
    gone = msgspec.convert(said, Gone)
    record = msgspec.convert(gone.record, ThingRecord)
    # Whatever it spoke, what it is told is only taken down.
    return compile_object(record, Description(td=gone.td), gone.td, gone.wire or "gone")


def _plain(value: Any) -> Any:
    return value if not isinstance(value, dict | list) else msgspec.json.encode(value)
