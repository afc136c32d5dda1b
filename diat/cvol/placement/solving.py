"""The placement of least cost, exactly.

Values travel upward only, so a step can run nowhere but on the way from the lowest tier at which it can have
what it works on to the root. Let ``z[step, link]`` say that a step is below a link. What is below a link is
below all that are higher, what a step works on is below each link that the step is below, and what travels
costs where the one is below and the other not. All of that are differences of two unknowns: a minimum cut
(Stone, "Multiprocessor scheduling with the aid of network flow algorithms", 1977; several tiers as in
Ishikawa, 2003; values that travel once to several as one more unknown), which a linear programme finds in
whole numbers. What nodes and links can bear, and nothing else, makes it a programme in integers; for that
there is HiGHS, by way of SciPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from msgspec import Struct

from diat.cvol.placement.costing import Bill, bill, delay, extra
from diat.cvol.placement.problem import Node, Problem

SECONDS = 5.0
"""Of the machine's time at most; what is best by then is taken."""


class Placed(Struct, frozen=True, kw_only=True):
    """Where each step runs.

    Attributes:
        where: step to tier.
        exact: whether nothing is better; else time was over.
        strained: what links and nodes cannot bear, though nothing does with less; None if all is well.
    """

    where: dict[str, str]
    bill: Bill
    exact: bool = True
    strained: str | None = None


def place(problem: Problem, seconds: float = SECONDS) -> Placed:
    """The placement of least cost; of those that cost the same, the one that is lowest in the tree.

    Where nothing is within what links and nodes can bear, that is left out of account, and told.

    Raises:
        ValueError: something must not leave a tier and is needed above it; the message names it.
    """
    if len(problem.tiers) == 1 or not problem.nodes:
        where = {node.name: problem.root for node in problem.nodes}
        return Placed(where=where, bill=bill(problem, where))
    found = _Programme(problem).solved(seconds)
    strained = None
    if found is None:
        found = _Programme(problem, bears=False).solved(seconds)
        if found is None:
            raise ValueError(_why_not(problem))
        strained = bill(problem, found[0]).why
    where, exact = found
    return Placed(where=where, bill=bill(problem, where), exact=exact, strained=strained)


def all_above(problem: Problem) -> Bill:
    """What it would cost to run everything at the root, whatever is forbidden."""
    return bill(problem, {node.name: problem.root for node in problem.nodes})


def _why_not(problem: Problem) -> str:
    for node in problem.nodes:
        for each in problem.kept(node):
            start = problem.starts[node.name]
            if each.within not in problem.ways[start] or node.at is not None:
                return f"a policy keeps {each.shown} at {each.within}, and {node.name} needs it above that"
    return "no placement is allowed"


