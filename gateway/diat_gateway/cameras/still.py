"""Holds still what does not move, so that video of what moves costs little."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.pictures import Field, Image

_BLOCK, _HELD_WITHIN = 4, 5.0
"""Pixels across of a block of which the mean is compared, and grey levels within which it is held still."""
_RELIT = 0.03
"""By how much the light of a whole picture changes, before what is held is shown in the other light."""
_MUCH = 0.1
"""Share of the picture."""
_KNOWN = 5
"""Pictures from which it is known what does not move."""


class Still:
    """The picture of one camera without what moves."""

    def __init__(self) -> None:
        self._mean: Field | None = None
        self._shown: Image | None = None
        self._count = 0

    def learn(self, image: Image, boxes: Sequence[Box] | None) -> None:
        """Take a picture; ``boxes`` are around what moves, None if nobody could see."""
        if self._mean is None or self._mean.shape != image.shape:
            self._mean, self._count = image.astype(np.float32), 0
            return
        light = _light(image, self._mean)
        if abs(light - 1.0) > _RELIT:
            self._mean, self._shown = np.clip(self._mean * light, 0, 255).astype(np.float32), None
        free = cv2.bitwise_not(_around(image, boxes or []))
        self._count += 1
        cv2.accumulateWeighted(image, self._mean, max(0.04, 1.0 / (self._count + 1)), mask=free)

    def shown(self, image: Image, boxes: Sequence[Box] | None, *, anew: bool) -> Image:
        """The picture with all held still that neither moves nor differs; ``anew``: as it is known by now."""
        self.learn(image, boxes)
        if boxes is None or self._mean is None or self._count < _KNOWN:
            return image
        if anew or self._shown is None or self._shown.shape != image.shape:
            self._shown = np.clip(self._mean, 0, 255).astype(np.uint8)
        near, differs = _around(image, boxes), _differs(image, self._shown)
        # Where all differs it is the light or the pole, and no one.
        if np.count_nonzero(cv2.bitwise_and(differs, cv2.bitwise_not(near))) < _MUCH * near.size:
            near = cv2.bitwise_or(near, differs)
        return np.where(near[:, :, None] > 0, image, self._shown)


def _light(image: Image, held: Field) -> float:
    """How much brighter a picture is than what is held, by the median over some of its pixels."""
    seen, known = image[4::8, 4::8].astype(np.float32), held[4::8, 4::8]
    usable = (known > 12) & (known < 230) & (seen < 243)
    if np.count_nonzero(usable) < 50:
        return 1.0
    return float(np.clip(np.median(seen[usable] / known[usable]), 0.2, 5.0))


def _differs(image: Image, shown: Image) -> Image:
    """Where a picture is not as it is shown (255), in blocks: whom nobody made out is not wiped away."""
    high, wide = image.shape[:2]
    size = (max(1, wide // _BLOCK), max(1, high // _BLOCK))
    small, still = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (image, shown))
    off = cv2.absdiff(small, still).max(axis=2)
    mask = cv2.dilate(cv2.compare(off, _HELD_WITHIN, cv2.CMP_GT), np.ones((3, 3), np.uint8))
    return cv2.resize(mask, (wide, high), interpolation=cv2.INTER_NEAREST)


def _around(image: Image, boxes: Sequence[Box]) -> Image:
    """Where boxes are, with some room around (255)."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for x, y, w, h in boxes:
        top, left = max(0, int(y - 8 - 0.2 * h)), max(0, int(x - 8 - 0.2 * w))
        mask[top : int(y + 1.2 * h + 9), left : int(x + 1.2 * w + 9)] = 255
    return mask
