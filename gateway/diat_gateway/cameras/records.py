"""What is told of an object instead of video: when, where it went, and on the ground if that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.objects import Object

POINTS = 24
"""Points of a way at most."""

Homography = NDArray[np.float64]
"""3 x 3, pixels to metres."""


def foot(box: Box) -> tuple[float, float]:
    """Where it stands: the middle of the lower edge, pixels."""
    return box[0] + box[2] / 2, box[1] + box[3]


def on_ground(homography: Homography, point: tuple[float, float]) -> tuple[float, float]:
    """The place on the ground of a pixel, metres."""
    x, y, scale = homography @ np.array([point[0], point[1], 1.0])
    return float(x / scale), float(y / scale)


def record(
    each: Object, start: float, homography: Homography | None = None, points: int = POINTS
) -> dict[str, Any]:
    """The record of one object.

    Args:
        each: the object, in pixels of the picture as it came.
        start: Unix seconds of the source's time 0.
        homography: from pixels to metres, if it is known.
        points: of its way at most.

    Returns:
        ``no``, ``from`` and ``to`` (Unix s), ``way`` (``[t, left, top, width, height]``, s since ``from``,
        pixels) and, with a homography, ``ground`` (``[t, x, y]``, metres).
    """
    chosen = thinned(each.path, points)
    first = each.first
    told: dict[str, Any] = {"no": each.no, "from": round(start + first, 2), "to": round(start + each.last, 2)}
    told["way"] = [[round(t - first, 2), *(round(v) for v in box)] for t, box in chosen]
    if homography is not None:
        told["ground"] = [
            [round(t - first, 2), *(round(v, 2) for v in on_ground(homography, foot(box)))]
            for t, box in chosen
        ]
    return told


def thinned(path: Sequence[tuple[float, Box]], points: int) -> list[tuple[float, Box]]:
    """A way of at most so many points, evenly spread, with both ends."""
    if len(path) <= points:
        return list(path)
    return [path[round(i * (len(path) - 1) / (points - 1))] for i in range(points)]
