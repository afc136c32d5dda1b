"""Why steps run where they do: for each, what it would cost elsewhere, or what forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from diat.cvol.placement.costing import Bill, bill
from diat.cvol.placement.problem import LOSS, Node, Problem

By = Literal["things", "order", "policy", "latency", "room", "bytes", "cut", "effort", "equal", "stays"]
"""What decided: where things are; what must run where; a policy, the latency asked for, or what a node or a
line can bear; what travels; that it goes on while a line is cut; what CPU costs; nothing; that it is no more
than a little better elsewhere."""


class Reason(Struct, frozen=True):
    """Why a step runs on a tier.

    Attributes:
        by: what decided.
        text: for a person.
    """

    tier: str
    by: By
    text: str


def reasons(problem: Problem, where: Mapping[str, str]) -> dict[str, Reason]:
    """Step to why it runs ``where`` it does.

    A step is thought elsewhere with all that then has to go along (what works on it, if it is higher; what it
    works on, if it is lower), and with all that can go there as well; the cheaper of the two counts.
    """
    present = bill(problem, where)
    return {node.name: _reason(problem, where, present, node) for node in problem.nodes}


def _reason(problem: Problem, where: Mapping[str, str], present: Bill, node: Node) -> Reason:
    here, way = where[node.name], problem.ways[problem.starts[node.name]]
    if node.at is not None:
        return Reason(here, "order", f"it is told to others from {node.at}")
    if len(way) == 1:
        return Reason(here, "things", f"what it works on, or drives, comes together only at {way[0]}")
    tried = [(tier, _elsewhere(problem, where, node, tier)) for tier in way if tier != here]
    others = {tier: each for tier, each in tried if each is not None}
    allowed = {tier: each for tier, each in others.items() if each.forbids is None}
    cheapest = min(allowed, key=lambda tier: allowed[tier].plain, default=None)
    best = present.plain if cheapest is None else min(present.plain, allowed[cheapest].plain)
    for tier, each in sorted(others.items(), key=lambda item: item[1].plain):
        # Room is told of where it stands in the way; what a policy or somebody asks for, in any case.
        in_the_way = each.plain < best or cheapest is None
        if each.forbids is not None and (in_the_way or each.forbids != "room"):
            return Reason(here, each.forbids, f"not at {tier}: {each.why}")
    if cheapest is None:
        return Reason(here, "things", f"it hangs together with what must run at {here}")
    return _by_cost(problem, node, here, cheapest, present, allowed[cheapest])


def _elsewhere(problem: Problem, where: Mapping[str, str], node: Node, tier: str) -> Bill | None:
    """What it costs if a step runs elsewhere, as cheap as that is; None if that cannot be."""
    alone = _moved(problem, where, [node.name], tier)
    if alone is None:
        return None
    can = [
        each.name
        for each in problem.nodes
        if tier in problem.ways[problem.starts[each.name]] and each.at in (None, tier)
    ]
    together = _moved(problem, where, can, tier)
    bills = [bill(problem, at) for at in (alone, together) if at is not None]
    possible = [each for each in bills if each.forbids != "order"]
    return min(possible, key=lambda each: (each.forbids is not None, each.plain), default=None)


def _by_cost(problem: Problem, node: Node, here: str, other: str, present: Bill, there: Bill) -> Reason:
    more = there.plain - present.plain
    travels = sum(there.bytes[link] - present.bytes[link] for link in present.bytes)
    paid = sum((there.bytes[x] - present.bytes[x]) * problem.tier[x].price for x in present.bytes)
    if more < -1:
        return Reason(
            here, "stays", f"at {other} it would cost {-more:,.0f} less: no reason to move, or not yet"
        )
    if node.drives and more >= LOSS and paid < LOSS:
        return Reason(here, "cut", f"beside what it drives it goes on while the line is cut, at {other} not")
    if paid > 1:
        return Reason(here, "bytes", f"at {other} {travels:,.0f} bytes an hour more would travel")
    if more > 1:
        return Reason(here, "effort", f"a second of CPU costs more at {other}: {more:,.0f} in an hour")
    return Reason(here, "equal", f"as much travels if it runs at {other}")


def _moved(
    problem: Problem, where: Mapping[str, str], names: Sequence[str], tier: str
) -> dict[str, str] | None:
    """Where all steps run if some run elsewhere, with what has to go along; None if that cannot be."""
    at = dict(where) | dict.fromkeys(names, tier)
    waiting = list(names)
    while waiting:
        for name in _must_follow(problem, at, waiting.pop()):
            if tier not in problem.ways[problem.starts[name]]:
                return None
            at[name] = tier
            waiting.append(name)
    return at


def _must_follow(problem: Problem, at: Mapping[str, str], moved: str) -> Iterator[str]:
    """The steps that cannot stay where they are, since another is where it is."""
    tier = at[moved]
    for each in problem.nodes:
        if moved in each.needs and at[each.name] not in problem.ways[tier]:
            yield each.name
        if each.name == moved:
            for need in each.needs:
                if need in at and tier not in problem.ways[at[need]]:
                    yield need
    for pair in problem.together:
        for other in pair if moved in pair else ():
            if at[other] != tier:
                yield other
