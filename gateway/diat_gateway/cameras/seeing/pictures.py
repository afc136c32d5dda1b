"""A picture as it came, and the smaller one that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""Height x width x 3 (blue, green, red), or height x width for a mask."""
Field: TypeAlias = NDArray[np.float32]
"""The same with fractions."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        t: when it was taken, s; on the clock of its source.
        image: its pixels, height x width x 3, uint8, blue first.
        number: counts from 0 within the source.
    """

    t: float
    image: Image
    number: int


def shrink(image: Image, width: int) -> tuple[Image, float]:
    """The picture at most ``width`` pixels wide, and how many of its pixels one of the new ones is wide."""
    if image.shape[1] <= width:
        return image, 1.0
    scale = image.shape[1] / width
    height = max(1, round(image.shape[0] / scale))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), scale
