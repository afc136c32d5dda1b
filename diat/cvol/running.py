"""Running one composite: evaluated on what came, its wishes carried out, its own thing told.

Everything here happens within the writer's batch.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from diat.cvol.binding import SETTLED
from diat.cvol.composite import Binding, Composite, CompositeState, Told
from diat.cvol.driving import Driver, Wish
from diat.cvol.evaluation import Evaluated, Inputs, evaluate
from diat.cvol.matching import freshness
from diat.cvol.steps import Sample, Site
from diat.cvol.steps.effects import Drive, Webhook
from diat.cvol.steps.parts import TOLD
from diat.cvol.steps.switching import Dwell
from diat.cvol.wakes import Wakes
from diat.cvol.wanted import Wanted
from diat.kernel.clock import Clock
from diat.security.form import Form
from diat.vol.layer import VirtualObjectLayer
from diat.vol.twin import Reading
from diat.wot.units import converter

_LOG = logging.getLogger("diat.cvol")
AT_WORK = ("running", "degraded")
OnCall = Callable[[Composite, Webhook, Any, int], None]
"""Called with composite, step, what is to be told and the time."""
News = tuple[str, str, Reading]
"""Thing, affordance and reading: what came just now."""
Later = Callable[[Callable[[], None]], None]
"""Does something once everybody has been told of what is just being told."""


class Runner:
    """Runs composites; used by the writer alone.

    Attributes:
        driver: carries out what they want.
        on_call: takes what a web hook is to be told.
        key: of pseudonyms.
    """

    def __init__(
        self, things: VirtualObjectLayer, wakes: Wakes, clock: Clock, site: Site, later: Later
    ) -> None:
        """With ``later``, what they say of themselves comes after what made them say it."""
        self._things = things
        self._wakes = wakes
        self._site = site
        self._later = later
        self.driver = Driver(things, wakes, clock)
        self.on_call: OnCall = _nobody_calls
        self.key = b""
        self._shaped: dict[str, tuple[Reading, Reading]] = {}

    def run(self, composite: Composite, state: CompositeState, now: int, news: News | None = None) -> None:
        """Evaluate it and do what it wants; a fault of its own ends it and nothing else."""
        try:
            self._run(composite, state, now, news)
        except Exception as error:  # noqa: BLE001 - one composite's fault must not stop the ingest of all
            self.give_up(composite, state, error, now)

    def values(self, composite: Composite, state: CompositeState, now: int) -> dict[str, Any]:
        """What its steps have to say, evaluated on what is there; nothing comes of it."""
        bound: dict[str, list[str]] = {name: [] for name in composite.roles}
        for binding in state.bindings:
            bound[binding.role].append(binding.key)
        inputs = Inputs(
            samples=self._samples(composite, state),
            bound=bound,
            own=state.own | composite.fixed,
            site=self._site,
            now=now,
        )
        return evaluate(composite, state.steps, inputs).values

    def give_up(self, composite: Composite, state: CompositeState, error: Exception, now: int) -> None:
        """Let it fail: it lets go of what it drives, and says why."""
        _LOG.error("service %s failed", composite.id, exc_info=error)
        state.error = f"{type(error).__name__}: {error}"[:500]
        self.rest(composite, state, "failed", now)

    def _run(self, composite: Composite, state: CompositeState, now: int, news: News | None) -> None:
        bound: dict[str, list[str]] = {name: [] for name in composite.roles}
        for binding in state.bindings:
            bound[binding.role].append(binding.key)
        self._shaped.clear()
        samples = self._samples(composite, state)
        inputs = Inputs(
            samples=samples,
            arrived=self._arrived(composite, state, news) if news is not None else {},
            bound=bound,
            own=state.own | composite.fixed if composite.fixed else state.own,
            site=self._site,
            now=now,
        )
        evaluated = evaluate(composite, state.steps, inputs)
        state.steps, state.notes = evaluated.memory, evaluated.notes
        dues = [] if evaluated.due is None else [evaluated.due]
        seen = (*samples.values(), *inputs.arrived.values())
        for step in composite.drives:
            again = self.driver.drive(composite, state, Wish(step, evaluated.values, seen, now))
            if again is not None:
                dues.append(again)
        self._call(composite, evaluated.values, now)
        self._derive(composite, state, evaluated.values, samples, now)
        self._emit(composite, state, evaluated.values, now)
        if composite.tells:
            self._tell(composite, state, evaluated, now)
        if state.state in AT_WORK:
            state.state = "degraded" if state.missing or state.outranked else "running"
        self.plan_wake(composite, state, min(dues, default=None), now)

    def _samples(self, composite: Composite, state: CompositeState) -> dict[str, list[Sample]]:
        """For each role the newest sample of each property that fills it."""
        found: dict[str, list[Sample]] = {name: [] for name in composite.roles}
        ranks = dict.fromkeys(composite.roles, 0)
        twin = self._things.intake.twin
        for binding in state.bindings:
            role = composite.roles[binding.role]
            if role.capability != "read":
                continue
            reading = twin(binding.thing).values.get(binding.affordance)
            if reading is not None and binding.form is not None:
                reading = self._formed(state, binding, binding.form, reading)
            sample = sample_of(role, binding, reading, ranks[binding.role]) if reading is not None else None
            if sample is not None:
                found[binding.role].append(sample)
            ranks[binding.role] += 1
        return found

    def _arrived(self, composite: Composite, state: CompositeState, news: News) -> dict[str, list[Sample]]:
        """What came just now, by the roles that it fills."""
        thing, name, reading = news
        found: dict[str, list[Sample]] = {}
        for binding in state.bindings:
            if binding.affordance != name or binding.thing != thing:
                continue
            role = composite.roles[binding.role]
            if not role.drives:
                said = reading
                if binding.form is not None:
                    said = self._formed(state, binding, binding.form, reading)
                    if said.position != reading.position:
                        continue  # its interval has its value already
                sample = sample_of(role, binding, said, 0)
                if sample is not None:
                    found.setdefault(binding.role, []).append(sample)
        return found

    def _formed(self, state: CompositeState, binding: Binding, form: Form, reading: Reading) -> Reading:
        """A reading in the form in which it may be read: of an interval, the first that came."""
        known = self._shaped.get(binding.key)
        if known is not None and known[0] is reading:
            return known[1]
        shaped = self._shape(state, binding, form, reading)
        self._shaped[binding.key] = (reading, shaped)
        return shaped

    def _shape(self, state: CompositeState, binding: Binding, form: Form, reading: Reading) -> Reading:
        value, at, position = form.value(reading.value, self.key), form.at(reading.observed), reading.position
        if form.coarsen and binding.kind != "event":
            known = state.coarse.get(binding.key)
            if known is not None and known.at >= at and known.position != position:
                value, at, position = known.value, known.at, known.position
            else:
                state.coarse[binding.key] = Told(value, at, position)
        return Reading(value, at, reading.received, reading.quality, reading.n, position)

    def _derive(
        self,
        composite: Composite,
        state: CompositeState,
        values: dict[str, Any],
        samples: dict[str, list[Sample]],
        now: int,
    ) -> None:
        if composite.thing is None or not composite.derives:
            return
        observed = max((s.observed for each in samples.values() for s in each), default=now)
        fresh: dict[int, dict[str, Any]] = {}
        for name, derived in composite.derives.items():
            value = values.get(derived.from_)
            last, known = state.derived.get(name, (None, None))
            if value is None or (alike(value, last) and known is not None and observed <= known):
                continue
            # What changed without a newer reading (a timer, a setting, a thing that left) is so as of now.
            at = observed if known is None or observed > known else max(now, known)
            state.derived[name] = (value, at)
            fresh.setdefault(at, {})[name] = value
        intake = self._things.intake
        for at, found in fresh.items():
            self._later(partial(intake.derive, composite.thing, found, at, now))
        if fresh:
            return
        if state.derived and intake.twin(composite.thing).status != "online":
            self._later(partial(intake.turn, composite.thing, "online", now))

    def _tell(self, composite: Composite, state: CompositeState, evaluated: Evaluated, now: int) -> None:
        """Tell parts above what they need: what is another value, happened, or must be told each time."""
        pulses = {wire.step.id for wire in composite.wires if wire.beats}
        values: dict[str, Any] = {}
        for name in composite.tells:
            value, last = evaluated.values[name], state.told.get(name)
            again = name in pulses or (name in composite.each and name in evaluated.came)
            news = name not in pulses and not alike(value, last)
            if news or (again and value is not None):
                values[name] = value
        if not values:
            return
        state.told |= {name: value for name, value in values.items() if name not in pulses}
        stale = [name for name in values if name not in evaluated.came]
        told = {TOLD: [values, stale] if stale else [values]}
        self._later(partial(self._things.intake.derive, str(composite.thing), told, evaluated.observed, now))

    def _call(self, composite: Composite, values: dict[str, Any], now: int) -> None:
        """Have the web hooks called that a step has something to tell."""
        for step in composite.webhooks:
            if values[step.id] is not None:
                self.on_call(composite, step, values[step.id], now)

    def _emit(self, composite: Composite, state: CompositeState, values: dict[str, Any], now: int) -> None:
        """Events of the composite: each time a value becomes true or another, and each time of a pulse."""
        pulses = {wire.step.id for wire in composite.wires if wire.beats} if composite.emits else ()
        for name, emitted in composite.emits.items():
            value = values.get(emitted.from_)
            last = state.emitted.get(name)
            state.emitted[name] = value
            if value is None or value is False or (value == last and emitted.from_ not in pulses):
                continue
            thing = self._things.registry.seen(composite.thing or "")
            if thing is not None:
                data = None if value is True else value
                self._later(partial(self._things.intake.occur, thing, name, data, now, now))

    def tell_again(self, composite: Composite, state: CompositeState, now: int) -> None:
        """Tell again what did not do as it was told; a fault in that ends it and nothing else."""
        try:
            self.driver.tell_again(composite, state, now)
        except Exception as error:  # noqa: BLE001 - one composite's fault must not stop the ingest of all
            self.give_up(composite, state, error, now)

    def rest(self, composite: Composite, state: CompositeState, why: Any, now: int) -> None:
        """Stop deciding: let go of what is driven, say that the composite's thing is not there."""
        if state.state != why:
            for binding in list(state.bindings):
                self.driver.let_go(composite, state, binding.thing, binding.affordance, now)
            # Switches begin anew when there is something to decide on again, but for least times and for
            # what is gathered over time.
            state.steps = _held(composite, state.steps, now)
        state.state = why
        state.wake, state.retry, state.notes = None, None, {}
        if composite.thing is not None and self._things.registry.seen(composite.thing) is not None:
            self._later(partial(self._things.intake.turn, composite.thing, "offline", now))

    def plan_wake(self, composite: Composite, state: CompositeState, due: int | None, now: int) -> None:
        """Wake when a step wants to, a bound reading grows too old, or what stands in may give way."""
        wakes = [due] if due is not None else []
        for binding in state.bindings:
            role = composite.roles[binding.role]
            if (binding.cost or role.order) and now < binding.since + SETTLED:
                wakes.append(binding.since + SETTLED)
            each = self._things.registry.seen(binding.thing)
            if role.capability != "read" or each is None:
                continue
            prop = each.properties.get(binding.affordance)
            reading = self._things.intake.twin(binding.thing).values.get(binding.affordance)
            if prop is not None and reading is not None:
                wakes.append(reading.observed + round(freshness(role, prop) * 1000) + 1)
        state.wake = None
        if wakes:
            self.wake_at(composite, state, max(now + 1, min(wakes)))

    def wake_at(self, composite: Composite, state: CompositeState, wake: int) -> None:
        """Be woken at a time, or earlier if that is planned."""
        if state.wake is not None and state.wake <= wake:
            return
        state.wake = wake
        self._wakes.plan(composite.id, wake)


