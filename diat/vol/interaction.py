"""The one way to drive a thing: every write and every action, whoever wants it, goes through here.

A command becomes a durable ``Actuation`` in the transaction that decided on it and is sent once that is
committed (an outbox). Native things perform an id once and answer with a result. In other dialects a
set-point is confirmed by the reading that follows it, and anything else ends when the broker has it.

    pending ──result──▶ completed | failed | expired | in-doubt
       │ expires, never handed to the broker ─▶ expired      (it was certainly not performed)
       │ expires, handed over, no answer ─────▶ in-doubt     (nobody can know)
       └ a newer set-point before it was sent ▶ expired

Of a command that was open when the platform stopped nobody knows whether it was sent. So it counts as handed
over, and its answer, which may wait with the broker, is waited for once more after the first connect.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.errors import Conflict, Invalid, NotFound, TooSoon
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.arbitration import HOLD, PERSON, RANKS, Actuator, Arbiter, Claim, Told
from diat.vol.dialects.port import Outgoing, Refusal
from diat.vol.registry import Registry
from diat.vol.thing import Envelope, Property, VirtualObject
from diat.wire import topics
from diat.wire.envelope import Result, encode

COMPOSITE = "composite"
"""The dialect of things that composites make."""
LIFETIME = 60_000
"""Milliseconds in which a command must be performed unless its sender says otherwise."""
GRACE = 5_000
"""Milliseconds after its end in which a command's answer is still waited for."""
_NOT_YET = 2**63
"""Stands for the end of waiting while there was no connection since the start."""

State = Literal["pending", "completed", "failed", "expired", "in-doubt"]
Kind = Literal["property", "action"]
Delivery = Literal["at-most-once", "at-least-once", "exactly-once"]
"""What is promised of a command: sent once and not again; sent until it is confirmed, though it may be done
twice; its effect once, and ``in-doubt`` where nobody can know."""


class Order(Struct, frozen=True, kw_only=True):
    """Who wants a command, and how.

    Attributes:
        service: the service that wants it, which must have won the actuator; None for a person.
        cause: ingest positions of the readings behind it.
        why: what else explains it, as the layer above puts it; JSON.
        decided: when it was decided, Unix milliseconds; None for just now. Least times are held by it.
        command_id: the command's id, made up if not given.
        lifetime: milliseconds in which it must be performed.
        hold: milliseconds for which a person's command keeps services off the actuator.
        delivery: what is promised.
        envelope: limits beside those of the affordance.
    """

    service: str | None = None
    cause: tuple[int, ...] = ()
    why: dict[str, Any] | None = None
    decided: int | None = None
    command_id: str | None = None
    lifetime: int = LIFETIME
    hold: int = HOLD
    delivery: Delivery = "exactly-once"
    envelope: Envelope = Envelope()


BY_HAND = Order()


class Actuation(Struct, frozen=True, kw_only=True):
    """A command and what became of it.

    Attributes:
        kind: whether a property is set or an action invoked.
        input: the value, or the action's input.
        service: id of the service that gave it, None if a person did.
        cause: ingest positions of the readings that it was decided on.
        why: what else explains it: template, step, binding, as the layer that decided puts it.
        decided: when it was decided, Unix milliseconds as all times here; ``created`` is when it was given.
        position: ingest position of what had come last by then.
        fingerprint: what a repeat under the same idempotency key must equal.
    """

    id: str
    thing: str
    affordance: str
    kind: Kind
    input: Any = None
    service: str | None = None
    cause: tuple[int, ...] = ()
    why: dict[str, Any] | None = None
    delivery: Delivery = "exactly-once"
    decided: int = 0
    position: int = 0
    created: int
    expires: int
    state: State = "pending"
    resolved: int | None = None
    output: Any = None
    error: Any = None

    @property
    def open(self) -> bool:
        """Whether it still waits for its end."""
        return self.state == "pending"


class Command(Struct, frozen=True):
    """An outgoing message; ``reference`` is the actuation that it carries, empty if none."""

    message: Outgoing
    reference: str = ""


