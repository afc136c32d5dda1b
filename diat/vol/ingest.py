"""What comes from the broker, turned into readings, states and answers: the hot path.

A topic is looked up once, in a dictionary compiled when its thing was admitted. Everything here happens
within the writer's batch; nothing is visible or acknowledged before the batch is committed.

Invariant: whatever bytes arrive on whatever topic, the message is taken (into the history, into the twin,
or into a diagnostic) and nothing else is disturbed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct

from diat.kernel.overlay import Ledger, Log, Overlay
from diat.vol.diagnostics import STRANGERS, Diagnostics
from diat.vol.interaction import Interaction
from diat.vol.observers import Observers
from diat.vol.onboarding import Onboarding
from diat.vol.registry import Registry, Route
from diat.vol.thing import VirtualObject
from diat.vol.twin import Quality, Reading, Status, Twin
from diat.wire import topics
from diat.wire.envelope import (
    Garbled,
    Message,
    Occurrence,
    Report,
    encode,
    read_occurrences,
    read_reports,
    read_result,
)

HELD_EACH = 1000
"""Messages held for one thing that is not admitted yet."""
HELD_HEAVY = 8
"""Messages held for one thing when a large one comes."""
HELD_LIGHT = 1024
"""Bytes up to which a message is not large."""
HELD_THINGS = 200
"""Things for which messages are held."""
UNCLAIMED = 10_000
"""Topics that nothing has claimed yet of which the last message is kept in memory."""
UNCLAIMED_BYTES = 4 * 1024
"""Larger ones are not kept."""
AHEAD = 60_000
"""Milliseconds by which a thing's clock may be ahead of ours before we stop believing it."""

WIDEST = 2**63
"""Whole numbers from here on no database takes, and some not even a float."""
JUST_NOW = 5_000
"""Milliseconds in which a live value stands against a retained one: right after a subscription the broker may
send a retained copy that is older than what it has delivered already."""

_STATUS: dict[bytes, Status] = {b"online": "online", b"offline": "offline", b"sleeping": "sleeping"}

ReadingRow = tuple[int, int, int, int, str | None, int | None, str, str]
"""position, thing number, observed, received, boot, n, quality, values as JSON."""
EventRow = tuple[int, int, str, int, int, str | None, int | None, str]
"""position, thing number, event, observed, received, boot, n, data as JSON."""


class Held(Struct, frozen=True):
    """A message of a native thing that is not admitted yet."""

    thing: str
    topic: str
    payload: bytes
    received: int


class Counts:
    """What came in since the start, for the metrics; read by any thread."""

    __slots__ = ("echoes", "events", "messages", "readings", "rejected", "repeats", "unclaimed")

    def __init__(self) -> None:
        self.messages = self.readings = self.events = 0
        self.repeats = self.rejected = self.unclaimed = self.echoes = 0


