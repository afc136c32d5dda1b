"""Driving: from what a composite's steps want to commands, through the gate of the Virtual Object Layer.

Invariant: an actuator that a composite drives was told what its steps say, unless somebody of higher priority
drives it; what a composite no longer drives is brought to what its template says, unless somebody else wants
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from diat.cvol.composite import Binding, Composite, CompositeState, Driven
from diat.cvol.steps import Sample
from diat.cvol.steps.effects import Drive
from diat.cvol.wakes import Wakes
from diat.cvol.wanted import Wanted
from diat.kernel.clock import Clock
from diat.kernel.errors import Busy, Refused, TooSoon
from diat.vol.actuation import Actuation, Kind, Order
from diat.vol.arbitration import Claim
from diat.vol.layer import VirtualObjectLayer
from diat.vol.limits import clamped, pair
from diat.vol.thing import NO_LIMITS, Envelope
from diat.vol.twin import Reading
from diat.wire.envelope import encode
from diat.wot.units import converter

LOST = "lost"
"""Stands for the id of a command that did not do its work."""
RETRY = 10_000
"""Milliseconds after which an actuator that does not do as told is told again."""
_SHOWN = 40
"""Values of steps that are kept with a command, to explain it."""
_READ = 20
"""Readings that are kept with it."""
_LONG = 4000
"""Bytes of parameters that are kept with it."""


class Wish(Struct, frozen=True):
    """What a step wants, and on what grounds.

    Attributes:
        step: the step.
        values: of all steps.
        seen: the samples behind it.
        now: Unix milliseconds, the time of the evaluation.
    """

    step: Drive
    values: dict[str, Any]
    seen: Sequence[Sequence[Sample]]
    now: int

    @property
    def read(self) -> list[tuple[int, str]]:
        """Ingest position and ``thing affordance`` of the newest of what is behind it, in order."""
        return sorted({(each.position, each.key) for found in self.seen for each in found})[-_READ:]


class Driver:
    """Carries out what composites want; used by the writer alone."""

    def __init__(self, things: VirtualObjectLayer, wakes: Wakes, clock: Clock) -> None:
        self._things = things
        self._wakes = wakes
        self._arbiter = things.interaction.arbiter
        self._clock = clock

    def drive(self, composite: Composite, state: CompositeState, wish: Wish) -> int | None:
        """Do what a step wants of each actuator of its role; when to look again, Unix milliseconds."""
        step, values = wish.step, wish.values
        wanted = step.when is None or bool(values.get(step.when))
        value = values[step.id]
        due: list[int] = []
        for binding in state.bindings:
            if binding.role != step.role:
                continue
            if not wanted or (isinstance(value, dict) and binding.key not in value):
                self.let_go(composite, state, binding.thing, binding.affordance, wish.now)
                continue
            each = value.get(binding.key) if isinstance(value, dict) else value
            if each is None:
                continue
            act = self._set if binding.kind == "property" else self._invoke
            again = act(composite, state, binding, each, wish)
            if again is not None:
                due.append(again)
        return min(due, default=None)

    def let_go(self, composite: Composite, state: CompositeState, thing: str, name: str, now: int) -> None:
        """Give an actuator up: to whoever wants it next, else to what the step says it should be.

        What cannot be done at once, or fails, is done by the gate later, even if the service is gone by then.
        """
        key = f"{thing} {name}"
        _wait_no_more(state, key)
        told = state.driven.pop(key, None)
        released = self._arbiter.release(thing, name, composite.id, now)
        if released is None or not released.won or released.following is not None or told is None:
            return
        step, binding = _driven_by(composite, state, key)
        each = self._things.registry.seen(thing)
        if step is None or binding is None or step.otherwise is None or each is None:
            return
        if step.leave_found and not told.actuation:
            return
        if binding.kind == "action" or (binding.kind == "property" and name not in each.properties):
            return
        # What it is told now is remembered: its readings may speak of what it was told before.
        state.driven[key] = told
        kind: Kind = "property"
        if binding.kind == "pair":
            value: Any = bool(step.otherwise)
            kind, act, content = "action", (name if value else binding.opposite), None
        else:
            value = in_its_terms(step.otherwise, composite.roles[step.role], binding)
            value = clamped(each.properties[name], _envelope(composite.roles[step.role], binding), value)
            act, content = name, value
        under_way, again = "", _same(told.value, value)
        if again and told.actuation != LOST:
            before = self._things.interaction.outbox.get(told.actuation)
            if before is None or not before.open:
                return
            under_way = before.id
        # That it is told the same once more comes of how it answered: nothing is decided by that.
        decision = "told again" if again else "let go"
        order = self._order(composite, binding, Wish(step, {}, (), now), decision)
        try:
            given = self._things.interaction.let_go(
                thing, act, kind, content, self._clock(), order, under_way
            )
        except Refused as refusal:
            self._note(composite, thing, f"could not let go of it: {refusal}", now)
            del state.driven[key]
        else:
            if given is not None:
                state.driven[key] = Driven(value, given.id, now)

    def ended(self, composite: Composite, state: CompositeState, actuation: Actuation) -> None:
        """A command did not do its work: it is given again after a while if it is still wanted.

        What is sent at most once is not given again, but counted. Of an action in doubt nobody knows whether
        it was done: it is given again only where that may be done twice.
        """
        found = next((item for item in state.driven.items() if item[1].actuation == actuation.id), None)
        if actuation.delivery == "at-most-once":
            state.dropped += actuation.state in ("expired", "in-doubt")
            return
        if found is None:
            return
        key, told = found
        once = actuation.delivery == "exactly-once"
        if actuation.kind == "action" and actuation.state == "in-doubt" and once:
            return
        now = actuation.resolved or self._clock()
        state.driven[key] = Driven(told.value, LOST, now)
        self._retry(composite, state, now + RETRY)

    def tell_again(self, composite: Composite, state: CompositeState, now: int) -> None:
        """Tell what did not do as it was told what it was told: nothing is decided anew."""
        state.retry = None
        for binding in list(state.bindings):
            told = state.driven.get(binding.key)
            step = next((s for s in composite.steps if isinstance(s, Drive) and s.role == binding.role), None)
            winner = self._arbiter.winner(binding.thing, self._actuator(binding.thing, binding.affordance))
            if told is None or step is None or winner is None or winner.holder != composite.id:
                continue
            wish = Wish(step, {}, (), now)
            again = None
            if binding.kind == "property":
                again = self._bring(composite, state, binding, told.value, wish)
            elif told.actuation == LOST:
                again = self._invoke(composite, state, binding, told.value, wish)
            if again is not None:
                self._retry(composite, state, again)

    def strays(self, composite: Composite, state: CompositeState, key: str) -> bool:
        """Whether an actuator (``thing affordance``) says that it has something else than it was told."""
        told, (thing, _, name) = state.driven.get(key), key.partition(" ")
        if told is None or composite.delivery == "at-most-once":
            return False
        return self._strayed(told, self._things.intake.twin(thing).values.get(name), told.value)

    def bring_back(self, composite: Composite, state: CompositeState, key: str, now: int) -> None:
        """Tell an actuator again that strayed, as soon as may be."""
        self._retry(composite, state, max(now, state.driven[key].at + RETRY))

    def _retry(self, composite: Composite, state: CompositeState, at: int) -> None:
        state.retry = at if state.retry is None else min(state.retry, at)
        self._wakes.plan(composite.id, state.retry)

    def _set(
        self, composite: Composite, state: CompositeState, binding: Binding, wanted: Any, wish: Wish
    ) -> int | None:
        """Bring a property to a value, unless it was told and does so; when to look again."""
        asked = in_its_terms(wanted, composite.roles[binding.role], binding)
        each = self._things.registry.seen(binding.thing)
        prop = each.properties.get(binding.affordance) if each is not None else None
        limits = _envelope(composite.roles[binding.role], binding)
        value = asked if prop is None else clamped(prop, limits, asked)
        if not self._won(composite, state, binding, value, wish.now):
            return None
        return self._bring(composite, state, binding, value, wish, asked)

    def _bring(
        self,
        composite: Composite,
        state: CompositeState,
        binding: Binding,
        value: Any,
        wish: Wish,
        asked: Any = None,
    ) -> int | None:
        key, thing, name = binding.key, binding.thing, binding.affordance
        told = state.driven.get(key)
        reading = self._things.intake.twin(thing).values.get(name)
        if told is None and self._has(thing, name, reading, value):
            state.driven[key] = Driven(value, "", wish.now)
            self._things.interaction.regard(thing, name, value, wish.now)
            return None
        again = told is not None and _same(told.value, value)
        if told is not None and again:
            if composite.delivery == "at-most-once" or not self._strayed(told, reading, value):
                return None
            if wish.now - told.at < RETRY:
                self._retry(composite, state, told.at + RETRY)
                return None
        if asked is not None and value != asked:
            self._note(composite, thing, f"wants {name} at {asked}: its limits allow {value}", wish.now)
        order = self._order(composite, binding, wish, "told again" if again else "decided")
        write = self._things.interaction.write
        return self._tell(
            composite,
            state,
            binding,
            value,
            wish.now,
            lambda: write(thing, name, value, self._clock(), order),
        )

    def _invoke(
        self, composite: Composite, state: CompositeState, binding: Binding, wanted: Any, wish: Wish
    ) -> int | None:
        """Invoke an action when the wish becomes true, one of a pair when it changes; when to look again."""
        told = state.driven.get(binding.key)
        position = bool(wanted)
        if binding.kind == "action" and not position:
            state.driven[binding.key] = Driven(False, "", wish.now)
            _wait_no_more(state, binding.key)
            return None
        if not self._won(composite, state, binding, position, wish.now):
            return None
        if told is not None and told.value is position:
            if told.actuation != LOST:
                return None
            if wish.now - told.at < RETRY:
                self._retry(composite, state, told.at + RETRY)
                return None
        decision = "told again" if told is not None and told.value is position else "decided"
        order = self._order(composite, binding, wish, decision)
        name = binding.affordance if position else binding.opposite
        thing, clock, invoke = binding.thing, self._clock, self._things.interaction.invoke
        return self._tell(
            composite, state, binding, position, wish.now, lambda: invoke(thing, name, None, clock(), order)
        )

    def _tell(
        self,
        composite: Composite,
        state: CompositeState,
        binding: Binding,
        value: Any,
        now: int,
        give: Callable[[], Actuation],
    ) -> int | None:
        """Give the command; when to try again if it is too soon."""
        try:
            state.driven[binding.key] = Driven(value, give().id, now)
        except TooSoon as wait:
            return wait.until
        except Busy as full:
            self._note(composite, binding.thing, f"could not drive it yet: {full}", now)
            if composite.delivery != "at-most-once":
                return now + RETRY
            state.dropped += 1
            self._things.interaction.dropped += 1
            state.driven[binding.key] = Driven(value, "", now)
        except Refused as refusal:
            self._note(composite, binding.thing, f"could not drive it: {refusal}", now)
            state.driven[binding.key] = Driven(value, "", now)
        return None

    def _won(
        self, composite: Composite, state: CompositeState, binding: Binding, value: Any, now: int
    ) -> bool:
        """Claim the actuator; whether it is ours to drive."""
        actuator = self._actuator(binding.thing, binding.affordance)
        winner = self._arbiter.claim(
            binding.thing,
            actuator,
            Claim(
                holder=composite.id,
                title=composite.title,
                priority=composite.priority,
                since=now,
                names=(binding.affordance,),
            ),
        )
        if winner.holder == composite.id:
            _wait_no_more(state, binding.key)
            return True
        if binding.kind != "action":
            # An action that was invoked stays invoked; a position has to be taken anew.
            state.driven.pop(binding.key, None)
        state.yielding[binding.key] = value
        self._compare(state, binding, winner)
        return False

    def others_told(self, composite: Composite, state: CompositeState, key: str) -> None:
        """Whoever drives an actuator (``thing actuator``) told it something: nothing is decided by that."""
        thing, _, actuator = key.partition(" ")
        winner = self._arbiter.winner(thing, actuator)
        for binding in state.bindings:
            ours = binding.thing == thing and self._actuator(thing, binding.affordance) == actuator
            if (
                winner is not None
                and winner.holder != composite.id
                and ours
                and binding.key in state.yielding
            ):
                self._compare(state, binding, winner)

    def _compare(self, state: CompositeState, binding: Binding, winner: Claim) -> None:
        """Note who drives an actuator, unless that was told what it would be told here."""
        actuator = self._actuator(binding.thing, binding.affordance)
        name = binding.affordance if binding.kind == "property" else pair(actuator)
        if _same(self._arbiter.told(binding.thing, actuator, name).value, state.yielding[binding.key]):
            state.outranked.pop(binding.key, None)
        else:
            state.outranked[binding.key] = f"{winner.title} ({winner.priority})"

    def _actuator(self, thing: str, name: str) -> str:
        each = self._things.registry.seen(thing)
        return name if each is None else each.actuator(name)

    def _has(self, thing: str, name: str, reading: Reading | None, value: Any) -> bool:
        """Whether a thing says that it has the value, and was not told another since.

        What it said in an earlier life may not hold.
        """
        each = self._things.registry.seen(thing)
        if reading is None or each is None or not _same(reading.value, value):
            return False
        under_way = self._things.interaction.under_way(thing, name)
        if under_way is not None and not _same(under_way.input, value):
            return False
        told = self._arbiter.told(thing, each.actuator(name), name)
        if told.value is not None and not _same(told.value, value) and told.since >= reading.received:
            return False
        return reading.received >= max(each.record.modified, self._things.intake.twin(thing).since)

    def _strayed(self, told: Driven, reading: Reading | None, value: Any) -> bool:
        """Whether an actuator that was told the value does not have it."""
        if told.actuation == LOST:
            return True
        waiting = self._things.interaction.outbox.get(told.actuation)
        if waiting is not None and waiting.open:
            return False
        return reading is not None and reading.observed > told.at and not _same(reading.value, value)

    def _order(self, composite: Composite, binding: Binding, wish: Wish, decision: str) -> Order:
        shown = {name: value for name, value in wish.values.items() if _plain(value)}
        read = wish.read
        claims = self._arbiter.claimants(binding.thing, self._actuator(binding.thing, binding.affordance))
        others = [f"{each.title} ({each.priority})" for each in claims if each.holder != composite.id]
        return Order(
            service=composite.id,
            cause=tuple(dict.fromkeys(position for position, _ in read)),
            decided=wish.now,
            delivery=composite.delivery,
            envelope=_envelope(composite.roles[binding.role], binding),
            why={
                "decision": decision,
                "title": composite.title,
                "template": composite.template,
                "parameters": _short(composite.parameters),
                "step": wish.step.id,
                "role": binding.role,
                "binding": binding.reason,
                "priority": composite.priority,
                "over": others,
                "read": read,
                "values": dict(list(shown.items())[:_SHOWN]),
            },
        )

    def _note(self, composite: Composite, thing: str, text: str, now: int) -> None:
        self._things.diagnostics.note(thing, f"service {composite.title!r} {text}", now)


def _wait_no_more(state: CompositeState, key: str) -> None:
    """Nobody else drives what it wants."""
    state.outranked.pop(key, None)
    state.yielding.pop(key, None)


def _driven_by(composite: Composite, state: CompositeState, key: str) -> tuple[Drive | None, Binding | None]:
    """The step that drives an actuator, by which binding; the first one that says what comes otherwise."""
    found: tuple[Drive | None, Binding | None] = (None, None)
    for binding in state.bindings:
        if binding.key != key:
            continue
        for step in composite.steps:
            if isinstance(step, Drive) and step.role == binding.role:
                if step.otherwise is not None:
                    return step, binding
                found = (step, binding)
    return found


def in_its_terms(value: Any, role: Wanted, binding: Binding) -> Any:
    """What is wanted as the actuator takes it: a number in its unit, a switch as it is driven."""
    if binding.how == "inverted":
        return not value
    if binding.how == "percent":
        return 100 if value else 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not role.unit or not binding.unit:
        return value
    convert = converter(role.unit, binding.unit, role.quantity)
    return value if convert is None else convert(float(value))


def _envelope(role: Wanted, binding: Binding) -> Envelope:
    """The limits that a role draws, as the actuator's own values run."""
    said = role.envelope
    if said == NO_LIMITS or not role.unit or not binding.unit:
        return said
    convert = converter(role.unit, binding.unit, role.quantity)
    if convert is None:
        return said
    least, most = (None if limit is None else convert(limit) for limit in (said.least, said.most))
    rate = None if said.rate is None else abs(convert(said.rate) - convert(0.0))
    return Envelope(least=least, most=most, rate=rate, min_on=said.min_on, min_off=said.min_off)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _short(parameters: dict[str, Any]) -> dict[str, Any] | None:
    return parameters if len(encode(parameters)) <= _LONG else None


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 100)
