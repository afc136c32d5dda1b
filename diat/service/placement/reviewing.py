"""Looking again, every few seconds, where steps had better run, and moving them if it is worth it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.costing import bill
from diat.service.placement.flows import Flows
from diat.service.placement.links import Links
from diat.service.placement.lives import Lives
from diat.service.placement.placing import HERE
from diat.service.placement.placings import Placings
from diat.service.placement.proposing import Proposal, Proposer
from diat.service.placement.rates import Has, Rates

SETTLES = 20_000
"""Milliseconds for which steps stay where they are after a move."""
MEASURES = 60.0
"""Seconds for which the steps of a service are measured before it moves first."""
WORTH = 0.8
"""Share of the present cost that another placement may have at most to be worth a move."""
LEAST = 2_000.0
"""Cost in an hour that has to be saved for it."""


class Reviewer:
    """Knows rates, proposes placements; used by any thread, one at a time.

    Attributes:
        link: a line as measured, see ``Links.of``.
        joint: what all services make travel over a line, as it is expected, see ``Flows.joint``.
    """

    def __init__(self, daemon: Has, placings: Placings) -> None:
        """``placings`` carries out what is found to be better."""
        self._daemon = daemon
        self._placings = placings
        self._rates = Rates(daemon)
        self._lives = Lives(daemon, self._rates)
        flows = Flows(daemon, placings, self._rates, self._lives)
        self._proposer = Proposer(daemon, self._rates, self._lives, flows)
        self.link = Links(daemon, placings, self._rates, self._lives).of
        self.joint = flows.joint
        self._first: dict[str, int] = {}
        self._lock = threading.Lock()

    def look(self, *, moves: bool = True) -> list[Callable[[], None]]:
        """Take figures down, and answer with the moves that are worth it, to be made within the writer.

        Without ``moves`` there are none, but what would be better is measured all the same.
        """
        with self._lock:
            if not self._rates.count():
                return []
            if not moves:
                for composite in self._placings.everything():
                    self._lives.measure(composite, self._placings.bindings(composite.id))
                return []
            found = (self._better(composite) for composite in self._placings.everything())
            return [move for move in found if move is not None]

    def propose(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        portions: dict[str, tuple[str, ...]] | None = None,
    ) -> Proposal | None:
        """Where its steps had better run, see ``Proposer.propose``.

        Raises:
            ValueError: something must not leave where it is and is needed elsewhere.
        """
        return self._proposer.propose(composite, bindings, portions)

    def settled(self) -> int:
        """Since when no service has moved, Unix milliseconds."""
        known = [self._placings.committed(each.id)[1].since for each in self._placings.everything()]
        return max(known, default=0)

    def _better(self, composite: Composite) -> Callable[[], None] | None:
        _, placing = self._placings.committed(composite.id)
        if composite.paused or placing.phase != "rests" or self._daemon.clock() - placing.since < SETTLES:
            return None
        if any(each.error is not None for each in placing.told.values()):
            return None
        bound = self._placings.bindings(composite.id)
        self._lives.measure(composite, bound)
        since = self._first.setdefault(composite.id, self._daemon.clock())
        if not placing.where and self._daemon.clock() - since < MEASURES * 1000:
            return None  # soon more is known of it
        try:
            made = self.propose(composite, bound, placing.portions)
        except ValueError:
            return None
        if made is None:
            return None
        where = {step: tier for step, tier in made.where.items() if tier != HERE}
        now = {step: tier for step, tier in placing.where.items() if tier != HERE}
        if where == now:
            return None
        present = {node.name: now.get(node.name, HERE) for node in made.problem.nodes}
        before = bill(made.problem, present).total
        if made.bill.total > before * WORTH or made.bill.total > before - LEAST:
            return None
        predicted = {name: each.bytes for name, each in made.predicted.items()}
        above = {name: each.bytes for name, each in made.all_above.items()}
        return lambda: self._placings.want(composite.id, where, made.portions, predicted, above)