def _nobody_calls(composite: Composite, step: Webhook, value: Any, now: int) -> None:
    """Stands in until there is an outbox for calls; a replay has none."""


def sample_of(role: Wanted, binding: Binding, reading: Reading, rank: int) -> Sample | None:
    """A reading as a sample of a role; None if it is not of the type that the role wants.

    A thing described anew may still have a value from before that is none.
    """
    value = reading.value
    if binding.kind == "property" and role.type == "number":
        value = _number(value)
        unit = role.unit or binding.unit
        convert = converter(binding.unit, unit, role.quantity) if binding.unit and unit else None
        if value is not None and convert is not None:
            value = convert(value)
        if value is None or not math.isfinite(value):
            return None
    elif binding.kind == "property" and role.type == "boolean" and not isinstance(value, bool):
        return None
    return Sample(
        value, reading.observed, reading.position, binding.thing, binding.key, binding.accuracy, rank
    )


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, where true is not 1."""
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _held(composite: Composite, steps: dict[str, Any], now: int) -> dict[str, Any]:
    """What is remembered while it rests; of least times, that what is let go is off, whoever switches."""
    held = {step.id: steps[step.id] for step in composite.steps if step.keeps and step.id in steps}
    dwells = {step.id for step in composite.steps if isinstance(step, Dwell)}
    for step in composite.steps:
        if isinstance(step, Drive) and step.input in dwells and step.input in steps:
            position, since = steps[step.input]
            let_go = step.otherwise is not None and step.otherwise != position
            held[step.input] = [step.otherwise, now] if let_go else [position, since]
    return held
