"""One best picture of each object: large, sharp and whole."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.pictures import Image

QUALITY = 80
"""Of the JPEG, 0 to 100."""
_MOST = 192
"""Pixels of the longer side."""


@dataclass(slots=True)
class _Best:
    rank: float
    crop: Image


class Portraits:
    """Keeps the best picture of each object that is there; at most one for each, in small."""

    def __init__(self) -> None:
        self._best: dict[int, _Best] = {}

    def see(self, image: Image, objects: list[tuple[int, Box]]) -> None:
        """Look whether a picture is better than the one kept."""
        high, wide = image.shape[:2]
        for no, (x, y, w, h) in objects:
            left, top = max(0, int(x - 0.08 * w)), max(0, int(y - 0.08 * h))
            right, bottom = min(wide, int(x + 1.08 * w) + 1), min(high, int(y + 1.08 * h) + 1)
            if right - left < 4 or bottom - top < 4:
                continue
            whole = 1.0 if left > 0 and top > 0 and right < wide and bottom < high else 0.4
            rank = float(np.sqrt((right - left) * (bottom - top))) * whole
            kept = self._best.get(no)
            if kept is None or rank > 1.1 * kept.rank:
                self._best[no] = _Best(rank, image[top:bottom, left:right].copy())

    def take(self, no: int) -> bytes | None:
        """The object is over: its best picture as JPEG, or None if there is none."""
        kept = self._best.pop(no, None)
        if kept is None:
            return None
        crop, longest = kept.crop, max(kept.crop.shape[:2])
        if longest > _MOST:
            crop = cv2.resize(
                crop, None, fx=_MOST / longest, fy=_MOST / longest, interpolation=cv2.INTER_AREA
            )
        done, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return data.tobytes() if done else None
