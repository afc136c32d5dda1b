"""A camera that looks down on flat ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Pinhole:
    """Where a camera is and where it looks; the ground is z = 0, metres.

    Attributes:
        at: its place, x, y and height.
        looks: the point on the ground in the middle of its picture.
        width: of the picture, pixels.
        height: of the picture, pixels.
        angle: horizontal angle of view, degrees.
    """

    at: tuple[float, float, float]
    looks: tuple[float, float]
    width: int = 480
    height: int = 270
    angle: float = 60.0

    @property
    def matrix(self) -> Points:
        """The 3 x 4 matrix from the world to pixels."""
        place = np.array(self.at)
        forward = np.array([*self.looks, 0.0]) - place
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        turn = np.stack([right, down, forward])
        focal = self.width / 2 / math.tan(math.radians(self.angle) / 2)
        inner = np.array([[focal, 0, self.width / 2], [0, focal, self.height / 2], [0, 0, 1.0]])
        return np.asarray(inner @ np.hstack([turn, (-turn @ place)[:, None]]))

    @property
    def homography(self) -> Points:
        """The 3 x 3 matrix from pixels to metres on the ground."""
        ground = self.matrix[:, [0, 1, 3]]
        inverse = np.linalg.inv(ground)
        return np.asarray(inverse / inverse[2, 2])

    def project(self, points: Points) -> tuple[Points, NDArray[np.bool_]]:
        """Pixels of points (n x 3, metres), and which lie in front of the camera."""
        flat = np.hstack([points, np.ones((len(points), 1))]) @ self.matrix.T
        front = flat[:, 2] > 0.5
        return flat[:, :2] / np.where(front, flat[:, 2], 1.0)[:, None], front
