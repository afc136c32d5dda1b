"""A sandbox: the very same layers over nothing that is kept, fed with what was recorded.

Nothing leaves it. Commands are taken down and count as done at once; the clock stands where the record is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from diat.cvol.composite import Composite, own_thing
from diat.cvol.execution import AllowFor, CompositeLayer, turn
from diat.cvol.steps import Site
from diat.kernel.overlay import Ledger
from diat.vol.arbitration import Claim
from diat.vol.interaction import Actuation
from diat.vol.journal import (
    CLAIMS,
    COMPOSED,
    DESCRIBED,
    KNOWN,
    LATE,
    LOOKED,
    RESERVED,
    STARTED,
    STATUS,
    TIMERS,
)
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.vol.recorded import Row
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading, Twin
from diat.wire.envelope import Result


class ClaimsNote(Struct, frozen=True):
    """What is noted of an actuator's claims (``diat.vol.journal.CLAIMS``)."""

    actuator: str
    claims: tuple[Claim, ...]
    by: str
    within: int = 0


class Said(Struct, frozen=True, kw_only=True):
    """What a composite's own thing said: a value that it derived, or an event.

    Attributes:
        kind: which of the two.
        name: of the property or event.
        value: of the property, or the event's data.
        at: when it was so, Unix milliseconds.
    """

    kind: Literal["property", "event"]
    name: str
    value: Any
    at: int


class Scene(Struct, kw_only=True):
    """What was there when a replay begins.

    Attributes:
        objects: the things that can matter.
        twins: thing id to what was known of it.
        own: number of the composite's own thing; 0 if it never had one.
        claims: thing id and actuator to who claimed it.
        commands: what the actuators were told before, oldest first.
    """

    objects: list[VirtualObject]
    own: int = 0
    twins: dict[str, Twin]
    claims: dict[tuple[str, str], tuple[Claim, ...]]
    commands: list[Actuation]


Following = Callable[[Row], VirtualObject | None]
"""What a thing was after a note that it was described anew; None if it was gone."""
Made = Callable[[Mapping[str, Any]], Composite]
"""The composite of what is noted of it."""


