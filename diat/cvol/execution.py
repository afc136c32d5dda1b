"""Composites at work: bound to what is there, evaluated as readings come, healed when things change.

Everything here happens within the writer's batch: what a reading leads to is committed with the reading.

Invariant: after each batch every composite is bound as ``binding.bind`` says, and every actuator that it
drives was told what its steps say; what it drives is let go when it cannot decide any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diat.cvol.binding import bind
from diat.cvol.composite import Binding, Composite, CompositeState, own_thing
from diat.cvol.interests import Interests
from diat.cvol.running import AT_WORK, News, Runner
from diat.cvol.steps import GREENWICH, Site
from diat.cvol.steps.effects import Drive
from diat.cvol.steps.switching import Dwell
from diat.cvol.wakes import Wakes
from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.interaction import COMPOSITE, Actuation
from diat.vol.layer import VirtualObjectLayer
from diat.vol.twin import Reading

CATCH_UP = 60_000
"""Milliseconds by which a wake may be late and still count as having happened in time."""


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
        site: Site = GREENWICH,
    ) -> None:
        self._things = things
        self._clock = clock
        self._composites: Overlay[str, Composite] = ledger.overlay()
        self._interests = Interests(ledger)
        self.states: Overlay[str, CompositeState] = ledger.overlay("composites", states)
        self._wakes = Wakes()
        self._runner = Runner(things, self._wakes, clock, site)
        things.observers.on_reading = self._on_reading
        things.observers.on_changes = self._on_changes
        things.observers.on_event = self._on_event
        things.interaction.on_end = self._on_end
        things.interaction.on_composite = self._on_set
        things.interaction.arbiter.on_turn = self._on_turn

    def composite(self, service: str) -> Composite | None:
        """The committed composite of a service; any thread may ask."""
        return self._composites.committed.get(service)

    # --- life cycle ---

    def restore(self, composites: Iterable[Composite]) -> None:
        """Start kept composites again; none is bound before the things of all of them are there."""
        composites = list(composites)
        self._things.interaction.arbiter.only(composite.id for composite in composites)
        for composite in composites:
            self._install(composite, self._clock())
            # Known before the first is bound, or two could come to read each other.
            self._interests.hold(composite.id, (), self._holds(composite.id))
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
        self._things.interaction.arbiter.rank(composite.id, composite.title, composite.priority, now)
        self._interests.want(composite)
        state = self._state(composite.id)
        state.own = composite.defaults | {k: v for k, v in state.own.items() if k in composite.settings}
        self._interests.hold(composite.id, (), self._holds(composite.id))
        for binding in state.bindings:
            if binding.role in composite.roles:
                self._watch(composite, binding)
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
            self._runner.rest(composite, state, "paused", now)
        else:
            self._rebind(composite, now)

    def remove(self, service: str) -> None:
        """End a composite: what it drives is let go, its thing is retired."""
        composite = self._composites.get(service)
        if composite is None:
            self._things.interaction.arbiter.release_all(service)
            self.states.remove(service)
            return
        now = self._clock()
        self._runner.rest(composite, self._state(service), "paused", now)
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
        self._things.interaction.arbiter.release_all(service)

    # --- what happens ---

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._wakes.due()

    def tick(self, now: int) -> None:
        """Look at the composites that wanted to be looked at by now, each at the time that it wanted.

        So a timer decides as of its own time, not as of when we got to it, and a replay decides the same.
        After a longer absence it decides as of now.
        """
        for service in self._wakes.pop(now):
            composite = self._composites.get(service)
            state = self.states.get(service)
            if composite is None or composite.paused or state is None or state.wake is None:
                continue
            if state.wake > now:
                self._wakes.plan(service, state.wake)
                continue
            self._rebind(composite, state.wake if now - state.wake < CATCH_UP else now)

    def set_back(self, now: int) -> None:
        """The clock was set back: look at everything at once, as what is planned lies too far ahead."""
        for service, composite in self._composites.items():
            if not composite.paused:
                state = self._state(service)
                state.wake = None
                self._runner.wake_at(composite, state, now)

    def _on_reading(self, service: str, thing: str, name: str, reading: Reading) -> None:
        composite = self._composites.get(service)
        if composite is None or composite.paused:
            return
        now = reading.received
        state = self.states.get(service)
        if state is None or (thing, name) in state.waits:
            self._rebind(composite, now, (thing, name, reading))
        elif state.state in AT_WORK:
            self._runner.run(composite, self._state(service), now, (thing, name, reading))

    def _on_event(self, service: str, thing: str, name: str, reading: Reading) -> None:
        composite = self._composites.get(service)
        state = self.states.get(service)
        if composite is None or composite.paused or state is None or state.state not in AT_WORK:
            return
        self._runner.run(composite, self._state(service), reading.received, (thing, name, reading))

    def _on_set(self, thing: str, name: str, value: Any, now: int) -> None:
        """Somebody sets a property of a composite's own thing."""
        composite = self._composites.get(thing.removeprefix("urn:diat:composite:"))
        if composite is None:
            return
        state = self._state(composite.id)
        state.own[name] = value
        self._things.intake.derive(thing, {name: value}, now, now)
        if state.state in AT_WORK:
            self._runner.run(composite, state, now)

    def _on_end(self, actuation: Actuation) -> None:
        """A command that did not do its work is given again after a while, if it is still wanted."""
        if actuation.service is None or actuation.state == "completed":
            return
        composite = self._composites.get(actuation.service)
        if composite is None or composite.paused:
            return
        state = self._state(composite.id)
        again = self._runner.driver.ended(state, actuation, self._clock())
        if again is not None:
            self._runner.wake_at(composite, state, again)

    def _on_turn(self, service: str, key: str) -> None:
        """Somebody else's claim on an actuator ended, or is stronger: decide anew at once."""
        composite = self._composites.get(service)
        if composite is not None and not composite.paused:
            self._runner.wake_at(composite, self._state(service), self._clock())

    def _on_changes(self, things: list[str]) -> None:
        touched: set[str] = set()
        for thing in things:
            touched |= self._interests.touched(thing, self._things.registry.seen(thing))
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

    def _rebind(self, composite: Composite, now: int, news: News | None = None) -> None:
        state = self._state(composite.id)
        if state.state == "failed":
            return
        try:
            self._fill(composite, state, now)
        except Exception as error:  # noqa: BLE001 - one composite's fault must not stop the ingest of all
            self._runner.give_up(composite, state, error, now)
        if state.state in AT_WORK:
            self._runner.run(composite, state, now, news)

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
        self._interests.regard(composite.id, bound.regarded)
        left = {(b.thing, b.affordance) for b in state.bindings} - {
            (b.thing, b.affordance) for b in bound.bindings
        }
        for thing, name in left:
            self._runner.driver.let_go(composite, state, thing, name, now)
        state.bindings, state.waits = bound.bindings, bound.waits
        state.missing = bound.missing or bound.lacking
        if bound.missing:
            self._runner.rest(composite, state, "waiting", now)
            self._runner.plan_wake(composite, state, None, now)
        else:
            state.state = "degraded" if bound.lacking else "running"

    def _rewatch(
        self,
        composite: Composite,
        state: CompositeState,
        bindings: list[Binding],
        waits: list[tuple[str, str]],
    ) -> None:
        observers = self._things.observers
        watched = {(each.kind, each.thing, each.affordance): each for each in state.bindings}
        watching = {(each.kind, each.thing, each.affordance): each for each in bindings}
        for what in watched.keys() - watching.keys():
            observers.unwatch(composite.id, what[1], what[2], event=what[0] == "event")
        for thing, name in set(state.waits) - set(waits):
            if ("property", thing, name) not in watching:
                observers.unwatch(composite.id, thing, name)
        for what in watching.keys() - watched.keys():
            self._watch(composite, watching[what])
        for thing, name in set(waits) - set(state.waits):
            observers.watch(composite.id, thing, name)
        for each in watching.values():
            if (each.thing, each.affordance) in state.waits:
                self._watch(composite, each)
        self._interests.hold(
            composite.id, (each.thing for each in state.bindings), (each.thing for each in bindings)
        )

    def _watch(self, composite: Composite, binding: Binding) -> None:
        """Be told of what a binding reads."""
        if not composite.roles[binding.role].drives:
            event = binding.kind == "event"
            self._things.observers.watch(composite.id, binding.thing, binding.affordance, event=event)

    def _dependants(self, composite: Composite) -> set[str]:
        """Things of composites that, over however many steps, read from this one; itself included."""
        if composite.thing is None:
            return set()
        depending = self._interests.depending(composite.thing)
        return {composite.thing, *map(own_thing, depending)}

    def _forget(self, composite: Composite) -> None:
        """Undo what deploying it noted elsewhere."""
        state = self._state(composite.id)
        self._rewatch(composite, state, [], [])
        self._interests.forget(composite)

    def _let_go_of_roles(self, known: Composite, changed: Composite, now: int) -> None:
        """Let go of what filled a role that is no more, or is driven otherwise, as the old steps say."""
        state = self._state(known.id)
        before, after = _driving(known), _driving(changed)
        for binding in state.bindings:
            if before.get(binding.role) != after.get(binding.role):
                self._runner.driver.let_go(known, state, binding.thing, binding.affordance, now)

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

    def _holds(self, service: str) -> set[str]:
        """The things that a composite is bound to."""
        state = self.states.get(service)
        return {each.thing for each in state.bindings} if state is not None else set()

    def _state(self, service: str) -> CompositeState:
        """The state to change within this batch."""
        changed = self.states.changes.get(service)
        if changed is not None:
            return changed
        known = self.states.get(service)
        state = known.copy() if known is not None else CompositeState()
        self.states.put(service, state)
        return state


def _driving(composite: Composite) -> dict[str, Any]:
    """The roles that are driven, and what they are brought to when nobody decides."""
    return {step.role: step.otherwise for step in composite.steps if isinstance(step, Drive)}
