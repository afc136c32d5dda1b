"""What leaves a camera at each level: all of its video, video while something moves, or records of objects.

``low`` encodes and sends. ``middle`` sends while something moves, from a second before to two seconds after,
and holds still what does not move. ``high`` sends a record and one best picture of each object. A camera
that cannot see sends video at ``middle`` while it is shaken, as it cannot know; nothing while it is covered
or blinded; and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from diat_gateway.cameras.encoding import FULL, Encoder, Quality
from diat_gateway.cameras.portraits import Portraits
from diat_gateway.cameras.records import POINTS, Homography, record
from diat_gateway.cameras.seeing.analysis import Analysis, Seen, Settings
from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.pictures import Field, Frame, Image

Level = Literal["low", "middle", "high"]
LEVELS: tuple[Level, ...] = ("low", "middle", "high")

BEFORE, AFTER = 1.0, 2.0
"""Seconds of video before something moves, and after."""
LIVE = 3.0
"""Seconds for which a place is not held still where an object was: it may only be hard to see just now."""
STILL = Quality(crf=20, still=True)
"""How video is encoded whose still parts are held: near objects as good as the standing choice."""
_BLOCK, _HELD_WITHIN = 4, 5.0
"""Pixels across of a block of which the mean is compared, and grey levels within which it is held still."""
_SIGHTLESS = ("covered", "blinded", "dark")


@dataclass(slots=True)
class Video:
    """A piece of video; ``begins`` with the size if a new run of pictures begins with it."""

    t: float
    data: bytes
    key: bool
    begins: tuple[int, int, float] | None = None


@dataclass(slots=True)
class Told:
    """A record of an object with its best picture."""

    record: dict[str, Any]
    picture: bytes | None


Out = Video | Told


class Low:
    """Encodes and sends everything."""

    def __init__(self, fps: float, quality: Quality = FULL) -> None:
        self._fps = fps
        self._quality = quality
        self._encoder: Encoder | None = None
        self._shape: tuple[int, ...] = ()
        self._sent = 0
        self._times: deque[float] = deque()
        self._begins: tuple[int, int, float] | None = None
        self.impaired: str | None = None

    def take(self, frame: Frame) -> list[Out]:
        """Take one picture; gives what leaves."""
        return list(self._send(frame.t, frame.image))

    def finish(self) -> list[Out]:
        """The source ended."""
        return list(self._close())

    def _send(self, t: float, image: Image) -> list[Video]:
        out: list[Video] = []
        if self._encoder is None or image.shape != self._shape:
            out += self._close()
            high, wide = image.shape[:2]
            self._encoder, self._shape = Encoder(wide, high, self._fps, self._quality), image.shape
            self._sent = 0
            self._begins = (wide - wide % 2, high - high % 2, self._fps)
        self._sent += 1
        self._times.append(t)
        for packet in self._encoder.encode(image):
            out.append(Video(self._times.popleft(), packet.data, packet.key, self._begins))
            self._begins = None
        return out

    def _close(self) -> list[Video]:
        if self._encoder is None:
            return []
        rest = []
        for packet in self._encoder.finish():
            rest.append(Video(self._times.popleft(), packet.data, packet.key, self._begins))
            self._begins = None
        self._encoder = None
        return rest


@dataclass(slots=True)
class _Held:
    """The picture without what moves: what is shown where nothing does."""

    mean: Field | None = None
    shown: Image | None = None
    count: int = 0


class Middle(Low):
    """Sends while something moves."""

    def __init__(
        self,
        fps: float,
        quality: Quality = STILL,
        settings: Settings | None = None,
        on_seen: Callable[[Frame | None, Seen], None] | None = None,
    ) -> None:
        super().__init__(fps, quality)
        self._analysis = Analysis(settings)
        self._on_seen = on_seen
        self._waiting: deque[tuple[Frame, list[Box] | None]] = deque()
        self._early: dict[float, Frame] = {}
        self._until = -1.0
        self._held = _Held()
        self._lately: deque[tuple[float, list[Box]]] = deque()
        self.runs: list[list[float]] = []

    def take(self, frame: Frame) -> list[Out]:
        """Take one picture; gives what leaves, up to a second late."""
        self._early[frame.t] = frame
        if len(self._early) > 400:
            self._early.pop(next(iter(self._early)))
        out: list[Out] = []
        for seen in self._analysis.look(frame):
            mine = self._early.pop(seen.t, None)
            if self._on_seen is not None:
                self._on_seen(mine, seen)
            if mine is not None:
                out += self._gate(mine, seen)
        return out

    def finish(self) -> list[Out]:
        """The source ended."""
        out: list[Out] = []
        for seen in self._analysis.finish():
            mine = self._early.pop(seen.t, None)
            if self._on_seen is not None:
                self._on_seen(mine, seen)
            if mine is not None:
                out += self._gate(mine, seen)
        return out + list(self._close())

    def _gate(self, frame: Frame, seen: Seen) -> list[Out]:
        self.impaired = seen.impaired
        t = frame.t
        self._lately.append((t, [box for _, box in seen.objects]))
        while not 0 <= t - self._lately[0][0] <= LIVE:
            self._lately.popleft()
        boxes = [*seen.moving, *(box for _, there in self._lately for box in there)]
        self._waiting.append((frame, boxes if seen.impaired is None else None))
        if seen.alert or (seen.impaired is not None and seen.impaired not in _SIGHTLESS):
            self._until = t + AFTER
        out: list[Out] = []
        if t <= self._until:
            while self._waiting:
                early, around = self._waiting.popleft()
                self._ran(early.t)
                out += self._send(early.t, self._stilled(early.image, around))
            return out
        while self._waiting and t - self._waiting[0][0].t > BEFORE:
            early, around = self._waiting.popleft()
            self._learn(early.image, around)
        return list(self._close())

    def _ran(self, t: float) -> None:
        step = 1.0 / self._fps
        if self.runs and t - self.runs[-1][1] < 1.5 * step:
            self.runs[-1][1] = t
        else:
            self.runs.append([t, t])

    def _learn(self, image: Image, boxes: list[Box] | None) -> None:
        held = self._held
        if held.mean is None or held.mean.shape != image.shape:
            held.mean, held.count = image.astype(np.float32), 0
            return
        free = cv2.bitwise_not(_around(image, boxes or []))
        held.count += 1
        cv2.accumulateWeighted(image, held.mean, max(0.04, 1.0 / (held.count + 1)), mask=free)

    def _stilled(self, image: Image, boxes: list[Box] | None) -> Image:
        """The picture with all held still that is not near something that moves."""
        held = self._held
        self._learn(image, boxes)
        if boxes is None or held.mean is None or held.count < 5:
            return image
        if self._encoder is None or held.shown is None or held.shown.shape != image.shape:
            held.shown = np.clip(held.mean, 0, 255).astype(np.uint8)
        if (
            self._sent % max(1, round(self._quality.group * self._fps)) == 0
        ):  # with a whole picture, at no cost
            held.shown = np.clip(held.mean, 0, 255).astype(np.uint8)
        near = cv2.bitwise_or(_around(image, boxes), _differs(image, held.shown))
        return np.where(near[:, :, None] > 0, image, held.shown)


def _differs(image: Image, shown: Image) -> Image:
    """Where a picture is not as it is shown (255), in blocks: whom nobody made out is not wiped away."""
    high, wide = image.shape[:2]
    size = (max(1, wide // _BLOCK), max(1, high // _BLOCK))
    small, still = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (image, shown))
    off = cv2.absdiff(small, still).max(axis=2)
    mask = cv2.dilate(cv2.compare(off, _HELD_WITHIN, cv2.CMP_GT), np.ones((3, 3), np.uint8))
    return cv2.resize(mask, (wide, high), interpolation=cv2.INTER_NEAREST)


def _around(image: Image, boxes: list[Box]) -> Image:
    """Where boxes are, with some room around (255)."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for x, y, w, h in boxes:
        top, left = max(0, int(y - 8 - 0.2 * h)), max(0, int(x - 8 - 0.2 * w))
        mask[top : int(y + 1.2 * h + 9), left : int(x + 1.2 * w + 9)] = 255
    return mask


