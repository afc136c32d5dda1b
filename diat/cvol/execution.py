"""Composites at work: bound to what is there, evaluated as readings come, healed when things change.

Everything here happens within the writer's batch: what a reading leads to is committed with the reading.

Invariant: after each batch every composite is bound as ``binding.bind`` says, and every actuator that it
drives was told what its steps say; what it drives is let go when it cannot decide any more.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Iterable
from typing import Any

from diat.cvol.binding import bind
from diat.cvol.composite import Composite, CompositeState, Driven
from diat.cvol.matching import COMPOSITE, Wanted, freshness
from diat.cvol.steps import Drive, Dwell, Given, Sample
from diat.kernel.clock import Clock
from diat.kernel.errors import Refused
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.interaction import Actuation
from diat.vol.layer import VirtualObjectLayer
from diat.vol.twin import Reading
from diat.wot.units import converter

_LOG = logging.getLogger("diat.cvol")
AT_WORK = ("running", "degraded")
LOST = "lost"
"""Stands for the id of a command that did not do its work."""
RETRY = 10_000
"""Milliseconds after which an actuator that does not do as told is told again."""


class CompositeLayer:
    """All composites of a daemon; used by the writer alone, but for ``state``.

    Attributes:
        states: service id to what its composite remembers.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        clock: Clock,
        states: Iterable[tuple[str, CompositeState]] = (),
    ) -> None:
        self._things = things
        self._clock = clock
        self._composites: Overlay[str, Composite] = ledger.overlay()
        self._by_quantity: Index[str] = ledger.index()
        self._bound: Index[str] = ledger.index()
        self.states: Overlay[str, CompositeState] = ledger.overlay("composites", states)
        self._wakes: list[tuple[int, str]] = []
        self._planned: dict[str, int] = {}
        things.observers.on_reading = self._on_reading
        things.observers.on_changes = self._on_changes
        things.interaction.on_end = self._on_end

    def composite(self, service: str) -> Composite | None:
        """The committed composite of a service; any thread may ask."""
        return self._composites.committed.get(service)

    # --- life cycle ---

    def restore(self, composites: Iterable[Composite]) -> None:
        """Start kept composites again; none is bound before the things of all of them are there."""
        composites = list(composites)
        for composite in composites:
            self._install(composite, self._clock())
        for composite in composites:
            self.deploy(composite)

    def deploy(self, composite: Composite) -> None:
        """Take a composite into service, or put a changed one in its place; what still fits stays bound."""
        known = self._composites.get(composite.id)
        now = self._clock()
        if known is not None:
            self._let_go_of_roles(known, composite, now)
            self._forget(known)
            self._let_go_of_steps(known, composite)
        self._composites.put(composite.id, composite)
        for role in composite.roles.values():
            self._by_quantity.add(role.quantity, composite.id)
        state = self._state(composite.id)
        for thing in {binding.thing for binding in state.bindings}:
            self._bound.add(thing, composite.id)
        for binding in state.bindings:
            if composite.roles.get(binding.role) and composite.roles[binding.role].capability == "read":
                self._things.observers.watch(composite.id, binding.thing, binding.affordance)
        for thing, name in state.waits:
            self._things.observers.watch(composite.id, thing, name)
        if state.state == "failed":
            # What failed is tried again when it is changed, and at each start.
            state.state, state.error = "waiting", None
        if composite.thing is not None:
            self._install(composite, now)
        elif known is not None and known.thing is not None:
            self._things.registry.retire(known.thing, now)
            self._things.observers.changed(known.thing)
        if composite.paused:
            self._rest(composite, state, "paused", now)
        else:
            self._rebind(composite, now)

    def remove(self, service: str) -> None:
        """End a composite: what it drives is let go, its thing is retired."""
        composite = self._composites.get(service)
        if composite is None:
            self.states.remove(service)
            return
        now = self._clock()
        self._rest(composite, self._state(service), "paused", now)
        self._forget(composite)
        self._composites.remove(service)
        self.states.remove(service)
        if composite.thing is not None:
            self._things.registry.retire(composite.thing, now)
            self._things.observers.changed(composite.thing)

    def fail(self, service: str, error: str) -> None:
        """Note that a service cannot be made into a composite."""
        state = self._state(service)
        state.state, state.error, state.bindings, state.missing = "failed", error, [], []

    # --- what happens ---

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._wakes[0][0] if self._wakes else None

    def tick(self, now: int) -> None:
        """Look at the composites that wanted to be looked at by now."""
        while self._wakes and self._wakes[0][0] <= now:
            at, service = heapq.heappop(self._wakes)
            if self._planned.get(service) != at:
                continue  # an earlier wake has taken its place
            del self._planned[service]
            composite = self._composites.get(service)
            state = self.states.get(service)
            if composite is None or composite.paused or state is None or state.wake is None:
                continue
            # Looked at once more: should this batch fail, the composite still wants to be woken then.
            self._planned[service] = max(now + 1000, state.wake)
            heapq.heappush(self._wakes, (self._planned[service], service))
            if state.wake <= now:
                self._rebind(composite, now)

    def _on_reading(self, service: str, thing: str, name: str, reading: Reading) -> None:
        composite = self._composites.get(service)
        if composite is None or composite.paused:
            return
        now = self._clock()
        state = self.states.get(service)
        if state is None or (thing, name) in state.waits:
            self._rebind(composite, now)
        elif state.state in AT_WORK:
            self._evaluate(composite, self._state(service), now)

    def _on_end(self, actuation: Actuation) -> None:
        """A command that did not do its work is given again after a while, if it is still wanted."""
        if actuation.service is None or actuation.state == "completed":
            return
        composite = self._composites.get(actuation.service)
        if composite is None or composite.paused:
            return
        state = self._state(composite.id)
        key = f"{actuation.thing} {actuation.affordance}"
        told = state.driven.get(key)
        if told is not None and told.actuation == actuation.id:
            now = self._clock()
            state.driven[key] = Driven(told.value, LOST, now)
            self._wake_at(composite, state, now + RETRY)

    def _on_changes(self, things: list[str]) -> None:
        touched: set[str] = set()
        for thing in things:
            touched.update(self._bound.members(thing))
            each = self._things.registry.seen(thing)
            if each is None:
                continue
            for prop in each.properties.values():
                affected = prop.affects.quantity if prop.affects is not None else None
                for quantity in (prop.quantity, affected):
                    if quantity is not None:
                        touched.update(self._by_quantity.members(quantity))
        now = self._clock()
        for service in sorted(touched):
            composite = self._composites.get(service)
            if composite is not None and not composite.paused:
                self._rebind(composite, now)

    # --- binding ---

    def _install(self, composite: Composite, now: int) -> None:
        """Put the composite's own thing, if it makes one, among the others."""
        if composite.thing is not None:
            self._things.registry.install(
                composite.thing, COMPOSITE, composite.id, composite.description(), now
            )
            self._things.observers.changed(composite.thing)

    def _rebind(self, composite: Composite, now: int) -> None:
        state = self._state(composite.id)
        if state.state == "failed":
            return
        try:
            self._fill(composite, state, now)
        except Exception as error:  # noqa: BLE001 - one composite's fault must not stop the ingest of all
            self._give_up(composite, state, error, now)
        if state.state in AT_WORK:
            self._evaluate(composite, state, now)

    def _fill(self, composite: Composite, state: CompositeState, now: int) -> None:
        """Bind the roles to what is there; rest if a required one is unmet."""
        bound = bind(
            composite,
            state.bindings,
            self._things.registry,
            self._things.intake.twin,
            now,
            self._dependants(composite),
        )
        self._rewatch(composite, state, bound.bindings, bound.waits)
        left = {(b.thing, b.affordance) for b in state.bindings} - {
            (b.thing, b.affordance) for b in bound.bindings
        }
        for thing, name in left:
            self._let_go(composite, state, thing, name, now)
        state.bindings, state.waits = bound.bindings, bound.waits
        state.missing = bound.missing or bound.lacking
        if bound.missing:
            self._rest(composite, state, "waiting", now)
            self._plan_wake(composite, state, None, now)
        else:
            state.state = "degraded" if bound.lacking else "running"

    def _rewatch(
        self, composite: Composite, state: CompositeState, bindings: list[Any], waits: list[tuple[str, str]]
    ) -> None:
        reads = {name for name, role in composite.roles.items() if role.capability == "read"}
        before = {(b.thing, b.affordance) for b in state.bindings if b.role in reads} | set(state.waits)
        after = {(b.thing, b.affordance) for b in bindings if b.role in reads} | set(waits)
        for thing, name in before - after:
            self._things.observers.unwatch(composite.id, thing, name)
        for thing, name in after - before:
            self._things.observers.watch(composite.id, thing, name)
        held, holds = {b.thing for b in state.bindings}, {b.thing for b in bindings}
        for thing in held - holds:
            self._bound.discard(thing, composite.id)
        for thing in holds - held:
            self._bound.add(thing, composite.id)

    def _dependants(self, composite: Composite) -> set[str]:
        """Things of composites that, over however many steps, read from this one; itself included."""
        if composite.thing is None:
            return set()
        found = {composite.thing}
        grown = True
        while grown:
            grown = False
            for service, state in self.states.items():
                other = self._composites.get(service)
                if other is None or other.thing is None or other.thing in found:
                    continue
                if any(binding.thing in found for binding in state.bindings):
                    found.add(other.thing)
                    grown = True
        return found

    def _forget(self, composite: Composite) -> None:
        """Undo what deploying it noted elsewhere."""
        state = self._state(composite.id)
        self._rewatch(composite, state, [], [])
        for role in composite.roles.values():
            self._by_quantity.discard(role.quantity, composite.id)

    def _let_go_of_roles(self, known: Composite, changed: Composite, now: int) -> None:
        """Let go of what filled a role that is no more, or is driven otherwise, as the old steps say."""
        state = self._state(known.id)
        before, after = _driving(known), _driving(changed)
        for binding in state.bindings:
            if before.get(binding.role) != after.get(binding.role):
                self._let_go(known, state, binding.thing, binding.affordance, now)

    def _let_go_of_steps(self, known: Composite, changed: Composite) -> None:
        """Steps that changed begin anew; the others, and what a least time is counted from, go on."""
        state = self._state(known.id)
        earlier = {step.id: step for step in known.steps}
        same = {
            step.id
            for step in changed.steps
            if step == (was := earlier.get(step.id)) or (isinstance(step, Dwell) and isinstance(was, Dwell))
        }
        state.steps = {name: kept for name, kept in state.steps.items() if name in same}

    # --- evaluation ---

    def _evaluate(self, composite: Composite, state: CompositeState, now: int) -> None:
        try:
            self._run(composite, state, now)
        except Exception as error:  # noqa: BLE001 - one composite's fault must not stop the ingest of all
            self._give_up(composite, state, error, now)

    def _give_up(self, composite: Composite, state: CompositeState, error: Exception, now: int) -> None:
        _LOG.error("service %s failed", composite.id, exc_info=error)
        state.error = f"{type(error).__name__}: {error}"[:500]
        self._rest(composite, state, "failed", now)

    def _run(self, composite: Composite, state: CompositeState, now: int) -> None:
        filled = frozenset(binding.role for binding in state.bindings)
        samples = {name: self._samples(role, state, now) for name, role in composite.roles.items()}
        values: dict[str, Any] = {}
        dues: list[int] = []
        for step in composite.steps:
            role = getattr(step, "role", None)
            source = getattr(step, "input", None)
            given = Given(
                samples.get(role, []) if role is not None else [],
                values.get(source) if source is not None else None,
                state.steps.get(step.id),
                now,
                filled,
            )
            outcome = step.run(given)
            values[step.id] = outcome.value
            if outcome.state is not None:
                state.steps[step.id] = outcome.state
            if outcome.due is not None:
                dues.append(outcome.due)
            if isinstance(step, Drive) and outcome.value is not None:
                cause = tuple(sorted({s.position for each in samples.values() for s in each}))[-20:]
                retry = self._drive(composite, state, step.role, outcome.value, cause, now)
                if retry is not None:
                    dues.append(retry)
        self._derive(composite, state, values, samples, now)
        self._plan_wake(composite, state, min(dues, default=None), now)

    def _samples(self, role: Wanted, state: CompositeState, now: int) -> list[Sample]:
        if role.capability != "read":
            return []
        found = []
        for binding in state.bindings:
            if binding.role != role.name:
                continue
            reading = self._things.intake.twin(binding.thing).values.get(binding.affordance)
            if reading is None:
                continue
            unit = role.unit or binding.unit
            convert = converter(binding.unit, unit, role.quantity) if binding.unit and unit else None
            value = _number(reading.value)
            if value is not None and convert is not None:
                value = convert(value)
            if value is None or not math.isfinite(value):
                continue
            found.append(Sample(value, reading.observed, reading.position))
        return found

    def _drive(
        self,
        composite: Composite,
        state: CompositeState,
        role: str,
        value: Any,
        cause: tuple[int, ...],
        now: int,
    ) -> int | None:
        """Tell whatever fills the role the value, unless it was told and does so; when to look again."""
        again = None
        for binding in state.bindings:
            if binding.role != role:
                continue
            key = f"{binding.thing} {binding.affordance}"
            told = state.driven.get(key)
            reading = self._things.intake.twin(binding.thing).values.get(binding.affordance)
            if told is None and self._has(binding.thing, reading, value):
                state.driven[key] = Driven(value, "", now)
                continue
            if told is not None and told.value == value:
                if not self._strayed(told, reading, value):
                    continue
                if now - told.at < RETRY:
                    again = told.at + RETRY if again is None else min(again, told.at + RETRY)
                    continue
            try:
                actuation = self._things.interaction.write(
                    binding.thing, binding.affordance, value, now, service=composite.id, cause=cause
                )
            except Refused as refusal:
                self._things.diagnostics.note(
                    binding.thing, f"service {composite.title!r} could not drive it: {refusal}", now
                )
                state.driven[key] = Driven(value, "", now)
            else:
                state.driven[key] = Driven(value, actuation.id, now)
        return again

    def _has(self, thing: str, reading: Reading | None, value: Any) -> bool:
        """Whether a thing says that it has the value; what it said in an earlier life may not hold."""
        each = self._things.registry.seen(thing)
        if reading is None or each is None or reading.value != value:
            return False
        return reading.received >= max(each.record.modified, self._things.intake.twin(thing).since)

    def _strayed(self, told: Driven, reading: Reading | None, value: Any) -> bool:
        """Whether an actuator that was told the value does not have it."""
        if told.actuation == LOST:
            return True
        waiting = self._things.interaction.outbox.get(told.actuation)
        if waiting is not None and waiting.open:
            return False
        return reading is not None and reading.observed > told.at and reading.value != value

    def _derive(
        self,
        composite: Composite,
        state: CompositeState,
        values: dict[str, Any],
        samples: dict[str, list[Sample]],
        now: int,
    ) -> None:
        if composite.thing is None:
            return
        observed = max((s.observed for each in samples.values() for s in each), default=now)
        fresh = {}
        for name, derived in composite.derives.items():
            value = values.get(derived.from_)
            if value is not None and state.derived.get(name) != (value, observed):
                state.derived[name] = (value, observed)
                fresh[name] = value
        if fresh:
            self._things.intake.derive(composite.thing, fresh, observed, now)
        elif state.derived and self._things.intake.twin(composite.thing).status != "online":
            self._things.intake.set_status(composite.thing, "online", now)

    # --- resting ---

    def _rest(self, composite: Composite, state: CompositeState, why: Any, now: int) -> None:
        """Stop deciding: let go of what is driven, say that the composite's thing is not there."""
        if state.state != why:
            for binding in list(state.bindings):
                self._let_go(composite, state, binding.thing, binding.affordance, now)
            # Switches begin anew when there is something to decide on again, but for least times.
            state.steps = _held(composite, state.steps, now)
        state.state = why
        state.wake = None
        if composite.thing is not None and self._things.registry.seen(composite.thing) is not None:
            self._things.intake.set_status(composite.thing, "offline", now)

    def _let_go(self, composite: Composite, state: CompositeState, thing: str, name: str, now: int) -> None:
        """Bring an actuator back to what its step says it should be when nobody decides."""
        key = f"{thing} {name}"
        told = state.driven.pop(key, None)
        if told is None or self._things.registry.seen(thing) is None:
            return
        roles = {b.role for b in state.bindings if (b.thing, b.affordance) == (thing, name)}
        for step in composite.steps:
            if not isinstance(step, Drive) or step.role not in roles or step.otherwise is None:
                continue
            # What it is told now is remembered: its readings may speak of what it was told before.
            state.driven[key] = told
            if told.value == step.otherwise:
                continue
            try:
                given = self._things.interaction.write(thing, name, step.otherwise, now, service=composite.id)
            except Refused as refusal:
                self._things.diagnostics.note(
                    thing, f"service {composite.title!r} could not let go of it: {refusal}", now
                )
                del state.driven[key]
            else:
                state.driven[key] = Driven(step.otherwise, given.id, now)

    def _plan_wake(self, composite: Composite, state: CompositeState, due: int | None, now: int) -> None:
        """Wake when a step wants to, or when a bound reading grows too old."""
        wakes = [due] if due is not None else []
        for binding in state.bindings:
            role = composite.roles[binding.role]
            each = self._things.registry.seen(binding.thing)
            if role.capability != "read" or each is None:
                continue
            prop = each.properties.get(binding.affordance)
            reading = self._things.intake.twin(binding.thing).values.get(binding.affordance)
            if prop is not None and reading is not None:
                wakes.append(reading.observed + round(freshness(role, prop) * 1000) + 1)
        state.wake = None
        if wakes:
            self._wake_at(composite, state, max(now + 1, min(wakes)))

    def _wake_at(self, composite: Composite, state: CompositeState, wake: int) -> None:
        """Be woken at a time, or earlier if that is planned."""
        if state.wake is not None and state.wake <= wake:
            return
        state.wake = wake
        planned = self._planned.get(composite.id)
        if planned is None or wake < planned:
            self._planned[composite.id] = wake
            heapq.heappush(self._wakes, (wake, composite.id))
            if len(self._wakes) > 2 * len(self._planned) + 16:
                self._wakes = [(at, service) for service, at in self._planned.items()]
                heapq.heapify(self._wakes)

    def _state(self, service: str) -> CompositeState:
        """The state to change within this batch."""
        changed = self.states.changes.get(service)
        if changed is not None:
            return changed
        known = self.states.get(service)
        state = known.copy() if known is not None else CompositeState()
        self.states.put(service, state)
        return state


def _number(value: Any) -> float | None:
    """A value as a number; a thing described anew may still have one from before that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _driving(composite: Composite) -> dict[str, bool | None]:
    """The roles that are driven, and what they are brought to when nobody decides."""
    return {step.role: step.otherwise for step in composite.steps if isinstance(step, Drive)}


def _held(composite: Composite, steps: dict[str, Any], now: int) -> dict[str, Any]:
    """What least times remember of switches that are let go: off is off, whoever switches."""
    held = {}
    dwells = {step.id for step in composite.steps if isinstance(step, Dwell)}
    for step in composite.steps:
        if isinstance(step, Drive) and step.input in dwells and step.input in steps:
            position, since = steps[step.input]
            let_go = step.otherwise is not None and step.otherwise != position
            held[step.input] = [step.otherwise, now] if let_go else [position, since]
    return held
