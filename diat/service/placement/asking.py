"""What composites read here of things at gateways: it is asked for, and no longer when nobody reads it."""

from __future__ import annotations

from collections.abc import Iterable

from diat.cvol.composite import Binding, Composite
from diat.cvol.running import AT_WORK
from diat.kernel.errors import DiatError
from diat.service.placement.divided import Divided
from diat.service.placement.placing import HERE
from diat.vol.pushdown import Rule, Rules


class Asking:
    """Asks for what is read here of things elsewhere; used by the writer alone."""

    def __init__(self, divided: Divided) -> None:
        """Nothing is asked for yet."""
        self._divided = divided
        self._composites = divided.composites
        self._pushdown = divided.things.pushdown

    def ask(self, composite: Composite, bindings: list[Binding]) -> None:
        """Ask for what a composite reads; that it needs something no longer, ``release`` finds."""
        for thing, rules in _needs(composite, bindings).items():
            known = self._pushdown.pushed.get(thing)
            elsewhere = self._divided.tier(thing) != HERE
            if elsewhere and (known is None or known.needs.get(composite.id) != rules):
                try:
                    self._pushdown.need(thing, composite.id, rules)
                except DiatError:
                    continue  # it takes no steps, and so says all that it has to say

    def release(self) -> None:
        """Ask no longer for what composites read no longer; who is away, or moves, may want it again."""
        for thing, pushed in list(self._pushdown.pushed.items()):
            for holder in pushed.needs:
                if not self._reads(holder, thing):
                    self._pushdown.need(thing, holder, {})

    def end(self, composite: str) -> None:
        """A composite is gone."""
        for thing, pushed in list(self._pushdown.pushed.items()):
            if composite in pushed.needs:
                self._pushdown.need(thing, composite, {})

    def answered(self, here: Composite) -> bool:
        """Whether gateways have said that they send what is to be read here."""
        state = self._composites.states.get(here.id)
        if state is None:
            return True
        ready = True
        for thing in {each.thing for each in self._bindings(here)}:
            pushed = self._pushdown.pushed.get(thing)
            if self._divided.tier(thing) != HERE and pushed is not None and pushed.state == "pending":
                ready = False
        return ready or self._divided.wholes.get(here.id) is None

    def _reads(self, holder: str, thing: str) -> bool:
        """Whether a holder needs a thing, or may yet; others than composites know that themselves."""
        composite = self._composites.seen(holder)
        if composite is None:
            return True
        placing, state = self._divided.placings.get(holder), self._composites.states.get(holder)
        moves = placing is not None and placing.phase != "rests"
        if moves or composite.paused or state is None or state.state not in AT_WORK:
            return True
        return thing in _needs(composite, state.bindings)

    def _bindings(self, here: Composite) -> list[Binding]:
        state = self._composites.states.get(here.id)
        found = [each for each in state.bindings if each.role in here.roles] if state is not None else []
        missing = set(here.roles) - {each.role for each in found}
        if missing:
            bound = self._composites.would_bind(here)
            found += [each for each in bound if each.role in missing]
            self.ask(here, found)
        return found


def _needs(composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
    wanted: dict[str, Rules] = {}
    for each in bindings:
        role = composite.roles.get(each.role)
        if role is not None and role.capability == "read" and role.exact is None:
            wanted.setdefault(each.thing, {})[each.affordance] = Rule()
    return wanted
