"""What a placement costs, added up plainly: what ``solving`` minimises, and what people are shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from diat.cvol.placement.problem import CUTS, LOSS, Node, Problem

Forbids = Literal["policy", "latency", "room", "order"]
_GRAVEST: tuple[Forbids, ...] = ("order", "policy", "latency", "room")
FAVOUR = 1e-3
"""What it costs to run a step one tier higher than it could, all else being equal: who is cut off goes on."""


class Bill(Struct, frozen=True, kw_only=True):
    """What a placement costs.

    Attributes:
        total: all of it, in the price of bytes; infinite if it is not allowed.
        plain: all of it, whether it is allowed or not.
        bytes: over each link in an hour, by the tier at its lower end.
        messages: likewise.
        why: what is not allowed about it, None if all is.
        forbids: what of it that is: where values may be, how soon an answer is needed, what nodes and links
            can bear, or how steps hang together.
    """

    total: float
    plain: float
    bytes: dict[str, float]
    messages: dict[str, float]
    why: str | None = None
    forbids: Forbids | None = None


def bill(problem: Problem, where: Mapping[str, str]) -> Bill:
    """Add up what it costs to run each step ``where`` it is said to."""
    at = {each.name: each.tier for each in problem.sources} | dict(where)
    sizes = {each.name: (each.bytes, each.messages) for each in problem.sources}
    sizes |= {each.name: (each.bytes, each.messages) for each in problem.nodes}
    total = 0.0
    forbidden = [each for node in problem.nodes for each in _forbidden(problem, at, node)]
    carried = {each.name: 0.0 for each in problem.tiers}
    counted = dict(carried)
    for name, (size, messages) in sizes.items():
        for link in crossed(problem, at, name):
            carried[link] += size
            counted[link] += messages
    for node in problem.nodes:
        total += node.cpu * problem.tier[at[node.name]].effort + extra(problem, node, at[node.name])
        for tier, size in node.drives:
            for link in _between(problem, tier, at[node.name]):
                carried[link] += size
    for one, other in problem.together:
        if at[one] != at[other]:
            forbidden.append(("order", f"{one} and {other} read the same"))
    for each in problem.tiers:
        total += carried[each.name] * each.price if each.above is not None else 0.0
        here = [node for node in problem.nodes if at[node.name] == each.name]
        if carried[each.name] > each.capacity:
            line = f"the line of {each.name} carries no more than {each.capacity:,.0f} bytes an hour for it"
            forbidden.append(("room", line))
        if sum(node.cpu for node in here) > each.cpu:
            line = f"{each.name} has no more than {each.cpu:,.1f} s of CPU an hour for it"
            forbidden.append(("room", line))
        if sum(node.memory for node in here) > each.memory:
            line = f"{each.name} has no more than {each.memory / 2**20:,.1f} MiB of memory for it"
            forbidden.append(("room", line))
    first = min(forbidden, key=lambda each: _GRAVEST.index(each[0]), default=None)
    return Bill(
        total=total if first is None else math.inf,
        plain=total,
        bytes={name: size for name, size in carried.items() if problem.tier[name].above is not None},
        messages={name: size for name, size in counted.items() if problem.tier[name].above is not None},
        why=first[1] if first is not None else None,
        forbids=first[0] if first is not None else None,
    )


def crossed(problem: Problem, at: Mapping[str, str], name: str) -> list[str]:
    """The links over which something travels: once, to whoever needs it furthest up."""
    ways = [_between(problem, at[name], at[node.name]) for node in problem.nodes if name in node.needs]
    return max(ways, key=len, default=[])


def extra(problem: Problem, node: Node, tier: str) -> float:
    """What a step costs on a tier beside what travels: that it stops there when a link is cut."""
    links = _between(problem, problem.starts[node.name], tier)
    stops = sum(LOSS * (1 + CUTS * problem.tier[link].cut) for link in links) if node.drives else 0.0
    return len(links) * FAVOUR + stops


def delay(problem: Problem, node: Node, tier: str) -> float:
    """Seconds from a reading to a command, if what decides runs on a tier."""
    up = [
        sum(problem.tier[link].latency for link in _between(problem, each, tier))
        for each in behind(problem, node.name)
    ]
    down = [sum(problem.tier[link].back for link in _between(problem, each, tier)) for each, _ in node.drives]
    return max(up, default=0.0) + max(down, default=0.0)


def behind(problem: Problem, name: str) -> set[str]:
    """The tiers of all readings that a step rests on."""
    needs = {node.name: node.needs for node in problem.nodes}
    tiers = {each.name: each.tier for each in problem.sources}
    found, waiting = set(), [name]
    while waiting:
        for need in needs.get(waiting.pop(), ()):
            waiting.append(need)
            if need in tiers:
                found.add(tiers[need])
    return found


def _forbidden(problem: Problem, at: Mapping[str, str], node: Node) -> Iterator[tuple[Forbids, str]]:
    here = at[node.name]
    way = problem.ways[here]
    if node.at is not None and here != node.at:
        yield "order", f"{node.name} must run on {node.at}"
    if here not in problem.ways[problem.starts[node.name]]:
        yield "order", f"{node.name} cannot have what it works on at {here}"
        return
    for need in node.needs:
        if here not in problem.ways[at[need]]:
            yield "order", f"{node.name} at {here} is below {need}, which it works on"
    for kept in problem.kept(node):
        if kept.within not in way:
            yield "policy", f"a policy keeps {kept.shown} at {kept.within}"
    best = min(delay(problem, node, tier) for tier in problem.ways[problem.starts[node.name]])
    took = delay(problem, node, here)
    if node.drives and took > max(node.within, best):
        yield "latency", f"{node.name} at {here} answers after {took:.2f} s, {node.within:g} s are asked for"


def _between(problem: Problem, low: str, high: str) -> list[str]:
    """The links from a tier up to another."""
    return [each for each in problem.links(low) if each not in problem.ways[high]]