class Sandbox:
    """One composite over what was recorded; used by one thread.

    Args:
        scene: what was there at the beginning.
        own: id of the composite, whose recorded claims and commands are left out: it makes them itself.
        following: what things became.
        made: makes the composite from what is noted of it; None if its notes are none of the replay's.
        given: from when a command like this one really counted, Unix milliseconds; None if none was given.
        site: where we are.
        allow: what it may bind; None for anything.
        key: of pseudonyms.

    Attributes:
        own_number: number of the composite's own thing over there, 0 if it never had one.
        commands: what it gave, oldest first.
        said: what its own thing said, oldest first.
    """

    def __init__(
        self,
        scene: Scene,
        own: str,
        following: Following,
        made: Made | None,
        given: Callable[[Actuation], int | None],
        site: Site,
        allow: AllowFor | None = None,
        key: bytes = b"",
    ) -> None:
        self._now = 0
        # When the platform started, until the composite is there again: no timer runs in between.
        self._starting = -1
        self._own, self._following, self._made, self._given = own, following, made, given
        numbers = itertools.count(1)
        self._ledger = Ledger()
        kept = Kept(twins=scene.twins.items())
        self.things = VirtualObjectLayer(
            self._ledger, (), kept, self._clock, lambda: f"replayed-{next(numbers)}"
        )
        self.own_number = scene.own
        self._names = {each.record.no: each.id for each in scene.objects}
        if scene.own:
            self._names[scene.own] = own_thing(own)
        for each in scene.objects:
            self.things.registry.adopt(each, 0)
        self._arbiter = self.things.interaction.arbiter
        for (thing, actuator), claims in scene.claims.items():
            self._arbiter.take_over(thing, actuator, claims, own, 0)
        for each in scene.objects:
            self._see(each, scene.twins.get(each.id, Twin()))
        for command in scene.commands:
            self.things.interaction.heed(command, counts_from(command))
        self.composites = CompositeLayer(self._ledger, self.things, self._clock, site=site)
        self.composites.allow_by(allow, key)
        self._current: Composite | None = None
        self._seen: set[str] = set()
        self.commands: list[Actuation] = []
        self.said: list[Said] = []
        self._ledger.commit()

    def deploy(self, composite: Composite, now: int) -> None:
        """Put the composite to work."""
        self._now = now
        self._current = composite
        self.composites.deploy(composite, now)
        self._finish()

    def settle(self, now: int) -> None:
        """Bind it to what changed, as is done at the end of a batch."""
        self._now = now
        self.things.observers.finish(now)
        self._finish()

    def until(self, time: int) -> None:
        """Let time pass; what is due on the way happens at its time."""
        while (due := self.composites.due()) is not None and due <= time:
            self._now = max(self._now, due)
            self.composites.tick(due)
            self._finish()
        self._now = max(self._now, time)

    def told(self, command: Actuation) -> None:
        """Somebody else gave a command: the actuator was told something.

        What was due before a person gave it was done by then; what is due just as a service does may follow.
        """
        self.until(command.created - (command.service is not None))
        self.things.interaction.heed(command, counts_from(command))

    def take(self, row: Row, claims: Iterable[Row] = ()) -> None:
        """Let happen what was recorded.

        Args:
            row: what.
            claims: what those changed who were told of it before the composite was.
        """
        if row.name == LATE:
            self._now = row.received
            self.composites.tick(row.received)
            self._finish()
            return
        if row.name == STARTED:
            self.until(self._awake(row))
            self._starting = row.received
        elif row.received != self._starting:
            self.until(row.received - self._with_timers(row))
        self._now = row.received
        for each in claims:
            self._claim(each)
        self.things.journal.go_to(row.position)
        self._happen(row)
        self._finish()

    def before(self, row: Row) -> bool:
        """Whether who changed these claims is told of the same before the composite is."""
        if self._current is None:
            return False
        note = msgspec.convert(row.data, ClaimsNote)
        thing = self._names.get(row.thing)
        known = (*note.claims, *self._arbiter.claimants(thing or "", note.actuator))
        priority = next((each.priority for each in known if each.holder == note.by), None)
        if priority is None:
            return False
        mine = self._current
        return turn(note.by, priority) < turn(mine.id, mine.priority)

    # --- within ---

    def _see(self, each: VirtualObject, twin: Twin) -> None:
        """Heed what limited properties said before; since when they say so is not known."""
        for name in each.limited & twin.values.keys():
            reading = twin.values[name]
            self.things.interaction.see(each, name, reading.value, min(reading.observed, reading.received))

    def _clock(self) -> int:
        return self._now

    def _with_timers(self, row: Row) -> bool:
        """Whether it is claims that others' timers changed before those of the composite ran."""
        return row.name == CLAIMS and row.data.get("within") == TIMERS and self.before(row)

    def _awake(self, row: Row) -> int:
        """How far timers ran before the platform stopped; what was due later waited for its start."""
        undone = row.data or {}
        dues = (undone.get("claims"), undone.get("wakes", {}).get(self._own))
        return min((due - 1 for due in dues if due is not None), default=row.received)

    def _happen(self, row: Row) -> None:
        if row.name == LOOKED:
            self.things.observers.finish(row.received)
        elif row.name == STARTED:
            if self._current is not None and self._made is None:
                self._deploy(self._current, row.received)
        elif row.name == COMPOSED:
            self._compose(row)
        elif row.name == DESCRIBED:
            self._describe(row)
        elif row.name == CLAIMS:
            self._claim(row)
        else:
            self._say(row)

    def _say(self, row: Row) -> None:
        """A thing said something, or something was said of it."""
        each = self.things.registry.seen(self._names.get(row.thing, ""))
        if each is None:
            return
        intake = self.things.intake
        if self._current is not None and each.id == self._current.thing:
            # What it derives itself it derives again; what others set it to is set again.
            for name in sorted(set(self._current.settings) & set(row.data if not row.name else ())):
                self.things.interaction.on_composite(each.id, name, row.data[name], row.received)
        elif row.name == STATUS:
            intake.turn(each.id, row.data, row.received)
        elif row.name == KNOWN:
            intake.know(each, msgspec.convert(row.data, dict[str, Reading]), row.received)
        elif row.name:
            intake.occur(each, row.name, row.data, row.observed, row.received, n=row.n, hints=True)
        else:
            intake.keep(
                each,
                intake.changing(each.id),
                row.data,
                row.observed,
                row.received,
                quality=row.quality,
                n=row.n,
                hints=True,
            )

    def _describe(self, row: Row) -> None:
        made = self._following(row)
        known = self._names.get(row.thing)
        if row.thing == self.own_number:
            return  # it makes that itself
        if made is not None:
            self._names[row.thing] = made.id
            self.things.registry.adopt(made, row.received)
            self.things.observers.changed(made.id)
        elif known is not None and self.things.registry.seen(known) is not None:
            self.things.registry.retire(known, row.received)
            self.things.observers.changed(known)

    def _compose(self, row: Row) -> None:
        if self._made is None or row.data.get("id") != self._own:
            return
        if row.data.get("gone"):
            self._current = None
            self.composites.remove(self._own)
            return
        self._current = self._made(row.data)
        self._deploy(self._current, row.received)

    def _deploy(self, composite: Composite, now: int) -> None:
        self._starting = -1
        self.composites.deploy(composite, now)

    def _claim(self, row: Row) -> None:
        note = msgspec.convert(row.data, ClaimsNote)
        thing = self._names.get(row.thing)
        if thing is not None and note.by != self._own:
            self._arbiter.take_over(thing, note.actuator, note.claims, self._own, row.received)

    def _finish(self) -> None:
        """Take down what was commanded; it counts as done."""
        interaction = self.things.interaction
        given = [
            each
            for each in interaction.outbox.changes.values()
            if each is not None and each.service == self._own and each.id not in self._seen
        ]
        for each in given:
            self._seen.add(each.id)
            self.commands.append(each)
            if each.open:
                interaction.result(each.thing, Result(each.id, "completed"), self._now)
            really = self._given(each)
            if really is not None:
                # Least times are counted from when it was given or done, not from when it was decided.
                self._arbiter.date(f"{each.thing} {self._actuator(each)}", self._now, really)
        interaction.outgoing.clear()
        if not self.things.observers.waiting:  # what changed is passed on before it is committed
            self._take_down()
            self._ledger.commit()
            self._seen.clear()

    def _take_down(self) -> None:
        """Take down what its own thing said in this batch."""
        mine = self.things.registry.seen(own_thing(self._own))
        if mine is None:
            return
        rows: list[tuple[int, str, int, str]] = []
        for log in self._ledger.logs():
            for row in cast("list[tuple[Any, ...]]", log.rows):
                if row[1] == mine.record.no and log.name == "readings":
                    rows.append((row[0], "", row[2], row[-1]))
                elif row[1] == mine.record.no and log.name == "events" and not row[2].startswith(RESERVED):
                    rows.append((row[0], row[2], row[3], row[-1]))
        for _, name, observed, text in sorted(rows):
            self.said += said(name, msgspec.json.decode(text), observed)

    def _actuator(self, command: Actuation) -> str:
        each = self.things.registry.seen(command.thing)
        return command.affordance if each is None else each.actuator(command.affordance)


def said(name: str, data: Any, at: int) -> list[Said]:
    """What a row of history says: an event, or without a name one or more readings."""
    if name:
        return [Said(kind="event", name=name, value=data, at=at)]
    return [Said(kind="property", name=each, value=value, at=at) for each, value in data.items()]


def counts_from(command: Actuation) -> int:
    """Since when an actuator had been told a command: since its answer, or since it was given."""
    answered = command.state in ("completed", "in-doubt") and command.resolved is not None
    return command.resolved if answered and command.resolved is not None else command.created