class Ingest:
    """Takes messages; used by the writer alone.

    Attributes:
        twins: thing id to its live state.
        counts: for the metrics.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        onboarding: Onboarding,
        interaction: Interaction,
        observers: Observers,
        diagnostics: Diagnostics,
        *,
        twins: Iterable[tuple[str, Twin]] = (),
        held: Iterable[tuple[int, Held]] = (),
        position: int = 0,
    ) -> None:
        self._registry = registry
        self._routes = registry.routes
        self._speakers = registry.speakers
        self._onboarding = onboarding
        self._interaction = interaction
        self._observers = observers
        self._diagnostics = diagnostics
        self.twins: Overlay[str, Twin] = ledger.overlay("twins", twins)
        self._readings: Log[ReadingRow] = ledger.log("readings")
        self._events: Log[EventRow] = ledger.log("events")
        self._held: Overlay[int, Held] = ledger.overlay("held", held)
        self._waiting: Overlay[str, tuple[int, ...]] = ledger.overlay()
        for at, each in sorted(self._held.committed.items()):
            self._waiting.committed[each.thing] = (*self._waiting.committed.get(each.thing, ()), at)
        self._position: Overlay[str, int] = ledger.overlay("meta", [("position", position)])
        self._at = position
        self._unclaimed: OrderedDict[str, Message] = OrderedDict()
        self.counts = Counts()

    # --- the batch ---

    def message(self, message: Message) -> None:
        """Take one message."""
        self.counts.messages += 1
        route = self._routes.get(message.topic)
        if route is not None:
            self._native(message, route)
        elif message.topic in self._speakers:
            if not message.payload:
                self._onboarding.announced(message)  # in some dialects an emptied state takes the thing back
            for thing in self._speakers.members(message.topic):
                self._foreign(message, thing)
        else:
            self._unrouted(message)

    def finish(self, now: int) -> None:
        """Describe what was announced in the batch and give it what was waiting for it."""
        self._settle(now)
        self._observers.finish()
        if self._at != self._position.get("position"):
            self._position.put("position", self._at)

    def quarantine(self, message: Message, reason: str) -> None:
        """Note a message that could not be stored; its bytes are not kept."""
        route = self._routes.get(message.topic)
        speakers = [route.thing] if route is not None else self._speakers.members(message.topic)
        owner = speakers[0] if speakers else STRANGERS
        topic = message.topic[:200]
        self._diagnostics.note(owner, f"quarantined a message on {topic}: {reason}", message.received)
        self.counts.rejected += 1

    def derive(self, thing: str, values: dict[str, Any], observed: int, now: int) -> None:
        """Take the values that a composite computed, as readings of its own thing."""
        each = self._registry.seen(thing)
        if each is None:
            return
        twin = self._twin(thing)
        twin.heard = now
        if twin.turn("online", now):
            self._observers.changed(thing)
        self._keep(each, twin, values, observed, now)

    def twin(self, thing: str) -> Twin:
        """The live state of a thing as the writer sees it; not to be changed."""
        return self.twins.get(thing) or Twin()

    def set_status(self, thing: str, status: Status, now: int) -> None:
        """Say whether a thing is there, for things that do not say so themselves."""
        if self._twin(thing).turn(status, now):
            self._observers.changed(thing)

    def change_source(self, thing: str, other: str) -> None:
        """Other hardware is behind a thing: what was seen of that hardware is what it has seen."""
        twin, source = self._twin(thing), self.twin(other)
        twin.marks, twin.anchors = source.marks.copy(), source.anchors.copy()
        twin.sources = source.sources.copy()
        twin.status, twin.since, twin.heard = source.status, source.since, source.heard
        self.twins.remove(other)

    # --- native things ---

    def _native(self, message: Message, route: Route) -> None:
        each = self._registry.seen(route.thing)
        if each is None:
            return
        if not each.taking_part:
            if each.record.admission == "pending":
                self._hold(each.wire, message)
        elif len(message.payload) > topics.NATIVE_LIMIT:
            self._reject(each.id, f"{route.channel}: larger than {topics.NATIVE_LIMIT} bytes", message)
        elif route.channel == "properties":
            self._report(each, message)
        elif route.channel == "status":
            self._status(each, message)
        elif route.channel == "results":
            self._result(each, message)
        else:
            self._occurrence(each, route.channel.removeprefix("events/"), message)

    def _report(self, each: VirtualObject, message: Message) -> None:
        reports = read_reports(message.payload)
        if isinstance(reports, Garbled):
            self._reject(each.id, f"properties: {reports.reason}", message)
            return
        twin = self._heard(each.id, message)
        for report in reports:
            boot = None if report.b is None else str(report.b)
            if report.lost is not None and boot is not None:
                twin.give_up(boot, *report.lost)
                first, last = report.lost
                self._diagnostics.note(
                    each.id, f"boot {boot}: gave up messages {first} to {last}", message.received
                )
            values = report.v
            if values is UNSET or not self._first_time(each, twin, boot, report.n, message):
                continue
            if renames := each.record.renames:
                values = {renames.get(name, name): value for name, value in values.items()}
            observed, quality = self._date(each, twin, report, boot, message.received)
            self._keep(each, twin, values, observed, message.received, quality=quality, boot=boot, n=report.n)

    def _occurrence(self, each: VirtualObject, name: str, message: Message) -> None:
        occurrences = read_occurrences(message.payload)
        if isinstance(occurrences, Garbled):
            self._reject(each.id, f"event {name}: {occurrences.reason}", message)
            return
        twin = self._heard(each.id, message)
        for said in occurrences:
            boot = None if said.b is None else str(said.b)
            if not self._first_time(each, twin, boot, said.n, message):
                continue
            check = each.events[name].check
            wrong = check(said.data) if check is not None else None
            if wrong is not None:
                self._reject(each.id, f"event {name}: {wrong}", message)
                continue
            observed, _ = self._date(each, twin, said, boot, message.received)
            data = encode(said.data).decode()
            position = self._arrival()
            self._events.append(
                (position, each.record.no, name, observed, message.received, boot, said.n, data)
            )
            self.counts.events += 1
            self._observers.occur(each.id, name, position, said.data)

    def _first_time(
        self, each: VirtualObject, twin: Twin, boot: str | None, n: int | None, message: Message
    ) -> bool:
        if boot is None or n is None:
            return not message.retained
        if twin.first_time(boot, n):
            return True
        self.counts.repeats += 1
        return False

    def _date(
        self, each: VirtualObject, twin: Twin, said: Report | Occurrence, boot: str | None, received: int
    ) -> tuple[int, Quality]:
        if said.t is not None:
            observed = int(said.t)
            if not 0 <= observed <= received + AHEAD:
                wrong = "before 1970" if observed < 0 else "ahead of ours"
                self._diagnostics.note(
                    each.id, f"its clock is {wrong}: readings are dated on arrival", received
                )
                return received, "uncertain"
            return observed, "good"
        if said.u is not None and boot is not None:
            return max(0, twin.date(boot, said.u, received)), "good"
        return received, "good"

    def _status(self, each: VirtualObject, message: Message) -> None:
        status = _STATUS.get(message.payload)
        if status is None:
            if message.payload:
                self._reject(each.id, "status: neither online, offline nor sleeping", message)
            return
        if self._twin(each.id).turn(status, message.received):
            self._observers.changed(each.id)

    def _result(self, each: VirtualObject, message: Message) -> None:
        result = read_result(message.payload)
        if isinstance(result, Garbled):
            self._reject(each.id, f"results: {result.reason}", message)
            return
        self._heard(each.id, message)
        self._interaction.result(each.id, result, message.received)

    # --- other dialects ---

    def _foreign(self, message: Message, thing: str) -> None:
        each = self._registry.seen(thing)
        if each is None or not each.taking_part:
            return
        for inlet in each.inlets.get(message.topic, ()):
            uptake = inlet.read(message.payload)
            for note in uptake.notes:
                self._reject(thing, note, message)
            if uptake.available is not None:
                self._available(each, inlet.topic, uptake.available, message)
            if not uptake.values:
                continue
            if message.retained:
                self._replay(each, uptake.values, message)
                continue
            twin = self._heard(thing, message)
            self._keep(each, twin, uptake.values, message.received, message.received)
            for name, value in uptake.values.items():
                self._interaction.reading(thing, name, value, message.received)

    def _available(self, each: VirtualObject, source: str, available: bool, message: Message) -> None:
        twin = self._twin(each.id)
        twin.sources[source] = available
        mode = each.description.availability
        told = [available] if mode == "latest" else list(twin.sources.values())
        there = any(told) if mode == "any" else all(told)
        if twin.turn("online" if there else "offline", message.received):
            self._observers.changed(each.id)

    def _replay(self, each: VirtualObject, values: dict[str, Any], message: Message) -> None:
        """A retained message says what was last so, not when: the twin learns it, history does not."""
        twin = self._twin(each.id)
        for name, value in values.items():
            prop = each.properties.get(name)
            known = twin.values.get(name)
            if prop is None or prop.check(value) is not None:
                continue
            if known is not None and (known.value == value or message.received - known.received < JUST_NOW):
                continue
            reading = Reading(value, message.received, message.received, "uncertain", 0, self._arrival())
            twin.values[name] = reading
            self._observers.read(each.id, name, reading)

    # --- what all have in common ---

    def _keep(
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
    ) -> None:
        """Check values, put them into history and twin, and tell who watches."""
        properties = each.properties
        refused: list[str] = []
        for name, value in values.items():
            prop = properties.get(name)
            wrong = "it has no such property" if prop is None else prop.check(value)
            if type(value) is int and not -WIDEST <= value < WIDEST:
                wrong = "a whole number of more than 64 bits"
            if wrong is not None:
                self._diagnostics.note(each.id, f"{name}: {wrong}", received)
                self.counts.rejected += 1
                refused.append(name)
        if refused:
            values = {name: value for name, value in values.items() if name not in refused}
        if not values:
            return
        position = self._arrival()
        self._readings.append(
            (position, each.record.no, observed, received, boot, n, quality, encode(values).decode())
        )
        self.counts.readings += 1
        told = self._observers.cares(each.id)
        for name, value in values.items():
            reading = Reading(value, observed, received, quality, n or 0, position)
            twin.learn(name, reading)
            if told:
                self._observers.read(each.id, name, reading)

    def _arrival(self) -> int:
        """The next ingest position; each row has its own, for a message may bring several."""
        self._at += 1
        return self._at

    def _twin(self, thing: str) -> Twin:
        """The twin to change within this batch."""
        changed = self.twins.changes.get(thing)
        if changed is not None:
            return changed
        known = self.twins.get(thing)
        twin = known.copy() if known is not None else Twin()
        self.twins.put(thing, twin)
        return twin

    def _heard(self, thing: str, message: Message) -> Twin:
        """Note that the thing spoke; one that does not say whether it is there is there when it speaks."""
        twin = self._twin(thing)
        twin.heard = message.received
        if twin.status == "unknown" and not twin.sources and twin.turn("online", message.received):
            self._observers.changed(thing)
        return twin

    def _reject(self, thing: str, text: str, message: Message) -> None:
        self._diagnostics.note(thing, text, message.received)
        self.counts.rejected += 1

    # --- topics without a thing ---

    def _unrouted(self, message: Message) -> None:
        if self._onboarding.announced(message):
            return
        if self._registry.waiting:
            # The same batch may have announced the thing that this topic belongs to.
            self._settle(message.received)
            if message.topic in self._speakers or self._routes.get(message.topic) is not None:
                self.counts.messages -= 1
                self.message(message)
                return
        native = topics.from_thing(message.topic)
        if native is not None:
            self._unrouted_native(*native, message)
        elif message.topic.startswith("diat/"):
            self.counts.echoes += 1
        elif len(message.payload) <= UNCLAIMED_BYTES:
            # A state may come before the announcement that says what it means.
            self.counts.unclaimed += 1
            self._unclaimed[message.topic] = message
            self._unclaimed.move_to_end(message.topic)
            if len(self._unclaimed) > UNCLAIMED:
                self._unclaimed.popitem(last=False)
        else:
            self.counts.unclaimed += 1

    def _unrouted_native(self, thing: str, channel: str, message: Message) -> None:
        known = self._onboarding.native_thing(thing)
        if known is not None:
            self._reject(known, f"{channel}: its description has no such event", message)
            return
        self._hold(thing, message)

    def _hold(self, thing: str, message: Message) -> None:
        """Keep a message of a native thing that is not admitted, within bounds."""
        if message.retained and not message.payload:
            return
        waiting = self._waiting.get(thing) or ()
        full = len(self._waiting.committed) + len(self._waiting.changes) >= HELD_THINGS and not waiting
        if full or len(message.payload) > topics.NATIVE_LIMIT:
            self._reject(STRANGERS, f"{thing}: its messages are not held: not announced", message)
            return
        heavy = len(message.payload) > HELD_LIGHT and len(waiting) >= HELD_HEAVY
        if heavy or len(waiting) >= HELD_EACH:
            self._held.remove(waiting[0])
            waiting = waiting[1:]
            self._reject(
                STRANGERS, f"{thing}: not announced; held messages were dropped, oldest first", message
            )
        at = self._arrival()
        self._held.put(at, Held(thing, message.topic, message.payload, message.received))
        self._waiting.put(thing, (*waiting, at))

    def _settle(self, now: int) -> None:
        """Describe what waits to be described, and give it the messages that came before it."""
        for made in self._registry.describe(now):
            self._onboarding.described(made, now)
            self._observers.changed(made.id)
            for topic in made.inlets:
                early = self._unclaimed.get(topic)
                if early is not None:
                    self._foreign(early, made.id)
            self.release(made.wire)

    def release(self, name: str) -> None:
        """Apply what was held for a native thing, now that it is admitted."""
        waiting = self._waiting.get(name)
        if not waiting:
            return
        self._waiting.remove(name)
        for at in waiting:
            held = self._held.get(at)
            self._held.remove(at)
            if held is not None:
                self.message(Message(held.topic, held.payload, held.received))
