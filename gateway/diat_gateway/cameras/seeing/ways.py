"""The ways of things through the picture: how fast, how large, and whether two went as one."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.evidence import Path
from diat_gateway.cameras.seeing.tracks import Track, Vector


def speed(path: Path) -> Vector:
    """How it went in its last second, pixels a second."""
    recent = [p for p in path if path[-1][0] - p[0] <= 1.0]
    (t0, b0), (t1, b1) = recent[0], recent[-1]
    return (centre(b1) - centre(b0)) / (t1 - t0) if t1 > t0 else np.zeros(2)


def size(path: Path) -> float:
    """How large it was in its last seconds, root of its box: the very last may be a piece of it."""
    recent = [box[2] * box[3] for t, box in path if path[-1][0] - t <= 2.0]
    return float(np.sqrt(np.median(recent)))


def one_with(track: Track, others: list[Track], known: Collection[int]) -> bool:
    """Whether it is one with an object already known: a lamp's light on the ground and its car."""
    size = float(np.sqrt(track.box[2] * track.box[3]))
    for other in others:
        if other is track or other.no not in known or max(other.lit, track.lit) < 0.5:
            continue
        mine = float(np.sqrt(other.box[2] * other.box[3]))
        near = float(np.hypot(*(centre(other.box) - centre(track.box)))) < 1.3 * (size + mine)
        pace = max(1.0, float(np.hypot(*other.state[2:4])))
        if near and float(np.hypot(*(other.state[2:4] - track.state[2:4]))) < 0.7 * pace:
            return True
    return False


def along(one: Path, other: Path) -> bool:
    """Whether one went along beside the other for most of its time, and is the shorter of both."""
    if one[-1][0] - one[0][0] >= other[-1][0] - other[0][0]:
        return False
    times = np.array([t for t, _ in other])
    first, last = (
        other[min(int(np.searchsorted(times, t)), len(times) - 1)][1] for t in (one[0][0], one[-1][0])
    )
    mine, theirs_way = centre(one[-1][1]) - centre(one[0][1]), centre(last) - centre(first)
    if float(np.hypot(*(mine - theirs_way))) > 0.5 * max(
        float(np.hypot(*mine)), float(np.hypot(*theirs_way))
    ):
        return False
    near = 0
    for t, box in one:
        i = min(int(np.searchsorted(times, t)), len(times) - 1)
        theirs = other[i][1]
        reach = 1.3 * (np.sqrt(box[2] * box[3]) + np.sqrt(theirs[2] * theirs[3]))
        near += abs(times[i] - t) < 0.3 and float(np.hypot(*(centre(box) - centre(theirs)))) < reach
    return near > 0.55 * len(one)


def opposite(one: Vector, other: Vector) -> bool:
    """Whether two speeds (x and y) are against each other; no if either hardly moves."""
    lengths = float(np.hypot(*one)), float(np.hypot(*other))
    return min(lengths) > 2.0 and float(one @ other) < -0.3 * lengths[0] * lengths[1]


def at_edge(box: Box, height: float, width: float) -> bool:
    """Whether a box touches the edge of a picture of that size, pixels."""
    x, y, w, h = box
    return x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1


def centre(box: Box) -> Vector:
    """The middle of a box, x and y."""
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
