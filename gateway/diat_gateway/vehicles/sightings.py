"""The records of one camera: which vehicles are where on the ground, a few times a second."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from diat_gateway.cameras.seeing.analysis import Seen
from diat_gateway.cameras.seeing.pictures import Image
from diat_gateway.vehicles.ground import Box, Ground

NARROW, SMALL = 1.2, 3.0
"""Metres across, and square metres seen, below which it is no vehicle: who walks shows one and a half."""
_BROAD = 7.5
"""Metres beyond which a box is that of several, of which nobody knows where each stands."""
_GUESSED = 2.0
"""Metres by which something may be off that runs into one with others in the picture."""
_GUESSES = 0.6
"""Seconds for which where that is is guessed."""
_LOOK = 0.8
"""Seconds over which the heading of something is judged."""
_MOST = 32
_FAR = 200.0


@dataclass(slots=True)
class _Known:
    """What is known of one object."""

    feet: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=64))
    sizes: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=9))
    colour: tuple[float, float, float] | None = None
    heading: float | None = None
    alone: float = -math.inf


class Sightings:
    """Makes records of what a camera sees.

    Args:
        ground: before the camera.
        every: seconds between two reports while there is something.
        beat: seconds between two reports while there is nothing, so that it is known to look.
        farthest: metres from the origin beyond which a place means nothing.
        walkers: whether those who walk are told of too.
    """

    def __init__(
        self,
        ground: Ground,
        every: float = 0.2,
        beat: float = 5.0,
        farthest: float = _FAR,
        *,
        walkers: bool = False,
    ) -> None:
        self._ground = ground
        self._every = every
        self._beat = beat
        self._farthest = farthest
        self._walkers = walkers
        self._known: dict[int, _Known] = {}
        self._last: tuple[float, bool] | None = None

    def take(self, seen: Seen, image: Image | None) -> list[dict[str, Any]] | None:
        """What is to be reported of a picture; None if nothing is.

        Args:
            seen: what it showed.
            image: its pixels, for the colours.
        """
        for number, box in seen.objects:
            self._look(seen.t, number, box, image, merged=number in seen.merged)
        there = {number for number, _ in seen.objects}
        self._known = {number: each for number, each in self._known.items() if number in there}
        if not self._due(seen.t, bool(there)):
            return None
        found = [
            self._record(number, box, image, merged=number in seen.merged) for number, box in seen.objects
        ]
        records = [each for each in found if each is not None][:_MOST]
        self._last = (seen.t, bool(records))
        return records

    def _due(self, t: float, something: bool) -> bool:
        if self._last is None or t < self._last[0]:
            return True
        wait = self._every if something or self._last[1] else self._beat
        return t - self._last[0] >= wait - 1e-3

    def _look(self, t: float, number: int, box: Box, image: Image | None, *, merged: bool) -> None:
        known = self._known.setdefault(number, _Known())
        u, v = box[0] + box[2] / 2, box[1] + box[3]
        x, y = self._ground.at(u, v)
        known.feet.append((t, x, y))
        if not merged:
            across = self._ground.across(u, v)
            known.alone = t
            known.sizes.append((box[2] * across, box[2] * box[3] * across**2))
        begin = next(each for each in known.feet if t - each[0] <= _LOOK)
        dx, dy = x - begin[1], y - begin[2]
        if math.hypot(dx, dy) > 1.0:
            known.heading = math.atan2(dy, dx)
        if image is not None and not merged:
            shade = _colour(image, box)
            if shade is not None:
                old = known.colour or shade
                known.colour = tuple(a + 0.2 * (b - a) for a, b in zip(old, shade, strict=True))  # type: ignore[assignment]

    def _record(self, number: int, box: Box, image: Image | None, *, merged: bool) -> dict[str, Any] | None:
        known = self._known[number]
        if not known.sizes or known.feet[-1][0] - known.alone > _GUESSES:
            return None
        vehicle = _is_vehicle(known.sizes)
        if not vehicle and not self._walkers:
            return None
        if known.sizes[-1][0] > _BROAD or (image is not None and _cut_off(box, image)):
            return None
        x, y, within = self._ground.middle(box, known.heading) if vehicle else self._ground.standing(box)
        if merged:
            within = math.hypot(within, _GUESSED)
        if not (math.hypot(x, y) <= self._farthest and within <= 5.0):
            return None
        record: dict[str, Any] = {
            "id": number,
            "x": round(x, 2),
            "y": round(y, 2),
            "within": round(within, 2),
        }
        if known.colour is not None:
            record["colour"] = "".join(f"{min(255, max(0, round(part))):02x}" for part in known.colour)
        return record


def _is_vehicle(sizes: Sequence[tuple[float, float]]) -> bool:
    """Whether it is now, and was as a rule, as large as vehicles are."""
    usual = sorted(sizes, key=lambda size: size[1])[len(sizes) // 2]
    return all(wide >= NARROW and area >= SMALL for wide, area in (usual, sizes[-1]))


def _cut_off(box: Box, image: Image) -> bool:
    """Whether the edge of the picture hides a part of it, so that nobody knows where it stands."""
    high, wide = image.shape[:2]
    return box[0] <= 1 or box[0] + box[2] >= wide - 2 or box[1] + box[3] >= high - 2


def _colour(image: Image, box: Box) -> tuple[float, float, float] | None:
    """Red, green and blue (0 to 255) of the middle of a box."""
    x, y, w, h = box
    part = image[int(y + 0.3 * h) : int(y + 0.7 * h) + 1, int(x + 0.3 * w) : int(x + 0.7 * w) + 1]
    if part.size == 0:
        return None
    blue, green, red = (float(each) for each in part.reshape(-1, 3).mean(axis=0))
    return red, green, blue
