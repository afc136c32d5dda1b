"""What a window makes of its items, in a form that grows item by item, in any order, and can be joined.

A *part* is what is kept of some items: plain JSON. ``one`` makes the part of a single item, ``join`` that of
two parts, ``tell`` the answer. Most parts are of one size however many items they stand for; ``median`` and
``time-weighted-mean`` keep the items themselves, as ``[time, value]`` in the order of their times.

The spread of ``stddev`` is joined as by Chan, Golub and LeVeque (1979), which stays exact where the mean is
large against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import reduce
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from msgspec import Struct

AggregateName = Literal[
    "mean",
    "least",
    "most",
    "sum",
    "count",
    "first",
    "last",
    "median",
    "spread",
    "stddev",
    "change",
    "share-true",
    "time-weighted-mean",
]
Part = Any
Item = tuple[int, Any]
"""Unix milliseconds and value."""
LARGEST = 1e140
"""Greatest size of a number that is an item: sums and squares of as many as there may be stay finite."""


class Span(Struct, frozen=True):
    """The time that is told of, Unix milliseconds, and the value that stood before it, if any."""

    start: int
    end: int
    before: Any = None


class Aggregate(Struct, frozen=True):
    """One kind of answer.

    Attributes:
        one: the part of one item.
        join: the part of two; where times are equal the second came later.
        tell: the answer for a span; None where there is none.
        empty: the answer for no items.
        numbers: whether only numbers are items; true and false count as 1 and 0.
        shrink: makes a part that is the items themselves one item shorter; None for all others.
        holds: whether a value counts until the next one comes, the one before the first too.
    """

    one: Callable[[int, Any], Part]
    join: Callable[[Part, Part], Part]
    tell: Callable[[Part, Span], Any]
    empty: Any = None
    numbers: bool = True
    shrink: Callable[[Part], Part] | None = None
    holds: bool = False

    def item(self, at: int, value: Any) -> Item | None:
        """The item that a value is; None if it is none."""
        if not self.numbers:
            return None if value is None else (at, value)
        if not isinstance(value, int | float):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        return (at, number) if abs(number) <= LARGEST else None

    def of(self, items: Iterable[Item]) -> Part | None:
        """The part of some items; None of none."""
        parts = [self.one(at, value) for at, value in items]
        return reduce(self.join, parts) if parts else None

    def answer(self, part: Part | None, span: Span) -> Any:
        """The answer."""
        if part is None:
            return span.before if self.holds else self.empty
        return self.tell(part, span)


def _earlier(a: Part, b: Part) -> Part:
    return a if a[0] <= b[0] else b


def _later(a: Part, b: Part) -> Part:
    return b if b[0] >= a[0] else a


def _summed(a: Part, b: Part) -> Part:
    return [a[0] + b[0], a[1] + b[1]]


def _scattered(a: Part, b: Part) -> Part:
    """Count, mean and sum of squared distances from it, of both."""
    count = a[0] + b[0]
    apart = b[1] - a[1]
    return [count, a[1] + apart * (b[0] / count), a[2] + b[2] + apart * apart * (a[0] * b[0] / count)]


def _merged(a: Part, b: Part) -> Part:
    if a[-1][0] <= b[0][0]:
        return a + b
    return sorted(a + b, key=lambda item: item[0])


def _weighted(items: Part, span: Span) -> float:
    """The mean over time, each value standing until the next; what stood before counts from the start."""
    stood = [*([[span.start, span.before]] if span.before is not None else []), *items, [span.end, None]]
    pairs = [(later[0] - at, value) for (at, value), later in pairwise(stood)]
    total = sum(length for length, _ in pairs)
    return math.fsum(value * (length / total) for length, value in pairs) if total > 0 else items[-1][1]


def _without_oldest(items: Part) -> Part:
    return items[1:]


def _folded(items: Part) -> Part:
    """Two neighbours as one with their mean over time: the two that together stand for the shortest time."""
    at = min(range(len(items) - 2), key=lambda i: items[i + 2][0] - items[i][0])
    (start, first), (middle, second), (end, _) = items[at : at + 3]
    share = (middle - start) / (end - start) if end > start else 0.0
    return [*items[:at], [start, first * share + second * (1 - share)], *items[at + 2 :]]


AGGREGATES: dict[AggregateName, Aggregate] = {
    "mean": Aggregate(lambda _, v: [1, v], _summed, lambda part, _: part[1] / part[0]),
    "least": Aggregate(lambda _, v: v, min, lambda part, _: part),
    "most": Aggregate(lambda _, v: v, max, lambda part, _: part),
    "sum": Aggregate(lambda _, v: v, lambda a, b: a + b, lambda part, _: part, empty=0.0),
    "count": Aggregate(lambda *_: 1, lambda a, b: a + b, lambda part, _: part, empty=0, numbers=False),
    "first": Aggregate(lambda at, v: [at, v], _earlier, lambda part, _: part[1], numbers=False),
    "last": Aggregate(lambda at, v: [at, v], _later, lambda part, _: part[1], numbers=False),
    "median": Aggregate(
        lambda at, v: [[at, v]],
        _merged,
        lambda part, _: median(v for _, v in part),
        shrink=_without_oldest,
    ),
    "spread": Aggregate(
        lambda _, v: [v, v],
        lambda a, b: [min(a[0], b[0]), max(a[1], b[1])],
        lambda part, _: part[1] - part[0],
    ),
    "stddev": Aggregate(
        lambda _, v: [1, v, 0.0],
        _scattered,
        lambda part, _: math.sqrt(part[2] / (part[0] - 1)) if part[0] > 1 else None,
    ),
    "change": Aggregate(
        lambda at, v: [[at, v], [at, v]],
        lambda a, b: [_earlier(a[0], b[0]), _later(a[1], b[1])],
        lambda part, _: part[1][1] - part[0][1],
    ),
    "share-true": Aggregate(
        lambda _, v: [1, int(bool(v))], _summed, lambda part, _: part[1] / part[0], numbers=False
    ),
    "time-weighted-mean": Aggregate(lambda at, v: [[at, v]], _merged, _weighted, shrink=_folded, holds=True),
}
