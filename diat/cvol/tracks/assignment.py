"""Pairs rows and columns at least total cost: the Hungarian method (Kuhn, 1955; shortest augmenting paths).

Pairs that cannot be are left out beforehand, so that most problems fall into pieces of one or two. A piece
that only a flood can make is paired greedily: its time stays bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

LARGEST = 12
"""Rows and columns of a piece at most that is solved exactly."""
Costs = Mapping[tuple[int, int], float]
"""Row and column to what pairing them costs; what is not here cannot be paired."""


def pairs(costs: Costs, alone: float) -> list[tuple[int, int]]:
    """The pairs of least cost, each row and column once.

    Args:
        costs: of the pairs that can be.
        alone: what it costs to leave a row without a column; pairs that cost more are not made.
    """
    made: list[tuple[int, int]] = []
    for rows, columns in _pieces([pair for pair, cost in costs.items() if cost <= alone]):
        if max(len(rows), len(columns)) > LARGEST:
            made += _greedy(costs, rows, columns, alone)
            continue
        # One column more for each row: to stay alone.
        matrix = [
            [costs.get((row, column), math.inf) for column in columns] + [alone] * len(rows) for row in rows
        ]
        for at, chosen in enumerate(solve(matrix)):
            if chosen < len(columns) and costs.get((rows[at], columns[chosen]), math.inf) <= alone:
                made.append((rows[at], columns[chosen]))
    return sorted(made)


def solve(matrix: Sequence[Sequence[float]]) -> list[int]:
    """For each row the column that it is given, no column twice, at least total cost.

    There must be as many columns as rows at least, and a way with finite cost.
    """
    wide = len(matrix[0]) if matrix else 0
    above, left = [0.0] * (wide + 1), [0.0] * (len(matrix) + 1)
    owner, before = [0] * (wide + 1), [0] * (wide + 1)
    for row in range(1, len(matrix) + 1):
        owner[0], column = row, 0
        least, tried = [math.inf] * (wide + 1), [False] * (wide + 1)
        while owner[column]:
            tried[column] = True
            at, step, following = owner[column], math.inf, 0
            for j in range(1, wide + 1):
                if tried[j]:
                    continue
                cost = matrix[at - 1][j - 1] - left[at] - above[j]
                if cost < least[j]:
                    least[j], before[j] = cost, column
                if least[j] < step:
                    step, following = least[j], j
            for j in range(wide + 1):
                if tried[j]:
                    left[owner[j]] += step
                    above[j] -= step
                else:
                    least[j] -= step
            column = following
        while column:
            owner[column] = owner[before[column]]
            column = before[column]
    found = [0] * len(matrix)
    for j in range(1, wide + 1):
        if owner[j]:
            found[owner[j] - 1] = j - 1
    return found


def _pieces(edges: list[tuple[int, int]]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together by pairs that can be."""
    of_row: dict[int, list[int]] = {}
    of_column: dict[int, list[int]] = {}
    for row, column in edges:
        of_row.setdefault(row, []).append(column)
        of_column.setdefault(column, []).append(row)
    found, seen = [], set()
    for start in of_row:
        if start in seen:
            continue
        rows, columns, waiting = {start}, set(), [start]
        while waiting:
            for column in of_row[waiting.pop()]:
                if column not in columns:
                    columns.add(column)
                    more = [row for row in of_column[column] if row not in rows]
                    rows.update(more)
                    waiting += more
        seen |= rows
        found.append((sorted(rows), sorted(columns)))
    return found


def _greedy(costs: Costs, rows: list[int], columns: list[int], alone: float) -> list[tuple[int, int]]:
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    made = []
    wanted, offered = set(rows), set(columns)
    mine = [
        (cost, pair)
        for pair, cost in costs.items()
        if cost <= alone and pair[0] in wanted and pair[1] in offered
    ]
    for _, (row, column) in sorted(mine):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            made.append((row, column))
    return made
