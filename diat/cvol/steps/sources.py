"""Steps that take what fills a role and make one value of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any, ClassVar, Literal

from diat.cvol.steps.base import Given, Outcome, Reduces, Sample, Step

By = Literal["mean", "median", "weighted", "vote", "any", "all", "count", "least", "most", "sum", "spread"]


class Latest(Step):
    """The newest sample of a role."""

    role: str

    def run(self, given: Given) -> Outcome:
        """The newest value; None without samples."""
        newest = max(given.samples, key=lambda sample: (sample.observed, sample.position), default=None)
        return Outcome(None if newest is None else newest.value)


class Mean(Step):
    """The arithmetic mean over everything that fills a role."""

    reduces: ClassVar[Reduces] = "some"
    role: str

    def run(self, given: Given) -> Outcome:
        """The mean; None without samples."""
        values = _numbers(given.samples)
        return Outcome(_mean(values) if values else None)


class Fuse(Step):
    """One value from all that fills a role.

    Attributes:
        by: ``mean``; ``median``; ``weighted`` (by the inverse square of each accuracy, as the best unbiased
            estimate of equal quantities is; what states none counts as the least accurate); ``vote`` (the
            value that most have, among equals the one of the best thing); ``any`` and ``all`` of what is true
            or false; ``count`` of what is true (or of numbers, how many); ``least``, ``most``, ``sum`` and
            ``spread`` (most less least) of numbers.
    """

    reduces: ClassVar[Reduces] = "some"
    role: str
    by: By

    def run(self, given: Given) -> Outcome:
        """The value; None without samples."""
        return Outcome(_FUSED[self.by](given.samples) if given.samples else None)


class Notice(Step):
    """Each event of what fills a role, as it happens: its data, or true if it has none; None in between."""

    pulse: ClassVar[bool] = True
    takes: ClassVar[Literal["read", "notice", "drive"]] = "notice"
    role: str

    def run(self, given: Given) -> Outcome:
        """The newest event that arrived just now."""
        if not given.arrived:
            return Outcome(None)
        data = given.arrived[-1].value
        return Outcome(True if data is None else data)


class Setting(Step):
    """A property of the composite itself, as people or other services have set it."""

    property: str

    def run(self, given: Given) -> Outcome:
        """Its value."""
        return Outcome(given.own.get(self.property))


def _numbers(samples: Sequence[Sample]) -> list[float]:
    return [float(sample.value) for sample in samples if isinstance(sample.value, int | float)]


def _mean(values: Sequence[float]) -> float:
    try:
        return fmean(values)
    except OverflowError:
        # The sum of enormous values is no number, their mean is.
        return sum(value / len(values) for value in values)


def _weighted(samples: Sequence[Sample]) -> float | None:
    stated = [s.accuracy for s in samples if s.accuracy is not None and s.accuracy > 0]
    worst = max(stated, default=1.0)
    pairs = [
        (float(s.value), 1 / (s.accuracy if s.accuracy is not None and s.accuracy > 0 else worst) ** 2)
        for s in samples
        if isinstance(s.value, int | float)
    ]
    total = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight / total for value, weight in pairs) if pairs else None


def _vote(samples: Sequence[Sample]) -> Any:
    ranked = sorted(samples, key=lambda sample: sample.weight)
    votes = Counter(repr(sample.value) for sample in ranked)
    # The best thing's value comes first in a Counter, so it wins among equals.
    chosen = votes.most_common(1)[0][0]
    return next(sample.value for sample in ranked if repr(sample.value) == chosen)


def _of(function: Callable[[list[float]], float]) -> Callable[[Sequence[Sample]], float | None]:
    def fused(samples: Sequence[Sample]) -> float | None:
        values = _numbers(samples)
        return function(values) if values else None

    return fused


def _count(samples: Sequence[Sample]) -> int:
    return sum(1 for sample in samples if not isinstance(sample.value, bool) or sample.value)


_FUSED: dict[str, Callable[[Sequence[Sample]], Any]] = {
    "mean": _of(_mean),
    "median": _of(median),
    "weighted": _weighted,
    "vote": _vote,
    "any": lambda samples: any(bool(sample.value) for sample in samples),
    "all": lambda samples: all(bool(sample.value) for sample in samples),
    "count": _count,
    "least": _of(min),
    "most": _of(max),
    "sum": _of(math.fsum),
    "spread": _of(lambda values: max(values) - min(values)),
}
