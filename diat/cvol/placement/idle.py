"""Whether the machines of a composite come to rest: run again with nothing changed, they stay where they are.

Tried out: each machine in each of its states, on all that its inputs may be. A number may be on each side of
the edges that matter (``needs``); one number of each side stands for all of it.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from diat.cvol.composite import Composite
from diat.cvol.steps import expressions, machine, patterns, sources, sun, switching, times
from diat.cvol.steps.base import Given, Step
from diat.cvol.steps.wiring import Wire
from diat.wire.envelope import encode

if TYPE_CHECKING:
    from diat.cvol.placement.needs import Need

MOST_TRIED = 4000
"""Runs of a machine at most; past that it is taken not to rest."""
_KEPT = 500
_TRUTHS = (None, True, False)
_TRUE_OR_FALSE: tuple[type[Step], ...] = (
    switching.Hysteresis,
    switching.Hold,
    switching.Lasting,
    times.Schedule,
    sun.Sun,
)
_PULSING: tuple[type[Step], ...] = (patterns.Sequence, patterns.Absence, times.Every)
_PASSING: tuple[type[Step], ...] = (switching.Dwell, switching.Debounce, switching.RateLimit)
_known: OrderedDict[bytes, bool] = OrderedDict()


class _Endless(Exception):
    """What a step may say is more than can be tried."""


def idle(composite: Composite, of_step: Mapping[str, Need]) -> bool:
    """Whether all machines come to rest.

    Args:
        composite: whose machines they are.
        of_step: what is needed of the value of each step.
    """
    machines = [wire for wire in composite.wires if isinstance(wire.step, machine.Machine)]
    if not machines:
        return True
    key = encode(
        (
            [step.model_dump(mode="json", by_alias=True) for step in composite.steps],
            {name: need.edges for name, need in of_step.items() if need.much == "edges"},
            {name: (each.type, each.enum) for name, each in composite.settings.items()},
            {role.name: role.type for role in composite.roles.values()},
        )
    )
    found = _known.pop(key, None)
    if found is None:
        found = all(_Trial(composite, of_step).rests(wire) for wire in machines)
    _known[key] = found
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return found


class _Trial:
    def __init__(self, composite: Composite, of_step: Mapping[str, Need]) -> None:
        self._composite, self._of_step = composite, of_step
        self._wires = {wire.step.id: wire for wire in composite.wires}

    def rests(self, wire: Wire) -> bool:
        """Whether a machine does."""
        step = wire.step
        assert isinstance(step, machine.Machine)
        afters = sorted({way.after for ways in step.states.values() for way in ways if way.after})
        nows = [0, *(round(after * 1000) for after in afters)]
        try:
            given = {source: self._open(source) for source in step.inputs.values()}
            free: dict[str, tuple[Any, ...]] = {}
            for each in given.values():
                free |= each
            if math.prod(map(len, free.values())) * len(step.states) * len(nows) > MOST_TRIED:
                return False
            for chosen in self._choices(free):
                values = {name: self._value(source, chosen) for name, source in step.inputs.items()}
                for state, now in itertools.product(step.states, nows):
                    first = self._run(step, wire, values, [state, 0], now)
                    still = values | dict.fromkeys(wire.pulses)
                    if self._run(step, wire, still, first, now) != first:
                        return False
        except _Endless:
            return False
        return True

    def _run(self, step: Step, wire: Wire, values: dict[str, Any], state: Any, now: int) -> Any:
        return step.run(Given(values=values, state=state, now=now, pulses=wire.pulses)).state

    def _choices(self, free: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        for chosen in itertools.product(*free.values()):
            yield dict(zip(free, chosen, strict=True))

    def _open(self, name: str) -> dict[str, tuple[Any, ...]]:
        """The steps that a value rests on and that may say several things, with what they may say."""
        wire = self._wires[name]
        step = wire.step
        if isinstance(step, expressions.Expression):
            found: dict[str, tuple[Any, ...]] = {}
            for _, source in wire.sources:
                found |= self._open(source)
            return found
        return {name: self._says(wire)}

    def _says(self, wire: Wire) -> tuple[Any, ...]:
        step = wire.step
        if isinstance(step, _TRUE_OR_FALSE):
            return _TRUTHS
        if isinstance(step, _PULSING):
            return (None, True)
        if isinstance(step, machine.Machine):
            return tuple(step.states)
        if isinstance(step, sources.Setting):
            return self._set(step.property)
        if isinstance(step, _PASSING) and wire.input is not None:
            free = self._open(wire.input)
            if math.prod(map(len, free.values())) > MOST_TRIED:
                raise _Endless
            said = (self._value(wire.input, chosen) for chosen in self._choices(free))
            return (None, *{repr(each): each for each in said if each is not None}.values())
        if isinstance(step, sources.Fuse) and step.by in ("any", "all"):
            return _TRUTHS
        if isinstance(step, sources.Latest | sources.Mean | sources.Fuse):
            return self._measured(wire)
        raise _Endless

    def _measured(self, wire: Wire) -> tuple[Any, ...]:
        role = self._composite.roles[str(wire.role)]
        if isinstance(wire.step, sources.Latest) and role.type == "boolean":
            return _TRUTHS
        need = self._of_step[wire.step.id]
        if need.much != "edges" or role.type != "number":
            raise _Endless
        low = math.nextafter(need.edges[0], -math.inf) if need.edges else 0.0
        return (None, low, *need.edges)

    def _set(self, name: str) -> tuple[Any, ...]:
        setting = self._composite.settings.get(name)
        if setting is None:
            raise _Endless
        if setting.type == "boolean":
            return _TRUTHS
        if setting.enum is None:
            raise _Endless
        return (None, *setting.enum)

    def _value(self, name: str, chosen: Mapping[str, Any]) -> Any:
        """What a step says when the open ones say what was chosen."""
        if name in chosen:
            return chosen[name]
        wire = self._wires[name]
        values = {each: self._value(source, chosen) for each, source in wire.named}
        value = self._value(wire.input, chosen) if wire.input is not None else None
        return wire.step.run(Given(value=value, values=values, now=0, pulses=wire.pulses)).value