class Endings:
    """Tells those who wait how a command ended, once that is durable."""

    def __init__(self) -> None:
        self._waiting: dict[str, Future[Actuation]] = {}
        self._ended: list[Actuation] = []

    def of(self, reference: str) -> Future[Actuation]:
        """The end of a command that is being given in the running batch."""
        future: Future[Actuation] = Future()
        self._waiting[reference] = future
        return future

    def note(self, actuation: Actuation) -> None:
        """A command ended within the running batch."""
        if actuation.id in self._waiting:
            self._ended.append(actuation)

    def commit(self) -> None:
        """Tell."""
        for actuation in self._ended:
            future = self._waiting.pop(actuation.id, None)
            if future is not None and future.set_running_or_notify_cancel():
                future.set_result(actuation)
        self._ended = []

    def rollback(self) -> None:
        """They did not end."""
        self._ended = []


class Interaction:
    """The gate to all actuators; used by the writer alone.

    Attributes:
        arbiter: who may drive what.
        outgoing: messages to send once the batch is committed.
        endings: for those who wait for a command's end.
        on_composite: takes what the property or action of a composite is set to, or invoked with.
        on_end: told of each command that comes to its end, within the batch.
        outbox: open actuations by id. Closed ones live in the database.
        handed_over: references that the link has taken and the broker has not yet acknowledged; the link's
            own set, looked at here.
        position: tells the ingest position of what came last.
        sent: references that the broker has acknowledged in this life. Not durable: after a restart every
            open command counts as one that may have been sent, so writing it down would change nothing.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        new_id: NewId,
        pending: Iterable[Actuation] = (),
        actuators: Iterable[tuple[str, Actuator]] = (),
    ) -> None:
        self.arbiter = Arbiter(ledger, actuators)
        self._registry = registry
        self._new_id = new_id
        self.outgoing: list[Command] = []
        self.endings = Endings()
        ledger.join(self.endings)
        self.on_end: Callable[[Actuation], None] = _nobody_waits
        self.on_composite: Callable[[str, str, Any, int], None] = _nobody_takes
        self.handed_over: Collection[str] = frozenset()
        self.position: Callable[[], int] = _nothing_came
        self.sent: set[str] = set()
        pending = list(pending)
        self.outbox: Overlay[str, Actuation] = ledger.overlay(
            "actuations", ((a.id, a) for a in pending), wanted=lambda each: each.open
        )
        self._latest: Overlay[tuple[str, str], str] = ledger.overlay(
            "", (((a.thing, a.affordance), a.id) for a in pending if a.kind == "property")
        )
        self._awaited: Overlay[tuple[str, str], str] = ledger.overlay(
            "", (((a.thing, name), a.id) for a in pending if (name := self._confirmed_by(a)) is not None)
        )
        self._ends = [(a.expires + GRACE, a.id) for a in pending]
        heapq.heapify(self._ends)
        # Commands of an earlier life, with when their answers are no longer waited for.
        self._restored: Overlay[str, int] = ledger.overlay("", ((a.id, _NOT_YET) for a in pending))

    # --- commands ---

    def write(self, thing: str, name: str, value: Any, now: int, order: Order = BY_HAND) -> Actuation:
        """Set a property.

        Args:
            thing: id of the thing.
            name: the property.
            value: in the property's own unit.
            now: Unix milliseconds.
            order: who wants it, and how it is to be delivered.

        Raises:
            NotFound: there is no such thing or property.
            Invalid: the value is against its schema or its envelope; the property cannot be written.
            Conflict: the thing does not take part, or somebody of higher priority drives it.
            TooSoon: the envelope lets it change only later.
        """
        each = self._driven(thing)
        prop = each.properties.get(name)
        if prop is None:
            raise NotFound(f"{each.td['title']} has no property {name!r}")
        must_take(prop, value)
        told = self.arbiter.told(thing, each.actuator(name), name)
        for envelope in (prop.envelope, order.envelope):
            must_keep(envelope, name, value, told, now if order.decided is None else order.decided)
        return self._give(each, "property", name, value, now, order)

    def invoke(self, thing: str, name: str, value: Any, now: int, order: Order = BY_HAND) -> Actuation:
        """Invoke an action with an input (None if it takes none); arguments and errors as in ``write``."""
        each = self._driven(thing)
        action = each.actions.get(name)
        if action is None:
            raise NotFound(f"{each.td['title']} has no action {name!r}")
        if action.check is not None and (wrong := action.check(value)) is not None:
            raise Invalid(wrong, "input")
        return self._give(each, "action", name, value, now, order)

    def publish(self, message: Outgoing) -> None:
        """Publish something that is no command (an admission, the time)."""
        self.outgoing.append(Command(message))

    # --- what becomes of them ---

    def result(self, thing: str, result: Result, now: int) -> bool:
        """Close a native command with the thing's answer; False if no open command has this id."""
        actuation = self.outbox.get(result.id)
        if actuation is None or actuation.thing != thing or not actuation.open:
            return False
        self._close(actuation, result.status, now, output=result.output, error=result.error)
        return True

    def reading(self, thing: str, name: str, value: Any, now: int) -> None:
        """Close the set-point that this reading confirms."""
        reference = self._awaited.get((thing, name))
        if reference is None:
            return
        actuation = self.outbox.get(reference)
        if actuation is None or not actuation.open:
            self._awaited.remove((thing, name))
        elif _same(actuation.input, value):
            self._awaited.remove((thing, name))
            self._close(actuation, "completed", now)

    def receipt(self, reference: str, now: int) -> None:
        """The broker has this command: native ones and awaited set-points now wait for their answer."""
        actuation = self.outbox.get(reference)
        if actuation is None or not actuation.open:
            return
        each = self._registry.seen(actuation.thing)
        outlet = each.description.outlets.get(actuation.affordance) if each is not None else None
        if outlet is not None and outlet.confirmed_by is None:
            self._close(actuation, "completed", now)
        else:
            self.sent.add(reference)

    def connected(self, now: int) -> None:
        """The broker is there anew: send what it does not have.

        After a restart of ours a command may have been sent without our knowing. Native things perform an id
        once, and a set-point may be repeated unless a newer one was given since; anything else is in doubt.
        """
        for reference, actuation in self.outbox.items():
            restored = self._restored.get(reference) == _NOT_YET
            if restored:
                self._restored.put(reference, now + GRACE)
            each = self._registry.seen(actuation.thing)
            if not actuation.open or (reference in self.sent and not restored) or each is None:
                continue
            if actuation.expires <= now or reference in self.handed_over or self._overtaken(actuation):
                continue
            outlet = each.description.outlets.get(actuation.affordance)
            message = _message(each, actuation)
            if actuation.delivery == "at-most-once":
                continue
            once = actuation.delivery == "exactly-once"
            if restored and once and outlet is not None and not outlet.idempotent:
                self._close(actuation, "in-doubt", now, error="the platform stopped while sending it")
            elif isinstance(message, Refusal):
                self._close(actuation, "in-doubt" if restored else "failed", now, error=message.reason)
            else:
                self.outgoing.append(Command(message, reference))

    def due(self) -> int | None:
        """When the next open command or claim comes to its end, Unix milliseconds."""
        ends = [each for each in (self.arbiter.due(), self._ends[0][0] if self._ends else None) if each]
        return min(ends, default=None)

    def tick(self, now: int) -> None:
        """End the commands and claims whose time is over."""
        self.arbiter.tick(now)
        while self._ends and self._ends[0][0] <= now:
            _, reference = heapq.heappop(self._ends)
            actuation = self.outbox.get(reference)
            if actuation is None or not actuation.open:
                self.sent.discard(reference)
                continue
            # Looked at once more: should this batch fail, the command is still open then.
            heapq.heappush(self._ends, (now + 1000, reference))
            waits = self._restored.get(reference)
            if waits is not None and now < waits:
                continue
            if reference in self.sent or waits is not None or reference in self.handed_over:
                self._close(actuation, "in-doubt", now, error="no answer in time")
            else:
                self._close(actuation, "expired", now, error="never reached the broker")

    # --- within ---

    def _driven(self, thing: str) -> VirtualObject:
        each = self._registry.seen(thing)
        if each is None:
            raise NotFound(f"there is no thing {thing!r}")
        if not each.taking_part:
            raise Conflict(f"{each.td['title']} is {each.record.admission}, not accepted")
        return each

    def _give(
        self, each: VirtualObject, kind: Kind, name: str, value: Any, now: int, order: Order
    ) -> Actuation:
        """Put the command into the outbox and among what is sent after the commit."""
        actuation = Actuation(
            id=order.command_id or self._new_id(),
            thing=each.id,
            affordance=name,
            kind=kind,
            input=value,
            service=order.service,
            cause=order.cause,
            why=order.why if order.service is not None else _by_hand(order, now),
            delivery=order.delivery,
            decided=now if order.decided is None else order.decided,
            position=self.position(),
            created=now,
            expires=now + order.lifetime,
        )
        if each.record.dialect == COMPOSITE:
            return self._set_composite(each, actuation, now)
        message = _message(each, actuation)
        if isinstance(message, Refusal):
            raise Invalid(message.reason, name if kind == "property" else "input")
        self._must_win(each, name, now, order)
        if kind == "property":
            self._overtake(actuation, now)
        self.arbiter.note(each.id, each.actuator(name), name, value, now)
        confirmed_by = self._confirmed_by(actuation)
        if confirmed_by is not None:
            self._awaited.put((each.id, confirmed_by), actuation.id)
        self.outgoing.append(Command(message, actuation.id))
        self.outbox.put(actuation.id, actuation)
        heapq.heappush(self._ends, (actuation.expires + GRACE, actuation.id))
        return actuation

    def _set_composite(self, each: VirtualObject, actuation: Actuation, now: int) -> Actuation:
        """What a composite takes stays in the house: it is done with the batch."""
        self.on_composite(each.id, actuation.affordance, actuation.input, actuation.decided)
        self.outbox.put(actuation.id, actuation)
        self._close(actuation, "completed", now)
        return msgspec.structs.replace(actuation, state="completed", resolved=now)

    def _must_win(self, each: VirtualObject, name: str, now: int, order: Order) -> None:
        """Only who has won the actuator drives it; a person's command is a claim of its own."""
        actuator = each.actuator(name)
        winner = self.arbiter.winner(each.id, actuator)
        if order.service is not None:
            if winner is not None and winner.holder != order.service:
                raise Conflict(f"{winner.title} drives {each.td['title']} ({winner.priority})")
            return
        if winner is not None and RANKS[winner.priority] < RANKS["person"]:
            raise Conflict(f"{winner.title} drives {each.td['title']} for safety")
        if order.hold > 0:
            self.arbiter.claim(
                each.id,
                actuator,
                Claim(holder=PERSON, title="a person", priority="person", since=now, until=now + order.hold),
            )

    def _confirmed_by(self, actuation: Actuation) -> str | None:
        """The property whose reading confirms the command; None if it is answered otherwise."""
        each = self._registry.seen(actuation.thing)
        outlet = each.description.outlets.get(actuation.affordance) if each is not None else None
        return outlet.confirmed_by if outlet is not None else None

    def _overtaken(self, actuation: Actuation) -> bool:
        """Whether a newer set-point was given; sent after that one, it would undo it."""
        newest = self._latest.get((actuation.thing, actuation.affordance))
        return actuation.kind == "property" and newest != actuation.id

    def _overtake(self, newer: Actuation, now: int) -> None:
        """A newer set-point replaces an unsent one, and leaves one that waits for its reading in doubt."""
        key = (newer.thing, newer.affordance)
        earlier = self.outbox.get(self._latest.get(key) or "")
        self._latest.put(key, newer.id)
        if earlier is None or not earlier.open:
            return
        restored = self._restored.get(earlier.id) is not None
        if not (earlier.id in self.sent or restored or earlier.id in self.handed_over):
            self._close(earlier, "expired", now, error=f"replaced by {newer.id} before it was sent")
        elif self._awaited.get(key) == earlier.id:
            self._close(earlier, "in-doubt", now, error=f"overtaken by {newer.id}")

    def _close(
        self, actuation: Actuation, state: State, now: int, *, output: Any = None, error: Any = None
    ) -> None:
        closed = msgspec.structs.replace(actuation, state=state, resolved=now, output=output, error=error)
        self.outbox.put(actuation.id, closed)
        self.endings.note(closed)
        self.on_end(closed)


