"""Whether a camera can see: covered, blinded, dark, blurred, shaken or turned away, and since when.

Everything is judged on a grey picture of 160 pixels against a slow reference of the same camera, so the
limits hold for any camera. A camera that cannot see says so; it must not report that nothing happened.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from diat_gateway.cameras.seeing.pictures import Field, Image

WIDTH = 160
"""Pixels across at which sight is judged."""

_SETTLE = 1.0
"""Seconds that a trouble lasts before it is said, and that clear sight lasts before it is taken back."""
_SHAKE = 0.02
"""Travel of the picture from one moment to the next, share of its width, from which it is called shaken."""
_OTHER, _BETTER = 30.0, 0.8
"""Grey levels from which on a pixel shows something else, and how much less others must differ when moved."""
_FAR = 0.06
"""Shift against the background, share of the width, beyond which it cannot be made good."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How well the camera sees.

    Attributes:
        impaired: why it cannot see (``covered``, ``blinded``, ``dark``, ``blurred``, ``shaken``, ``moved``,
            ``unsettled``), or None.
        shift: how far the picture lies from the background, x and y, share of the width; (0, 0) if not known.
    """

    impaired: str | None
    shift: tuple[float, float]


def grey(image: Image) -> Field:
    """The picture as sight looks at it: grey, ``WIDTH`` pixels wide."""
    plain = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    height = max(16, round(plain.shape[0] * WIDTH / plain.shape[1]))
    return cv2.resize(plain, (WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def sharpness(image: Field) -> float:
    """Spread of the second derivative: falls when a picture blurs."""
    return float(cv2.Laplacian(image, cv2.CV_32F).std())


class Watchfulness:
    """Judges one camera, picture after picture."""

    def __init__(self) -> None:
        self._reference: Field | None = None
        self._window: Field | None = None
        self._last: Field | None = None
        self._travel: deque[tuple[float, float]] = deque(maxlen=200)
        self._said: str | None = None
        self._suspected: str | None = None
        self._since = 0.0
        self._contrast = self._sharp = 0.0
        self._crowded_since: float | None = None

    def reset(self, reference: Image) -> None:
        """Judge against this picture (the background) from now on."""
        self._set_reference(grey(reference))

    @property
    def since(self) -> float:
        """When what it says now began, s: a trouble is said only after it lasted."""
        return self._since

    def judge(self, image: Image, t: float, foreground: float) -> Sight:
        """How well the camera sees.

        Args:
            image: as taken.
            t: when, s.
            foreground: share of the pixels that differed from the background in the picture before.
        """
        now = grey(image)
        if self._reference is None or self._window is None or self._reference.shape != now.shape:
            self._set_reference(now)
            return Sight(None, (0.0, 0.0))
        reason, shift = self._reason(now, t, foreground)
        self._last = now
        return Sight(self._settled(reason, t), shift)

    def follow(self, background: Field) -> None:
        """The background as it is learnt: keeps the reference near it."""
        fresh = grey(np.clip(background, 0, 255).astype(np.uint8))
        if self._reference is not None and fresh.shape == self._reference.shape:
            self._reference = fresh
            self._contrast += 0.02 * (float(fresh.std()) - self._contrast)

    def _set_reference(self, picture: Field) -> None:
        self._reference = picture
        self._window = cv2.createHanningWindow(picture.shape[::-1], cv2.CV_32F)
        self._contrast = float(picture.std())
        self._sharp = 0.0
        self._last = None
        self._travel.clear()

    def _reason(self, now: Field, t: float, foreground: float) -> tuple[str | None, tuple[float, float]]:
        here = (0.0, 0.0)
        contrast, sharp = float(now.std()), sharpness(now)
        if self._sharp == 0.0:
            self._sharp = sharp
        if float(np.mean(now >= 248)) > 0.45:
            return "blinded", here
        if contrast < max(4.0, 0.2 * self._contrast):
            return ("dark" if float(now.mean()) < 16 else "covered"), here
        if sharp < 0.3 * self._sharp:
            return ("covered" if contrast < 0.5 * self._contrast else "blurred"), here
        shift, trusted = self._shift(self._reference, now)
        travel, followed = self._shift(self._last, now) if self._last is not None else (here, False)
        self._travel.append((t, float(np.hypot(*travel)) if followed else 0.0))
        recent = [step for at, step in self._travel if t - at <= 1.0]
        if len(recent) >= 3 and float(np.sqrt(np.mean(np.square(recent)))) > _SHAKE:
            return "shaken", here
        away = float(np.hypot(*shift))
        if trusted and away > _FAR:
            return "moved", here
        if foreground > 0.6:
            return "unsettled", here
        self._sharp += 0.01 * (sharp - self._sharp)
        return None, (shift if trusted and away > 0.001 and self._fits(now, shift) else here)

    def _fits(self, now: Field, shift: tuple[float, float]) -> bool:
        """Whether the picture lies better on the reference when it is moved back.

        What moves through the picture is taken for a shift of all of it else, and what was moved back by
        mistake is learnt: the background would creep away.
        """
        reference = self._reference
        if reference is None:
            return False
        back = np.array([[1, 0, -shift[0] * WIDTH], [0, 1, -shift[1] * WIDTH]], np.float32)
        moved = cv2.warpAffine(now, back, now.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        before, after = (
            float(np.minimum(cv2.absdiff(each, reference), _OTHER)[4:-4, 4:-4].mean())
            for each in (now, moved)
        )
        return after < _BETTER * before

    def _shift(self, before: Field | None, now: Field) -> tuple[tuple[float, float], bool]:
        """Shift from one picture to the other as share of the width, and whether it can be trusted."""
        if before is None or before.shape != now.shape or self._window is None:
            return (0.0, 0.0), False
        (dx, dy), response = cv2.phaseCorrelate(before - before.mean(), now - now.mean(), self._window)
        return (dx / WIDTH, dy / WIDTH), response > 0.15

    def _settled(self, reason: str | None, t: float) -> str | None:
        """What is said: a trouble after it lasted, clear sight after it lasted."""
        if reason != self._suspected:
            self._suspected, self._since = reason, t
        if t < self._since:
            self._since = t  # the clock went back
        if reason == self._said or t - self._since >= _SETTLE:
            self._said = reason
        return self._said
