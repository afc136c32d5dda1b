"""Into history and twin: where everything that a thing says comes together, whatever it spoke.

All of it happens within the writer's batch; nothing is visible or acknowledged before the batch is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from diat.kernel.overlay import Ledger, Log, Overlay
from diat.vol.diagnostics import Diagnostics
from diat.vol.journal import RESERVED, STATUS, Journal
from diat.vol.meters import Meters
from diat.vol.observers import Observers
from diat.vol.registry import Registry
from diat.vol.tap import Tap
from diat.vol.thing import Property, VirtualObject
from diat.vol.twin import Cut, Quality, Reading, Status, Twin
from diat.wire.envelope import encode
from diat.wot.schema import compile_check, data_schema, loosened

WIDEST = 2**63
"""Whole numbers from here on no database takes, and some not even a float."""
JUST_NOW = 5_000
"""Milliseconds in which a live value stands against a retained one: right after a subscription the broker may
send a retained copy that is older than what it has delivered already."""

ReadingRow = tuple[int, int, int, int, str | None, int | None, str, str]
"""position, thing number, observed, received, boot, n, quality, values as JSON."""


class Counts:
    """What came in since the start, for the metrics; read by any thread."""

    __slots__ = (
        "echoes",
        "events",
        "messages",
        "over_ration",
        "readings",
        "rejected",
        "repeats",
        "unclaimed",
    )

    def __init__(self) -> None:
        self.messages = self.readings = self.events = 0
        self.repeats = self.rejected = self.unclaimed = self.echoes = self.over_ration = 0


class Intake:
    """Keeps what things say; used by the writer alone.

    Attributes:
        twins: thing id to its live state.
        arrival: gives the next ingest position.
        counts: for the metrics.
        meters: count what single things say, where somebody looks.
        tap: told of all that comes; None where there is no daemon above.
        on_return: told of a thing that was offline and is there again, and when.
        on_turn: told of each thing whose status turned, what it is, and when.
        on_position: told of what a property says whose envelope limits how soon it may change, and when.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        observers: Observers,
        diagnostics: Diagnostics,
        journal: Journal,
        twins: Iterable[tuple[str, Twin]] = (),
    ) -> None:
        self._registry = registry
        self._observers = observers
        self._diagnostics = diagnostics
        self._journal = journal
        self.arrival = journal.arrival
        self.twins: Overlay[str, Twin] = ledger.overlay("twins", twins)
        self._readings: Log[ReadingRow] = ledger.log("readings")
        self.counts = Counts()
        self.meters = Meters()
        self.tap: Tap | None = None
        self.on_position: Callable[[VirtualObject, str, Any, int], None] = _nobody_limits
        self.on_turn: Callable[[str, Status, int], None] = _nobody_turns
        self.on_return: Callable[[str, int], None] = _nobody_waits

    def keep(
        self,
        each: VirtualObject,
        twin: Twin,
        values: dict[str, Any],
        observed: int,
        received: int,
        *,
        quality: Quality = "good",
        boot: str | None = None,
        n: int | None = None,
        hints: bool = False,
    ) -> None:
        """Check values, put them into history and twin, and tell who watches.

        With ``hints`` the range that the description gives is but a hint, as it is where somebody else
        than the thing has written it: a value beyond is kept as ``uncertain``.
        """
        properties = each.properties
        beyond: dict[str, Any] = {}
        refused: list[str] = []
        for name, value in values.items():
            prop = properties.get(name)
            wrong = "it has no such property" if prop is None else prop.check(value)
            wide = type(value) is int and not -WIDEST <= value < WIDEST
            if wide:
                wrong = "a whole number of more than 64 bits"
            if wrong is not None:
                refused.append(name)
                self._diagnostics.note(each.id, f"{name}: {wrong}", received)
                if hints and not wide and _is_of_its_kind(each, name, value):
                    beyond[name] = value
                else:
                    self.counts.rejected += 1
        if refused:
            values = {name: value for name, value in values.items() if name not in refused}
        for worth, some in ((quality, values), ("uncertain", beyond)):
            if not some:
                continue
            position = self.arrival()
            said = encode(some).decode()
            self._readings.append((position, each.record.no, observed, received, boot, n, worth, said))
            self.counts.readings += 1
            readings = {
                name: Reading(value, observed, received, worth, n or 0, position)
                for name, value in some.items()
            }
            if self.tap is not None:
                self.tap.read(each, readings, len(said))
            self._learn(each, twin, readings, min(observed, received))
            if self._observers.cares(each.id):
                # All of a message is known before any of it is told, and told in an order of its own:
                # history does not keep in which order a message names its values.
                for name in sorted(readings):
                    self._observers.read(each.id, name, readings[name])

    def _learn(self, each: VirtualObject, twin: Twin, readings: dict[str, Reading], since: int) -> None:
        for name, reading in readings.items():
            if twin.learn(name, reading) and name in each.limited:
                self.on_position(each, name, reading.value, since)

    def occur(
        self,
        each: VirtualObject,
        name: str,
        data: Any,
        observed: int,
        received: int,
        boot: str | None = None,
        n: int | None = None,
        hints: bool = False,
    ) -> None:
        """Check an event's data, put it into history, and tell who watches; ``hints`` as in ``keep``."""
        event = each.events.get(name) if not name.startswith(RESERVED) else None
        wrong = "it has no such event" if event is None else event.check and event.check(data)
        if wrong is not None:
            self._diagnostics.note(each.id, f"event {name}: {wrong}", received)
            if not (hints and event is not None and _is_of_its_kind(each, name, data, event=True)):
                self.counts.rejected += 1
                return
        position = self.arrival()
        self._journal.event(
            (position, each.record.no, name, observed, received, boot, n, encode(data).decode())
        )
        self.counts.events += 1
        if self.tap is not None:
            self.tap.occurred(each, name, Reading(data, observed, received, "good", n or 0, position))
        self._observers.occur(each.id, name, Reading(data, observed, received, "good", n or 0, position))

    def replay(self, each: VirtualObject, values: dict[str, Any], received: int) -> None:
        """A retained message says what was last so, not when: the twin learns it, history does not."""
        learned: dict[str, Reading] = {}
        for name, value in values.items():
            prop = each.properties.get(name)
            known = self.twin(each.id).values.get(name)
            if prop is None or (prop.check(value) is not None and not _is_of_its_kind(each, name, value)):
                continue
            if known is not None and _stands(prop, known, value, received):
                continue
            learned[name] = Reading(value, received, received, "uncertain", 0, self._journal.position + 1)
        if learned:
            self.know(each, learned, received)

    def know(self, each: VirtualObject, readings: Mapping[str, Reading], now: int) -> None:
        """Let the twin know readings that are no rows of history, and tell who watches."""
        self._journal.learned(each.record.no, readings, now)
        if self.tap is not None:
            self.tap.read(each, dict(readings), 0)
        self.changing(each.id).values.update(readings)
        for name in sorted(readings):
            if name in each.limited:
                self.on_position(each, name, readings[name].value, readings[name].observed)
            self._observers.read(each.id, name, readings[name])

    def derive(self, thing: str, values: dict[str, Any], observed: int, now: int) -> None:
        """Take the values that a composite computed, as readings of its own thing."""
        each = self._registry.seen(thing)
        if each is None:
            return
        twin = self.changing(thing)
        twin.heard = now
        self.turn(thing, "online", now)
        self.keep(each, twin, values, observed, now)

    def twin(self, thing: str) -> Twin:
        """The live state of a thing as the writer sees it; not to be changed."""
        return self.twins.get(thing) or Twin()

    def turn(self, thing: str, status: Status, now: int) -> None:
        """Whether a thing is there, as it says or as is said of it; nothing is written if that is known."""
        known = self.twin(thing)
        if known.cut is not None:
            # It may be there; nobody can tell as long as its gateway is not.
            if known.cut.before != status:
                self.changing(thing).cut = Cut(known.cut.gateway, status)
            return
        before = known.status
        if before != status and self.changing(thing).turn(status, now):
            self._turned(thing, status, now)
            if (before, status) == ("offline", "online"):
                self.on_return(thing, now)

    def change_source(self, thing: str, other: str) -> dict[str, Reading]:
        """Other hardware is behind a thing: what was seen of that hardware is what it has seen.

        What that hardware said last, in its own names, is given back for ``carry_over``.
        """
        twin, source = self.changing(thing), self.twin(other)
        twin.marks, twin.anchors = source.marks.copy(), source.anchors.copy()
        twin.sources = source.sources.copy()
        twin.status, twin.since, twin.heard = source.status, source.since, source.heard
        self._turned(thing, twin.status, twin.since)
        self.twins.remove(other)
        return source.values

    def carry_over(self, made: VirtualObject, said: Mapping[str, Reading]) -> None:
        """What the hardware behind a thing said before it came there is what the thing knows now.

        It is no row of the thing's history: the hardware was not the thing's when it said it.
        """
        twin = self.changing(made.id)
        named = {made.record.renames.get(theirs, theirs): reading for theirs, reading in said.items()}
        known = {name: reading for name, reading in named.items() if name in made.properties}
        if known:
            self.know(made, known, max(reading.received for reading in known.values()))
        for name in [known for known in twin.values if known not in made.properties]:
            del twin.values[name]

    def changing(self, thing: str) -> Twin:
        """The twin to change within this batch."""
        changed = self.twins.changes.get(thing)
        if changed is not None:
            return changed
        known = self.twins.get(thing)
        twin = known.copy() if known is not None else Twin()
        self.twins.put(thing, twin)
        return twin

    def heard(self, thing: str, received: int) -> Twin:
        """Note that the thing spoke; one that does not say whether it is there is there when it speaks."""
        twin = self.changing(thing)
        twin.heard = received
        if twin.status == "unknown" and not twin.sources:
            self.turn(thing, "online", received)
        return twin

    def reject(self, thing: str, text: str, received: int) -> None:
        """Say on the thing what of its words could not be taken."""
        self._diagnostics.note(thing, text, received)
        self.counts.rejected += 1

    def _turned(self, thing: str, status: Status, now: int) -> None:
        each = self._registry.seen(thing)
        if each is not None:
            self._journal.note(each.record.no, STATUS, status, now)
        self._observers.changed(thing)
        self.on_turn(thing, status, now)


def _stands(prop: Property, known: Reading, value: Any, received: int) -> bool:
    """Whether what is known stands against a retained value; what is no value of the property does not."""
    if prop.check(known.value) is not None:
        return False
    return bool(known.value == value) or received - known.received < JUST_NOW * (known.quality == "good")


def _is_of_its_kind(each: VirtualObject, name: str, value: Any, *, event: bool = False) -> bool:
    """Whether a value is what was announced but for the bounds of it."""
    group = each.td.get("events" if event else "properties", {})
    affordance = group.get(name)
    said = affordance.get("data", {}) if event and isinstance(affordance, dict) else affordance
    if not isinstance(said, dict):
        return False
    return compile_check(loosened(data_schema(said)))(value) is None


def _nobody_turns(thing: str, status: Status, now: int) -> None:
    """Stands in until somebody listens."""


def _nobody_waits(thing: str, now: int) -> None:
    """Stands in until the gate listens."""


def _nobody_limits(each: VirtualObject, name: str, value: Any, since: int) -> None:
    """Stands in until the gate listens."""
