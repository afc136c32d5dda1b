"""What the steps of services say, measured: run over what their things said within the last hour."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.building import Rate
from diat.cvol.placement.measuring import MOST, Came, Lived, live
from diat.cvol.steps import Step
from diat.service.placement.rates import HOUR, Has
from diat.service.placement.sparing import EVERYTHING, Sparing, sifted
from diat.vol.journal import RESERVED

OFTEN = 20_000
"""Milliseconds until what was measured is measured again."""
ENOUGH = 20
"""Readings that have to have come for what was measured to count."""
LONG = 60.0
"""Seconds after which what was measured counts in any case: things may say little."""
LATEST = 50
"""Readings of a thing that show how what it says looks."""


class Lives:
    """Runs steps over what was recorded, and remembers what came of it; used by one thread at a time."""

    def __init__(self, daemon: Has, sparing: Sparing) -> None:
        """Nothing was measured yet; ``sparing`` says what of it things would say."""
        self._daemon = daemon
        self._sparing = sparing
        self._lived: dict[str, Lived] = {}
        self._measured: dict[str, tuple[tuple[Step, ...], int]] = {}

    def of(self, composite: str) -> Lived | None:
        """What came of a composite's steps when that was measured last."""
        return self._lived.get(composite)

    def measure(self, composite: Composite, bound: list[Binding]) -> None:
        """Run its steps over what came within the last hour, where enough of it is here, now and then."""
        now, known = self._daemon.clock(), self._measured.get(composite.id)
        if known is not None and known[0] is composite.steps and now - known[1] < OFTEN:
            return
        enough = self._live(composite, bound)
        self._measured[composite.id] = composite.steps, now if enough else now - OFTEN // 2

    def forget(self, composites: Collection[str]) -> None:
        """Only these are there."""
        for gone in [each for each in self._lived if each not in composites]:
            del self._lived[gone]
            self._measured.pop(gone, None)

    def _live(self, composite: Composite, bound: list[Binding]) -> bool:
        """Run them; whether enough came."""
        things = {each.thing for each in bound if not composite.roles[each.role].drives}
        record, now = self._daemon.record, self._daemon.clock()
        numbers = {}
        for thing in things:
            known = self._daemon.things.registry.record(thing)
            if known is not None:
                numbers[known.no] = thing
        start = record.position_at(now - HOUR)
        if start is None or not numbers:
            return False
        came = [
            Came(
                numbers[row.thing],
                row.data if not row.name else {row.name: row.data},
                row.observed,
                row.received,
            )
            for row in record.rows(set(numbers), start)
            if not row.name.startswith(RESERVED) and isinstance(row.data, dict)
        ][-MOST:]
        lived = live(composite, bound, sifted(came, self._sparing.rules(composite, bound)))
        last = self._measured.get(composite.id)
        before = self._lived.get(composite.id) if last is None or last[0] is composite.steps else None
        longer = before is not None and lived.came >= before.came and lived.seconds > before.seconds
        if before is None or longer or (_enough(lived) and lived.came >= before.came / 2):
            self._lived[composite.id] = lived
        return _enough(lived)

    def reductions(self, composite: Composite) -> dict[str, float]:
        """Step to the messages that come out of it for each that goes in, where enough was measured."""
        lived = self._lived.get(composite.id)
        if lived is None or not _enough(lived):
            return {}
        found = {}
        for wire in composite.wires:
            said = lived.said.get(wire.step.id)
            if said is None:
                continue
            found[wire.step.id] = len(said) / lived.came
            if wire.sources and not wire.role:
                goes_in = sum(len(lived.said.get(source, [])) for _, source in wire.sources)
                found[wire.step.id] = len(said) / goes_in if goes_in else len(said) / lived.came
        return found

    def efforts(self, composite: Composite) -> tuple[dict[str, float], dict[str, float]]:
        """Step to the seconds of CPU for each message that goes in, and to the bytes that it holds."""
        lived = self._lived.get(composite.id)
        if lived is None:
            return {}, {}
        return (
            {step.id: lived.cpu for step in composite.steps},
            {step: float(size) for step, size in lived.memory.items()},
        )

    def pace(self, composite: Composite, bound: list[Binding]) -> float:
        """By how much more comes by now than did when it was measured."""
        lived = self._lived.get(composite.id)
        now = sum(each.messages for each in self.comes(composite, bound).values())
        then = lived.came / lived.seconds * 3600 if lived is not None and lived.seconds > 0 else 0.0
        return now / then if now > 0 and then > 0 else 1.0

    def comes(self, composite: Composite, bound: list[Binding]) -> dict[tuple[str, str], Rate]:
        """Thing and affordance to what comes of it for a composite in an hour."""
        rules = self._sparing.rules(composite, bound)
        return {
            (each.thing, each.affordance): self._sparing.rate(
                each.thing, each.affordance, rules.get(each.thing, {}).get(each.affordance, EVERYTHING)
            )
            for each in bound
        }

    def values(self, thing: str, affordance: str) -> list[dict[str, Any]]:
        """What a property said of late, as far as that is known here."""
        found = [
            {affordance: came.values[affordance]} for came in self.recent(thing) if affordance in came.values
        ]
        return found or [{affordance: 0.5}]

    def recent(self, thing: str) -> list[Came]:
        """What a thing said of late."""
        known = self._daemon.things.registry.record(thing)
        start = self._daemon.record.position_at(self._daemon.clock() - HOUR)
        if known is None or start is None:
            return []
        rows = [row for row in self._daemon.record.rows({known.no}, start) if not row.name][-LATEST:]
        return [Came(thing, row.data, row.observed, row.received) for row in rows]


def _enough(lived: Lived) -> bool:
    """Whether what was measured counts."""
    return lived.came >= ENOUGH or (lived.came > 1 and lived.seconds >= LONG)
