"""Looks at the pictures of one camera, one after the other: what is there, what is new, what is over."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np

from diat_gateway.cameras.seeing.background import Background, fit_light
from diat_gateway.cameras.seeing.blobs import Blob, Box, clean, edge_strength, find, overlap
from diat_gateway.cameras.seeing.objects import Object, Objects, Rules
from diat_gateway.cameras.seeing.pictures import Field, Frame, Image, shrink
from diat_gateway.cameras.seeing.sight import Watchfulness
from diat_gateway.cameras.seeing.tracks import Track, Tracker


@dataclass(frozen=True, slots=True)
class Settings:
    """How a camera is looked at.

    Attributes:
        width: pixels across; less is faster and sees less.
        least: pixels of the smallest blob, as share of the picture.
        near: how far an object travels at least, share of the picture's diagonal.
        object: size of an object's box where it is nearest, as share of the picture.
        begin: seconds of which the first background is made.
        absorb: seconds after which a blob that never moved is background.
        stays: seconds for which an object that stopped is still one.
        rules: when a track is an object.
    """

    width: int = 384
    least: float = 0.00016
    near: float = 0.05
    object: float = 0.0006
    begin: float = 2.0
    absorb: float = 3.0
    stays: float = 120.0
    rules: Rules = field(default_factory=Rules)


@dataclass(slots=True)
class Seen:
    """What one picture showed; boxes in pixels of the picture as it came.

    Attributes:
        t: its time, s.
        impaired: why the camera cannot see, or None.
        moving: boxes of what moves, objects or not yet.
        objects: number and box of each object that is there.
        new: objects that were recognised with this picture.
        over: objects that ended; their paths are in pixels of the picture as it came.
        foreground: share of its pixels that differ from the background.
        alert: whether something moves that may become an object.
    """

    t: float
    impaired: str | None = None
    moving: list[Box] = field(default_factory=list)
    objects: list[tuple[int, Box]] = field(default_factory=list)
    new: list[Object] = field(default_factory=list)
    over: list[Object] = field(default_factory=list)
    foreground: float = 0.0
    alert: bool = False


class Analysis:
    """The eye of one camera. Pictures come in order of time; the first seconds teach the background.

    Args:
        settings: how it is looked at.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._begin()

    def _begin(self) -> None:
        self._early: list[tuple[float, Image]] = []
        self._background: Background | None = None
        self._sight = Watchfulness()
        self._before: deque[tuple[float, Field]] = deque()
        self._foreground = 0.0
        self._scale = 1.0
        self._tracker: Tracker | None = None
        self._objects: Objects | None = None
        self._still: dict[tuple[int, int], tuple[float, float, Box]] = {}
        self._last: float | None = None
        self._shape: tuple[int, ...] = ()
        self._blind_since: float | None = None
        self._looked = 0
        self._noise = 3.0

    def look(self, frame: Frame) -> list[Seen]:
        """Take one picture; gives what it showed, after the first seconds that of all pictures so far."""
        small, scale = shrink(frame.image, self.settings.width)
        if self._shape and self._shape != frame.image.shape:
            rest = self.finish()
            self._begin()
            return rest + self.look(frame)
        self._shape, self._scale = frame.image.shape, scale
        if self._background is None:
            return self._teach(frame.t, small)
        return [self._see(frame.t, small)]

    def finish(self) -> list[Seen]:
        """Nothing comes any more: what was learnt so far is looked at, and all objects end."""
        seen: list[Seen] = []
        if self._background is None and self._early:
            seen = self._replayed()
        if self._tracker is not None and self._objects is not None:
            last = self._last or 0.0
            ended = self._tracker.end()
            new, over = self._objects.step([], ended, last)
            rest = self._objects.end()
            seen.append(Seen(last, new=self._outside(new), over=self._outside([*over, *rest])))
        return seen

    @property
    def background(self) -> Image | None:
        """The background as it is known, at the size that is looked at."""
        if self._background is None:
            return None
        return np.clip(self._background.mean, 0, 255).astype(np.uint8)

    def _teach(self, t: float, small: Image) -> list[Seen]:
        self._early.append((t, small))
        if t - self._early[0][0] < self.settings.begin and len(self._early) < 150:
            return []
        return self._replayed()

    def _replayed(self) -> list[Seen]:
        """The first background, and with it the pictures that it was made of, looked at again."""
        pictures = [image for _, image in self._early]
        step = max(1, len(pictures) // 24)
        self._background = Background(pictures[::step])
        self._sight.reset(np.clip(self._background.mean, 0, 255).astype(np.uint8))
        height, width = pictures[0].shape[:2]
        diagonal = float(np.hypot(width, height))
        if self._tracker is None:
            self._tracker = Tracker(diagonal)
            self._objects = Objects(
                self.settings.near * diagonal,
                self.settings.object * width * height,
                self.settings.rules,
                height,
            )
        early, self._early = self._early, []
        return [self._see(t, image) for t, image in early]

    def _see(self, t: float, small: Image) -> Seen:
        background, tracker, objects = self._background, self._tracker, self._objects
        if background is None or tracker is None or objects is None:
            raise RuntimeError("looked at before there was a background")
        dt = 0.04 if self._last is None else min(max(t - self._last, 0.0), 1.0)
        self._last = t
        sight = self._sight.judge(small, t, self._foreground)
        image = _shifted(small.astype(np.float32), sight.shift, small.shape[1])
        image, gain = fit_light(image, background.mean, None)
        mask = background.difference(image, gain, dt)
        self._foreground = float(np.count_nonzero(mask)) / mask.size
        if sight.impaired is not None:
            return self._blind(t, small, sight.impaired)
        self._blind_since = None
        shadow, lit = background.relit(image)
        mask[shadow > 0] = 0
        mask = clean(mask)
        changed = self._changed(t, image, self._noise * max(1.0, gain))
        off = cv2.cvtColor(image - background.mean, cv2.COLOR_BGR2GRAY)
        blobs, labels = find(mask, image, changed, lit, off, max(6, int(self.settings.least * mask.size)))
        blobs = self._without_holes(blobs, labels, image, t, dt)
        ended = tracker.step(blobs, t)
        new, over = objects.step(tracker.tracks, ended, t, dark=background.dark)
        self._learn(image, mask, blobs, labels, dt)
        known = objects.current
        return Seen(
            t,
            None,
            [self._out(b.box) for b in blobs if b.moving > 0.05],
            [
                (known[k.no].no, self._out(k.path[-1][1]))
                for k in tracker.tracks
                if k.no in known and k.path[-1][0] == t
            ],
            self._outside(new),
            self._outside(over),
            self._foreground,
            any(self._alerts(track, t) for track in tracker.tracks),
        )

    def _alerts(self, track: Track, t: float) -> bool:
        """Whether somebody should look: it may be an object, or it is one and was seen just now."""
        if track.last < t or track.still > 2.0:
            return False
        if self._objects is not None and track.no in self._objects.current:
            return True
        return track.seen >= 4 and track.moving > 0.08 and track.travelled > 0.35

    def _blind(self, t: float, small: Image, reason: str) -> Seen:
        """It cannot see: objects end, and after a while it learns anew what it now looks at."""
        tracker, objects = self._tracker, self._objects
        if tracker is None or objects is None:
            raise RuntimeError("blind before it looked")
        new, over = objects.step([], tracker.end(), t)
        if self._blind_since is None or t < self._blind_since:
            self._blind_since = t
        if reason in ("moved", "unsettled") and t - self._blind_since > self.settings.begin:
            self._background = None
            self._early = [(t, small)]
            self._blind_since = None
            self._sight = Watchfulness()
        return Seen(t, reason, new=self._outside(new), over=self._outside(over), foreground=self._foreground)

    def _changed(self, t: float, image: Field, noise: float) -> Image:
        """Pixels that differ from a third of a second ago (255)."""
        grey = cv2.blur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (3, 3))
        self._before.append((t, grey))
        while len(self._before) > 1 and (t - self._before[1][0] >= 0.3 or len(self._before) > 60):
            self._before.popleft()
        then = self._before[0][1]
        if then.shape != grey.shape:
            return np.zeros(grey.shape, np.uint8)
        limit = max(6.0, 2.0 * noise)
        return cv2.compare(cv2.absdiff(grey, then), limit, cv2.CMP_GT)

    def _without_holes(
        self, blobs: list[Blob], labels: Image, image: Field, t: float, dt: float
    ) -> list[Blob]:
        """The blobs without those that only look different because something went away."""
        background, tracker = self._background, self._tracker
        if background is None or tracker is None:
            return blobs
        kept, still = [], {}
        for blob in blobs:
            if blob.moving >= 0.03:
                kept.append(blob)
                continue
            mine = [
                k
                for k in tracker.tracks
                if k.seen >= 5
                and k.travelled > 0.5
                and overlap(k.box, blob.box) > 0.3 * blob.box[2] * blob.box[3]
            ]
            key = (int(blob.box[0] + blob.box[2] / 2) // 8, int(blob.box[1] + blob.box[3] / 2) // 8)
            lasted = self._still.get(key, (0.0, 0.0, blob.box))[0] + dt
            limit = self.settings.stays if mine else self.settings.absorb
            if lasted > 0.5 and self._hole(blob, labels, image):
                limit = 2.0 if mine else 0.5
            if lasted > limit:
                region = cv2.compare(labels, blob.label, cv2.CMP_EQ)
                background.absorb(image, cv2.dilate(region, np.ones((5, 5), np.uint8)))
                continue
            still[key] = (lasted, t, blob.box)
            kept.append(blob)
        self._still = still
        return kept

    def _hole(self, blob: Blob, labels: Image, image: Field) -> bool:
        """Whether the outline is in the background rather than in the picture."""
        background = self._background
        if background is None:
            return False
        x, y, w, h = (int(v) for v in blob.box)
        top, left = max(0, y - 2), max(0, x - 2)
        part = (slice(top, y + h + 2), slice(left, x + w + 2))
        region = cv2.compare(labels[part], blob.label, cv2.CMP_EQ)
        contour = cv2.morphologyEx(region, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        return edge_strength(background.mean[part], contour) > 1.3 * edge_strength(image[part], contour)

    def _learn(self, image: Field, mask: Image, blobs: list[Blob], labels: Image, dt: float) -> None:
        background = self._background
        if background is None:
            return
        guard = cv2.dilate(mask, np.ones((5, 5), np.uint8))
        background.learn(image, guard, min(0.2, 0.25 * dt), min(0.05, 0.004 * dt))
        if self._looked % 10 == 0:
            self._sight.follow(background.mean)
            self._noise = background.noise
        self._looked += 1

    def _out(self, box: Box) -> Box:
        s = self._scale
        return (box[0] * s, box[1] * s, box[2] * s, box[3] * s)

    def _outside(self, objects: list[Object]) -> list[Object]:
        return [
            Object(o.no, [(t, self._out(b)) for t, b in o.path], o.confirmed, list(o.parts)) for o in objects
        ]


def _shifted(image: Field, shift: tuple[float, float], width: int) -> Field:
    """The picture moved back to where the background lies."""
    dx, dy = shift[0] * width, shift[1] * width
    if abs(dx) < 0.3 and abs(dy) < 0.3:
        return image
    back = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]], np.float32)
    return cv2.warpAffine(image, back, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