def _by_hand(order: Order, now: int) -> dict[str, Any]:
    """What explains a person's command."""
    return {**(order.why or {}), "decision": "by hand", "hold": now + order.hold}


def _nothing_came() -> int:
    """Stands in until somebody counts."""
    return 0


def _nobody_waits(actuation: Actuation) -> None:
    """Stands in until a layer above listens."""


def _nobody_takes(thing: str, name: str, value: Any, now: int) -> None:
    """Stands in until a layer above listens."""


def must_take(prop: Property, value: Any) -> None:
    """Check a value that a property is to be set to.

    Raises:
        Invalid: it cannot be set, or not to this.
    """
    if not prop.writable:
        raise Invalid(f"{prop.name!r} is read only", prop.name)
    if (wrong := prop.check(value)) is not None:
        raise Invalid(wrong, prop.name)


def must_keep(envelope: Envelope, name: str, value: Any, told: Told, now: int) -> None:
    """Hold a command to a safety envelope, whoever gives it.

    Raises:
        Invalid: the value is outside.
        TooSoon: it is a change that may come only later.
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    low, high = envelope.least, envelope.most
    if number is not None:
        if isinstance(number, float) and not math.isfinite(number):
            raise Invalid("not a finite number", name)
        if (low is not None and number < low) or (high is not None and number > high):
            raise Invalid(f"{number} is outside the safety envelope {low} to {high}", name)
    if not told.since or (told.value == value and type(told.value) is type(value)):
        return
    passed = now - told.since
    if envelope.rate and number is not None and isinstance(told.value, int | float):
        needed = math.ceil(abs(number - told.value) / envelope.rate * 1000)
        if passed < needed:
            raise TooSoon(
                f"{name}: the safety envelope lets it change by {envelope.rate:g} a second",
                told.since + needed,
            )
    was, will = bool(told.value), bool(value)
    least = envelope.min_on if was else envelope.min_off
    if was != will and least and passed < least * 1000:
        position = "on" if was else "off"
        raise TooSoon(
            f"{name}: the safety envelope keeps it {position} for {least:g} s",
            told.since + round(least * 1000),
        )


def _message(each: VirtualObject, actuation: Actuation) -> Outgoing | Refusal:
    """The message that carries the command."""
    outlet = each.description.outlets.get(actuation.affordance)
    if each.wire:
        message: Outgoing | Refusal = _native_command(each, actuation)
    elif outlet is not None:
        message = outlet.write(actuation.input)
    else:
        return Refusal(f"{actuation.affordance!r} cannot be driven: its dialect names no way")
    if actuation.delivery == "at-most-once" and isinstance(message, Outgoing):
        return msgspec.structs.replace(message, qos=0)
    return message


def _native_command(each: VirtualObject, actuation: Actuation) -> Outgoing:
    body: dict[str, Any] = {"id": actuation.id}
    if actuation.kind == "property":
        topic = topics.setting(each.wire)
        body["v"] = {each.outward(actuation.affordance): actuation.input}
    else:
        topic = topics.action(each.wire, each.outward(actuation.affordance))
        if actuation.input is not None:
            body["input"] = actuation.input
    body["expires"] = actuation.expires
    return Outgoing(topic, encode(body))


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return math.isclose(wanted, got, rel_tol=1e-6, abs_tol=1e-9)
    return bool(wanted == got)
