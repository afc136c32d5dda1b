"""What composites need of the properties that they read, as rules for the things."""

from __future__ import annotations

from collections.abc import Iterable

from diat.cvol.composite import Binding, Composite
from diat.cvol.execution import CompositeLayer
from diat.cvol.placement.needs import Need, needs
from diat.cvol.placement.rules import rule, silence
from diat.cvol.wanted import Wanted
from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import PRECISION, TAKES, Rule, Rules, merged
from diat.vol.thing import Property, VirtualObject

_KEPT = 2000
_Filled = tuple[frozenset[str], frozenset[str], bool]


class Needed:
    """Works out rules; used by the writer, and by others on what is committed.

    Attributes:
        keep: seconds after which a value is wanted whatever it is, for history; 0: every reading is needed.
        refused: things that do not do what they say they take.
        wanted_above: whether the daemon above wants each value that a composite's own thing has.
    """

    def __init__(self, things: VirtualObjectLayer, composites: CompositeLayer) -> None:
        """Every reading is needed until ``keep`` is said."""
        self._things, self._composites = things, composites
        self._known: dict[str, tuple[Composite, dict[_Filled, dict[str, Need]]]] = {}
        self.keep = 0.0
        self.refused: set[str] = set()
        self.wanted_above = _nobody_above

    def of(self, composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
        """Thing to what is needed of it, for things that may be asked; within the writer."""
        bound = list(bindings)
        whole, longest = self._said(composite, set())
        needed = self._roles(composite, bound, whole=whole or not self.keep)
        return self._rules(composite, bound, needed, longest)

    def alone(self, composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
        """The same as if nobody read what it says; any thread may ask."""
        bound = list(bindings)
        filled, single = _filled(bound)
        return self._rules(composite, bound, needs(composite, filled, single, whole=not self.keep), self.keep)

    def _rules(
        self, composite: Composite, bindings: list[Binding], needed: dict[str, Need], longest: float
    ) -> dict[str, Rules]:
        bound = [each for each in bindings if _reads(composite, each)]
        found: dict[str, Rules] = {}
        for each in bound:
            thing = self._things.registry.seen(each.thing)
            prop = thing.properties.get(each.affordance) if thing is not None else None
            if thing is None or prop is None or not takes(thing):
                continue
            made = self._rule(needed[each.role], composite.roles[each.role], each, thing, prop, longest)
            known = found.setdefault(each.thing, {}).get(each.affordance)
            found[each.thing][each.affordance] = made if known is None else merged([known, made])
        return found

    def _roles(self, composite: Composite, bindings: list[Binding], *, whole: bool) -> dict[str, Need]:
        """What is needed of each role that is read."""
        known = self._known.get(composite.id)
        if known is None or known[0] is not composite:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[composite.id] = (composite, {})
        filled = *_filled(bindings), whole
        if filled not in known[1]:
            known[1][filled] = needs(composite, filled[0], filled[1], whole=whole)
        return known[1][filled]

    def _rule(
        self, need: Need, role: Wanted, binding: Binding, thing: VirtualObject, prop: Property, longest: float
    ) -> Rule:
        able = takes(thing) if thing.id not in self.refused else ()
        elsewhere = self._things.registry.gateway_of(thing.id) is not None
        reading = self._things.intake.twin(thing.id).values.get(prop.name)
        value = reading.value if reading is not None else None
        return rule(
            need,
            role,
            binding,
            prop,
            able,
            every=min(silence(role, prop, self.keep), longest),
            exact=elsewhere or counts_doubly(thing),
            newest=float(value) if isinstance(value, int | float) else None,
        )

    def _said(self, composite: Composite, seen: set[str]) -> tuple[bool, float]:
        """Whether somebody wants each value that it says itself, and after how long one at least."""
        whole, longest = False, self.keep
        if composite.thing is None or composite.id in seen:
            return whole, longest
        seen.add(composite.id)
        whole = self.wanted_above(composite.thing)
        for reader in self._composites.holding(composite.thing):
            other, state = self._composites.seen(reader), self._composites.states.get(reader)
            if other is None or state is None:
                continue
            mine = [e for e in state.bindings if e.thing == composite.thing and _reads(other, e, parts=True)]
            if not mine:
                continue
            its_whole, its_longest = self._said(other, seen)
            roles = self._roles(other, state.bindings, whole=its_whole)
            longest = min(longest, its_longest)
            thing = self._things.registry.seen(composite.thing)
            for each in mine:
                role = other.roles[each.role]
                prop = thing.properties.get(each.affordance) if thing is not None else None
                if role.exact is not None or prop is None:
                    continue
                whole = whole or roles[each.role].much == "every" or each.form is not None
                longest = min(longest, silence(role, prop, self.keep))
        return whole, longest


def _filled(bindings: Iterable[Binding]) -> tuple[frozenset[str], frozenset[str]]:
    """The roles that something fills, and those that one thing does."""
    keys: dict[str, set[str]] = {}
    for each in bindings:
        keys.setdefault(each.role, set()).add(each.key)
    return frozenset(keys), frozenset(role for role, found in keys.items() if len(found) == 1)


def takes(thing: VirtualObject) -> tuple[str, ...]:
    """The steps that a thing takes."""
    said = thing.description.td.get(TAKES)
    able = thing.record.dialect == "native" and isinstance(said, list | tuple)
    return tuple(said) if able and said is not None else ()


def counts_doubly(thing: VirtualObject) -> bool:
    """Whether a thing counts in double precision."""
    return thing.description.td.get(PRECISION) == "double"


def _reads(composite: Composite, binding: Binding, *, parts: bool = False) -> bool:
    """Whether a binding reads a property; one of another part only with ``parts``."""
    role = composite.roles.get(binding.role)
    return role is not None and role.capability == "read" and (parts or role.exact is None)


def _nobody_above(thing: str) -> bool:
    """Stands in where there is no daemon above."""
    return False
