"""Who moves through a scene: cars, vans and people, each along a way at its own pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SIZES = {"car": (4.3, 1.8, 1.45), "van": (5.4, 2.0, 2.3), "person": (0.5, 0.5, 1.75)}
"""Length, width and height, metres."""

_LANES = ((-1.8, "x", 1), (1.8, "x", -1), (-1.8, "y", -1), (1.8, "y", 1))
_REACH = 34.0


@dataclass(frozen=True)
class Actor:
    """One who moves.

    Attributes:
        no: its number in the truth.
        kind: ``car``, ``van`` or ``person``.
        begin: when it comes, s.
        way: points that it passes, metres.
        speed: m/s.
        stops: where along the way it stands still, and for how long: (metres, s), or None.
        colour: blue, green, red.
    """

    no: int
    kind: str
    begin: float
    way: NDArray[np.float64]
    speed: float
    stops: tuple[float, float] | None
    colour: tuple[int, int, int]

    @property
    def end(self) -> float:
        """When it has gone, s."""
        return self.begin + self._length / self.speed + (self.stops[1] if self.stops else 0.0)

    @property
    def _length(self) -> float:
        return float(np.hypot(*np.diff(self.way, axis=0).T).sum())

    def place(self, t: float) -> tuple[float, float, float] | None:
        """Where it is at a time, x, y (metres) and heading (radians); None while it is not there."""
        if not self.begin <= t <= self.end:
            return None
        gone = (t - self.begin) * self.speed
        if self.stops is not None:
            at, lasts = self.stops
            gone = gone if gone < at else max(at, gone - lasts * self.speed)
        steps = np.hypot(*np.diff(self.way, axis=0).T)
        ends = np.cumsum(steps)
        i = min(int(np.searchsorted(ends, gone)), len(steps) - 1)
        into = gone - (ends[i] - steps[i])
        dx, dy = (self.way[i + 1] - self.way[i]) / steps[i]
        return float(self.way[i][0] + dx * into), float(self.way[i][1] + dy * into), float(np.arctan2(dy, dx))


def traffic(
    random: Generator, seconds: float, events: int, *, people: float = 0.3, stops: float = 0.2
) -> list[Actor]:
    """So many actors, spread over the time.

    Args:
        random: where chance comes from.
        seconds: for which the scene lasts.
        events: how many come.
        people: share of them that walk.
        stops: share of the cars that stand still for a while.
    """
    begins = np.sort(random.uniform(3.5, max(4.0, seconds - 10.0), events))
    return [_actor(random, i + 1, float(t), people, stops) for i, t in enumerate(begins)]


def _actor(random: Generator, no: int, begin: float, people: float, stops: float) -> Actor:
    if random.random() < people:
        return Actor(no, "person", begin, _walk(random), float(random.uniform(1.2, 1.9)), None, _coat(random))
    kind = "van" if random.random() < 0.2 else "car"
    stop = (float(random.uniform(20, 30)), float(random.uniform(4, 15))) if random.random() < stops else None
    return Actor(no, kind, begin, _drive(random), float(random.uniform(6.0, 12.0)), stop, _colour(random))


def _colour(random: Generator) -> tuple[int, int, int]:
    shades = (
        (40, 40, 45),
        (225, 228, 230),
        (40, 45, 170),
        (150, 80, 40),
        (165, 165, 168),
        (60, 110, 70),
        (60, 160, 200),
    )
    b, g, r = shades[int(random.integers(len(shades)))]
    return (b, g, r)


def _coat(random: Generator) -> tuple[int, int, int]:
    """What a person wears: not what the lawn does, as whom no eye can see is no event that is known."""
    worn = _colour(random)
    return (60, 160, 200) if worn == (60, 110, 70) else worn


def _drive(random: Generator) -> NDArray[np.float64]:
    offset, axis, sign = _LANES[int(random.integers(len(_LANES)))]
    along = np.linspace(-_REACH * sign, _REACH * sign, 30)
    straight = np.stack([along, np.full(30, offset)] if axis == "x" else [np.full(30, offset), along], axis=1)
    if random.random() < 0.65:
        return straight
    # Turns right or left at the crossing: half of this lane, a quarter circle, half of another.
    other = [lane for lane in _LANES if lane[1] != axis]
    there, _, way = other[int(random.integers(2))]
    leave = np.linspace(4.0 * way, _REACH * way, 12)
    out = np.stack([np.full(12, there), leave] if axis == "x" else [leave, np.full(12, there)], axis=1)
    return np.vstack([straight[np.abs(along) > 4.0][: (np.abs(along) > 4.0).sum() // 2], out])


def _walk(random: Generator) -> NDArray[np.float64]:
    side = float(random.choice([-5.2, 5.2])) + float(random.uniform(-0.6, 0.6))
    ends = (-13.0, 13.0) if random.random() < 0.5 else (13.0, -13.0)
    points = np.stack([np.linspace(*ends, 20), side + 0.15 * np.sin(np.linspace(0, 6, 20))], axis=1)
    return points if random.random() < 0.5 else points[:, ::-1]
