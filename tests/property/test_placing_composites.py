"""Random composites over tiers with what gateways say of themselves: placed within 5 % of the best there is.

The problem is built as the platform builds it, from bindings, rates, policies, measured CPU and memory, the
latency asked for, and the limits of nodes and lines; the best is found by trying every placement.
"""

from __future__ import annotations

import itertools
import math
import random

import msgspec

from diat.cvol.composite import Binding
from diat.cvol.placement.building import Facts, Rate, build
from diat.cvol.placement.costing import bill
from diat.cvol.placement.explaining import reasons
from diat.cvol.placement.problem import Tier
from diat.cvol.placement.solving import place
from tests.property.test_splitting import SENSORS, random_composite

MOST = 4000
"""Placements of a composite that are tried."""


def tiers(chance):
    def node(name, above):
        return Tier(
            name=name,
            above=above,
            price=chance.choice([0.1, 1.0, 10.0]),
            latency=chance.choice([0.01, 1.0, 4.0]),
            back=chance.choice([0.01, 0.5]),
            cut=chance.choice([0.0, 0.0, 0.3]),
            capacity=chance.choice([math.inf, 400_000.0, 60_000.0]),
            cpu=chance.choice([math.inf, 36.0, 4.0]),
            memory=chance.choice([math.inf, 20_000.0]),
            effort=chance.choice([0.0, 0.0, 1e4]),
        )

    core = Tier(name="core", cpu=chance.choice([math.inf, 30.0]))
    return core, node("gw", "core"), node("hut", "gw"), node("barn", "core")


def bound_to(composite):
    """What fills the roles of a composite, one sensor to a place, and a heater in the hut."""
    for role in composite.roles:
        for name in SENSORS if role == "all" else [role] if role in SENSORS else []:
            yield Binding(role=role, thing=f"urn:dev:{name}", affordance="value")
    if "warmer" in composite.roles:
        yield Binding(role="warmer", thing="urn:dev:heater", affordance="on")


def problem_of(chance):
    composite = random_composite(chance)
    composite = msgspec.structs.replace(composite, latency=chance.choice([None, 0.6, 3.0]))
    rates = {name: chance.choice([60.0, 720.0, 3600.0]) for name in SENSORS}
    kept = {name for name in SENSORS if chance.random() < 0.08 and SENSORS[name] != "core"}
    steps = [step.id for step in composite.steps]
    tier = lambda thing: SENSORS.get(thing.rpartition(":")[2], "hut")  # noqa: E731
    facts = Facts(
        tiers=tiers(chance),
        tier=tier,
        rate=lambda thing, _: Rate(rates[thing.rpartition(":")[2]], 60 * rates[thing.rpartition(":")[2]]),
        within=lambda thing, _: tier(thing) if thing.rpartition(":")[2] in kept else None,
        out={step: chance.choice([0.01, 0.3, 1.0]) for step in steps if chance.random() < 0.7},
        cpu={step: chance.choice([0.0001, 0.002]) for step in steps},
        memory={step: chance.choice([0.0, 500.0, 8000.0]) for step in steps},
    )
    return build(composite, bound_to(composite), facts, "core")


def test_what_is_found_costs_at_most_5_percent_more_than_the_best():
    chance, compared, worst, decided = random.Random(5), 0, 1.0, set()
    while compared < 40:
        problem = problem_of(chance)
        names = [node.name for node in problem.nodes]
        ways = [problem.ways[problem.starts[name]] for name in names]
        if not 1 < math.prod(map(len, ways)) <= MOST:
            continue
        tried = (
            bill(problem, dict(zip(names, each, strict=True))).total for each in itertools.product(*ways)
        )
        best = min(tried)
        try:
            found = place(problem)
        except ValueError:
            assert math.isinf(best)
            continue
        if math.isinf(best):
            assert found.strained is not None
            continue
        compared += 1
        assert found.bill.why is None, found.bill.why
        worst = max(worst, (found.bill.total + 1) / (best + 1))
        decided |= {each.by for each in reasons(problem, found.where).values()}
    assert worst <= 1.05
    assert decided >= {"bytes", "cut", "latency", "room", "policy", "effort"}
