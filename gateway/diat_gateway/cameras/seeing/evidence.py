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

TURN = 1.0
"""Seconds within which nobody turns round at the edge of the picture."""
PIECE = 0.6
"""Share of another's area below which what is within it is a piece of it."""


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


def parted(path: Path, width: float, height: float) -> list[Path]:
    """What was followed as one, as the things that it was: one that left where another came in is two.

    Nobody turns round in a moment at the very edge of the picture; one that goes out there and one that
    comes in from there do meet.

    Args:
        path: where it was.
        width: of the picture, pixels.
        height: of the picture, pixels.
    """
    times = np.array([t for t, _ in path])
    boxes = np.array([box for _, box in path])
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    near, far = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    edge = (near <= 1).any(axis=1) | (far[:, 0] >= width - 1) | (far[:, 1] >= height - 1)
    size = float(np.median(np.sqrt(boxes[:, 2] * boxes[:, 3])))
    worst, at = 0.0, 0
    for i in np.flatnonzero(edge):
        first = int(np.searchsorted(times, times[i] - TURN))
        last = int(np.searchsorted(times, times[i] + TURN, side="right")) - 1
        before, after = centres[i] - centres[first], centres[last] - centres[i]
        lengths = float(np.hypot(*before)), float(np.hypot(*after))
        turned = float(before @ after) / max(1e-6, lengths[0] * lengths[1])
        if min(lengths) > 0.4 * size and turned < min(-0.7, worst):
            worst, at = turned, int(i)
    return [path] if at == 0 else [path[: at + 1], path[at + 1 :]]


def piece_of(one: Path, other: Path) -> bool:
    """Whether one was within the other for most of its time, and much smaller: a window, a shadow."""
    if _area(one) >= PIECE * _area(other):
        return False
    times = np.array([t for t, _ in other])
    within = 0
    for t, box in one:
        i = min(int(np.searchsorted(times, t)), len(times) - 1)
        if abs(times[i] - t) < 0.3:
            within += overlap(box, other[i][1]) > 0.6 * box[2] * box[3]
    return within > 0.6 * len(one)


def _area(path: Path) -> float:
    boxes: NDArray[np.float64] = np.array([box for _, box in path])
    return float(np.median(boxes[:, 2] * boxes[:, 3]))
