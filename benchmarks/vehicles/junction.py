"""The junction of the generated scenes as a setup: pictures on disk, cameras fitted to the ground."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from diat_gateway.cameras import score
from diat_gateway.cameras.scenes.pinhole import Pinhole
from diat_gateway.cameras.scenes.scene import CAMERAS, Scene
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


def scene(seed: int, seconds: float, events: int, width: int = 480) -> Scene:
    """A scene; pictures of 16 to 9."""
    eyes = tuple(dataclasses.replace(eye, width=width, height=width * 9 // 16) for eye in CAMERAS)
    return Scene(seed, seconds=seconds, events=events, cameras=eyes)


def setup(filmed: Scene, directory: Path, seed: int = 1) -> Setup:
    """Film a scene, all cameras, and say how to look at it; level and analysis are to be replaced."""
    chance = np.random.default_rng(seed)
    cameras = {}
    for number, name in enumerate(NAMES):
        path = directory / f"{name}.npy"
        np.save(path, np.stack([frame.image for frame in filmed.frames(number)]))
        cameras[name] = Camera(str(path), fitting(filmed.cameras[number], chance), float(filmed.fps))
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
        said[tick] = [place for place in said[tick] if math.hypot(*place) <= REACH]
    return score.places(true, said, NEAR)


def _there(filmed: Scene, t: float) -> list[tuple[float, float]]:
    places = [actor.place(t) for actor in filmed.actors if actor.kind != "person"]
    return [(p[0], p[1]) for p in places if p is not None and math.hypot(p[0], p[1]) <= REACH]


def _moved(vehicle: Mapping[str, Any], age: float) -> tuple[float, float]:
    turn = math.radians(vehicle["heading"] or 0.0)
    way = vehicle["speed"] * max(0.0, age)
    return vehicle["x"] + way * math.cos(turn), vehicle["y"] + way * math.sin(turn)
