"""What composites need of what they read here: things and gateways are asked for it, and for no more.

A thing at a gateway sends up what is asked for; one here sends everything unless it is told that less will
do. What is needed no longer is taken back when nobody reads it; people who follow a property as it comes
need every reading of it as long as they do.
"""

from __future__ import annotations

from collections.abc import Iterable

from diat.cvol.composite import Binding, Composite
from diat.cvol.running import AT_WORK
from diat.kernel.errors import DiatError
from diat.service.placement.divided import Divided
from diat.service.placement.needed import Needed
from diat.service.placement.placing import HERE
from diat.vol.pushdown import Pushed, Rule, Rules

FOLLOWERS = "followers"
"""As whom those who follow a property as it comes need something of a thing."""
FOLLOWED = 60_000
"""Milliseconds for which a property counts as followed after the last one is gone."""


class Asking:
    """Asks for what is read here; used by the writer alone.

    Attributes:
        needed: what composites need.
    """

    def __init__(self, divided: Divided) -> None:
        """Nothing is asked for yet."""
        self._divided = divided
        self._things = divided.things
        self._composites = divided.composites
        self._pushdown = divided.things.pushdown
        self.needed = Needed(divided.things, divided.composites)
        self._made_by: dict[str, frozenset[str]] = {}
        self._followed: dict[tuple[str, str], int] = {}

    def ask(self, composite: Composite, bindings: list[Binding]) -> None:
        """Ask for what a composite reads; that it needs something no longer, ``release`` finds."""
        for thing, rules in self.needed.of(composite, bindings).items():
            self._ask(thing, composite.id, rules)
        read = frozenset(each.thing for each in bindings if not composite.roles[each.role].drives)
        self._chain(composite.id, frozenset(each for each in read if self._maker(each) is not None))

    def release(self) -> None:
        """Ask no longer for what composites read no longer; who is away, or moves, may want it again."""
        self._follow()
        for thing, pushed in list(self._pushdown.pushed.items()):
            if pushed.state == "failed":
                self._refused(thing, pushed)
            for holder in pushed.needs:
                if not self._reads(holder, thing):
                    self._pushdown.need(thing, holder, {})

    def end(self, composite: str) -> None:
        """A composite is gone."""
        for thing, pushed in list(self._pushdown.pushed.items()):
            if composite in pushed.needs:
                self._pushdown.need(thing, composite, {})
        self._chain(composite, frozenset())

    def again(self, thing: str) -> None:
        """What is wanted of a thing that a composite makes is another: ask anew for what that reads."""
        maker = self._maker(thing)
        state = self._composites.states.get(maker.id) if maker is not None else None
        if maker is not None and state is not None:
            self.ask(maker, state.bindings)
            for each in sorted(self._made_by.get(maker.id, ())):
                self.again(each)

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

    # --- within ---

    def _ask(self, thing: str, holder: str, rules: Rules) -> None:
        known = self._pushdown.pushed.get(thing)
        if known is None or known.needs.get(holder) != rules:
            try:
                self._pushdown.need(thing, holder, rules)
            except DiatError:
                return  # it takes no steps, and so says all that it has to say

    def _chain(self, composite: str, made: frozenset[str]) -> None:
        """Things of composites that this one reads: what those read is needed as what they say is."""
        before = self._made_by.get(composite, frozenset())
        if made == before:
            return
        if made:
            self._made_by[composite] = made
        else:
            del self._made_by[composite]
        for thing in sorted(made | before):
            self.again(thing)

    def _maker(self, thing: str) -> Composite | None:
        return self._composites.seen(thing.removeprefix("urn:diat:composite:"))

    def _refused(self, thing: str, pushed: Pushed) -> None:
        """A thing does not do what it says it takes: it is to send everything."""
        holders = [holder for holder in pushed.needs if self._composites.seen(holder) is not None]
        if thing in self.needed.refused or not holders:
            return
        self.needed.refused.add(thing)
        for holder in holders:
            self._ask(thing, holder, dict.fromkeys(pushed.needs[holder], Rule()))

    def _follow(self) -> None:
        """Let those who follow a property as it comes have every reading of it."""
        now = self._divided.clock()
        followed = self._things.observers.streams.properties()
        for key in followed:
            self._followed[key] = now
        self._followed = {key: at for key, at in self._followed.items() if now - at < FOLLOWED}
        wanted: dict[str, Rules] = {}
        for thing, name in self._followed:
            pushed = self._pushdown.pushed.get(thing)
            if (
                pushed is not None
                and pushed.reference
                and any(name in rules for rules in pushed.needs.values())
            ):
                wanted.setdefault(thing, {})[name] = Rule()
        for thing, pushed in list(self._pushdown.pushed.items()):
            rules = wanted.get(thing, {})
            if pushed.needs.get(FOLLOWERS, {}) != rules:
                self._pushdown.need(thing, FOLLOWERS, rules)

    def _reads(self, holder: str, thing: str) -> bool:
        """Whether a holder needs a thing, or may yet; others than composites know that themselves."""
        composite = self._composites.seen(holder)
        if composite is None:
            return True
        placing, state = self._divided.placings.get(holder), self._composites.states.get(holder)
        moves = placing is not None and placing.phase != "rests"
        if moves or composite.paused or state is None or state.state not in AT_WORK:
            return True
        return any(each.thing == thing for each in _read(composite, state.bindings))

    def _bindings(self, here: Composite) -> list[Binding]:
        state = self._composites.states.get(here.id)
        found = [each for each in state.bindings if each.role in here.roles] if state is not None else []
        missing = set(here.roles) - {each.role for each in found}
        if missing:
            bound = self._composites.would_bind(here)
            found += [each for each in bound if each.role in missing]
            self.ask(here, found)
        return found


def _read(composite: Composite, bindings: Iterable[Binding]) -> Iterable[Binding]:
    for each in bindings:
        role = composite.roles.get(each.role)
        if role is not None and role.capability == "read" and role.exact is None:
            yield each
