"""The lower end of a line, within the writer: what goes up is put into the spool with what brought it about.

What goes up is what the daemon above asked for by ``config``, or the newest value every so often; what
policies keep here stays here. It is told of everything that the Virtual Object Layer takes in
(``diat.vol.tap``).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from diat.cvol.steps.parts import TOLD
from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Log, Overlay
from diat.security.decision import Decision
from diat.vol import sieve
from diat.vol.actuation import Actuation
from diat.vol.layer import VirtualObjectLayer
from diat.vol.lives import Life
from diat.vol.pushdown import Rule, Rules
from diat.vol.sieve import Memory
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading, Status
from diat.wire.envelope import encode
from diat_gateway.announcing import announcement, digest, name_of
from diat_gateway.counting import Heard
from diat_gateway.leaving import Leaving
from diat_gateway.pushing import Pushing
from diat_gateway.spool import CALM, OVERHEAD, PARKED, URGENT, Row, Spool
from diat_gateway.state import OWN, Own, Passed, Told
from diat_gateway.telling import Commands

EVERYTHING = Rule()
UNBOUND = ""
"""Stands in the bounds of a thing of which readings were given up that may differ by anything."""
SEQ, REACHED = "uplink-seq", "uplink-reached"
"""Keys of the highest number in the spool, and of the highest that the broker above has acknowledged."""
_FORGOTTEN = "-"
"""Stands for the digest of a description that has to be announced anew."""
_PAGE = 500
_EVENT = "events/"
"""Before the name of an event, in what is kept."""


class Kept(msgspec.Struct, kw_only=True):
    """What the database knows of a line at the start."""

    own: Own
    passed: Iterable[tuple[str, Passed]] = ()
    told: Iterable[tuple[str, Told]] = ()
    seq: int = 0
    reached: int = 0


class Uplink:
    """Puts into the spool what is to go up; used by the writer alone.

    Attributes:
        name: of this gateway, in topics.
        passed: name of each thing to what of it has gone.
        own: what is durable of the line as a whole, under ``OWN``.
        commands: what came down.
        heard: figures of what was heard, and what of it is told.
        on_urgent: told, once it is durable, that something urgent waits.
        on_asked: told of a thing of which something else is asked above.
        on_told: told of what is said of parts of services: topic, payload.
        marks: numbers of what must not be overtaken, oldest first.
        thinned: whether anything that waits was thinned.
        rows: how many wait; ``bytes`` about how much that is.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        spool: Spool,
        kept: Kept,
        leaving: Leaving,
        clock: Clock,
        name: str,
        usual: Rule,
    ) -> None:
        self._things = things
        self._spool = spool
        self._leaving = leaving
        self._clock = clock
        self._usual = usual
        self.name = name
        self.passed: Overlay[str, Passed] = ledger.overlay("passed", kept.passed)
        self.own: Overlay[str, Own] = ledger.overlay("passed", [(OWN, kept.own)])
        numbers = [(SEQ, kept.seq), (REACHED, kept.reached)]
        self._numbers: Overlay[str, int] = ledger.overlay("meta", numbers)
        self._at = kept.seq
        self._rows: Log[Row] = ledger.log("spool")
        self._gone: Log[tuple[int]] = ledger.log("unspooled")
        self._memories: Overlay[str, dict[str, Memory]] = ledger.overlay()
        self._dues: list[tuple[int, str]] = []
        self._due_of: dict[str, int] = {}
        self._parked = spool.next_due()
        self._pushing = Pushing(things)
        self.commands = Commands(ledger, things, self.answer, kept.told)
        self.heard = Heard()
        self.marks = spool.marks()
        self._widened: set[str] = set()
        self.thinned = any(passed.off for passed in self.passed.committed.values())
        self.rows, self.bytes = spool.size()
        self.on_told: Callable[[str, bytes], None] = _nobody_works
        self.on_asked: Callable[[str], None] = _nobody_makes
        self.on_urgent: Callable[[], None] = _nobody_waits
        self._urgent = False
        self._stood = self.rows, self.bytes
        ledger.join(self)

    def begin(self) -> None:
        """Everything that was kept is there: bring to the daemon above what it has not heard."""
        self.own.put(OWN, self.own.committed[OWN])
        self.restore()
        there = [each for _, each in self._things.registry.objects.items()]
        for each in there:
            self.described(None, each)
        standing = {name_of(each) for each in there}
        for name, passed in list(self.passed.items()):
            if name not in standing and passed.td:
                self._withdraw(name, passed)

    # --- for those who divide services ---

    def say(self, topic: str, payload: bytes, *, urgent: bool = False) -> None:
        """Say something on a topic of this gateway, in order with all readings; nothing overtakes it."""
        channel = topic.removeprefix(f"diat/{self.name}/")
        lane = URGENT if urgent else CALM
        seq = self._put(self.name, lane, channel, payload.decode())
        if lane == CALM:
            self.marks.append(seq)

    def kept(self, thing: str, name: str, *, event: bool = False) -> int | None:
        """The ingest position from which on policies have kept an affordance here; None if they do not."""
        each = self._things.registry.seen(thing)
        wire = name_of(each) if each is not None else None
        passed = self.passed.get(wire) if wire is not None else None
        return passed.kept.get(_EVENT + name if event else name) if passed is not None else None

    def rules(self, thing: str) -> Rules:
        """What the daemon above asked for of a thing; any thread may ask."""
        each = self._things.registry.objects.committed.get(thing)
        name = name_of(each) if each is not None else None
        passed = self.passed.committed.get(name) if name is not None else None
        return passed.rules if passed is not None else {}

    def whole(self, thing: str) -> bool:
        """Whether each value of some property of a thing goes up; within the writer."""
        each = self._things.registry.seen(thing)
        name = name_of(each) if each is not None else None
        passed = self.passed.get(name) if name is not None else None
        return passed is not None and (self._usual == EVERYTHING or EVERYTHING in passed.rules.values())

    def _rule(self, passed: Passed, prop: str) -> Rule:
        """What is to go up of a property; what parts of services tell goes up whole, unasked."""
        return EVERYTHING if prop == TOLD else passed.rules.get(prop, self._usual)

    # --- what the layer tells (diat.vol.tap) ---

    def read(self, each: VirtualObject, readings: dict[str, Reading], size: int) -> None:
        """A thing said values."""
        name = name_of(each)
        passed = self.passed.get(name) if name is not None else None
        if name is None or passed is None or not passed.td:
            return
        now = self._clock()
        self.heard.hears(name, readings, size)
        out: list[tuple[str, Reading, bool]] = []
        known = self._remembered(name, passed)
        memories = known
        for prop in sorted(readings):
            reading, rule = readings[prop], self._rule(passed, prop)
            if rule == EVERYTHING or (prop in passed.rules and self._pushing.done(each, prop, rule)):
                out.append((prop, reading, False))
                continue
            if memories is known:
                memories = dict(known)
            memory, sent, crossed = sieve.take(
                rule, memories.get(prop, Memory()), reading.value, reading.observed, now
            )
            memories[prop] = memory
            out += [(prop, _as(reading, value, at), crossed) for value, at in sent]
            due = sieve.due(rule, memory)
            if due is not None:
                self._wait(name, due)
        if memories is not known:
            self._memories.put(name, memories)
        if out:
            self._send(name, each, out, now)

    def occurred(self, each: VirtualObject, name: str, said: Reading) -> None:
        """An event came."""
        wire = name_of(each)
        passed = self.passed.get(wire) if wire is not None else None
        if wire is None or passed is None or not passed.td:
            return
        left = self._leaving.of(each, name, said, self._clock(), None)
        channel, body = f"events/{name}", ""
        self._keep(wire, passed, _EVENT + name, left.decision, said)
        if left.due is None:
            return
        reading = left.reading or said
        body = encode(reading.value).decode()
        if left.reading is None:
            self._put(wire, PARKED, channel, encode(said).decode(), said.observed, due=left.due)
            self._parked = min(self._parked or left.due, left.due)
        else:
            self._number(wire, URGENT, channel, body, reading.observed)

    def turned(self, thing: str, status: Status) -> None:
        """A thing's status turned."""
        each = self._things.registry.seen(thing)
        name = name_of(each) if each is not None else None
        passed = self.passed.get(name) if name is not None else None
        if name is None or passed is None or not passed.td or status in (passed.status, "unknown"):
            return
        self.passed.put(name, msgspec.structs.replace(passed, status=status))
        self._put(name, URGENT, "status", status)

    def described(self, before: VirtualObject | None, after: VirtualObject | None) -> None:
        """A thing came, went or is described anew."""
        about = after or before
        name = name_of(about) if about is not None else None
        if about is None or name is None:
            return
        each = after if after is not None and after.taking_part else None
        passed = self.passed.get(name)
        if passed is not None and passed.td and passed.thing != about.id:
            if each is not None:
                line = f"it is not brought to the daemon above: there {passed.thing} is called {name}"
                self._things.diagnostics.note(each.id, line, self._clock())
            return
        if each is None:
            if passed is not None and passed.td:
                self._withdraw(name, passed)
            return
        own = self.own.get(OWN)
        said = announcement(each, _seconds(self._usual), own.offset if own is not None else 0)
        known = digest(said)
        if passed is not None and passed.td == known:
            return
        if passed is not None and passed.withdrawn:
            self.forget([(passed.withdrawn, 0)])
        new = passed is None or not passed.td
        kept = passed or Passed(thing=each.id)
        self.passed.put(name, msgspec.structs.replace(kept, thing=each.id, td=known, withdrawn=0))
        self._put(name, URGENT, "td", said.decode())
        if new:
            self.turned(each.id, self._things.intake.twin(each.id).status)
        if passed is None:
            # What it said before it was brought here nobody above has heard; what a part told counts once,
            # and went when it was told.
            values = self._things.intake.twin(each.id).values
            self.read(each, {prop: said for prop, said in values.items() if prop != TOLD}, 0)

    def ended(self, actuation: Actuation) -> None:
        """A command came to its end."""
        self.commands.ended(actuation)

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        first = self._dues[0][0] if self._dues else None
        return min((each for each in (first, self._parked) if each is not None), default=None)

    def tick(self, now: int) -> None:
        """Send what may go only now."""
        while self._dues and self._dues[0][0] <= now:
            due, name = heapq.heappop(self._dues)
            if self._due_of.get(name) == due:
                del self._due_of[name]
            self._flush(name, now)
        if self._parked is not None and self._parked <= now:
            self._unpark(now)

    # --- from the session, within the writer ---

    def forget(self, gone: Iterable[tuple[int, int]]) -> None:
        """Rows of the spool, by number and size, are above, or given up."""
        for seq, size in gone:
            self._gone.append((seq,))
            self.rows -= 1
            self.bytes -= size
            if self.marks and seq in self.marks:
                self.marks.remove(seq)

    @property
    def lives(self) -> tuple[Life, ...]:
        """Starts of this gateway; any thread may ask."""
        return self.own.committed[OWN].lives

    @property
    def reached(self) -> int:
        """The highest number that the broker above has acknowledged."""
        return self._numbers.get(REACHED) or 0

    def reach(self, gone: Sequence[tuple[int, int]]) -> None:
        """The broker above has these rows."""
        self.forget(gone)
        self._numbers.put(REACHED, max(self.reached, *(seq for seq, _ in gone), 0))

    def new_pass(self) -> None:
        """Another pass of thinning begins: it may widen each bound once."""
        self._widened.clear()

    def widen(self, name: str, bands: dict[str, float] | None) -> None:
        """Readings of a thing were given up that differ by so much at most; None for by whatever."""
        passed = self.passed.get(name)
        if passed is None or name in self._widened:
            return
        self._widened.add(name)
        self.thinned = True
        more = (
            {UNBOUND: 0.0}
            if bands is None
            else {p: b + passed.off.get(p, 0.0) for p, b in bands.items() if b}
        )
        self.passed.put(name, msgspec.structs.replace(passed, off={**passed.off, **more}))

    def narrow(self) -> None:
        """Nothing waits: what comes from now on is as it was."""
        self.thinned = False
        for name, passed in list(self.passed.items()):
            if passed.off:
                self.passed.put(name, msgspec.structs.replace(passed, off={}))

    def ask(self, name: str, rules: Rules) -> None:
        """The daemon above asks for this of a thing, in place of what it asked for before."""
        passed = self.passed.get(name)
        if passed is None:
            return
        passed = msgspec.structs.replace(passed, rules=rules)
        self.passed.put(name, passed)
        self._watched(passed.thing)
        for prop, memory in self._remembered(name, passed).items():
            due = sieve.due(rules.get(prop, self._usual), memory)
            if due is not None:
                self._wait(name, due)

    def admitted(self, name: str, state: str) -> None:
        """The daemon above answers an announcement."""
        passed = self.passed.get(name)
        if passed is None or passed.admission == state:
            return
        taken = state == "accepted" and passed.admission == "rejected" and bool(passed.td)
        known = msgspec.structs.replace(passed, admission=state, td=_FORGOTTEN if taken else passed.td)
        self.passed.put(name, known)
        each = self._things.registry.seen(passed.thing)
        if taken and each is not None:
            # How it is described here was not taken before.
            self.described(None, each)

    def again(self) -> None:
        """The daemon above knows less than it did: announce everything anew, and how it stands."""
        for name, passed in list(self.passed.items()):
            if passed.td:
                self.passed.put(name, msgspec.structs.replace(passed, td=_FORGOTTEN, status=""))
        for _, each in self._things.registry.objects.items():
            self.described(None, each)
            self.turned(each.id, self._things.intake.twin(each.id).status)

    def commit(self) -> None:
        """What was put into the spool is there."""
        self._stood = self.rows, self.bytes
        if self._urgent:
            self._urgent = False
            self.on_urgent()

    def rollback(self) -> None:
        """Nothing was put there, nor sent, nor forgotten."""
        self._urgent = False
        self.rows, self.bytes = self._stood
        self._at = self._numbers.get(SEQ) or 0
        self.marks, self._parked = self._spool.marks(), self._spool.next_due()
        self.restore()

    def answer(self, name: str, result: dict[str, Any]) -> None:
        """Answer a command, or a config, for a thing."""
        self._put(name, URGENT, "results", encode(result).decode())

    # --- within ---

    def _watched(self, thing: str) -> None:
        """What somebody here watches of a thing, or what is asked of it above, is another."""
        each = self._things.registry.seen(thing)
        name = name_of(each) if each is not None else None
        passed = self.passed.get(name) if name is not None else None
        if each is not None and passed is not None and passed.thing == thing:
            whole = self._usual == EVERYTHING
            self._pushing.ask(each, dict.fromkeys(each.properties, EVERYTHING) if whole else passed.rules)
            self.on_asked(thing)

    def _withdraw(self, name: str, passed: Passed) -> None:
        seq = self._put(name, CALM, "td", "")
        self.passed.put(name, msgspec.structs.replace(passed, td="", status="", withdrawn=seq, sent={}))
        self._memories.remove(name)

    def _remembered(self, name: str, passed: Passed) -> dict[str, Memory]:
        """What is remembered of the properties of a thing; after a start, as far as it is durable."""
        known = self._memories.get(name)
        if known is not None:
            return known
        twin = self._things.intake.twin(passed.thing)
        found = {}
        for prop, (observed, position, value) in passed.sent.items():
            newest = twin.values.get(prop)
            waits = None
            if newest is not None and newest.position > position:
                waits = (newest.value, newest.observed)
            found[prop] = Memory((value, observed), observed, waits)
        return found

    def restore(self) -> None:
        """After a start: what waited to be sent still does."""
        for name, passed in list(self.passed.items()):
            memories = self._remembered(name, passed) if passed.td else {}
            for prop, memory in memories.items():
                due = sieve.due(self._rule(passed, prop), memory)
                if due is not None:
                    self._wait(name, due)

    def _wait(self, name: str, due: int) -> None:
        known = self._due_of.get(name)
        if known is None or due < known:
            self._due_of[name] = due
            heapq.heappush(self._dues, (due, name))

    def _flush(self, name: str, now: int) -> None:
        passed = self.passed.get(name)
        each = self._things.registry.seen(passed.thing) if passed is not None else None
        if passed is None or each is None or not passed.td:
            return
        memories = dict(self._remembered(name, passed))
        twin = self._things.intake.twin(each.id)
        out: list[tuple[str, Reading, bool]] = []
        for prop, memory in memories.items():
            rule = self._rule(passed, prop)
            due = sieve.due(rule, memory)
            if due is not None and due <= now:
                memories[prop], sent = sieve.flush(memory, now)
                newest = twin.values.get(prop)
                position = newest.position if newest is not None else 0
                out += [(prop, Reading(value, at, now, "good", 0, position), False) for value, at in sent]
            elif due is not None:
                self._wait(name, due)
        self._memories.put(name, memories)
        if out:
            self._send(name, each, out, now)

    def _send(self, name: str, each: VirtualObject, out: list[tuple[str, Reading, bool]], now: int) -> None:
        """Put readings into the spool, those of one moment together, as far as policies let them leave."""
        passed = self.passed.get(name) or Passed(thing=each.id)
        sent, together = dict(passed.sent), dict[tuple[int, bool], dict[str, Any]]()
        for prop, reading, urgent in out:
            known = sent.get(prop)
            left = self._leaving.of(each, prop, reading, now, known[0] if known is not None else None)
            passed = self._keep(name, passed, prop, left.decision, reading)
            if left.due is None:
                continue
            if left.reading is None:
                body = encode((prop, reading)).decode()
                self._put(name, PARKED, "properties", body, reading.observed, due=left.due)
                self._parked = left.due if self._parked is None else min(self._parked, left.due)
                continue
            self.heard.tells(name, prop, reading.position)
            together.setdefault((left.reading.observed, urgent), {})[prop] = left.reading.value
            if self._rule(passed, prop) != EVERYTHING or self._leaving.shapes:
                sent[prop] = (left.reading.observed, reading.position, left.reading.value)
        if sent != passed.sent:
            self.passed.put(name, msgspec.structs.replace(passed, sent=sent))
        for (observed, urgent), values in together.items():
            lane = URGENT if urgent else CALM
            self._number(name, lane, "properties", encode(values).decode(), observed)

    def _keep(self, name: str, passed: Passed, what: str, decided: Decision, said: Reading) -> Passed:
        """Note since when policies keep something here, or that they do no more; as it is known then."""
        stays = decided.effect == "deny"
        if stays == (what in passed.kept):
            return passed
        kept = {key: at for key, at in passed.kept.items() if key != what}
        changed = msgspec.structs.replace(passed, kept=kept | ({what: said.position} if stays else {}))
        self.passed.put(name, changed)
        return changed

    def _unpark(self, now: int) -> None:
        """What policies let leave only later may leave."""
        for seq, _, _, name, channel, *_, body in self._spool.parked(now, _PAGE):
            self.forget([(seq, len(body) + OVERHEAD)])
            passed = self.passed.get(name)
            each = self._things.registry.seen(passed.thing) if passed is not None else None
            if each is None:
                continue
            if channel == "properties":
                prop, reading = msgspec.json.decode(body, type=tuple[str, Reading])
                self._send(name, each, [(prop, reading, False)], now)
            else:
                self.occurred(each, channel.removeprefix("events/"), msgspec.json.decode(body, type=Reading))
        # What was just let go is in the database until this batch is.
        due = self._spool.next_due()
        self._parked = None if due is None else max(due, now + 1000)

    def _number(self, name: str, lane: int, channel: str, body: str, observed: int) -> None:
        passed = self.passed.get(name)
        if passed is None:
            return
        calm, urgent = passed.n
        n = (calm, urgent)[lane] + 1
        self.passed.put(name, msgspec.structs.replace(passed, n=(n, urgent) if lane == CALM else (calm, n)))
        self._put(name, lane, channel, body, observed, n)

    def _put(
        self,
        name: str,
        lane: int,
        channel: str,
        body: str,
        observed: int | None = None,
        n: int | None = None,
        due: int = 0,
    ) -> int:
        self._at += 1
        own = self.own.get(OWN)
        self._rows.append(
            (self._at, lane, due, name, channel, own.store if own else "", n, 0, observed, body)
        )
        self._numbers.put(SEQ, self._at)
        self._urgent = self._urgent or lane == URGENT
        self.rows += 1
        self.bytes += len(body) + OVERHEAD
        return self._at


def _as(reading: Reading, value: Any, at: int) -> Reading:
    return Reading(value, at, reading.received, reading.quality, reading.n, reading.position)


def _seconds(rule: Rule) -> float:
    return rule.every if isinstance(rule.every, int | float) else 0.0


def _nobody_waits() -> None:
    """Stands in until there is a session."""


def _nobody_makes(thing: str) -> None:
    """Stands in until composites make things."""


def _nobody_works(topic: str, payload: bytes) -> None:
    """Stands in until services are divided."""
