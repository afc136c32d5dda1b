"""Placement against trying everything out.

Invariants: what is found is allowed, costs what the plain sum says, and nothing that is allowed costs less;
with what nodes and lines can bear, latencies asked for, batteries, prices and policies. What is said to
decide where a step runs does so.
"""

from __future__ import annotations

import collections
import itertools
import math
import random

import pytest

from diat.cvol.placement.costing import bill
from diat.cvol.placement.explaining import reasons
from diat.cvol.placement.problem import Node, Problem, Source, Tier
from diat.cvol.placement.solving import place

TREES = {
    "house": [("core", None), ("gw", "core")],
    "chain": [("core", None), ("site", "core"), ("floor", "site")],
    "two": [("core", None), ("a", "core"), ("b", "core")],
    "deep": [("core", None), ("site", "core"), ("a", "site"), ("b", "site")],
}


def random_problem(chance, *, bounded):
    tiers = [
        Tier(
            name=name,
            above=above,
            price=chance.choice([0.5, 1.0, 3.0]),
            latency=chance.choice([0.01, 0.2]),
            back=chance.choice([0.0, 0.1]),
            cut=chance.choice([0.0, 0.2]),
            effort=chance.choice([0.0, 2.0, 40.0]) if above else chance.choice([0.0, 1.0]),
            cpu=chance.choice([math.inf, 6.0, 12.0]) if above and bounded else math.inf,
            memory=chance.choice([math.inf, 300.0]) if above and bounded else math.inf,
            capacity=chance.choice([math.inf, 4000.0]) if above and bounded else math.inf,
        )
        for name, above in TREES[chance.choice(list(TREES))]
    ]
    names = [each.name for each in tiers]
    sources = [
        Source(
            name=f"r{at}",
            tier=chance.choice(names[1:] * 3 + names[:1]),
            bytes=chance.choice([20.0, 300.0, 3600.0]),
            within=chance.choice(names[1:]) if bounded and chance.random() < 0.1 else None,
        )
        for at in range(chance.randint(1, 3))
    ]
    nodes, known = [], [each.name for each in sources]
    for at in range(chance.randint(2, 6)):
        needs = tuple(chance.sample(known, min(len(known), chance.choice([1, 1, 2, 3]))))
        drives = ((chance.choice(names), chance.choice([1.0, 50.0])),) if chance.random() < 0.25 else ()
        nodes.append(
            Node(
                name=f"s{at}",
                needs=needs,
                bytes=chance.choice([0.0, 10.0, 250.0, 3000.0, 9000.0]),
                cpu=chance.choice([0.0, 1.0, 5.0]),
                memory=chance.choice([0.0, 100.0]),
                at="core" if chance.random() < 0.15 else None,
                beside=(chance.choice(names),) if chance.random() < 0.1 else (),
                drives=drives,
                within=chance.choice([math.inf, 0.3]),
                passes=chance.random() < 0.3,
            )
        )
        known.append(f"s{at}")
    both = tuple(chance.sample([each.name for each in nodes], 2))
    together = (both,) if bounded and chance.random() < 0.3 else ()
    return Problem(tiers=tuple(tiers), sources=tuple(sources), nodes=tuple(nodes), together=together)


def best_of_all(problem):
    ways = [problem.ways[problem.starts[node.name]] for node in problem.nodes]
    names = [node.name for node in problem.nodes]
    tried = (bill(problem, dict(zip(names, each, strict=True))).total for each in itertools.product(*ways))
    return min(tried)


@pytest.mark.parametrize("bounded", [False, True])
def test_nothing_costs_less(bounded):
    chance = random.Random(7)
    worst, allowed = 1.0, 0
    for _ in range(150):
        problem = random_problem(chance, bounded=bounded)
        best = best_of_all(problem)
        try:
            found = place(problem)
        except ValueError:
            assert math.isinf(best)
            continue
        if math.isinf(best):
            assert found.strained is not None
            continue
        allowed += 1
        assert found.bill.why is None, found.bill.why
        assert found.exact
        worst = max(worst, (found.bill.total + 1e-9) / (best + 1e-9))
    assert allowed > 50
    assert worst < 1.000001, f"{worst} times the least cost"


def test_what_is_said_to_decide_decides():
    chance, found = random.Random(11), collections.Counter()
    for _ in range(200):
        problem = random_problem(chance, bounded=True)
        try:
            where = place(problem).where
        except ValueError:
            continue
        said = reasons(problem, where)
        assert said.keys() == where.keys()
        stands = bill(problem, where)
        for step, each in said.items():
            assert each.tier == where[step]
            assert each.text
            found[each.by] += 1
            if each.by == "stays":
                assert stands.why, "what is best is not said to be better elsewhere"
    assert found.keys() >= {"policy", "latency", "room", "bytes", "effort", "cut", "things", "order"}
