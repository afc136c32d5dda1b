"""Whether a camera looks where it was fitted to the ground: after a small turn all its places are wrong."""

from __future__ import annotations

import cv2
import numpy as np

from diat_gateway.cameras.seeing.pictures import Field, Image
from diat_gateway.cameras.seeing.sight import WIDTH, grey

FAR = 0.015
"""Shift against the picture at the beginning, share of the width, beyond which places are wrong."""
_TRUST = 0.15
"""Response of the phase correlation from which on it is believed."""
_EVERY = 1.0
"""Seconds between two looks."""


class Anchor:
    """Compares the background with that of the beginning, when the fit was right.

    Sight forgives a camera that was turned once it has learnt what it looks at then, and follows one that
    creeps; the fit to the ground does not.

    Attributes:
        lost: whether it looks somewhere else; it may come back.
    """

    def __init__(self) -> None:
        self.lost = False
        self._first: Field | None = None
        self._window: Field | None = None
        self._turned = False
        self._due = 0.0

    def look(self, t: float, background: Image | None, impaired: str | None) -> None:
        """Look at a picture's background.

        Args:
            t: of the picture, s.
            background: as it is known by then.
            impaired: what sight says.
        """
        self._turned = self._turned or impaired == "moved"
        if background is None or impaired is not None or 0 <= self._due - t <= _EVERY:
            return
        self._due = t + _EVERY
        now = grey(background)
        if self._first is None or self._window is None or self._first.shape != now.shape:
            self._first, self._window = now, cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F)
            self.lost = False
            return
        (dx, dy), response = cv2.phaseCorrelate(
            self._first - self._first.mean(), now - now.mean(), self._window
        )
        if response > _TRUST:
            self.lost = float(np.hypot(dx, dy)) / WIDTH > FAR
        elif self._turned:
            self.lost = True  # turned so far that nothing of what was seen is seen
        if not self.lost:
            self._turned = False
