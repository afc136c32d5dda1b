"""What history answers with, and how figures over parts of an interval become one figure over all of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, get_args

from msgspec import Struct

Aggregate = Literal["mean", "min", "max", "sum", "count", "last"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)

EXACT = 2**53
"""Whole numbers up to this size are exact as floating-point numbers."""


class Past(Struct, frozen=True):
    """A reading of long ago, or a figure over many; times in Unix milliseconds."""

    value: Any
    observed: int
    received: int
    quality: str
    position: int = 0


class Wanted(Struct, frozen=True):
    """Which readings of one property, or occurrences of one event, are asked for.

    Attributes:
        thing: number of the thing.
        name: the property or event.
        start: first time, Unix milliseconds, included; None for no limit.
        end: last time, excluded; None for no limit.
        after: (observed, position) of the last one of the page before.
        since: if given, only what came behind this position, and in the order in which it came.
    """

    thing: int
    name: str
    start: int | None = None
    end: int | None = None
    after: tuple[int, int] | None = None
    since: int | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """What they are ordered by."""
        return ("observed", "position") if self.since is None else ("position",)


class Partial(Struct, frozen=True):
    """A figure over some of the readings of one interval.

    Attributes:
        at: start of the interval, Unix milliseconds.
        count: how many readings it is over, at least 1.
        figure: their sum for ``mean`` and ``sum``, else the figure itself.
        whole: whether all of them were whole numbers.
        received: when the newest of them came, for ``last`` that one.
        latest: (observed, position) of that one, for ``last``.
    """

    at: int
    count: int
    figure: Any = None
    whole: bool = False
    received: int = 0
    latest: tuple[int, int] = (0, 0)


def combine(aggregate: Aggregate, partials: Iterable[Partial]) -> Iterator[Past]:
    """One figure for each interval.

    Args:
        aggregate: which figure.
        partials: ordered by interval; several of one interval are over different readings.
    """
    for at, of_interval in groupby(partials, key=attrgetter("at")):
        parts = list(of_interval)
        newest = max(parts, key=attrgetter("latest"))
        received = newest.received if aggregate == "last" else max(part.received for part in parts)
        yield Past(_figure(aggregate, parts, newest), at, received, "good")


def _figure(aggregate: Aggregate, parts: list[Partial], newest: Partial) -> Any:
    if aggregate == "last":
        return newest.figure
    count = sum(part.count for part in parts)
    if aggregate == "count":
        return count
    figures = [part.figure for part in parts]
    if aggregate == "mean":
        return math.fsum(figures) / count
    figure = math.fsum(figures) if aggregate == "sum" else (min if aggregate == "min" else max)(figures)
    # What consists of whole numbers is shown as one, as long as it is exact.
    whole = all(part.whole for part in parts) and abs(figure) <= EXACT
    return int(figure) if whole else figure
