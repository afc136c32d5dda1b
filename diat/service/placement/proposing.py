"""Where the steps of a service had better run, by what is known of things, lines, nodes and policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.building import SAID, Facts, build, portions_of
from diat.cvol.placement.costing import Bill, bill
from diat.cvol.placement.explaining import Reason, reasons
from diat.cvol.placement.predicting import Predicted
from diat.cvol.placement.problem import Problem, Tier
from diat.cvol.placement.solving import Placed, place
from diat.security.principal import Grant, Principal
from diat.service.placement.flows import Flows
from diat.service.placement.lives import Lives
from diat.service.placement.nodes import COMES, STAYS, Nodes, Uses
from diat.service.placement.placing import HERE
from diat.service.placement.placings import Placings
from diat.service.placement.rates import Has, Rates
from diat.vol.targets import target_of

ABOVE = Principal(kind="daemon", name="above", grants=(Grant(role="engineer"),))


class Proposal(Struct, frozen=True, kw_only=True):
    """Where the steps of a composite had better run.

    Attributes:
        problem: what there was to decide, with room for what comes.
        where: step to tier.
        portions: steps made of portions.
        bill: what that costs.
        strained: what nodes and lines cannot bear, though nothing does with less.
        stands: the same problem as it is judged for what runs somewhere already.
        now: step to tier, as they run at present.
        present: what that costs.
    """

    problem: Problem
    where: dict[str, str]
    portions: dict[str, tuple[str, ...]]
    bill: Bill
    strained: str | None
    stands: Problem
    now: dict[str, str]
    present: Bill

    def reasons(self, *, proposed: bool) -> dict[str, Reason]:
        """Step to why it is to run where it is proposed, or runs where it does."""
        found = reasons(self.stands, self.where | {SAID: HERE} if proposed else self.now)
        return {step: each for step, each in found.items() if step != SAID}


class Expected(Struct, frozen=True, kw_only=True):
    """What would travel over each line in an hour, by gateway: as is proposed, and with everything here."""

    proposed: dict[str, Predicted]
    all_above: dict[str, Predicted]


class Proposer:
    """Proposes placements; used by one thread at a time."""

    def __init__(
        self, daemon: Has, placings: Placings, rates: Rates, lives: Lives, flows: Flows, nodes: Nodes
    ) -> None:
        """``rates``, ``lives`` and ``nodes`` are what it rests on; ``flows`` says what would travel."""
        self._daemon = daemon
        self._placings = placings
        self._rates = rates
        self._lives = lives
        self._flows = flows
        self._nodes = nodes

    def propose(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        portions: dict[str, tuple[str, ...]] | None = None,
        now: Mapping[str, str] | None = None,
    ) -> Proposal | None:
        """Where its steps had better run; None where there is but one tier for them.

        Args:
            composite: whose steps they are.
            bindings: what fills its roles.
            portions: steps that are made of portions already.
            now: step to where it runs; None if nothing runs yet.

        Raises:
            ValueError: something must not leave where it is and is needed elsewhere.
        """
        bound = list(bindings)
        gateway_of = self._daemon.things.tiers.gateway_of
        below = sorted({gateway for each in bound if (gateway := gateway_of(each.thing)) is not None})
        if not below:
            return None
        facts = self._facts(composite, bound, below)
        portions = portions or portions_of(composite, bound, facts, HERE)
        problem = build(composite, bound, facts, HERE, portions)
        tight, placed = self._placed(problem, below, now)
        kept = {
            step: made
            for step, made in portions.items()
            if all(placed.where.get(f"{step}@{tier}") == tier for tier in made)
        }
        if kept != portions:
            portions = kept
            problem = build(composite, bound, facts, HERE, portions)
            tight, placed = self._placed(problem, below, now)
        present = {node.name: (now or {}).get(node.name, HERE) for node in problem.nodes}
        stands = self._within(problem, below, now, tight=False)
        return Proposal(
            problem=tight,
            where={step: tier for step, tier in placed.where.items() if step != SAID},
            portions=portions,
            bill=placed.bill,
            strained=placed.strained,
            stands=stands,
            now=present,
            present=bill(stands, present),
        )

    def expects(self, composite: Composite, bound: list[Binding], made: Proposal) -> Expected:
        """What would travel."""
        return Expected(
            proposed=self._flows.predicted(composite, bound, made.where, made.portions),
            all_above=self._flows.predicted(composite, bound, {}, {}),
        )

    # --- within ---

    def _placed(
        self, problem: Problem, below: list[str], now: Mapping[str, str] | None
    ) -> tuple[Problem, Placed]:
        """The best with room to spare; where there is none, within what is borne at all."""
        tight = self._within(problem, below, now, tight=True)
        placed = place(tight)
        if placed.strained is not None:
            placed = place(self._within(problem, below, now, tight=False))
        return tight, placed

    def _within(
        self, problem: Problem, below: list[str], now: Mapping[str, str] | None, *, tight: bool
    ) -> Problem:
        """The problem with what tiers can bear."""
        tiers = self._nodes.tiers(below, COMES if tight else STAYS, _uses(problem, now), self._services())
        return msgspec.structs.replace(problem, tiers=tiers)

    def _services(self) -> Counter[str]:
        """Tier to how many services have steps there."""
        found: Counter[str] = Counter()
        for composite in self._placings.everything():
            where = self._placings.committed(composite.id)[1].where
            found.update({where.get(step.id, HERE) for step in composite.steps})
        return found

    def _facts(self, composite: Composite, bound: list[Binding], below: list[str]) -> Facts:
        self._lives.measure(composite, bound)
        tiers = self._daemon.things.tiers
        objects = self._daemon.things.registry.objects.committed

        def within(thing: str, affordance: str) -> str | None:
            each = objects.get(thing)
            if each is None:
                return None
            now, target = self._daemon.clock(), target_of(each, affordance)
            if self._daemon.decider.decide(ABOVE, "send-up", target, now).effect == "deny":
                return tiers.gateway_of(thing)
            return tiers.kept(thing, affordance)

        def shown(thing: str, affordance: str) -> str:
            each = objects.get(thing)
            return f"{affordance} of {each.td.get('title', thing) if each is not None else thing}"

        cpu, memory = self._lives.efforts(composite)
        comes = self._lives.comes(composite, bound)
        return Facts(
            tiers=(Tier(name=HERE), *(Tier(name=name, above=HERE) for name in below)),
            tier=lambda thing: tiers.gateway_of(thing) or HERE,
            rate=lambda thing, affordance: comes[thing, affordance],
            within=within,
            out=self._lives.reductions(composite),
            cpu=cpu,
            memory=memory,
            shown=shown,
        )


def _uses(problem: Problem, now: Mapping[str, str] | None) -> dict[str, Uses]:
    """What a composite takes of each tier as it runs now."""
    if now is None:
        return {}
    where = {node.name: now.get(node.name, HERE) for node in problem.nodes}
    travels = bill(problem, where).bytes
    return {
        tier.name: Uses(
            cpu=sum(node.cpu for node in problem.nodes if where[node.name] == tier.name),
            memory=sum(node.memory for node in problem.nodes if where[node.name] == tier.name),
            bytes=travels.get(tier.name, 0.0),
        )
        for tier in problem.tiers
    }
