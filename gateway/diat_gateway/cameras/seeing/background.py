"""What the picture looks like while nothing is there, pixel by pixel, and what differs from it.

A running mean and spread for each pixel. Differences are measured against the range of the background within
one pixel around, so leaves and a pole in the wind do not count, and after the light of the whole picture was
fitted, so that automatic exposure does not either. What belongs to an object is not learnt.
"""

from __future__ import annotations

import cv2
import numpy as np

from diat_gateway.cameras.seeing.pictures import Field, Image

_KERNEL = np.ones((3, 3), np.uint8)

_LEAST = 9.0
"""Grey levels by which a pixel must differ at least."""
_SIGMAS = 3.2
"""... and how many times its usual spread."""

_PASSING, _MOST_RESTLESS = 2.0, 4.0
"""How often a second a pixel changes sides where traffic passes, and how much more counts at most."""
_REMEMBERS = 4.0
"""Seconds over which that is counted."""


def fit_light(image: Field, background: Field, known: Image | None) -> tuple[Field, float]:
    """The picture under the background's light, by one gain a channel (medians), and the largest gain.

    Args:
        image: as taken.
        background: what it is compared with, same shape.
        known: pixels that belong to objects (non-zero) and say nothing of the light.
    """
    seen = image[::4, ::4].reshape(-1, 3)
    expected = background[::4, ::4].reshape(-1, 3)
    usable = (seen.min(axis=1) > 12) & (seen.max(axis=1) < 243) & (expected.min(axis=1) > 12)
    if known is not None:
        usable &= known[::4, ::4].reshape(-1) == 0
    if np.count_nonzero(usable) < 50:
        return image, 1.0
    ratios = expected[usable] / seen[usable]
    gains = np.clip(np.median(ratios, axis=0), 0.3, 3.0)
    if np.abs(gains - 1.0).max() < 0.01:
        return image, 1.0
    return (image * gains.astype(np.float32)).astype(np.float32), float(gains[np.abs(np.log(gains)).argmax()])


class Background:
    """The background of one camera at the size that is looked at.

    Args:
        first: pictures of the first seconds; their median is the start.
    """

    def __init__(self, first: list[Image]) -> None:
        stack = np.stack(first).astype(np.float32)
        self.mean: Field = np.median(stack, axis=0).astype(np.float32)
        # Half of consecutive differences: what stands or passes once does not widen it.
        steps = np.abs(np.diff(stack, axis=0)).max(axis=3) if len(first) > 1 else np.full((1, 1, 1), 3.0)
        spread = 1.0 + 1.05 * np.median(steps, axis=0)
        self._spread: Field = np.broadcast_to(spread, self.mean.shape[:2]).astype(np.float32).copy()
        self._bounds()
        self._age = 0
        self._restless: Field = np.zeros(self.mean.shape[:2], np.float32)
        self._differed: Image | None = None

    def difference(self, image: Field, gain: float = 1.0, dt: float = 0.1) -> Image:
        """Which pixels differ (255).

        Args:
            image: under the background's light.
            gain: by which it came there; what it does to noise, and where it does not fit, differs more.
            dt: seconds since the picture before.
        """
        factor, least = _SIGMAS, _LEAST
        if self.dark:  # little contrast, much noise: look at means over a few pixels
            image, factor, least = cv2.GaussianBlur(image, (5, 5), 0), 0.45 * _SIGMAS, 0.5 * _LEAST
        beyond = _largest(cv2.max(cv2.subtract(image, self._high), cv2.subtract(self._low, image)))
        limit = cv2.max(self._spread * factor, least) * np.float32(max(1.0, gain) * (1 + abs(np.log(gain))))
        mask = cv2.compare(beyond, limit * self._restlessness(), cv2.CMP_GT)
        self._follow(mask, dt)
        return mask

    def _restlessness(self) -> Field:
        """How much more pixels must differ that come and go all the time: leaves, flags, flickering signs."""
        often = np.clip(cv2.blur(self._restless, (5, 5)) - _PASSING, 0.0, _MOST_RESTLESS)
        return (1.0 + 0.5 * often).astype(np.float32)

    def _follow(self, mask: Image, dt: float) -> None:
        """Count how often a second each pixel changes sides, over some seconds."""
        if self._differed is not None:
            self._restless *= np.float32(max(0.0, 1.0 - dt / _REMEMBERS))
            self._restless += cv2.bitwise_xor(mask, self._differed) * np.float32(1 / 255 / _REMEMBERS)
        self._differed = mask

    def relit(self, image: Field) -> tuple[Image, Image]:
        """Pixels that are the background in the same colour: darker (shadow), and brighter (a lamp on it)."""
        # Averaged over a few pixels: at night noise alone would make every pixel another colour.
        size = (7, 7) if self.dark else (3, 3)
        ratio = cv2.divide(
            cv2.blur(image, size) + np.float32(4.0), cv2.blur(self.mean, size) + np.float32(4.0)
        )
        high = _largest(ratio)
        low = -_largest(-ratio)
        alike = cv2.compare(high - low, 0.10, cv2.CMP_LT)
        darker = cv2.bitwise_and(cv2.compare(low, 0.45, cv2.CMP_GT), cv2.compare(high, 0.97, cv2.CMP_LT))
        brighter = cv2.bitwise_and(cv2.compare(low, 1.03, cv2.CMP_GT), cv2.compare(high, 2.2, cv2.CMP_LT))
        brighter = cv2.bitwise_and(brighter, cv2.compare(high - low, 0.22, cv2.CMP_LT))
        # Where it is dark anyway, what is darker is a coat and no shadow.
        shadow = np.zeros_like(darker) if self.dark else cv2.bitwise_and(darker, alike)
        return shadow, brighter

    def learn(self, image: Field, objects: Image, rate: float, slow: float = 0.0) -> None:
        """Move towards the picture.

        Args:
            image: under the background's light.
            objects: pixels not to be learnt (non-zero).
            rate: share of the new picture in the mean, 0 to 1.
            slow: the share where objects are.
        """
        free = cv2.compare(objects, 0, cv2.CMP_EQ)
        off = _largest(cv2.absdiff(image, self.mean))
        cv2.accumulateWeighted(image, self.mean, rate, mask=free)
        if slow > 0:
            cv2.accumulateWeighted(image, self.mean, slow, mask=objects)
        # Clipped, so that one that passes does not blind the place that it passed.
        usual = cv2.min(off, self._spread * 4.0) * np.float32(1.05)
        cv2.accumulateWeighted(usual, self._spread, rate * 0.5, mask=free)
        np.clip(self._spread, 1.0, 25.0, out=self._spread)
        self._age += 1
        if self._age % 4 == 0:
            self._bounds()

    def absorb(self, image: Field, mask: Image) -> None:
        """Take these pixels as background at once: nothing is there, or what is there will stay."""
        where = mask > 0
        self.mean[where] = image[where]
        self._bounds()

    @property
    def noise(self) -> float:
        """The usual spread over the picture, grey levels."""
        return float(np.median(self._spread))

    def _bounds(self) -> None:
        self.dark: bool = float(np.mean(self.mean[::8, ::8])) < 60
        self._high: Field = cv2.dilate(self.mean, _KERNEL)
        self._low: Field = cv2.erode(self.mean, _KERNEL)


def _largest(field: Field) -> Field:
    """The largest of the three channels, pixel by pixel."""
    first, second, third = cv2.split(field)
    return cv2.max(cv2.max(first, second), third)
