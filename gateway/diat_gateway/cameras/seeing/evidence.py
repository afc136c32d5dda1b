"""Whether what was followed was a thing after all: judged when it is over, by all that was seen of it.

While it goes on, what may be an object is one, so that nothing is missed. A record is told at the end, and
then more is known: how far it really got, whether it had an outline, whether it was ever seen by itself, and
whether it was only a piece of another. The limits are shares and sizes of the thing itself, never pixels, so
that they hold near and far.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diat_gateway.cameras.seeing.blobs import Box, overlap
from diat_gateway.cameras.seeing.tracks import Track

Path = Sequence[tuple[float, Box]]

STEP = 0.4
"""Seconds between two points of a way: within that an outline wobbles."""
WAY = 0.9
"""Sizes of itself that a thing gets on, less by what it goes to and fro."""
BRIEF, FAR, NEAR = 1.5, 2.0, 6.0
"""What is seen for less than so many seconds must get on by so many sizes, and be so many times the least."""
OUTLINE = 0.25
"""How sharply a thing stands out at least; light on the ground and coarse coding do not."""
LIGHT = 0.9
"""Share of its pixels that are the background in a stronger light, from which it must be sharper still."""
ALONE = 0.25
"""Share of the pictures in which it had an outline of its own."""


def convinces(path: Path, tracks: Sequence[Track], least: float) -> bool:
    """Whether it was a thing.

    Args:
        path: where it was.
        tracks: those that it was put together of.
        least: pixels of the box of the smallest thing, where it is nearest.
    """
    lasted, way = path[-1][0] - path[0][0], progress(path)
    large = float(np.quantile([box[2] * box[3] for _, box in path], 0.9))
    if way < WAY or (lasted < BRIEF and (way < FAR or large < NEAR * least)):
        return False
    seen = sum(track.seen for track in tracks)
    if not seen:
        return True
    alone = sum(track.alone for track in tracks)
    if alone < ALONE * seen:
        return False
    edge = sum(track.edge * track.alone for track in tracks) / max(1, alone)
    lit = sum(track.lit * track.alone for track in tracks) / max(1, alone)
    return edge >= OUTLINE if lit < LIGHT else edge >= 2 * OUTLINE


def progress(path: Path) -> float:
    """How far it got from where it began, in sizes of itself, times how straight that way was (0 to 1)."""
    times = np.array([t for t, _ in path])
    boxes = np.array([box for _, box in path])
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    which = ((times - times[0]) / STEP).astype(int)
    points = np.array([centres[which == i].mean(axis=0) for i in np.unique(which)])
    away = np.hypot(*(points - points[0]).T)
    farthest = int(away.argmax())
    way = float(np.hypot(*np.diff(points[: farthest + 1], axis=0).T).sum())
    size = float(np.median(np.sqrt(boxes[:, 2] * boxes[:, 3])))
    return float(away[farthest]) ** 2 / max(1e-6, way) / max(1.0, size)


def piece_of(one: Path, other: Path) -> bool:
    """Whether one was within the other for most of its time, and much smaller: a window, a shadow."""
    times = np.array([t for t, _ in other])
    within = []
    for t, box in one:
        i = min(int(np.searchsorted(times, t)), len(times) - 1)
        if abs(times[i] - t) < 0.3:
            theirs = other[i][1]
            within.append(overlap(box, theirs) > 0.6 * box[2] * box[3])
    if len(within) < 0.6 * len(one) or sum(within) < 0.6 * len(one):
        return False
    return _area(one) < 0.6 * _area(other)


def _area(path: Path) -> float:
    boxes: NDArray[np.float64] = np.array([box for _, box in path])
    return float(np.median(boxes[:, 2] * boxes[:, 3]))
