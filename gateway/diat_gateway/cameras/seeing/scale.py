"""How large things are at each height of the picture, learnt from those that went by: perspective.

What is much smaller than all that went by there is a piece of something, or a reflection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from diat_gateway.cameras.seeing.blobs import Box

KNOWN = 40
"""Things that are remembered."""
BAND = 0.06
"""Heights of the foot, share of the picture, that are one."""
ENOUGH = 4
"""Things that went by there, before anything is judged by them."""
LEAST = 0.22
"""Share of the usual size from which it may be a thing: a person is half of a car, a child less."""


class Scale:
    """The scale of one camera; ``height`` of the picture that is looked at, pixels."""

    def __init__(self, height: int) -> None:
        self._band = BAND * height
        self._known: deque[dict[int, float]] = deque(maxlen=KNOWN)

    def fits(self, path: Sequence[tuple[float, Box]]) -> bool:
        """Whether a thing of such sizes may have been there; yes where nothing is known."""
        mine = self._sizes(path)
        ratios = []
        for band, size in mine.items():
            theirs = [each[band] for each in self._known if band in each]
            if len(theirs) >= ENOUGH:
                ratios.append(size / float(np.median(theirs)))
        return len(ratios) < 0.5 * len(mine) or float(np.median(ratios)) >= LEAST

    def learn(self, path: Sequence[tuple[float, Box]]) -> None:
        """This was a thing."""
        self._known.append(self._sizes(path))

    def _sizes(self, path: Sequence[tuple[float, Box]]) -> dict[int, float]:
        """The usual size in each band that it went through: the root of its box, pixels."""
        boxes = np.array([box for _, box in path])
        bands = ((boxes[:, 1] + boxes[:, 3]) / self._band).astype(int)
        sizes = np.sqrt(boxes[:, 2] * boxes[:, 3])
        return {int(band): float(np.median(sizes[bands == band])) for band in np.unique(bands)}
