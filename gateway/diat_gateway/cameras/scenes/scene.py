"""One scene: what happens, what each camera sees of it, and the truth beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from diat_gateway.cameras.scenes.actors import Actor, traffic
from diat_gateway.cameras.scenes.paint import backdrop, draw, outline
from diat_gateway.cameras.scenes.pinhole import Pinhole
from diat_gateway.cameras.seeing.pictures import Field, Frame
from diat_gateway.cameras.truth import Event, Spot, Truth

CAMERAS = (
    Pinhole((-20.0, -15.0, 7.0), (1.0, 1.0)),
    Pinhole((19.0, -14.0, 7.5), (-1.0, 1.0)),
    Pinhole((16.0, 18.0, 6.5), (0.0, -1.0)),
    Pinhole((-15.0, 19.0, 8.0), (0.0, 0.0)),
)
"""Four cameras around the junction; all see its middle."""


@dataclass(frozen=True)
class Weather:
    """What makes seeing hard.

    Attributes:
        noise: spread of the sensor's noise, grey levels.
        night: whether it is dark.
        exposure: seconds at which the exposure steps, with the factor.
        sway: pixels by which leaves move.
        shake: pixels by which the whole picture jumps about.
        covered: from, to (s): something hangs before the lens.
        blinded: from, to (s): the sun shines into it.
        shaken: from, to (s): it is shaken by many pixels.
    """

    noise: float = 2.0
    night: bool = False
    exposure: tuple[tuple[float, float], ...] = ()
    sway: float = 1.0
    shake: float = 0.0
    covered: tuple[float, float] | None = None
    blinded: tuple[float, float] | None = None
    shaken: tuple[float, float] | None = None


@dataclass
class Scene:
    """A scene that can be seen again and again, always the same.

    Args:
        seed: chooses everything that is left to chance.
        seconds: for which it lasts.
        events: how many actors come.
        fps: pictures a second.
        weather: the same for all cameras.
        cameras: who looks.
        stops: share of the cars that stand still for a while.
    """

    seed: int
    seconds: float = 60.0
    events: int = 6
    fps: int = 10
    weather: Weather = field(default_factory=Weather)
    cameras: tuple[Pinhole, ...] = CAMERAS
    stops: float = 0.2

    def __post_init__(self) -> None:
        self._truths: dict[int, Truth] = {}
        self.actors = traffic(np.random.default_rng(self.seed), self.seconds, self.events, stops=self.stops)

    @property
    def pictures(self) -> int:
        """How many each camera takes."""
        return int(self.seconds * self.fps)

    def frames(self, camera: int) -> Iterator[Frame]:
        """What a camera sees, picture after picture; ``t`` begins at 0."""
        random = np.random.default_rng((self.seed, camera))
        eye = self.cameras[camera]
        empty, leaves = backdrop(eye, random)
        noise = random.normal(0, self.weather.noise, (eye.height + 64, eye.width + 64, 3)).astype(np.float32)
        for number in range(self.pictures):
            t = number / self.fps
            image = self._swaying(empty, leaves, t)
            for actor, place in self._here(t, eye):
                draw(eye, image, actor, place, t, night=self.weather.night)
            image = self._weathered(image, t, random)
            top, left = (int(v) for v in random.integers(0, 64, 2))
            image += noise[top : top + eye.height, left : left + eye.width]
            yield Frame(t, np.clip(image, 0, 255).astype(np.uint8), number)

    def truth_of(self, camera: int) -> Truth:
        """The same as ``truth``, worked out once."""
        if camera not in self._truths:
            self._truths[camera] = self.truth(camera)
        return self._truths[camera]

    def truth(self, camera: int) -> Truth:
        """What a camera could see: events and where everything was."""
        eye = self.cameras[camera]
        spots: list[Spot] = []
        for number in range(self.pictures):
            for actor, place in self._here(number / self.fps, eye):
                spot = _spot(eye, actor, place, number)
                if spot is not None:
                    spots.append(spot)
        events = []
        for actor in self.actors:
            mine = [s.frame for s in spots if s.id == actor.no]
            if len(mine) >= self.fps * 0.8:
                events.append(Event(actor.no, mine[0] / self.fps, mine[-1] / self.fps, actor.kind))
        known = {event.id for event in events}
        w = self.weather
        impaired = [
            (*span, reason)
            for reason, span in (("covered", w.covered), ("blinded", w.blinded), ("shaken", w.shaken))
            if span is not None
        ]
        return Truth(
            self.fps,
            eye.width,
            eye.height,
            events,
            [s for s in spots if s.id in known],
            eye.homography.tolist(),
            impaired,
        )

    def _here(self, t: float, eye: Pinhole) -> list[tuple[Actor, tuple[float, float, float]]]:
        """Who is there, the farthest first."""
        there = [(actor, place) for actor in self.actors if (place := actor.place(t)) is not None]
        return sorted(
            there, key=lambda each: -float(np.hypot(each[1][0] - eye.at[0], each[1][1] - eye.at[1]))
        )

    def _swaying(self, empty: Field, leaves: Field, t: float) -> Field:
        if self.weather.sway <= 0 or not leaves.any():
            return empty.copy()
        # Only around the leaves: the rest stands still.
        left, top, wide, high = cv2.boundingRect((leaves > 0).astype(np.uint8))
        part = (slice(top, top + high), slice(left, left + wide))
        shift = np.float32(self.weather.sway * np.sin(t * 2.1)) * leaves[part]
        rows, columns = np.mgrid[top : top + high, left : left + wide].astype(np.float32)
        image = empty.copy()
        image[part] = cv2.remap(empty, columns + shift, rows + np.float32(0.4) * shift, cv2.INTER_LINEAR)
        return image

    def _weathered(self, image: Field, t: float, random: np.random.Generator) -> Field:
        w = self.weather
        if w.night:
            image = image * np.array([0.30, 0.26, 0.24], np.float32) + 6
        for at, factor in w.exposure:
            if t >= at:
                image = image * np.float32(factor)
        if w.blinded and w.blinded[0] <= t < w.blinded[1]:
            image = image * 0.5 + 215
        if w.covered and w.covered[0] <= t < w.covered[1]:
            image = np.full_like(image, 24.0) + cv2.GaussianBlur(image, (0, 0), 25) * 0.03
        jump = w.shake
        if w.shaken and w.shaken[0] <= t < w.shaken[1]:
            jump = 0.05 * image.shape[1]
        if jump > 0:
            dx, dy = random.normal(0, jump, 2)
            image = cv2.warpAffine(
                image,
                np.array([[1, 0, dx], [0, 1, dy]], np.float32),
                image.shape[1::-1],
                borderMode=cv2.BORDER_REFLECT,
            )
        return image


def _spot(eye: Pinhole, actor: Actor, place: tuple[float, float, float], number: int) -> Spot | None:
    """The actor's box in the picture; None if less than half of it, or too little, can be seen."""
    points = outline(eye, actor, place)
    if points is None:
        return None
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    whole = (right - left) * (bottom - top)
    near, high = max(0.0, left), max(0.0, top)
    far, low = min(float(eye.width), right), min(float(eye.height), bottom)
    if far <= near or low <= high or (far - near) * (low - high) < 0.5 * whole or low - high < 8:
        return None
    return Spot(
        number, actor.no, float(near), float(high), float(far - near), float(low - high), place[0], place[1]
    )
