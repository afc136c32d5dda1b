"""What things say if they are told what is needed of them, by what they said of late.

What is recorded of a thing that obeys already is the same after it is sifted again; so it does not matter
here whether it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.building import Rate
from diat.cvol.placement.measuring import MOST, Came
from diat.service.placement.placings import Placings
from diat.service.placement.rates import HOUR, Has, Rates
from diat.vol import sieve
from diat.vol.pushdown import Rule, Rules
from diat.vol.traffic import packet
from diat.wire import topics
from diat.wire.envelope import encode

OFTEN = 15_000
"""Milliseconds until it is counted again."""
_KEPT = 20_000
EVERYTHING = Rule()
Key = tuple[str, str, Rule]


class Spared(Struct, frozen=True, kw_only=True):
    """What a thing would say of a property.

    Attributes:
        told: what it is told for what was asked about.
        whole: messages in an hour if it says everything; None if too little is recorded.
        messages: messages in an hour as it is told.
        size: bytes of a message.
    """

    thing: str
    name: str
    told: Rule
    whole: float | None
    messages: float | None
    size: float


class Sparing:
    """Counts what would be said; used by one thread at a time."""

    def __init__(self, daemon: Has, placings: Placings, rates: Rates) -> None:
        """``rates`` knows how much comes if things are told nothing."""
        self._daemon = daemon
        self._placings = placings
        self._rates = rates
        self._ruled: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[int, dict[str, Rules]]] = {}
        self._counted: dict[Key, tuple[int, float | None]] = {}

    def rules(self, composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
        """What things are told of what a composite, or a part of one, reads."""
        bound, now = list(bindings), self._daemon.clock()
        key = composite.id, tuple(step.id for step in composite.steps), tuple(each.key for each in bound)
        known = self._ruled.get(key)
        if known is None or now - known[0] >= OFTEN:
            if len(self._ruled) >= _KEPT:
                self._ruled.clear()
            known = self._ruled[key] = now, self._placings.planned(composite, bound)
        return known[1]

    def of(self, composite: Composite, bindings: Iterable[Binding]) -> list[Spared]:
        """What things would say of what a composite reads, where that is less than everything."""
        found = []
        for thing, rules in self.rules(composite, bindings).items():
            wire = self._rates.wire(thing)
            for name, rule in rules.items():
                if rule == EVERYTHING:
                    continue
                last = self._daemon.things.intake.twin(thing).values.get(name)
                values = {name: last.value if last is not None else 0.5}
                body = {"b": 0, "n": 1000, "t": self._daemon.clock(), "v": values}
                found.append(
                    Spared(
                        thing=thing,
                        name=name,
                        told=rule,
                        whole=self.hourly(thing, name, EVERYTHING),
                        messages=self.hourly(thing, name, rule),
                        size=packet(topics.properties(wire), encode(body)),
                    )
                )
        return found

    def told(self, thing: str, affordance: str, usual: Rule) -> Rule:
        """What a thing is told of a property, for all who need it; ``usual`` if it is told nothing."""
        return self._daemon.things.pushdown.told(thing).get(affordance, usual)

    def rate(self, thing: str, affordance: str, rule: Rule) -> Rate:
        """What comes of a property in an hour by a rule, as it would be on the line."""
        whole = self._rates.of(thing, affordance)
        messages = self.hourly(thing, affordance, rule) if rule != EVERYTHING else None
        if messages is None:
            return whole
        # Of what a thing keeps to itself nobody knows how much it was.
        size = whole.bytes / whole.messages if whole.messages else 0.0
        return Rate(messages, messages * size)

    def hourly(self, thing: str, affordance: str, rule: Rule) -> float | None:
        """Messages in an hour by a rule; None if too little is recorded."""
        now, key = self._daemon.clock(), (thing, affordance, rule)
        known = self._counted.get(key)
        if known is None or now - known[0] >= OFTEN:
            if len(self._counted) >= _KEPT:
                self._counted.clear()
            known = self._counted[key] = now, self._count(thing, affordance, rule)
        return known[1]

    def _count(self, thing: str, affordance: str, rule: Rule) -> float | None:
        came = self.recorded([thing])
        said = [each for each in came if affordance in each.values]
        if len(said) < 2 or said[-1].received == said[0].received:
            return None
        goes = sifted(said, {thing: {affordance: rule}})
        count = sum(1 for each in goes if affordance in each.values)
        return (count - 1) * HOUR / (said[-1].received - said[0].received)

    def recorded(self, things: Iterable[str]) -> list[Came]:
        """What things said within the last hour, as far as that is here."""
        record, numbers = self._daemon.record, dict[int, str]()
        for thing in things:
            known = self._daemon.things.registry.record(thing)
            if known is not None:
                numbers[known.no] = thing
        start = record.position_at(self._daemon.clock() - HOUR)
        if start is None or not numbers:
            return []
        rows = [row for row in record.rows(set(numbers), start) if not row.name]
        return [Came(numbers[row.thing], row.data, row.observed, row.received) for row in rows[-MOST:]]


def sifted(came: Iterable[Came], rules: Mapping[str, Rules]) -> list[Came]:
    """What is left of readings, oldest first, by the rules for their things."""
    memories: dict[tuple[str, str], sieve.Memory] = {}
    found = []
    for each in came:
        told = rules.get(each.thing, {})
        left = {}
        for name, value in each.values.items():
            rule = told.get(name, EVERYTHING)
            if rule == EVERYTHING:
                left[name] = value
                continue
            known = memories.get((each.thing, name), sieve.Memory())
            known, goes, _ = sieve.take(rule, known, value, each.observed, each.received)
            memories[each.thing, name] = known
            if goes:
                left[name] = value
        if left:
            found.append(Came(each.thing, left, each.observed, each.received))
    return found
