"""How right reported objects are: one truth to one report, by the Hungarian method.

An event counts as found if a report covers the same time with an intersection over union of at least a half;
an always-on report matches nothing. Places on the ground count as found within one metre.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from diat_gateway.cameras.truth import Event

Interval = tuple[float, float]
"""From, to; s."""
Place = tuple[float, float]
"""x, y; metres."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many were found.

    Attributes:
        found: true ones that a report matches.
        true: how many there are.
        reported: how many were reported.
    """

    found: int
    true: int
    reported: int

    @property
    def recall(self) -> float:
        """Share of the true ones that were found; 1 if there were none."""
        return self.found / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Share of the reports that are right; 1 if nothing was reported and nothing was there."""
        return self.found / self.reported if self.reported else float(self.true == 0)

    def __add__(self, other: Score) -> Score:
        """Both together."""
        return Score(self.found + other.found, self.true + other.true, self.reported + other.reported)


def shared(a: Interval, b: Interval) -> float:
    """Intersection over union of two times."""
    both = min(a[1], b[1]) - max(a[0], b[0])
    whole = max(a[1], b[1]) - min(a[0], b[0])
    return max(0.0, both) / whole if whole > 0 else 0.0


def events(true: Sequence[Event], reported: Sequence[Interval], least: float = 0.5) -> Score:
    """Match reported times with true ones, each once."""
    if not true or not reported:
        return Score(0, len(true), len(reported))
    together = np.array([[shared((e.start, e.end), r) for r in reported] for e in true])
    rows, columns = linear_sum_assignment(-np.where(together >= least, together, 0.0))
    found = int((together[rows, columns] >= least).sum())
    return Score(found, len(true), len(reported))


@dataclass(frozen=True, slots=True)
class MapScore:
    """How right places on the ground are.

    Attributes:
        score: how many were found.
        error: the median over what was found, metres.
        errors: how far off each was that was found, metres.
    """

    score: Score
    error: float
    errors: tuple[float, ...] = field(default=(), repr=False)

    def __add__(self, other: MapScore) -> MapScore:
        """Both together."""
        errors = self.errors + other.errors
        return MapScore(self.score + other.score, _median(errors), errors)


def places(
    true: Mapping[int, Sequence[Place]],
    reported: Mapping[int, Sequence[Place]],
    within: float = 1.0,
    area: float = math.inf,
) -> MapScore:
    """Match places picture by picture; only pictures in ``true`` count.

    Args:
        true: picture to where things are.
        reported: picture to where they are said to be.
        within: metres from a thing at most for a report to be of it.
        area: metres from the origin within which they count. What is true within may be reported without;
            a report within that is of something without is neither right nor wrong: else whoever is an inch
            off at the rim would be wrong twice.
    """
    found = total = said = 0
    errors: list[float] = []
    for frame, everything in true.items():
        there = [place for place in everything if math.hypot(*place) <= area]
        rest = [place for place in everything if math.hypot(*place) > area]
        here = list(reported.get(frame, ()))
        near = _paired(there, here, within)
        taken = {column for _, column, _ in near}
        left = [at for at in range(len(here)) if at not in taken and math.hypot(*here[at]) <= area]
        spared = len(_paired(rest, [here[at] for at in left], within))
        found, total, said = found + len(near), total + len(there), said + len(near) + len(left) - spared
        errors.extend(away for _, _, away in near)
    return MapScore(Score(found, total, said), _median(errors), tuple(errors))


def _median(errors: Sequence[float]) -> float:
    return float(np.median(errors)) if errors else float("nan")


def _paired(there: Sequence[Place], here: Sequence[Place], within: float) -> list[tuple[int, int, float]]:
    """Which report is of which thing, and how far off."""
    if not there or not here:
        return []
    away = np.hypot(*(np.array(there)[:, None, :] - np.array(here)[None, :, :]).transpose(2, 0, 1))
    rows, columns = linear_sum_assignment(np.where(away <= within, away, 1e6))
    return [
        (int(row), int(column), float(away[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if away[row, column] <= within
    ]


def covered(true: Sequence[Event], sent: Sequence[Interval]) -> Score:
    """Video: an event counts if its first and its last second were each sent to 80 % at least."""

    def share(start: float, end: float) -> float:
        if end <= start:
            return float(any(a <= start <= b for a, b in sent))
        return sum(max(0.0, min(end, b) - max(start, a)) for a, b in sent) / (end - start)

    found = sum(
        share(e.start, min(e.end, e.start + 1.0)) >= 0.8 and share(max(e.start, e.end - 1.0), e.end) >= 0.8
        for e in true
    )
    return Score(found, len(true), len(sent))


def psnr(errors: Sequence[float]) -> float:
    """Peak signal to noise of mean squared errors weighted alike, dB."""
    mean = float(np.mean(errors)) if len(errors) else float("nan")
    return 99.0 if mean <= 0 else float(10 * np.log10(255.0**2 / mean))
