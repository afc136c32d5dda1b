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
from typing import Any

import msgspec

from diat.kernel.errors import Busy, Conflict, Invalid, NotFound, TooSoon
from diat.kernel.ids import NewId
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.security.decision import Decision
from diat.security.operations import Operation
from diat.vol.actuation import (
    BY_HAND,
    LIFETIME,
    Actuation,
    Command,
    Delivery,
    Endings,
    Kind,
    Order,
    State,
)
from diat.vol.arbitration import PERSON, RANKS, Actuator, Arbiter, Claim, Rest, Told
from diat.vol.dialects.port import Outgoing, Refusal
from diat.vol.limits import Move, known_of, moves, must_keep
from diat.vol.meters import Meters
from diat.vol.registry import Registry
from diat.vol.resting import Resting
from diat.vol.thing import NO_LIMITS, Property, VirtualObject
from diat.wire import topics
from diat.wire.envelope import Result, encode

__all__ = [
    "BY_HAND",
    "COMPOSITE",
    "GRACE",
    "LATER",
    "LIFETIME",
    "Actuation",
    "Command",
    "Delivery",
    "Interaction",
    "Order",
    "must_take",
]

COMPOSITE = "composite"
"""The dialect of things that composites make."""
GRACE = 5_000
"""Milliseconds after its end in which a command's answer is still waited for."""
ANSWER = 5_000
"""Milliseconds after which to look whether a command was answered that another has to wait for."""
BROUGHT_BACK = "by hand again"
"""The decision word of a command that brings back what a person had set, once nobody overrules it."""
LATER = "let go later"
"""The decision word of a command by which the gate does what was let go before."""
Permit = Callable[[str, VirtualObject, str, Operation], Decision]
"""What was decided on an operation of a service's composite, by id, with an affordance of a thing."""
MOST_OPEN = 256
"""Commands to one affordance that may wait for their end at a time."""
_NOT_YET = 2**63
"""Stands for the end of waiting while there was no connection since the start."""


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
        dropped: commands sent at most once of which nobody knows that they arrived, since the start.
        begun: commands given since the start, for the metrics; those of batches that were taken back too.
        meters: count what single things are told, where somebody looks.
        permit: asked of every command of a service; None for none.
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
        self._resting = Resting(self.arbiter, self._rest)
        self.dropped = 0
        self.begun = 0
        self._registry = registry
        self._new_id = new_id
        self.outgoing: list[Command] = []
        self.endings = Endings()
        ledger.join(self.endings)
        self.on_end: Callable[[Actuation], None] = _nobody_waits
        self.on_composite: Callable[[str, str, Any, int], None] = _nobody_takes
        self.handed_over: Collection[str] = frozenset()
        self.position: Callable[[], int] = _nothing_came
        self.permit: Permit | None = None
        self.may_tell: Callable[[VirtualObject, str], bool] = _everybody
        self.sent: set[str] = set()
        self.meters = Meters()
        pending = list(pending)
        self.outbox: Overlay[str, Actuation] = ledger.overlay(
            "actuations", ((a.id, a) for a in pending), wanted=lambda each: each.open
        )
        self._open: Index[tuple[str, str]] = ledger.index()
        for each in pending:
            self._open.add((each.thing, each.affordance), each.id)
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
            Busy: too many commands to it wait for their end.
            Forbidden: it is a service that may not.
        """
        each = self._driven(thing)
        prop = each.properties.get(name)
        if prop is None:
            raise NotFound(f"{each.td['title']} has no property {name!r}")
        must_take(prop, value)
        self._must_be_permitted(each, name, "write", order)
        return self._give(each, "property", name, value, now, order)

    def invoke(self, thing: str, name: str, value: Any, now: int, order: Order = BY_HAND) -> Actuation:
        """Invoke an action with an input (None if it takes none); arguments and errors as in ``write``."""
        each = self._driven(thing)
        action = each.actions.get(name)
        if action is None:
            raise NotFound(f"{each.td['title']} has no action {name!r}")
        if action.check is not None and (wrong := action.check(value)) is not None:
            raise Invalid(wrong, "input")
        self._must_be_permitted(each, name, "invoke", order)
        return self._give(each, "action", name, value, now, order)

    def let_go(
        self, thing: str, name: str, kind: Kind, value: Any, now: int, order: Order, under_way: str = ""
    ) -> Actuation | None:
        """Bring what nobody claims any more to where it is left: now, or as soon as its envelope allows.

        It is tried until it is done, or somebody wants the actuator. Arguments and errors as in ``write``;
        ``under_way`` is the command that does just that, if it was given already.

        Returns:
            The command; None if it has to wait or is under way.
        """
        rest = Rest(
            name=name,
            kind=kind,
            value=value,
            service=order.service or "",
            delivery=order.delivery,
            envelope=order.envelope,
            why=order.why,
            actuation=under_way,
        )
        key = self._key(self._driven(thing), name)
        if under_way:
            self.arbiter.leave(key, rest)
            return None
        return self._resting.begin(key, rest, now, now if order.decided is None else order.decided)

    def regard(self, thing: str, name: str, value: Any, now: int) -> None:
        """A property is taken to have been told what it says it is."""
        each = self._registry.seen(thing)
        if each is not None and name in each.properties:
            self._note(each, name, moves(each, "property", name, value), now, "")

    def see(self, each: VirtualObject, name: str, value: Any, observed: int) -> None:
        """A property whose envelope limits how soon it may change says what it is."""
        key = self._key(each, name)
        told = self.arbiter.known(key).told.get(name)
        if (told is None or observed > told.since) and isinstance(value, bool | int | float):
            self.arbiter.see(key, name, Told(value, observed))

    def heed(self, command: Actuation, since: int) -> None:
        """An actuator was told a command at a time: in a replay."""
        each = self._registry.seen(command.thing)
        if each is None or command.affordance not in (
            each.properties if command.kind == "property" else each.actions
        ):
            return
        done = moves(each, command.kind, command.affordance, command.input)
        self._note(each, command.affordance, done, since, "")

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
            message = self._message(each, actuation)
            if actuation.delivery == "at-most-once":
                if not restored:
                    self._close(actuation, "expired", now, error="there was no connection")
                continue
            once = actuation.delivery == "exactly-once"
            if restored and once and outlet is not None and not outlet.idempotent:
                self._close(actuation, "in-doubt", now, error="the platform stopped while sending it")
            elif isinstance(message, Refusal):
                self._close(actuation, "in-doubt" if restored else "failed", now, error=message.reason)
            else:
                self._counts_from(actuation, now)
                self.outgoing.append(Command(message, reference))

    def returned(self, thing: str, now: int) -> None:
        """A thing is there again: it may not have heard what it was told while it was away.

        So the last set-point of each property is sent again under its own id, if it is not answered yet, and
        what is to be brought to rest is told at once.
        """
        each = self._registry.seen(thing)
        if each is None:
            return
        for name in each.properties:
            last = self.under_way(thing, name)
            outlet = each.description.outlets.get(name)
            repeatable = bool(each.wire) or (outlet is not None and outlet.idempotent)
            if last is None or last.delivery == "at-most-once" or not repeatable:
                continue
            message = self._message(each, last)
            if last.expires <= now:
                self._close(last, "in-doubt", now, error="no answer in time")
            elif not isinstance(message, Refusal):
                self._counts_from(last, now)
                self.outgoing.append(Command(message, last.id))
        for key in dict.fromkeys(self._key(each, name) for name in (*each.properties, *each.actions)):
            self._resting.returned(key, now)

    def under_way(self, thing: str, name: str) -> Actuation | None:
        """The last set-point of a property, while nobody knows how it ended."""
        last = self.outbox.get(self._latest.get((thing, name)) or "")
        return last if last is not None and last.open else None

    def stands(self, reference: str) -> bool:
        """Whether a command that was given is still to be sent: it is open, and nothing newer was given."""
        actuation = self.outbox.committed.get(reference)
        return actuation is not None and not self._overtaken(actuation)

    def due(self) -> int | None:
        """When the next open command or claim comes to its end, Unix milliseconds."""
        ends = (self.arbiter.due(), self._resting.due(), self._ends[0][0] if self._ends else None)
        return min((each for each in ends if each is not None), default=None)

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
        self._resting.tick(now)

    def set_back(self, now: int) -> None:
        """The clock was set back."""
        self.arbiter.set_back(now)
        self._resting.set_back(now)

    # --- within ---

    def _driven(self, thing: str) -> VirtualObject:
        each = self._registry.seen(thing)
        if each is None:
            raise NotFound(f"there is no thing {thing!r}")
        if not each.taking_part:
            raise Conflict(f"{each.td['title']} is {each.record.admission}, not accepted")
        return each

    def _must_be_permitted(self, each: VirtualObject, name: str, operation: Operation, order: Order) -> None:
        """Hold a service to what it may do; people are asked where they come in, letting go is ours."""
        if self.permit is not None and order.service is not None and not order.letting_go:
            self.permit(order.service, each, name, operation).or_refuse()

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
        message = self._message(each, actuation)
        if isinstance(message, Refusal):
            raise Invalid(message.reason, name if kind == "property" else "input")
        done = moves(each, kind, name, value)
        timed = self._must_keep(each, name, done, order, actuation.decided)
        self._must_win(each, kind, name, value, now, order)
        self._make_room(actuation, now)
        if kind == "property":
            self._overtake(actuation, now)
        self._note(each, name, done, now, actuation.id if timed else "")
        confirmed_by = self._confirmed_by(actuation)
        if confirmed_by is not None:
            self._awaited.put((each.id, confirmed_by), actuation.id)
        self.outgoing.append(Command(message, actuation.id))
        self.meters.told(each.id, order.service, name, message)
        self.begun += 1
        self.outbox.put(actuation.id, actuation)
        self._open.add((each.id, name), actuation.id)
        heapq.heappush(self._ends, (actuation.expires + GRACE, actuation.id))
        return actuation

    def _must_keep(self, each: VirtualObject, name: str, done: list[Move], order: Order, now: int) -> bool:
        """Hold a command to every envelope that it touches; whether one of them says how soon it may come."""
        limits = [(move, move.envelope) for move in done] + [(done[0], order.envelope)]
        limits = [(move, envelope) for move, envelope in limits if envelope != NO_LIMITS]
        timed = any(envelope.timed for _, envelope in limits)
        actuator = self.arbiter.known(self._key(each, name)) if limits else Actuator()
        for move, envelope in limits:
            known = known_of(actuator, move.name, each.record.modified)
            must_keep(envelope, move, known, now)
            told = known.told
            before = self.outbox.get(told.reference) if told is not None else None
            if told is None or before is None or not before.open or _alike(told, move):
                continue
            if envelope.rate or (envelope.timed and told.position is not move.on):
                # When that will be performed nobody knows, so neither how long what it does has lasted.
                until = min(before.expires + GRACE + 1, now + ANSWER)
                raise TooSoon(f"{name}: the command before it has not been answered", until)
        return timed

    def _note(self, each: VirtualObject, name: str, done: list[Move], now: int, reference: str) -> None:
        """Note what a command tells its affordance, and what that moves with it."""
        key = self._key(each, name)
        known = self.arbiter.known(key).told
        told = {}
        for at, move in enumerate(done):
            before = known.get(move.name)
            since = before.since if before is not None and _alike(before, move) else now
            stays = before is not None and move.on is not None and before.position is move.on
            turned = before.positioned if before is not None and stays else now
            if at == 0 or since == now:
                told[move.name] = Told(move.value, since, move.on, turned, reference)
        if any(known.get(move_name) != fact for move_name, fact in told.items()):
            self.arbiter.note(key, told)

    def _counts_from(self, actuation: Actuation, now: int) -> None:
        """What a command told counts from now: it leaves, or was answered, only now."""
        each = self._registry.seen(actuation.thing)
        if each is None:
            return
        key = self._key(each, actuation.affordance)
        known = self.arbiter.known(key).told
        moved = {
            name: msgspec.structs.replace(
                told, since=now, turned=now if told.turned == told.since else told.turned
            )
            for name, told in known.items()
            if told.reference == actuation.id
        }
        if moved:
            self.arbiter.note(key, moved)

    def _make_room(self, newer: Actuation, now: int) -> None:
        """A bounded number of commands waits: the oldest set-point gives way, an action is not taken.

        Raises:
            Busy: as many actions wait as may.
        """
        waiting = self._open.members((newer.thing, newer.affordance))
        if len(waiting) < MOST_OPEN:
            return
        if newer.kind == "action":
            raise Busy(f"{newer.affordance}: {len(waiting)} commands wait for their end already")
        for reference in waiting[: len(waiting) - MOST_OPEN + 1]:
            oldest = self.outbox.get(reference)
            if oldest is not None and oldest.open:
                self._close(oldest, "in-doubt", now, error=f"overtaken by {newer.id}")

    def _rest(self, key: str, rest: Rest, now: int, decided: int) -> Actuation:
        """Give the command that brings what was let go to rest, or a person's value back."""
        if rest.service == PERSON:
            until = self.arbiter.known(key).claims[0].until or now
            why: dict[str, Any] | None = {**(rest.why or {}), "decision": BROUGHT_BACK}
            order = Order(why=why, decided=decided, hold=max(until - now, 1))
        else:
            why = rest.why if rest.due is None else {**(rest.why or {}), "decision": LATER}
            order = Order(
                service=rest.service,
                delivery=rest.delivery,
                envelope=rest.envelope,
                why=why,
                decided=decided,
                letting_go=True,
            )
        act = self.write if rest.kind == "property" else self.invoke
        return act(key.partition(" ")[0], rest.name, rest.value, now, order)

    def _key(self, each: VirtualObject, name: str) -> str:
        """``thing actuator``."""
        return f"{each.id} {each.actuator(name)}"

    def _set_composite(self, each: VirtualObject, actuation: Actuation, now: int) -> Actuation:
        """What a composite takes stays in the house: it is done with the batch."""
        self.on_composite(each.id, actuation.affordance, actuation.input, actuation.decided)
        self.outbox.put(actuation.id, actuation)
        self._close(actuation, "completed", now)
        return msgspec.structs.replace(actuation, state="completed", resolved=now)

    def _must_win(
        self, each: VirtualObject, kind: Kind, name: str, value: Any, now: int, order: Order
    ) -> None:
        """Only who has won the actuator drives it; a person's command is a claim of its own."""
        actuator = each.actuator(name)
        winner = self.arbiter.winner(each.id, actuator)
        if order.service is not None:
            if winner is not None and winner.holder != order.service:
                raise Conflict(f"{winner.title} drives {each.td['title']} ({winner.priority})")
            return
        if winner is not None and RANKS[winner.priority] < RANKS["person"]:
            raise Conflict(f"{winner.title} drives {each.td['title']} for safety")
        if order.hold <= 0:
            self.arbiter.leave(f"{each.id} {actuator}", None)
            return
        # What an action brought about may be undone by invoking it again.
        wish = Rest(name=name, kind=kind, value=value, service=PERSON, why=order.why)
        mine = Claim(
            holder=PERSON,
            title="a person",
            priority="person",
            since=now,
            until=now + order.hold,
            names=(name,),
            wish=wish if kind == "property" else None,
        )
        self.arbiter.claim(each.id, actuator, mine)

    def _message(self, each: VirtualObject, actuation: Actuation) -> Outgoing | Refusal:
        """The message that carries the command, if the thing may be driven on its topic."""
        message = _message(each, actuation)
        if isinstance(message, Outgoing) and not self.may_tell(each, message.topic):
            return Refusal(f"{message.topic[:200]} belongs to others than those who announced the thing")
        return message

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
        self._open.discard((actuation.thing, actuation.affordance), actuation.id)
        if state in ("completed", "in-doubt"):
            self._counts_from(closed, now)
        self.dropped += closed.delivery == "at-most-once" and state in ("expired", "in-doubt")
        each = self._registry.seen(actuation.thing)
        if each is not None:
            self._resting.ended(self._key(each, actuation.affordance), closed, now)
        self.endings.note(closed)
        self.on_end(closed)


def _by_hand(order: Order, now: int) -> dict[str, Any]:
    """What explains a person's command."""
    return {"decision": "by hand", **(order.why or {}), "hold": now + order.hold}


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


def _everybody(each: VirtualObject, topic: str) -> bool:
    """Stands in where nobody asks who announced what."""
    return True


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


def _alike(told: Told | None, move: Move) -> bool:
    """Whether what was told is what a command does again."""
    if told is None or told.value is None or move.value is None:
        return told is not None and told.on is not None and told.position is move.on
    return bool(told.value == move.value) and type(told.value) is type(move.value)


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return math.isclose(wanted, got, rel_tol=1e-6, abs_tol=1e-9)
    return bool(wanted == got)
