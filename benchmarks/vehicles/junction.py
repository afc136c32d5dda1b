"""The junction of the generated scenes as a setup: pictures on disk, cameras fitted to the ground."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from diat_gateway.cameras import score
from diat_gateway.cameras.scenes.actors import SIZES, Actor
from diat_gateway.cameras.scenes.pinhole import Pinhole
from diat_gateway.cameras.scenes.scene import CAMERAS, Scene, Weather
from diat_gateway.vehicles.setup import Camera, Setup

NAMES = ("north", "east", "south", "west")
AGGREGATORS = {"rsu": ["north", "east"], "obu": ["south", "west"]}
"""A road-side unit with two cameras, and a car that stands there and has two."""
REACH = 15.0
"""Metres from the middle of the junction within which places are scored: all cameras see that."""
NEAR = 2.0
"""Metres within which a place counts as found: half a car."""
_GRID = 0.2
_OLD = 0.6
_SHORT = 4.0
"""Seconds before the end of a scene from which on nobody comes any more."""


def scene(seed: int, seconds: float, events: int, width: int = 480, weather: Weather | None = None) -> Scene:
    """A scene; pictures of 16 to 9. Who would drive through another comes later, as at a light."""
    eyes = tuple(dataclasses.replace(eye, width=width, height=width * 9 // 16) for eye in CAMERAS)
    filmed = Scene(seed, seconds=seconds, events=events, cameras=eyes, weather=weather or Weather())
    filmed.actors = _apart(filmed.actors, seconds)
    return filmed


def _apart(actors: Sequence[Actor], seconds: float) -> list[Actor]:
    """The actors with later beginnings where two would be in one place; who never finds room stays away."""
    kept: list[Actor] = []
    for actor in actors:
        while actor.begin < seconds - _SHORT and any(_meet(actor, other, seconds) for other in kept):
            actor = dataclasses.replace(actor, begin=actor.begin + 0.5)
        if actor.begin < seconds - _SHORT:
            kept.append(actor)
    return kept


def _meet(one: Actor, other: Actor, seconds: float) -> bool:
    """Whether two ever touch, or a vehicle comes nearer to what is before it than it drives in a second."""
    begin, end = max(one.begin, other.begin), min(one.end, other.end, seconds)
    for tick in range(math.ceil(begin * 10), math.floor(end * 10) + 1):
        boxes = [_room(each, tick / 10) for each in (one, other)]
        if boxes[0] is None or boxes[1] is None or math.dist(boxes[0][0], boxes[1][0]) > 25:
            continue
        if cv2.rotatedRectangleIntersection(*boxes)[0] != cv2.INTERSECT_NONE:
            return True
    return False


def _room(actor: Actor, t: float) -> tuple[tuple[float, float], tuple[float, float], float] | None:
    """What it takes of the ground, with the room that it keeps ahead: middle, size, degrees."""
    place, soon = actor.place(t), actor.place(t + 0.1)
    if place is None:
        return None
    x, y, heading = place
    speed = math.dist(place[:2], soon[:2]) * 10 if soon is not None else actor.speed
    ahead = 1.0 + speed if actor.kind != "person" else 0.2
    length, width, _ = SIZES[actor.kind]
    middle = (x + math.cos(heading) * ahead / 2, y + math.sin(heading) * ahead / 2)
    return middle, (length + ahead, width + 0.2), math.degrees(heading)


def setup(filmed: Scene, directory: Path, seed: int = 1) -> Setup:
    """Film a scene, all cameras, and say how to look at it; level and analysis are to be replaced."""
    for number, name in enumerate(NAMES):
        np.save(directory / f"{name}.npy", np.stack([frame.image for frame in filmed.frames(number)]))
    return described(filmed, directory, seed)


def described(filmed: Scene, directory: Path = Path(), seed: int = 1) -> Setup:
    """How to look at a scene whose films are in a directory."""
    chance = np.random.default_rng(seed)
    cameras = {
        name: Camera(
            str(directory / f"{name}.npy"), fitting(filmed.cameras[number], chance), float(filmed.fps)
        )
        for number, name in enumerate(NAMES)
    }
    return Setup("high", "aggregator", "town/crossing", AGGREGATORS, cameras, lateness=3.0)


def fitting(eye: Pinhole, chance: np.random.Generator) -> list[tuple[float, float, float, float]]:
    """Points of the ground as somebody would click them, half a pixel off."""
    ground = [(float(x), float(y)) for x in (-8, 0, 8) for y in (-8, 0, 8)]
    pixels, front = eye.project(np.array([[x, y, 0.0] for x, y in ground]))
    noise = chance.normal(0, 0.5, pixels.shape)
    return [
        (float(u), float(v), x, y)
        for (u, v), (x, y), seen in zip(pixels + noise, ground, front, strict=True)
        if seen and 0 <= u < eye.width and 0 <= v < eye.height
    ]


def judged(filmed: Scene, maps: Sequence[tuple[float, list[dict[str, Any]]]]) -> score.MapScore:
    """How right the maps are: five times a second, the newest map against where vehicles were.

    A map is taken on by its own speeds, but not for longer than 0.6 s.
    """
    true: dict[int, list[tuple[float, float]]] = {}
    said: dict[int, list[tuple[float, float]]] = {}
    ordered, at = sorted(maps, key=lambda each: each[0]), 0  # by the time that they are of
    newest: tuple[float, list[dict[str, Any]]] = (-math.inf, [])
    for tick in range(round(3.0 / _GRID), int(filmed.seconds / _GRID)):
        t = tick * _GRID
        while at < len(ordered) and ordered[at][0] <= t + 1e-3:
            newest, at = ordered[at], at + 1
        true[tick] = _there(filmed, t)
        age = t - newest[0]
        said[tick] = [_moved(each, age) for each in newest[1]] if age <= _OLD else []
    return score.places(true, said, NEAR, REACH)


def _there(filmed: Scene, t: float) -> list[tuple[float, float]]:
    places = [actor.place(t) for actor in filmed.actors if actor.kind != "person"]
    return [(p[0], p[1]) for p in places if p is not None]


def _moved(vehicle: Mapping[str, Any], age: float) -> tuple[float, float]:
    turn = math.radians(vehicle["heading"] or 0.0)
    way = vehicle["speed"] * max(0.0, age)
    return vehicle["x"] + way * math.cos(turn), vehicle["y"] + way * math.sin(turn)