class _Programme:
    """The linear programme; rows are lists of ``(unknown, factor)`` with a lower and an upper bound."""

    def __init__(self, problem: Problem, *, bears: bool = True) -> None:
        self._problem = problem
        self._costs: list[float] = []
        self._rows: list[tuple[list[tuple[int, float]], float, float]] = []
        self._below: dict[tuple[str, str], int] = {}
        self._loads: dict[str, list[tuple[int, float]]] = {each.name: [] for each in problem.tiers}
        self._given: dict[str, float] = {each.name: 0.0 for each in problem.tiers}
        self._whole = 0
        for node in problem.nodes:
            for link in problem.links(problem.starts[node.name]):
                self._below[node.name, link] = self._unknown(0.0)
        self._whole = len(self._costs)
        for node in problem.nodes:
            self._ordered(node)
            self._own(node)
        for one, other in problem.together:
            for link in dict.fromkeys(
                (*problem.links(problem.starts[one]), *problem.links(problem.starts[other]))
            ):
                pair = [(self._below.get((one, link)), 1.0), (self._below.get((other, link)), -1.0)]
                self._row([(unknown, by) for unknown, by in pair if unknown is not None], 0.0, 0.0)
        for source in problem.sources:
            self._travels(source.name, source.bytes)
        for node in problem.nodes:
            self._travels(node.name, node.bytes)
        if bears:
            self._bearable()

    def solved(self, seconds: float) -> tuple[dict[str, str], bool] | None:
        """Step to tier, and whether that is known to be best; None if nothing is allowed."""
        # Imported where it is needed: a gateway with none below it has nothing to solve, and little memory.
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_array

        count = len(self._costs)
        if not count:
            return self._read([]), True
        entries = [(at, each, by) for at, (row, _, _) in enumerate(self._rows) for each, by in row]
        constraints = []
        if entries:
            rows, columns, factors = zip(*entries, strict=True)
            matrix = coo_array((factors, (rows, columns)), shape=(len(self._rows), count)).tocsr()
            constraints = [
                LinearConstraint(matrix, [low for _, low, _ in self._rows], [up for _, _, up in self._rows])
            ]
        found = milp(
            np.asarray(self._costs),
            integrality=np.arange(count) < self._whole,
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        if found.x is None:
            return None
        return self._read(list(found.x)), found.status == 0

    # --- within ---

    def _read(self, values: list[float]) -> dict[str, str]:
        where = {}
        for node in self._problem.nodes:
            way = self._problem.ways[self._problem.starts[node.name]]
            lower = [link for link in way[:-1] if values[self._below[node.name, link]] > 0.5]
            where[node.name] = lower[0] if lower else way[-1]
        return where

    def _unknown(self, cost: float) -> int:
        self._costs.append(cost)
        return len(self._costs) - 1

    def _row(self, row: list[tuple[int, float]], low: float, high: float) -> None:
        self._rows.append((row, low, high))

    def _on(self, node: Node) -> Iterator[tuple[str, list[tuple[int, float]], float]]:
        """For each tier that a step may run on, what is 1 if it does: unknowns, factors, a constant."""
        way = self._problem.ways[self._problem.starts[node.name]]
        for at, tier in enumerate(way):
            row: list[tuple[int, float]] = []
            if at < len(way) - 1:
                row.append((self._below[node.name, tier], 1.0))
            if at > 0:
                row.append((self._below[node.name, way[at - 1]], -1.0))
            yield tier, row, float(at == len(way) - 1)

    def _ordered(self, node: Node) -> None:
        problem = self._problem
        links = problem.links(problem.starts[node.name])
        for low, high in itertools.pairwise(links):
            self._row([(self._below[node.name, high], 1.0), (self._below[node.name, low], -1.0)], 0.0, 1.0)
        for need in node.needs:
            for link in links:
                if (need, link) in self._below:
                    pair = [(self._below[need, link], 1.0), (self._below[node.name, link], -1.0)]
                    self._row(pair, 0.0, 1.0)

    def _own(self, node: Node) -> None:
        """What a step costs where, and where it must not run."""
        problem = self._problem
        way = problem.ways[problem.starts[node.name]]
        best = min(delay(problem, node, tier) for tier in way)
        highest = [each.within for each in problem.kept(node)]
        for tier, row, given in self._on(node):
            price = node.cpu * problem.tier[tier].effort + extra(problem, node, tier)
            for unknown, factor in row:
                self._costs[unknown] += price * factor
            late = bool(node.drives) and delay(problem, node, tier) > max(node.within, best)
            leaves = any(each not in problem.ways[tier] for each in highest)
            if late or leaves or (node.at is not None and node.at != tier):
                self._row(row, -given, -given)
        for tier, size in node.drives:
            for link in problem.links(tier):
                below = self._below.get((node.name, link))
                if below is not None:
                    self._costs[below] -= size * problem.tier[link].price
                    self._loads[link].append((below, -size))
                self._given[link] += size

    def _travels(self, name: str, size: float) -> None:
        """Once over each link that it is below and one that needs it is not."""
        problem = self._problem
        users = [node for node in problem.nodes if name in node.needs]
        for link in problem.links(problem.starts[name]):
            up = self._unknown(size * problem.tier[link].price)
            self._loads[link].append((up, size))
            mine = self._below.get((name, link))  # a source is always below
            for user in users:
                theirs = self._below.get((user.name, link))
                row = [(up, 1.0)]
                row += [(mine, -1.0)] if mine is not None else []
                row += [(theirs, 1.0)] if theirs is not None else []
                self._row(row, 0.0 if mine is not None else 1.0, 3.0)

    def _bearable(self) -> None:
        for tier in self._problem.tiers:
            if tier.above is not None and tier.capacity != float("inf"):
                self._row(self._loads[tier.name], -1e300, tier.capacity - self._given[tier.name])
            for limit, of in ((tier.cpu, "cpu"), (tier.memory, "memory")):
                if limit == float("inf"):
                    continue
                total: list[tuple[int, float]] = []
                given = 0.0
                for node in self._problem.nodes:
                    for at, row, constant in self._on(node):
                        if at == tier.name:
                            weight = float(getattr(node, of))
                            total += [(unknown, factor * weight) for unknown, factor in row]
                            given += constant * weight
                self._row(total, -1e300, limit - given)