@dataclass
class High:
    """Sends records of objects, with one best picture of each."""

    fps: float
    start: float = 0.0
    homography: Homography | None = None
    settings: Settings | None = None
    points: int = POINTS
    on_seen: Callable[[Frame | None, Seen], None] | None = None
    impaired: str | None = None

    def __post_init__(self) -> None:
        self._analysis = Analysis(self.settings)
        self._portraits = Portraits()
        self._early: dict[float, Frame] = {}

    def take(self, frame: Frame) -> list[Out]:
        """Take one picture; gives the records of what is over."""
        self._early[frame.t] = frame
        if len(self._early) > 400:
            self._early.pop(next(iter(self._early)))
        return self._told(self._analysis.look(frame))

    def finish(self) -> list[Out]:
        """The source ended: what is there is over."""
        return self._told(self._analysis.finish())

    def _told(self, all_seen: list[Seen]) -> list[Out]:
        out: list[Out] = []
        for seen in all_seen:
            frame = self._early.pop(seen.t, None)
            self.impaired = seen.impaired
            if frame is not None:
                self._portraits.see(frame.image, seen.objects)
            if self.on_seen is not None:
                self.on_seen(frame, seen)
            for each in seen.over:
                out.append(
                    Told(
                        record(each, self.start, self.homography, self.points), self._portraits.take(each.no)
                    )
                )
        return out


def make(
    level: Level, fps: float, *, start: float = 0.0, homography: Homography | None = None
) -> Low | Middle | High:
    """The level by its name."""
    if level == "high":
        return High(fps, start, homography)
    return Middle(fps) if level == "middle" else Low(fps)
