"""From pixels to metres on flat ground, by a homography whose error is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from diat.kernel.errors import Invalid

Box = tuple[float, float, float, float]
"""Left, top, width, height; pixels."""
Pair = tuple[float, float, float, float]
"""A point in the picture (pixels) and on the ground (metres): u, v, x, y."""
WORST = 1.0
"""Metres of residual beyond which a calibration is refused."""
FINEST, COARSEST = 5e-4, 3.0
"""Metres that a pixel may be wide where a calibration is."""
_LONG, _WIDE = 4.4, 1.8
_CORNERS = np.array([(a * _LONG / 2, b * _WIDE / 2) for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))])
_NEAR = 0.2
"""Metres by which a box reaches too far towards the camera: shadow, and pixels that closing gaps adds."""
_UNTURNED = 0.6
"""Metres by which the middle is further off while nobody knows which way the vehicle stands."""
_ROUNDS = 4
_TOUCH = 1.5
"""Pixels by which the lower edge of a box is wrong, as a standard deviation."""
_BODY = 0.5
"""Metres by which the middle of a vehicle is wrong that is taken to be as long and wide as most are."""


@dataclass(frozen=True)
class Ground:
    """What a camera knows of the ground before it.

    Attributes:
        matrix: 3 x 3, pixels to metres.
        residual: root mean square distance of the points that it was made from, metres.
        side: sign of the third coordinate on this side of the horizon; 0 if that is not known.
    """

    matrix: NDArray[np.float64]
    residual: float = 0.0
    side: float = 0.0

    def at(self, u: float, v: float) -> tuple[float, float]:
        """The place of a pixel, metres; not finite above the horizon."""
        x, y, scale = self.matrix @ (u, v, 1.0)
        if abs(scale) < 1e-12 or scale * self.side < 0:
            return math.inf, math.inf
        return float(x / scale), float(y / scale)

    def across(self, u: float, v: float) -> float:
        """Metres that a pixel is wide there."""
        (ax, ay), (bx, by) = self.at(u - 0.5, v), self.at(u + 0.5, v)
        return math.hypot(bx - ax, by - ay)

    def along(self, u: float, v: float) -> tuple[float, float]:
        """The way on the ground by which one pixel higher is farther, metres."""
        (ax, ay), (bx, by) = self.at(u, v), self.at(u, v - 1.0)
        return bx - ax, by - ay

    def standing(self, box: Box) -> tuple[float, float, float]:
        """Where somebody stands whose box this is, and within what: x, y, metres."""
        u, v = box[0] + box[2] / 2, box[1] + box[3]
        step = math.hypot(*self.along(u, v))
        return *self.at(u, v), math.hypot(_TOUCH * step, _TOUCH * self.across(u, v), self.residual)

    def middle(self, box: Box, heading: float | None = None) -> tuple[float, float, float]:
        """Where the middle of a vehicle is whose box this is, and within what: x, y, metres.

        The lower edge touches the ground where the vehicle is nearest. Without a heading its middle is taken
        to be half of what vehicles are deep on average farther along the line of sight. With one (radians) a
        usual car is laid on the ground so that, seen from here, it has the sides and the lower edge of the
        box.
        """
        u, v = box[0] + box[2] / 2, box[1] + box[3]
        x, y = self.at(u, v)
        dx, dy = self.along(u, v)
        step = math.hypot(dx, dy)
        if not (math.isfinite(x) and math.isfinite(y) and step > 0):
            return math.inf, math.inf, math.inf
        within = math.hypot(_TOUCH * step, _TOUCH * self.across(u, v), self.residual, _BODY)
        deep = 0.25 * (_LONG + _WIDE) + _NEAR
        x, y = x + dx / step * deep, y + dy / step * deep
        if heading is None:
            return x, y, math.hypot(within, _UNTURNED)
        for _ in range(_ROUNDS):
            seen = self._footprint(x, y, heading)
            if seen is None:
                return math.inf, math.inf, math.inf
            left, right, low = seen
            ax, ay = self.at((left + right) / 2, low)
            bx, by = self.at(u, v - _NEAR / step)
            x, y = x + bx - ax, y + by - ay
        return x, y, within

    def _footprint(self, x: float, y: float, heading: float) -> tuple[float, float, float] | None:
        """Left, right and lower edge of the ground under a car, pixels; None if it is not in front."""
        turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]])
        flat = (x, y) + _CORNERS @ turn
        seen = np.column_stack([flat, np.ones(4)]) @ self._back
        if np.ptp(np.sign(seen[:, 2])) != 0:
            return None
        u, v = (seen[:, :2] / seen[:, 2:]).T
        return float(u.min()), float(u.max()), float(v.max())

    @property
    def mirrored(self) -> bool:
        """Whether the picture goes the other way round than the ground does from above."""
        corner = np.linalg.det(self.matrix)
        return bool(corner * self.side > 0)

    @cached_property
    def _back(self) -> NDArray[np.float64]:
        """From metres to pixels, for rows."""
        return np.asarray(np.linalg.pinv(self.matrix).T)


def calibrate(pairs: Sequence[Pair]) -> Ground:
    """The homography of at least four points, by least squares, with its residual.

    Raises:
        Invalid: too few points, points on a line, or points that do not fit one another.
    """
    points = np.asarray(pairs, np.float64)
    if points.ndim != 2 or points.shape[1] != 4 or len(points) < 4 or not np.isfinite(points).all():
        raise Invalid("at least four points [u, v, x, y] are wanted, finite numbers", "calibration")
    for side, name in ((points[:, :2], "in the picture"), (points[:, 2:], "on the ground")):
        spread = np.linalg.svd(side - side.mean(axis=0), compute_uv=False)
        if spread[1] < 0.02 * spread[0] or spread[0] == 0:
            raise Invalid(f"the points lie on one line {name}", "calibration")
    matrix, _ = cv2.findHomography(points[:, :2], points[:, 2:], 0)
    if matrix is None:
        raise Invalid("no homography fits these points", "calibration")
    scales = np.column_stack([points[:, :2], np.ones(len(points))]) @ matrix[2]
    if np.ptp(np.sign(scales)) != 0:
        raise Invalid("the points lie on both sides of the horizon", "calibration")
    ground = Ground(np.asarray(matrix, np.float64), side=float(np.sign(scales[0])))
    placed = np.array([ground.at(u, v) for u, v in points[:, :2]])
    # Two unknowns of each point are used up by the eight of the matrix.
    free = max(1, len(points) - 4)
    residual = float(np.sqrt(np.sum((placed - points[:, 2:]) ** 2) / free))
    if not residual <= WORST:
        raise Invalid(f"the points do not fit: {residual:.2f} m, more than {WORST:g} m", "calibration")
    wide = [ground.across(u, v) for u, v in points[:, :2]]
    if not FINEST <= min(wide) <= max(wide) <= COARSEST:
        raise Invalid(
            f"a pixel would be {min(wide):.2g} to {max(wide):.2g} m wide: are x and y metres?", "calibration"
        )
    return replace(ground, residual=residual)
