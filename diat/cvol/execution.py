"""Composites at work: bound to what is there, evaluated as readings come, healed when things change.

Everything here happens within the writer's batch: what a reading leads to is committed with the reading.

What composites decide depends on what came, in the order of ingest positions, and on times that are noted
(``diat.vol.journal``): neither on how batches fell, nor on the clock, nor on who was told first. Those who
are told of the same take turns by priority; what they say and set themselves comes after all of them.

Invariant: after each batch every composite is bound as ``binding.bind`` says, and every actuator that it
drives was told what its steps say; what it drives is let go when it cannot decide any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from msgspec import Struct

from diat.cvol.binding import bind
from diat.cvol.composite import Binding, Composite, CompositeState, Denied, Driven, Held, own_thing
from diat.cvol.interests import Interests
from diat.cvol.matching import Allow, may_fill
from diat.cvol.running import AT_WORK, News, OnCall, Runner
from diat.cvol.steps import GREENWICH, Site
from diat.cvol.steps.effects import Drive
from diat.cvol.steps.switching import Dwell
from diat.cvol.wakes import Wakes
from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Overlay
from diat.security.decision import Decision
from diat.security.form import form_of
from diat.security.operations import Operation
from diat.vol.arbitration import RANKS, Priority
from diat.vol.interaction import COMPOSITE, Actuation
from diat.vol.journal import COMPOSED, LATE, NOBODY, TIMERS
from diat.vol.layer import VirtualObjectLayer
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading

CATCH_UP = 60_000
"""Milliseconds by which a wake may be late and still count as having happened in time."""


class Remembered(Struct, frozen=True, kw_only=True):
    """What goes with steps when they move to another daemon.

    Attributes:
        steps: step to what it remembers.
        told: step to the value that parts above were last told of it.
        driven: actuator to what it was last told.
    """

    steps: dict[str, Any] = {}
    told: dict[str, Any] = {}
    driven: dict[str, Driven] = {}


AllowFor = Callable[[str, VirtualObject, str, Operation], Decision]
"""What was decided on an operation of a composite, by id, with an affordance of a thing."""


class CompositeLayer:
    """All composites of a daemon; used by the writer alone, but for ``state``.

    Attributes:
        states: service id to what its composite remembers.
        site: where we are.
        on_denied: told, within the batch, what a composite was newly turned down.
        on_own: told, within the batch, of a composite of which a setting was set.
        on_bound: told, within the batch, what a composite is bound to; nothing when it is gone.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        clock: Clock,
        states: Iterable[tuple[str, CompositeState]] = (),
        site: Site = GREENWICH,
        allow: AllowFor | None = None,
    ) -> None:
        """With ``allow``, what each may bind; it may be given later (``allow_by``)."""
        self._allow = allow
        self._things = things
        self._arbiter = things.interaction.arbiter
        self._clock = clock
        self.site = site
        self._composites: Overlay[str, Composite] = ledger.overlay()
        self._interests = Interests(ledger)
        self.states: Overlay[str, CompositeState] = ledger.overlay("composites", states)
        self._wakes = Wakes(ledger)
        self.on_denied: Callable[[str, list[Denied]], None] = _nobody_minds
        self.on_bound: Callable[[Composite, list[Binding]], None] = _nobody_asks
        self.on_own: Callable[[str], None] = _nobody_sets
        self._afterwards: deque[Callable[[], None]] = deque()
        self._telling = False
        self._runner = Runner(things, self._wakes, clock, site, self._later)
        things.observers.on_reading = self._on_reading
        things.observers.on_changes = self._on_changes
        things.observers.on_event = self._on_event
        things.interaction.on_end = self._on_end
        things.interaction.on_composite = self._on_set
        things.interaction.arbiter.on_turn = self._on_turn
        things.interaction.arbiter.on_told = self._on_told

    def composite(self, service: str) -> Composite | None:
        """The committed composite of a service; any thread may ask."""
        return self._composites.committed.get(service)

    def seen(self, service: str) -> Composite | None:
        """The composite as the writer sees it."""
        return self._composites.get(service)

    def everything(self) -> list[tuple[Composite, CompositeState]]:
        """All composites with what they remember, as the writer sees them."""
        found = ((self._composites.get(service), state) for service, state in self.states.items())
        return [(composite, state) for composite, state in found if composite is not None]

    def call_by(self, on_call: OnCall) -> None:
        """Have web hooks called by this."""
        self._runner.on_call = on_call

    # --- what they may ---

    def allow_by(self, allow: AllowFor | None, key: bytes = b"") -> None:
        """Ask this what composites may bind; ``key`` is that of pseudonyms."""
        self._allow, self._runner.key = allow, key

    @property
    def key(self) -> bytes:
        """Of pseudonyms."""
        return self._runner.key

    def allow(self, service: str) -> Allow | None:
        """What a composite may bind; None for anything."""
        return None if self._allow is None else partial(self._allow, service)

    def otherwise_allowed(self) -> list[str]:
        """Composites that may not do any more as they do, or that now may what they were denied.

        Any thread may ask: it looks at what is committed. ``reconsider`` is what then is to be done.
        """
        return [
            service
            for service, composite in list(self._composites.committed.items())
            if not composite.paused and self._otherwise_allowed(composite)
        ]

    def reconsider(self, services: Iterable[str], now: int) -> None:
        """Bind composites anew, because what they may has changed."""

        def tell() -> None:
            for service in self._in_turn(services):
                composite = self._composites.get(service)
                if composite is not None and not composite.paused:
                    self._rebind(composite, now)

        self._tell(tell, self._things.journal.position)

    def _otherwise_allowed(self, composite: Composite) -> bool:
        state, allow = self.states.committed.get(composite.id), self.allow(composite.id)
        if state is None or allow is None:
            return False
        things = self._things.registry.objects.committed
        for binding in state.bindings:
            each, role = things.get(binding.thing), composite.roles.get(binding.role)
            if each is None or role is None:
                continue
            decided = may_fill(allow, each, binding, drives=role.drives)
            form = None if role.drives else form_of(decided)
            if decided.effect == "deny" or form != binding.form:
                return True
        for denied in state.denied:
            each, role = things.get(denied.thing), composite.roles.get(denied.role)
            if each is None or role is None:
                continue
            if may_fill(allow, each, denied, drives=role.drives).effect != "deny":
                return True
        return False

    # --- life cycle ---

    def restore(self, composites: Iterable[Composite]) -> None:
        """Start kept composites again; none is bound before the things of all of them are there."""
        composites = list(composites)
        now = self._clock()
        undone = {"wakes": {each.id: self._state(each.id).wake for each in composites}}
        claims = self._arbiter.due()
        for composite in composites:
            self._install(composite, now)
            # Known before the first is bound, or two could come to read each other.
            self._interests.hold(composite.id, (), self._holds(composite.id))
        self._things.journal.begin({**undone, "claims": claims}, now)
        for composite in composites:
            self.deploy(composite, now)
        self._arbiter.only((composite.id for composite in composites), now)

    def deploy(self, composite: Composite, now: int | None = None) -> None:
        """Take a composite into service, or put a changed one in its place; what still fits stays bound."""
        at = self._clock() if now is None else now
        self._things.journal.note(NOBODY, COMPOSED, composite.request(), at)
        self._tell(lambda: self._deploy(composite, at))

    def _deploy(self, composite: Composite, now: int) -> None:
        known = self._composites.get(composite.id)
        if known is not None:
            self._let_go_of_roles(known, composite, now)
            self._forget(known)
            self._let_go_of_steps(known, composite)
        self._install_changed(known, composite, now)

    def _install_changed(self, known: Composite | None, composite: Composite, now: int) -> None:
        self._composites.put(composite.id, composite)
        self._arbiter.rank(composite.id, composite.title, composite.priority, now)
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
        now = self._clock()
        if composite is None:
            self._arbiter.release_all(service, now)
            self.states.remove(service)
            return
        self._things.journal.note(NOBODY, COMPOSED, {"id": service, "gone": True}, now)
        self._tell(lambda: self._runner.rest(composite, self._state(service), "paused", now))
        self._forget(composite)
        self._composites.remove(service)
        self.states.remove(service)
        if composite.thing is not None:
            self._things.registry.retire(composite.thing, now)
            self._things.observers.changed(composite.thing)

    def holding(self, thing: str) -> list[str]:
        """The composites that are bound to a thing, by id."""
        return sorted(self._interests.holding(thing))

    def would_bind(self, composite: Composite) -> list[Binding]:
        """What would fill the roles of a composite now."""
        state = self.states.get(composite.id)
        current = state.bindings if state is not None else []
        twin, registry = self._things.intake.twin, self._things.registry
        own = self.dependants(composite)
        return bind(composite, current, registry, twin, self._clock(), own, self.allow(composite.id)).bindings

    # --- moving between daemons ---

    @property
    def position(self) -> int:
        """Ingest position of what came last."""
        return self._things.journal.position

    def values(self, service: str) -> dict[str, Any]:
        """What the steps of a composite at work have to say now; nothing is remembered of it."""
        composite, state = self._composites.get(service), self.states.get(service)
        if composite is None or state is None or state.state not in AT_WORK:
            return {}
        return self._runner.values(composite, state.copy(), self._clock())

    def remembered(self, service: str) -> Remembered:
        """What a composite remembers that another daemon needs to go on with it."""
        state = self.states.get(service) or CompositeState()
        return Remembered(steps=dict(state.steps), told=dict(state.told), driven=dict(state.driven))

    def move(self, composite: Composite, lays_in: Remembered | None = None, *, holds: bool = False) -> None:
        """Put a composite in the place of the one of its id, of which some steps run elsewhere from now on.

        What it drives no longer is not let go: it is driven from there. What is none of its steps is
        forgotten.

        Args:
            composite: what runs from now on.
            lays_in: what its steps remember, beside what they do already.
            holds: whether it waits with what comes until ``go_on``.
        """
        now = self._clock()
        known, state = self._composites.get(composite.id), self._state(composite.id)
        if known is not None:
            gone = set(_driving(known)) - set(_driving(composite))
            self._hand_over(known, state, gone, now)
        if holds and state.held is None:
            state.held = []
        same = {step.id for step in composite.steps if known is not None and step in known.steps}
        state.steps = {name: memory for name, memory in state.steps.items() if name in same}
        self._lay_in(state, lays_in)
        names = {step.id for step in composite.steps}
        kept = {name: memory for name, memory in state.steps.items() if name in names}
        state.told = {name: value for name, value in state.told.items() if name in composite.tells}
        if known is None:
            state.state = "running"
        self._things.journal.note(NOBODY, COMPOSED, composite.request(), now)

        def tell() -> None:
            if known is not None:
                self._forget(known)
            state.steps = kept
            self._install_changed(known, composite, now)

        self._tell(tell)

    def go_on(self, service: str, lays_in: Remembered, before: Iterable[Held] = ()) -> None:
        """Lay in what another daemon remembered, and run on what came meanwhile, at its own times.

        ``before`` is what the other daemon was not told, from before this one waited.
        """
        composite, state = self._composites.get(service), self._state(service)
        held, state.held = [*before, *(state.held or [])], None
        over, state.overheld = state.overheld, 0
        if over:
            line = (
                f"the service {service} waited for what its steps remembered: {over} readings were given up"
            )
            about = {each.thing for each in held}
            for thing in sorted(about):
                self._things.diagnostics.note(thing, line, self._clock())
        self._lay_in(state, lays_in)
        if composite is None or composite.paused:
            return

        def tell() -> None:
            for each in held:
                at = each.reading.received
                while state.state in AT_WORK and state.wake is not None and state.wake <= at:
                    self._runner.run(composite, state, state.wake)
                if state.state in AT_WORK:
                    self._runner.run(composite, state, at, (each.thing, each.affordance, each.reading))
            self._rebind(composite, self._clock())

        self._tell(tell)

    def take_away(self, service: str) -> Remembered:
        """End a composite that goes on elsewhere: nothing is let go; what it remembers."""
        composite, state = self._composites.get(service), self._state(service)
        found, now = self.remembered(service), self._clock()
        if composite is not None:
            self._hand_over(composite, state, set(_driving(composite)), now)
            self._forget(composite)
            self._composites.remove(service)
            if composite.thing is not None:
                self._things.registry.retire(composite.thing, now)
                self._things.observers.changed(composite.thing)
        self.states.remove(service)
        return found

    def _lay_in(self, state: CompositeState, memory: Remembered | None) -> None:
        if memory is not None:
            state.steps = state.steps | memory.steps
            state.told = state.told | memory.told
            state.driven = state.driven | memory.driven

    def _hand_over(self, known: Composite, state: CompositeState, roles: set[str], now: int) -> None:
        """Give up claims without a word to what is driven."""
        for binding in [each for each in state.bindings if each.role in roles]:
            self._arbiter.release(binding.thing, binding.affordance, known.id, now)
            state.driven.pop(binding.key, None)

    def fail(self, service: str, error: str) -> None:
        """Note that a service cannot be made into a composite."""
        state = self._state(service)
        state.state, state.error, state.bindings, state.missing = "failed", error, [], []
        self._arbiter.release_all(service, self._clock())

    # --- what happens ---

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        wake, end = self._wakes.due(), self._arbiter.due()
        if wake is None or end is None:
            return end if wake is None else wake
        return min(wake, end)

    def tick(self, now: int) -> None:
        """Let claims end, and look at the composites that wanted to be looked at, each at its own time.

        So a timer decides as of its own time, not as of when we got to it, and a replay decides the same.
        After a longer absence it decides as of now.
        """
        due = self.due()
        if due is not None and now - due >= CATCH_UP:
            self._things.journal.note(NOBODY, LATE, None, now)
        while due is not None and due <= now:
            self._arbiter.tick(due)
            self._tell(partial(self._wake, due, now), TIMERS)
            due = self.due()

    def _wake(self, at: int, now: int) -> None:
        for service in self._in_turn(self._wakes.pop(at)):
            composite = self._composites.get(service)
            if composite is None or composite.paused or self.states.get(service) is None:
                continue
            state = self._state(service)
            if state.retry is not None and state.retry <= at:
                self._runner.tell_again(composite, state, now)
            if state.wake is not None and state.wake <= at:
                self._rebind(composite, state.wake if now - state.wake < CATCH_UP else now)
            for each in (state.wake, state.retry):
                if each is not None:
                    self._wakes.plan(service, each)

    def set_back(self, now: int) -> None:
        """The clock was set back: look at everything at once, as what is planned lies too far ahead."""
        for service, composite in self._composites.items():
            if not composite.paused:
                state = self._state(service)
                state.wake = None
                self._runner.wake_at(composite, state, now)
                if state.retry is not None:
                    state.retry = now

    def _on_reading(self, services: list[str], thing: str, name: str, reading: Reading) -> None:
        def tell() -> None:
            for service in self._in_turn(services):
                self._read(service, (thing, name, reading))

        self._tell(tell, reading.position)

    def _read(self, service: str, news: News) -> None:
        composite = self._composites.get(service)
        if composite is None or composite.paused:
            return
        thing, name, reading = news
        state = self.states.get(service)
        if state is not None and state.held is not None:
            self._state(service).hold(Held(thing, name, reading))
        elif state is None or (thing, name) in state.waits:
            self._rebind(composite, reading.received, news)
        elif state.state in AT_WORK:
            of = [each for each in state.bindings if (each.thing, each.affordance) == (thing, name)]
            if of and all(composite.roles[each.role].drives for each in of):
                self._regard(composite, of[0].key, reading.received)
            else:
                self._runner.run(composite, self._state(service), reading.received, news)

    def _on_event(self, services: list[str], thing: str, name: str, reading: Reading) -> None:
        def tell() -> None:
            for service in self._in_turn(services):
                composite, state = self._composites.get(service), self.states.get(service)
                if composite is None or composite.paused or state is None or state.state not in AT_WORK:
                    continue
                if state.held is not None:
                    self._state(service).hold(Held(thing, name, reading))
                    continue
                self._runner.run(composite, self._state(service), reading.received, (thing, name, reading))

        self._tell(tell, reading.position)

    def _on_set(self, thing: str, name: str, value: Any, now: int) -> None:
        """Somebody sets a property of a composite's own thing."""
        composite = self._composites.get(thing.removeprefix("urn:diat:composite:"))
        if composite is not None:
            self._later(lambda: self._set(composite, name, value, now))

    def _set(self, composite: Composite, name: str, value: Any, now: int) -> None:
        state = self._state(composite.id)
        state.own[name] = value
        self._things.intake.derive(str(composite.thing), {name: value}, now, now)
        self.on_own(composite.id)
        if state.state in AT_WORK and state.held is None:
            self._runner.run(composite, state, now)

    def _on_end(self, actuation: Actuation) -> None:
        """A command that did not do its work is given again after a while, if it is still wanted."""
        composite = self._composites.get(actuation.service or "")
        if composite is None or composite.paused:
            return
        if actuation.state != "completed":
            self._runner.driver.ended(composite, self._state(composite.id), actuation)
            return
        self._regard(composite, f"{actuation.thing} {actuation.affordance}", self._clock())

    def _regard(self, composite: Composite, key: str, now: int) -> None:
        """What an actuator has is known anew: if that is not what it was told, it is told again."""
        state, driver = self.states.get(composite.id), self._runner.driver
        if state is not None and state.state in AT_WORK and driver.strays(composite, state, key):
            driver.bring_back(composite, self._state(composite.id), key, now)

    def _on_turn(self, service: str, key: str, now: int) -> None:
        """Somebody else's claim on an actuator ended, or is stronger: decide anew at once."""
        composite = self._composites.get(service)
        if composite is not None and not composite.paused:
            self._runner.wake_at(composite, self._state(service), now)

    def _on_told(self, service: str, key: str) -> None:
        """An actuator that a service waits for was told something by who drives it: that may degrade it."""
        composite = self._composites.get(service)
        if composite is not None and not composite.paused:
            state = self._state(service)
            self._runner.driver.others_told(composite, state, key)
            if state.state in AT_WORK:
                state.state = "degraded" if state.missing or state.outranked else "running"

    def _on_changes(self, things: list[str], now: int) -> None:
        touched: set[str] = set()
        for thing in things:
            touched |= self._interests.touched(thing, self._things.registry.seen(thing))

        def tell() -> None:
            for service in self._in_turn(touched):
                composite = self._composites.get(service)
                if composite is not None and not composite.paused:
                    self._rebind(composite, now)

        self._tell(tell, self._things.journal.position)

    # --- turns ---

    def _in_turn(self, services: Iterable[str]) -> list[str]:
        """Services in the order in which they are told of the same: by priority, then by id."""
        told = list(services)
        return told if len(told) < 2 else sorted(told, key=self._turn)

    def _turn(self, service: str) -> tuple[int, str]:
        composite = self._composites.get(service)
        return turn(service, composite.priority if composite is not None else "convenience")

    def _tell(self, tell: Callable[[], None], within: int = 0) -> None:
        """Tell composites of something, and then of what they said and set because of it, in that order.

        Args:
            tell: does so.
            within: ingest position of what they are told of; see ``Journal.within``.
        """
        journal, telling = self._things.journal, self._telling
        before, journal.within = journal.within, within
        self._telling = True
        try:
            tell()
            while not telling and self._afterwards:
                self._afterwards.popleft()()
        finally:
            journal.within, self._telling = before, telling
            if not telling:
                self._afterwards.clear()

    def _later(self, act: Callable[[], None]) -> None:
        """Do something once all composites that are just being told have been."""
        if self._telling:
            self._afterwards.append(act)
        else:
            self._tell(act)

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
        if state.state in AT_WORK and state.held is None:
            self._runner.run(composite, state, now, news)

    def _fill(self, composite: Composite, state: CompositeState, now: int) -> None:
        """Bind the roles to what is there; rest if a required one is unmet."""
        bound = bind(
            composite,
            state.bindings,
            self._things.registry,
            self._things.intake.twin,
            now,
            self.dependants(composite),
            self.allow(composite.id),
        )
        self._rewatch(composite, state, bound.bindings, bound.waits)
        self._interests.regard(composite.id, bound.regarded)
        left = {(b.thing, b.affordance) for b in state.bindings} - {
            (b.thing, b.affordance) for b in bound.bindings
        }
        for thing, name in sorted(left):
            self._runner.driver.let_go(composite, state, thing, name, now)
        state.bindings, state.waits = bound.bindings, bound.waits
        state.missing = bound.missing or bound.lacking
        if bound.denied != state.denied:
            self.on_denied(composite.id, [each for each in bound.denied if each not in state.denied])
            state.denied = bound.denied
        state.coarse = {
            key: told for key, told in state.coarse.items() if any(b.key == key for b in bound.bindings)
        }
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
        self.on_bound(composite, bindings)

    def _watch(self, composite: Composite, binding: Binding) -> None:
        """Be told of what a binding reads, and of what a property that it drives has."""
        if binding.kind == "property" or not composite.roles[binding.role].drives:
            event = binding.kind == "event"
            self._things.observers.watch(composite.id, binding.thing, binding.affordance, event=event)

    def dependants(self, composite: Composite) -> set[str]:
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


def turn(service: str, priority: Priority) -> tuple[int, str]:
    """What decides who is told of the same first: the lower."""
    return RANKS[priority], service


def _driving(composite: Composite) -> dict[str, Any]:
    """The roles that are driven, and what they are brought to when nobody decides."""
    return {step.role: step.otherwise for step in composite.steps if isinstance(step, Drive)}


def _nobody_sets(composite: str) -> None:
    """Stands in until parts run elsewhere."""


def _nobody_asks(composite: Composite, bindings: list[Binding]) -> None:
    """Stands in until somebody asks things for what is read."""


def _nobody_minds(service: str, denied: list[Denied]) -> None:
    """Stands in until somebody listens."""
