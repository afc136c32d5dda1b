"""Steps that join the parts of a composite that runs on several tiers; no template has them.

What the steps of a part tell those above it is one property of the part's own thing, so that all that came of
one reading is told at once: ``[{step: value}]``, or with the names of those of which the value did not come
with a reading, ``[{step: value}, [step]]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from diat.cvol.steps.base import Given, Outcome, Reduces, Sample, Step
from diat.cvol.steps.sources import By, Fuse, Mean

TOLD = "told"
"""The property of a part's thing that has what its steps tell."""
Partly = Any
"""What is known of some of what fills a role: plain JSON."""


class Heard(Step):
    """The value of a step that runs in a part below, as it was last told.

    Attributes:
        role: what the part is bound as.
    """

    pure: ClassVar[bool] = False
    keeps: ClassVar[bool] = True
    role: str

    def comes(self, arrived: Sequence[Sample]) -> bool:
        """Whether a reading is behind what was told of the step."""
        return any(self.id in _values(sample) and self.id not in _stale(sample) for sample in arrived)

    def run(self, given: Given) -> Outcome:
        """It; what was told last if nothing is just now."""
        state = given.state
        for sample in given.arrived:
            if self.id in (values := _values(sample)):
                state = [values[self.id]]
        return Outcome(None if state is None else state[0], state)


class HeardPulse(Heard):
    """The same of a step that pulses: its value counts each time, and at no other."""

    pulse: ClassVar[bool] = True

    def run(self, given: Given) -> Outcome:
        """It, if it is told just now."""
        found = [values[self.id] for sample in given.arrived if self.id in (values := _values(sample))]
        return Outcome(found[-1] if found else None)


class Portion(Step):
    """What a part can say of its share of a role, for the step above that makes one value of all shares."""

    reduces: ClassVar[Reduces] = "some"
    role: str
    by: By

    def run(self, given: Given) -> Outcome:
        """The share; None without samples."""
        return Outcome(PORTIONS[self.by].of(given.samples) if given.samples else None)


class Whole(Step):
    """One value of the shares of several parts: the value that the step over all would have.

    Attributes:
        inputs: the portions.
        by: as of ``fuse``.
    """

    reduces: ClassVar[Reduces] = "some"
    inputs: dict[str, str]
    by: By

    def run(self, given: Given) -> Outcome:
        """The value; None without samples."""
        shares = [share for name in self.inputs if (share := given.values[name]) is not None]
        return Outcome(PORTIONS[self.by].tell(shares) if shares else None)


class Portioned(Struct, frozen=True):
    """How a value of a role is made of shares.

    Attributes:
        of: the share of some samples, at least one; None if none of them counts.
        tell: the value of some shares, at least one.
    """

    of: Callable[[Sequence[Sample]], Partly]
    tell: Callable[[Sequence[Partly]], Any]


def portioned(step: Step) -> By | None:
    """How a step can be made of portions; None if it cannot."""
    by = "mean" if isinstance(step, Mean) else step.by if isinstance(step, Fuse) else None
    return by if by in PORTIONS else None


def _values(sample: Sample) -> dict[str, Any]:
    values: dict[str, Any] = sample.value[0]
    return values


def _stale(sample: Sample) -> Sequence[str]:
    return sample.value[1] if len(sample.value) > 1 else ()


def _numbers(samples: Sequence[Sample]) -> list[float]:
    return [float(sample.value) for sample in samples if isinstance(sample.value, int | float)]


def exactly(numbers: Sequence[float]) -> list[float]:
    """Numbers whose exact sum is that of the given ones, as few as that takes.

    Of sums that are rounded once only the order would matter (Shewchuk, "Adaptive Precision Floating-Point
    Arithmetic", 1997, as in ``math.fsum``).
    """
    parts: list[float] = []
    for number in numbers:
        x, kept = number, []
        for part in parts:
            y = part
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low:
                kept.append(low)
            x = high
        parts = [*kept, x]
    return parts


def _counted(samples: Sequence[Sample]) -> Partly:
    values = _numbers(samples)
    return [len(values), *exactly(values)] if values else None


def _mean(shares: Sequence[Partly]) -> float:
    count: int = sum(share[0] for share in shares)
    return math.fsum(part for share in shares for part in share[1:]) / count


def _least(samples: Sequence[Sample]) -> Partly:
    return min(_numbers(samples), default=None)


def _most(samples: Sequence[Sample]) -> Partly:
    return max(_numbers(samples), default=None)


def _ends(samples: Sequence[Sample]) -> Partly:
    values = _numbers(samples)
    return [min(values), max(values)] if values else None


PORTIONS: dict[By, Portioned] = {
    "mean": Portioned(_counted, _mean),
    "sum": Portioned(_counted, lambda shares: math.fsum(part for share in shares for part in share[1:])),
    "any": Portioned(lambda samples: any(bool(sample.value) for sample in samples), any),
    "all": Portioned(lambda samples: all(bool(sample.value) for sample in samples), all),
    "count": Portioned(
        lambda samples: sum(1 for each in samples if not isinstance(each.value, bool) or each.value), sum
    ),
    "least": Portioned(_least, min),
    "most": Portioned(_most, max),
    "spread": Portioned(
        _ends, lambda shares: max(share[1] for share in shares) - min(share[0] for share in shares)
    ),
}
"""How values of roles are made of shares; those that need all samples at once are not here."""
