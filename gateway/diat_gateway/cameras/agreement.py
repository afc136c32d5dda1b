"""The inter-camera stage: cameras that saw the same thing agree which of them keeps its video.

Each tells the others a small feature of each object: when, where on the ground, and how large it stood in the
picture. All decide by the same rule, so nobody has to be asked: the one that saw it largest keeps it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from msgspec import Struct

APART = 4.0
"""Metres within which two cameras saw the same thing."""
WAITS = 3.0
"""Seconds after the end of an object in which others may tell of it."""


class Candidate(Struct, frozen=True):
    """What one camera tells of one object.

    Attributes:
        camera: who.
        no: of the object, within the camera.
        start: Unix s of its begin.
        end: Unix s of its end.
        rank: how large it stood in its best picture, share of the picture's area, root.
        ground: its way, ``[s since start, x, y]``, metres; empty if nobody knows.
    """

    camera: str
    no: int
    start: float
    end: float
    rank: float
    ground: list[tuple[float, float, float]] = []


def same(one: Candidate, other: Candidate) -> bool:
    """Whether two cameras saw one thing; without places on the ground nobody can tell, and both keep it."""
    together = min(one.end, other.end) - max(one.start, other.start)
    if one.camera == other.camera or together < 0.5 * min(one.end - one.start, other.end - other.start):
        return False
    near = far = 0
    for t, x, y in one.ground:
        at = one.start + t
        beside = min(other.ground, key=lambda p: abs(other.start + p[0] - at), default=None)
        if beside is None or abs(other.start + beside[0] - at) > 1.0:
            continue
        if (beside[1] - x) ** 2 + (beside[2] - y) ** 2 <= APART**2:
            near += 1
        else:
            far += 1
    return near > far


def read(data: Any) -> Candidate | None:
    """What came as an event; None if it is no candidate."""
    try:
        return msgspec.convert(data, Candidate)
    except msgspec.ValidationError:
        return None


class Agreement:
    """What one camera knows of the candidates around it."""

    def __init__(self) -> None:
        self._told: deque[Candidate] = deque(maxlen=500)

    def told(self, candidate: Candidate) -> None:
        """Another camera tells."""
        self._told.append(candidate)

    def keeps(self, mine: Candidate) -> bool:
        """Whether this camera keeps the video of its object."""
        return all(
            (mine.rank, mine.camera) > (each.rank, each.camera)
            for each in list(self._told)
            if same(mine, each)
        )
