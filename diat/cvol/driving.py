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
from diat.kernel.errors import Refused, TooSoon
from diat.vol.arbitration import Claim
from diat.vol.interaction import Actuation, Order
from diat.vol.layer import VirtualObjectLayer
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
        """Give an actuator up: to whoever wants it next, else to what the step says it should be."""
        key = f"{thing} {name}"
        state.outranked.pop(key, None)
        told = state.driven.pop(key, None)
        actuator = self._actuator(thing, name)
        held = self._arbiter.winner(thing, actuator)
        mine = held is not None and held.holder == composite.id
        following = self._arbiter.release(thing, actuator, composite.id, now)
        if told is None or not mine or following is not None or self._things.registry.seen(thing) is None:
            return
        step, binding = _driven_by(composite, state, key)
        if step is None or binding is None or step.otherwise is None or binding.kind == "action":
            return
        if step.leave_found and not told.actuation:
            return
        if binding.kind == "pair":
            self._invoke(composite, state, binding, step.otherwise, Wish(step, {}, (), now), "let go")
            self._arbiter.release(thing, actuator, composite.id, now)
            return
        # What it is told now is remembered: its readings may speak of what it was told before.
        state.driven[key] = told
        value = in_its_terms(step.otherwise, composite.roles[step.role], binding)
        if _same(told.value, value):
            return
        order = self._order(composite, binding, Wish(step, {}, (), now), "let go")
        try:
            given = self._things.interaction.write(thing, name, value, self._clock(), order)
        except Refused as refusal:
            self._note(composite, thing, f"could not let go of it: {refusal}", now)
            del state.driven[key]
        else:
            state.driven[key] = Driven(value, given.id, now)

    def ended(self, composite: Composite, state: CompositeState, actuation: Actuation) -> None:
        """A command did not do its work: it is given again after a while if it is still wanted."""
        found = next((item for item in state.driven.items() if item[1].actuation == actuation.id), None)
        if found is None:
            return
        key, told = found
        if actuation.kind == "action" and actuation.state == "in-doubt":
            return  # it may have been done
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
            if binding.kind == "property":
                self._bring(composite, state, binding, told.value, wish)
            elif told.actuation == LOST:
                self._invoke(composite, state, binding, told.value, wish)

    def _retry(self, composite: Composite, state: CompositeState, at: int) -> None:
        state.retry = at if state.retry is None else min(state.retry, at)
        self._wakes.plan(composite.id, state.retry)

    def _set(
        self, composite: Composite, state: CompositeState, binding: Binding, wanted: Any, wish: Wish
    ) -> int | None:
        """Bring a property to a value, unless it was told and does so; when to look again."""
        value = in_its_terms(wanted, composite.roles[binding.role], binding)
        if not self._won(composite, state, binding, value, wish.now):
            return None
        return self._bring(composite, state, binding, value, wish)

    def _bring(
        self, composite: Composite, state: CompositeState, binding: Binding, value: Any, wish: Wish
    ) -> int | None:
        key, thing, name = binding.key, binding.thing, binding.affordance
        told = state.driven.get(key)
        reading = self._things.intake.twin(thing).values.get(name)
        if told is None and self._has(thing, reading, value):
            state.driven[key] = Driven(value, "", wish.now)
            self._arbiter.note(thing, self._actuator(thing, name), name, value, wish.now)
            return None
        again = told is not None and _same(told.value, value)
        if told is not None and again:
            if not self._strayed(told, reading, value):
                return None
            if wish.now - told.at < RETRY:
                self._retry(composite, state, told.at + RETRY)
                return None
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
        self,
        composite: Composite,
        state: CompositeState,
        binding: Binding,
        wanted: Any,
        wish: Wish,
        decision: str = "decided",
    ) -> int | None:
        """Invoke an action when the wish becomes true, one of a pair when it changes; when to look again."""
        told = state.driven.get(binding.key)
        position = bool(wanted)
        if binding.kind == "action" and not position:
            state.driven[binding.key] = Driven(False, "", wish.now)
            return None
        if told is not None and told.value is position:
            if told.actuation != LOST:
                return None
            if wish.now - told.at < RETRY:
                self._retry(composite, state, told.at + RETRY)
                return None
            decision = "told again"
        if not self._won(composite, state, binding, position, wish.now):
            return None
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
            Claim(holder=composite.id, title=composite.title, priority=composite.priority, since=now),
        )
        if winner.holder == composite.id:
            state.outranked.pop(binding.key, None)
            return True
        state.driven.pop(binding.key, None)
        if _same(self._arbiter.told(binding.thing, actuator, binding.affordance).value, value):
            state.outranked.pop(binding.key, None)
        else:
            state.outranked[binding.key] = f"{winner.title} ({winner.priority})"
        return False

    def _actuator(self, thing: str, name: str) -> str:
        each = self._things.registry.seen(thing)
        return name if each is None else each.actuator(name)

    def _has(self, thing: str, reading: Reading | None, value: Any) -> bool:
        """Whether a thing says that it has the value; what it said in an earlier life may not hold."""
        each = self._things.registry.seen(thing)
        if reading is None or each is None or not _same(reading.value, value):
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
        claims = self._arbiter.claims(binding.thing, self._actuator(binding.thing, binding.affordance))
        others = [f"{each.title} ({each.priority})" for each in claims if each.holder != composite.id]
        return Order(
            service=composite.id,
            cause=tuple(dict.fromkeys(position for position, _ in read)),
            decided=wish.now,
            delivery=composite.delivery,
            envelope=composite.roles[binding.role].envelope,
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


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _short(parameters: dict[str, Any]) -> dict[str, Any] | None:
    return parameters if len(encode(parameters)) <= _LONG else None


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 100)
