"""Where the steps of a service had better run, by what is known of things, lines and policies."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.building import Facts, build, portions_of
from diat.cvol.placement.costing import Bill, bill
from diat.cvol.placement.predicting import Predicted
from diat.cvol.placement.problem import Problem, Tier
from diat.cvol.placement.solving import place
from diat.security.principal import Grant, Principal
from diat.service.placement.flows import Flows
from diat.service.placement.lives import Lives
from diat.service.placement.placing import HERE
from diat.service.placement.rates import Has, Rates
from diat.vol.targets import target_of

ABOVE = Principal(kind="daemon", name="above", grants=(Grant(role="engineer"),))


class Proposal(Struct, frozen=True, kw_only=True):
    """Where the steps of a composite had better run.

    Attributes:
        where: step to tier.
        portions: steps made of portions.
        bill: what that costs.
        above: what it costs with everything here.
        predicted: over each line in an hour, by gateway.
        all_above: the same with everything here.
    """

    problem: Problem
    where: dict[str, str]
    portions: dict[str, tuple[str, ...]]
    bill: Bill
    above: Bill
    predicted: dict[str, Predicted]
    all_above: dict[str, Predicted]


class Proposer:
    """Proposes placements; used by one thread at a time."""

    def __init__(self, daemon: Has, rates: Rates, lives: Lives, flows: Flows) -> None:
        """``rates`` and ``lives`` are what it rests on; ``flows`` says what would travel."""
        self._daemon = daemon
        self._rates = rates
        self._lives = lives
        self._flows = flows

    def propose(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        portions: dict[str, tuple[str, ...]] | None = None,
    ) -> Proposal | None:
        """Where its steps had better run; None where there is but one tier for them.

        Raises:
            ValueError: something must not leave where it is and is needed elsewhere.
        """
        bound = list(bindings)
        below = {self._daemon.things.tiers.gateway_of(each.thing) for each in bound} - {None}
        if not below:
            return None
        facts = self._facts(composite, bound, {str(each) for each in below})
        portions = portions or portions_of(composite, bound, facts, HERE)
        problem = build(composite, bound, facts, HERE, portions)
        placed = place(problem)
        kept = {
            step: made
            for step, made in portions.items()
            if all(placed.where.get(f"{step}@{tier}") == tier for tier in made)
        }
        if kept != portions:
            portions = kept
            problem = build(composite, bound, facts, HERE, portions)
            placed = place(problem)
        whole = {node.name: HERE for node in problem.nodes}
        return Proposal(
            problem=problem,
            where={step: tier for step, tier in placed.where.items() if step != "(said)"},
            portions=portions,
            bill=placed.bill,
            above=bill(problem, whole),
            predicted=self._flows.predicted(composite, bound, placed.where, portions),
            all_above=self._flows.predicted(composite, bound, {}, {}),
        )

    def _facts(self, composite: Composite, bound: list[Binding], below: set[str]) -> Facts:
        self._lives.measure(composite, bound)
        tiers = self._daemon.things.tiers
        objects = self._daemon.things.registry.objects.committed

        def within(thing: str, affordance: str) -> str | None:
            each = objects.get(thing)
            if each is None:
                return None
            decided = self._daemon.decider.use(
                ABOVE, "send-up", target_of(each, affordance), self._daemon.clock()
            )
            return tiers.gateway_of(thing) if decided.effect == "deny" else None

        found = [Tier(name=HERE), *(Tier(name=name, above=HERE) for name in sorted(below))]
        return Facts(
            tiers=tuple(found),
            tier=lambda thing: tiers.gateway_of(thing) or HERE,
            rate=self._rates.of,
            within=within,
            out=self._lives.reductions(composite),
        )
