"""What the steps of a composite need of what they read, so that they say and drive the same with less.

Of a role they need *every* reading, or its *changes*, or no more than on which side of some *edges* it is.
From the steps that say or drive something it is followed back to the roles. It holds because such a
composite is idle: run again with nothing changed, none of its steps does anything (``idle`` says of machines
whether they are; of other kinds it is known). What differs is then only when nothing happens.

Invariant: fed with what is needed, a composite says and drives what it does fed with every reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from diat.cvol.composite import Composite
from diat.cvol.placement.comparisons import Number, straight, turn, turns
from diat.cvol.steps import effects, expressions, machine, parts, patterns, sources, sun, switching, times
from diat.cvol.steps.base import Step
from diat.cvol.steps.windows import Window
from diat.cvol.steps.wiring import Wire

Much = Literal["nothing", "edges", "changes", "every"]
_ORDER: tuple[Much, ...] = ("nothing", "edges", "changes", "every")
MOST_EDGES = 8


class Need(Struct, frozen=True):
    """What is needed of a value.

    Attributes:
        much: how much of it.
        edges: where that is which side it is on: the least number of each upper side, in order.
    """

    much: Much
    edges: tuple[float, ...] = ()

    def __or__(self, other: Need) -> Need:
        """What serves both."""
        if self.much != "edges" or other.much != "edges":
            return max(self, other, key=lambda each: _ORDER.index(each.much))
        return edges({*self.edges, *other.edges})


NOTHING, CHANGES, EVERY = Need("nothing"), Need("changes"), Need("every")


def edges(found: Collection[float]) -> Need:
    """No more than on which side of these it is, and whether it is at all."""
    return Need("edges", tuple(sorted(found))) if len(found) <= MOST_EDGES else CHANGES


def needs(
    composite: Composite, filled: Collection[str], alone: Collection[str], *, whole: bool = False
) -> dict[str, Need]:
    """What is needed of each role that is read.

    Args:
        composite: whose steps they are.
        filled: roles that something fills.
        alone: roles that one thing fills.
        whole: whether somebody wants each value that it says, also if that is the same again.
    """
    steps = _Needs(composite, frozenset(filled), frozenset(alone))
    return steps.whole() if whole else steps.found()


class _Needs:
    def __init__(self, composite: Composite, filled: frozenset[str], alone: frozenset[str]) -> None:
        self._composite, self._filled, self._alone = composite, filled, alone
        self._read = [role.name for role in composite.roles.values() if role.capability == "read"]
        self.of_step: dict[str, Need] = {}
        self._of_role: dict[str, Need] = {}
        self._busy = False

    def whole(self) -> dict[str, Need]:
        return dict.fromkeys(self._read, EVERY)

    def found(self) -> dict[str, Need]:
        # Here, for it asks for what is needed of steps.
        from diat.cvol.placement.idle import idle

        composite = self._composite
        said = {each.from_ for each in composite.derives.values()}
        said |= {each.from_ for each in composite.emits.values()}
        for name in (*sorted(said), *composite.tells):
            self._want(name, EVERY if name in composite.each else CHANGES)
        for wire in reversed(composite.wires):
            follow = _FOLLOW.get(type(wire.step))
            if follow is None:
                return self.whole()
            follow(self, wire, self.of_step.get(wire.step.id, NOTHING))
        if self._busy or not idle(composite, self.of_step):
            return self.whole()
        for role in self._read:
            if "freshness" in composite.roles[role].prefer:
                self._of_role[role] = EVERY  # who fills it depends on who was heard last
        return {role: self._of_role.get(role, NOTHING) for role in self._read}

    def _want(self, step: str, need: Need) -> None:
        self.of_step[step] = self.of_step.get(step, NOTHING) | need

    def _want_role(self, role: str, need: Need) -> None:
        self._of_role[role] = self._of_role.get(role, NOTHING) | need

    def _want_all(self, wire: Wire, need: Need) -> None:
        for _, source in wire.sources:
            self._want(source, need)

    # --- kinds of step ---

    def none(self, wire: Wire, need: Need) -> None:
        """It reads nothing."""

    def busy(self, wire: Wire, need: Need) -> None:
        """It may do something each time that it runs."""
        self._busy = True

    def changes(self, wire: Wire, need: Need) -> None:
        """It does something when a value changes."""
        if isinstance(wire.step, _ACTING) or need != NOTHING:
            self._want_all(wire, EVERY if need == EVERY else CHANGES)

    def every(self, wire: Wire, need: Need) -> None:
        """It counts what comes."""
        if need == NOTHING:
            return
        self._want_all(wire, EVERY)
        if wire.role is not None:
            self._want_role(wire.role, EVERY)

    def latest(self, wire: Wire, need: Need) -> None:
        if need != NOTHING:
            # Of several the newest counts, and so when each was heard.
            self._want_role(str(wire.role), need if wire.role in self._alone else EVERY)

    def fused(self, wire: Wire, need: Need) -> None:
        by = getattr(wire.step, "by", "mean")
        if need != NOTHING:
            # Which is the least of some says on which side it is, as far as each says that.
            passes = need.much == "edges" and by not in ("least", "most")
            self._want_role(str(wire.role), CHANGES if passes else need)

    def hysteresis(self, wire: Wire, need: Need) -> None:
        step = wire.step
        assert isinstance(step, switching.Hysteresis)
        if need == NOTHING:
            return
        low, high = step.low, step.high
        if step.against in self._filled:
            middle = (low + high) / 2
            low, high = (low, middle) if step.on == "below" else (middle, high)
        at = (turn(lambda value: value < low), turn(lambda value: value > high))
        self._want(step.input, EVERY if need == EVERY else edges([each for each in at if each is not None]))

    def shed(self, wire: Wire, need: Need) -> None:
        step = wire.step
        assert isinstance(step, effects.Shed)
        at = (turn(lambda value: value > step.limit), turn(lambda value: value + step.step <= step.limit))
        self._want(step.input, EVERY if need == EVERY else edges([each for each in at if each is not None]))

    def expression(self, wire: Wire, need: Need) -> None:
        step = wire.step
        assert isinstance(step, expressions.Expression)
        if "now" in step.formula.uses:
            self._busy = True
        if need == NOTHING:
            return
        for name, source in (*step.inputs.items(), *((("value", step.input),) if step.input else ())):
            if source is not None:
                self._want(source, self._through(step, name, need))

    def _through(self, step: expressions.Expression, name: str, need: Need) -> Need:
        """What is needed of an input so that the value behind it is what is needed of that."""
        if need == EVERY:
            return EVERY
        at = turns(step.expr, name, step.parameters)
        passes = isinstance(step, expressions.Filter) and name == "value"
        if at is not None:
            if not passes:
                return edges(at)
            return edges(at) | need
        rises = straight(step.expr, name, step.parameters)
        if need.much != "edges" or passes or rises is None or len(step.inputs) + bool(step.input) > 1:
            return CHANGES
        return edges(before(rises, need.edges))

    def machine(self, wire: Wire, need: Need) -> None:
        step = wire.step
        assert isinstance(step, machine.Machine)
        for name, source in step.inputs.items():
            for text in step.formulas:
                at = turns(text, name, step.parameters)
                self._want(source, CHANGES if at is None else edges(at))
            if need == EVERY:
                self._want(source, EVERY)

    def window(self, wire: Wire, need: Need) -> None:
        step = wire.step
        assert isinstance(step, Window)
        # What these two say rests on how late it is when they are asked.
        if step.kind in ("sliding", "state"):
            self._busy = True
        self.every(wire, need)


def before(rises: Number, after: Iterable[float]) -> set[float]:
    """Where a number has to turn so that what is made of it turns at given edges."""
    found = (turn(lambda value, at=at: rises(value) >= at) for at in after)  # type: ignore[misc]
    return {each for each in found if each is not None}


_ACTING: tuple[type[Step], ...] = (effects.Drive, effects.Webhook)
_FOLLOW: Mapping[type[Step], Callable[[_Needs, Wire, Need], None]] = {
    sources.Latest: _Needs.latest,
    sources.Mean: _Needs.fused,
    sources.Fuse: _Needs.fused,
    sources.Notice: _Needs.none,
    sources.Setting: _Needs.none,
    switching.Hysteresis: _Needs.hysteresis,
    switching.Dwell: _Needs.changes,
    switching.Debounce: _Needs.changes,
    switching.Hold: _Needs.changes,
    switching.Lasting: _Needs.changes,
    switching.RateLimit: _Needs.changes,
    switching.Deadband: _Needs.changes,
    expressions.Map: _Needs.expression,
    expressions.Filter: _Needs.expression,
    Window: _Needs.window,
    patterns.Join: _Needs.every,
    patterns.Sequence: _Needs.changes,
    patterns.Absence: _Needs.busy,
    machine.Machine: _Needs.machine,
    times.Schedule: _Needs.none,
    times.Every: _Needs.none,
    sun.Sun: _Needs.none,
    effects.Drive: _Needs.changes,
    effects.Shed: _Needs.shed,
    effects.Webhook: _Needs.changes,
    parts.Heard: _Needs.none,
    parts.HeardPulse: _Needs.none,
    parts.Portion: _Needs.fused,
    parts.Whole: _Needs.changes,
}
"""How it is followed through each kind of step; one that is not here, of whoever, needs everything."""
