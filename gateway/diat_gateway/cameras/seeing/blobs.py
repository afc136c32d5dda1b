"""Connected pixels that differ from the background, as boxes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from diat_gateway.cameras.seeing.pictures import Field, Image

Box = tuple[float, float, float, float]
"""Left, top, width, height; pixels."""

MOST = 200
"""Blobs in one picture; the smallest are left out beyond that."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One connected region.

    Attributes:
        box: around it.
        area: its pixels.
        moving: share of its pixels that changed since a moment ago, 0 to 1.
        label: its number in the label image; 0 for one joined of several.
        colour: mean of its pixels, three channels.
        lit: share of its pixels that are the background in a stronger light, 0 to 1.
        edge: how sharply it stands out: steepest at its outline, as share of how much it differs, a pixel.
    """

    box: Box
    area: float
    moving: float
    label: int
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lit: float = 0.0
    edge: float = 0.0


def clean(mask: Image) -> Image:
    """The mask without single pixels, with small gaps closed (a body and its legs are one)."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((7, 3), np.uint8))


def find(
    mask: Image, image: Field, changed: Image, lit: Image, off: Field, least: int
) -> tuple[list[Blob], Image]:
    """The blobs of at least so many pixels, largest first, and the label image.

    Args:
        mask: what differs from the background.
        image: the picture, for the colours.
        changed: what changed since a moment ago.
        lit: what is the background in a stronger light.
        off: how much it differs, grey levels, with its sign.
        least: pixels of the smallest.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    outline = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    steep = cv2.magnitude(
        cv2.Sobel(off, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(off, cv2.CV_32F, 0, 1, scale=0.25)
    )
    much = cv2.absdiff(off, 0.0)
    blobs = []
    for i in (np.argsort(-areas)[:MOST] + 1).tolist() if count > 1 else ():
        left, top, wide, high, area = (int(v) for v in stats[i, :5])
        if area < least or not _solid(wide, high):
            continue
        part = (slice(top, top + high), slice(left, left + wide))
        mine = cv2.compare(labels[part], i, cv2.CMP_EQ)
        colour = cv2.mean(image[part], mine)
        around = cv2.bitwise_and(outline[part], mine)
        edge = cv2.mean(steep[part], around)[0] / max(3.0, cv2.mean(much[part], mine)[0])
        blobs.append(
            Blob(
                (float(left), float(top), float(wide), float(high)),
                float(area),
                cv2.mean(changed[part], mine)[0] / 255,
                i,
                (colour[0], colour[1], colour[2]),
                cv2.mean(lit[part], mine)[0] / 255,
                edge,
            )
        )
    return blobs, labels


def _solid(wide: int, high: int) -> bool:
    """Whether it is a body and no line: lines are what light does along edges."""
    return min(wide, high) >= 3 and wide < 7 * high and high < 9 * wide


def joined(blobs: list[Blob]) -> Blob:
    """Several blobs as one."""
    if len(blobs) == 1:
        return blobs[0]
    left = min(b.box[0] for b in blobs)
    top = min(b.box[1] for b in blobs)
    right = max(b.box[0] + b.box[2] for b in blobs)
    bottom = max(b.box[1] + b.box[3] for b in blobs)
    area = sum(b.area for b in blobs)
    shares = np.array([b.area / area for b in blobs])
    moving, lit, edge = (
        float(shares @ [getattr(b, name) for b in blobs]) for name in ("moving", "lit", "edge")
    )
    blue, green, red = (float(v) for v in shares @ np.array([b.colour for b in blobs]))
    return Blob((left, top, right - left, bottom - top), area, moving, 0, (blue, green, red), lit, edge)


def overlap(a: Box, b: Box) -> float:
    """Pixels that both boxes cover."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    both = overlap(a, b)
    return both / (a[2] * a[3] + b[2] * b[3] - both) if both > 0 else 0.0


def edge_strength(image: Field, contour: Image) -> float:
    """Mean gradient along a contour (non-zero pixels); tells whether something is really there."""
    grey = image.mean(axis=2) if image.ndim == 3 else image
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    strength = np.hypot(dx, dy)
    return float(strength[contour > 0].mean()) if contour.any() else 0.0
