"""Paints a scene: ground, houses and trees once for each camera, actors for each picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from diat_gateway.cameras.scenes.actors import SIZES, Actor
from diat_gateway.cameras.scenes.pinhole import Pinhole
from diat_gateway.cameras.seeing.pictures import Field

_METRES = 80.0
_TEXEL = 12  # pixels of the ground's texture for one metre


def ground(random: Generator) -> NDArray[np.uint8]:
    """The junction from above: lawns, pavements, two roads with lines; 80 m square."""
    size = int(_METRES * _TEXEL)
    rough = cv2.resize(random.normal(0, 1, (size // 8, size // 8)).astype(np.float32), (size, size))
    fine = random.normal(0, 1, (size, size)).astype(np.float32)
    image = np.empty((size, size, 3), np.float32)
    image[:] = (58, 96, 82)
    image += (rough * 9 + fine * 7)[:, :, None]
    axis = (np.arange(size) + 0.5) / _TEXEL - _METRES / 2
    x, y = np.meshgrid(axis, axis)
    for across in (x, y):
        image[np.abs(across) < 7.0] = (142, 146, 150)
    for across in (x, y):
        image[np.abs(across) < 4.0] = (92, 92, 94)
    paving = (np.abs(x) < 7) | (np.abs(y) < 7)
    image[paving] += (rough * 4 + fine * 5)[paving][:, None]
    for across, along in ((x, y), (y, x)):
        image[(np.abs(across) < 0.08) & (along % 4 < 2) & (np.abs(along) > 5)] = (200, 204, 205)
    return np.clip(image, 0, 255).astype(np.uint8)


def backdrop(camera: Pinhole, random: Generator) -> tuple[Field, NDArray[np.float32]]:
    """The scene without actors, and where leaves move (0 to 1)."""
    to_metres = np.array([[1 / _TEXEL, 0, -_METRES / 2], [0, 1 / _TEXEL, -_METRES / 2], [0, 0, 1]])
    warp = camera.matrix[:, [0, 1, 3]] @ to_metres
    shape = (camera.width, camera.height)
    flat = cv2.warpPerspective(
        ground(random), warp, shape, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    image = flat.astype(np.float32)
    horizon = _horizon(camera)
    if horizon > 0:
        image[:horizon] = np.linspace(215, 175, horizon)[:, None, None] * np.array([1.0, 0.96, 0.9])
    leaves = np.zeros((camera.height, camera.width), np.float32)
    for _ in range(int(random.integers(2, 5))):
        _house(camera, random, image)
    for _ in range(int(random.integers(2, 5))):
        _tree(camera, random, image, leaves)
    return image, leaves


def _horizon(camera: Pinhole) -> int:
    far, front = camera.project(
        np.array(
            [[camera.looks[0] * 400 - camera.at[0] * 399, camera.looks[1] * 400 - camera.at[1] * 399, 0.0]]
        )
    )
    return int(np.clip(far[0, 1] + 2, 0, camera.height)) if front[0] else 0


def _spot(random: Generator) -> tuple[float, float]:
    x, y = random.uniform(12, 26, 2) * random.choice([-1, 1], 2)
    return float(x), float(y)


def _house(camera: Pinhole, random: Generator, image: Field) -> None:
    x, y = _spot(random)
    tone = np.array(random.uniform(90, 190, 3))
    for face in _faces((x, y), 0.0, (random.uniform(8, 14), random.uniform(8, 14), random.uniform(5, 10))):
        points, front = camera.project(face)
        if front.all() and np.hypot(x - camera.at[0], y - camera.at[1]) > 14:
            shade = tone * random.uniform(0.6, 1.1)
            cv2.fillConvexPoly(image, points.astype(np.int32), shade.tolist())


def _tree(camera: Pinhole, random: Generator, image: Field, leaves: NDArray[np.float32]) -> None:
    x, y = _spot(random)
    points, front = camera.project(np.array([[x, y, 0.0], [x, y, 4.5], [x, y, 6.5]]))
    if not front.all() or np.hypot(x - camera.at[0], y - camera.at[1]) < 10:
        return
    radius = max(3, int(abs(points[2, 1] - points[1, 1]) * 1.1))
    foot, top = points[0].astype(int), points[1].astype(int)
    cv2.line(image, foot.tolist(), top.tolist(), (45, 60, 75), max(1, radius // 6))
    crown = np.zeros(leaves.shape, np.uint8)
    for _ in range(14):
        spot = top + random.normal(0, radius * 0.5, 2)
        cv2.circle(crown, spot.astype(int).tolist(), max(2, int(radius * random.uniform(0.3, 0.6))), 255, -1)
    texture = random.normal(0, 22, leaves.shape).astype(np.float32)
    texture = cv2.GaussianBlur(texture, (3, 3), 0)
    where = crown > 0
    image[where] = np.array([40, 85, 62]) + texture[where][:, None]
    leaves[where] = 1.0


def _faces(
    at: tuple[float, float], heading: float, size: tuple[float, float, float], base: float = 0.0
) -> list[NDArray[np.float64]]:
    """The four sides and the top of a box on the ground, each 4 x 3."""
    length, width, height = size
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    flat = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length / 2, width / 2] @ turn.T + at
    low = np.hstack([flat, np.full((4, 1), base)])
    high = np.hstack([flat, np.full((4, 1), base + height)])
    sides = [np.stack([low[i], low[(i + 1) % 4], high[(i + 1) % 4], high[i]]) for i in range(4)]
    return [*sides, high]


def outline(camera: Pinhole, actor: Actor, place: tuple[float, float, float]) -> NDArray[np.float64] | None:
    """Corners of the actor in the picture, or None if any lies behind the camera."""
    corners = np.vstack(_faces(place[:2], place[2], SIZES[actor.kind]))
    points, front = camera.project(corners)
    return points if front.all() else None


def draw(
    camera: Pinhole, image: Field, actor: Actor, place: tuple[float, float, float], t: float, *, night: bool
) -> None:
    """Draw the actor with its shadow, or with its lights at night."""
    x, y, heading = place
    if night and actor.kind != "person":
        _beam(camera, image, place)
    elif not night:
        shadow = np.vstack([_faces((x + 0.5, y + 0.4), heading, (*SIZES[actor.kind][:2], 0.01))[-1]])
        points, front = camera.project(shadow)
        if front.all():
            layer = np.zeros(image.shape[:2], np.uint8)
            cv2.fillConvexPoly(layer, points.astype(np.int32), 255)
            image[layer > 0] *= 0.62
    if actor.kind == "person":
        _person(camera, image, actor, place, t)
    else:
        _car(camera, image, actor, place)


def _car(camera: Pinhole, image: Field, actor: Actor, place: tuple[float, float, float]) -> None:
    length, width, height = SIZES[actor.kind]
    body = (length, width, height * 0.6)
    cabin = (length * (0.9 if actor.kind == "van" else 0.5), width * 0.88, height * 0.4)
    eye = np.array(camera.at)
    for size, base, glass in ((body, 0.0, False), (cabin, height * 0.6, True)):
        faces = _faces(place[:2], place[2], size, base)
        for i, face in sorted(
            enumerate(faces), key=lambda f: -float(np.linalg.norm(f[1].mean(axis=0) - eye))
        ):
            points, front = camera.project(face)
            if not front.all():
                return
            light = (1.0, 0.72, 0.85, 0.6, 1.12)[i]
            tone = np.array([70.0, 62.0, 55.0]) if glass and i < 4 else np.array(actor.colour, float)
            cv2.fillConvexPoly(image, points.astype(np.int32), (tone * light).tolist(), cv2.LINE_AA)


def _person(camera: Pinhole, image: Field, actor: Actor, place: tuple[float, float, float], t: float) -> None:
    x, y, heading = place
    swing = 0.35 * np.sin(t * 6.0 + actor.no)
    ahead = np.array([np.cos(heading), np.sin(heading)]) * swing
    joints = np.array(
        [
            [x + ahead[0], y + ahead[1], 0.0],
            [x - ahead[0], y - ahead[1], 0.0],
            [x, y, 0.85],
            [x, y, 1.42],
            [x, y, 1.62],
        ]
    )
    points, front = camera.project(joints)
    if not front.all():
        return
    spots = [(round(p[0] * 8), round(p[1] * 8)) for p in points]
    thick = max(1, int(abs(points[3, 1] - points[0, 1]) / 9))
    dark = tuple(0.55 * c for c in actor.colour)
    for foot in spots[:2]:
        cv2.line(image, foot, spots[2], dark, thick, cv2.LINE_AA, 3)
    # Shoulders of half a metre: of whole pixels a line would be a thread from far.
    wide = max(1.0, float(np.hypot(*(points[3] - points[2]))) * 0.42)
    torso = np.array(
        [points[2] - (wide, 0), points[2] + (wide, 0), points[3] + (wide, 0), points[3] - (wide, 0)]
    )
    cv2.fillConvexPoly(image, np.round(torso * 8).astype(np.int32), actor.colour, cv2.LINE_AA, 3)
    cv2.circle(image, spots[4], int(thick * 8 * 0.9), (120, 150, 190), -1, cv2.LINE_AA, 3)


def _beam(camera: Pinhole, image: Field, place: tuple[float, float, float]) -> None:
    """Head lights on the road: brighter ground before the car, before the night is laid over."""
    x, y, heading = place
    ahead = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-ahead[1], ahead[0]])
    start = np.array([x, y]) + ahead * 2.2
    cone = [
        start - side * 0.7,
        start + side * 0.7,
        start + ahead * 8 + side * 2.2,
        start + ahead * 8 - side * 2.2,
    ]
    points, front = camera.project(np.hstack([np.array(cone), np.zeros((4, 1))]))
    if front.all():
        layer = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(layer, points.astype(np.int32), 255)
        soft = cv2.GaussianBlur(layer, (0, 0), 3).astype(np.float32) / 255
        image += (soft * 70)[:, :, None]
