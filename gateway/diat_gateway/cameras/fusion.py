"""One map of what is where, from what several cameras report: the neighbouring map of an area.

Reports of the same moment that lie within reach of each other are one thing, at the mean of their places;
each camera has at most one part in it. Things keep their number from moment to moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

STEP = 0.5
"""Seconds between two moments of the map."""
_TOGETHER = 4.0
"""Metres within which reports of two cameras are one thing."""
_GOES = 9.0
"""Metres that a thing goes from one moment to the next at most."""
_HELD = 1200
"""Moments that wait at most; the oldest is given up."""

Place = tuple[float, float]


@dataclass(slots=True)
class _Thing:
    parts: list[Place] = field(default_factory=list)

    @property
    def place(self) -> Place:
        x, y = np.mean(self.parts, axis=0)
        return float(x), float(y)


class Fusion:
    """Joins reports; moments are multiples of ``STEP``."""

    def __init__(self) -> None:
        self._moments: dict[int, dict[str, list[Place]]] = {}
        self._known: dict[int, Place] = {}
        self._next = 1
        self.given_up = 0

    def report(self, camera: str, t: float, places: Iterable[Place]) -> None:
        """What one camera sees at a time, s."""
        self._moments.setdefault(round(t / STEP), {})[camera] = list(places)
        if len(self._moments) > _HELD:
            self._moments.pop(min(self._moments))
            self.given_up += 1

    def maps(self, before: float | None = None) -> list[tuple[float, list[tuple[int, float, float]]]]:
        """The maps of all moments (before a time, s), oldest first: (t, [(number, x, y)]); each once."""
        due = sorted(m for m in self._moments if before is None or m * STEP < before)
        return [(moment * STEP, self._numbered(together(self._moments.pop(moment)))) for moment in due]

    def _numbered(self, places: list[Place]) -> list[tuple[int, float, float]]:
        known = list(self._known.items())
        numbers = [0] * len(places)
        if known and places:
            away = _distances([place for _, place in known], places)
            for i, j in zip(*linear_sum_assignment(np.minimum(away, 1e3)), strict=True):
                if away[i, j] <= _GOES:
                    numbers[j] = known[i][0]
        for j, number in enumerate(numbers):
            if not number:
                numbers[j], self._next = self._next, self._next + 1
        self._known = dict(zip(numbers, places, strict=True))
        return [(number, *place) for number, place in zip(numbers, places, strict=True)]


def together(reports: dict[str, list[Place]]) -> list[Place]:
    """The things behind the reports of one moment."""
    things: list[_Thing] = []
    for places in reports.values():
        if not things:
            things = [_Thing([place]) for place in places]
            continue
        if not places:
            continue
        away = _distances([thing.place for thing in things], places)
        taken = set()
        for i, j in zip(*linear_sum_assignment(np.minimum(away, 1e3)), strict=True):
            if away[i, j] <= _TOGETHER:
                things[i].parts.append(places[j])
                taken.add(int(j))
        things += [_Thing([place]) for j, place in enumerate(places) if j not in taken]
    return [thing.place for thing in things]


def _distances(some: list[Place], others: list[Place]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(
        np.hypot(*(np.array(some)[:, None, :] - np.array(others)[None, :, :]).transpose(2, 0, 1))
    )
