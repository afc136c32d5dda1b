"""Clips from files: Debian's surveillance clip with its public annotation, and whatever others bring."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
from diat_gateway.cameras import truth
from diat_gateway.cameras.seeing.pictures import Frame
from numpy.typing import NDArray

from diat.kernel.errors import Invalid

PETS = "usr/share/doc/opencv-doc/examples/data/vtest.avi"
TRAINS = 150
"""Pictures of which the map from pixels to metres is made; the rest is scored."""


def frames_of(path: Path, most: int = 0) -> tuple[list[Frame], float]:
    """All pictures of a file and how many there are a second.

    Raises:
        Invalid: nobody can read it.
    """
    source = cv2.VideoCapture(str(path))
    fps = source.get(cv2.CAP_PROP_FPS)
    if not source.isOpened() or not 0 < fps < 1000:
        raise Invalid(f"clip {path} cannot be read", "clip")
    frames: list[Frame] = []
    while not most or len(frames) < most:
        there, image = source.read()
        if not there:
            break
        frames.append(Frame(len(frames) / fps, image, len(frames)))
    if not frames:
        raise Invalid(f"clip {path} has no pictures", "clip")
    return frames, fps


def pets(cache: Path) -> Path | None:
    """Debian's clip, from the machine or from the package; None where neither can be had."""
    for place in (Path("/") / PETS, cache / PETS):
        if place.exists():
            return place
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        try:
            subprocess.run(
                ["apt-get", "download", "opencv-doc"],
                cwd=directory,
                check=True,
                capture_output=True,
                timeout=600,
            )
            package = next(Path(directory).glob("opencv-doc*.deb"))
            subprocess.run(
                ["dpkg-deb", "-x", str(package), str(cache)], check=True, capture_output=True, timeout=600
            )
        except (OSError, subprocess.SubprocessError, StopIteration):
            return None
    return cache / PETS if (cache / PETS).exists() else None


def annotation() -> Path | None:
    """The annotation of that clip: ``PETS_TRUTH``. Its licence does not let us ship it."""
    said = os.environ.get("PETS_TRUTH")
    return Path(said) if said else None


def homography(known: truth.Truth, before: int) -> NDArray[np.float64]:
    """Pixels to metres, from the foot points of the pictures before that one."""
    spots = [s for s in known.boxes if s.frame < before and s.x is not None and s.y is not None]
    if len(spots) < 8:
        raise Invalid("too few places on the ground to learn the map from", "truth")
    feet = np.array([(s.left + s.width / 2, s.top + s.height) for s in spots])
    found, _ = cv2.findHomography(feet, np.array([(s.x, s.y) for s in spots]), cv2.RANSAC, 0.3)
    return np.asarray(found)
