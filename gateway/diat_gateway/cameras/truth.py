"""What really happened before a camera, as a file: what results are scored against.

JSON: ``fps``, ``width``, ``height``; ``events``: ``{"id", "from", "to", "kind"?}`` (s), one for each physical
object from the first to the last picture in which it can be seen; and, as far as it is known, ``boxes``:
``[frame, id, left, top, width, height, x?, y?]`` (frames from 0, pixels, metres), ``homography``
(3 x 3, pixels to metres) and ``impaired``: ``[from, to, reason]``. A ``.txt`` or ``.csv`` is read as MOT
annotation (frames from 1: frame, id, left, top, width, height, confidence, x, y, z).
"""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
from msgspec import Struct, field

from diat.kernel.errors import Invalid


class Event(Struct, frozen=True):
    """One object that was there; ``start`` and ``end`` in s."""

    id: int
    start: float = field(name="from")
    end: float = field(name="to")
    kind: str = "object"


class Spot(Struct, frozen=True, array_like=True):
    """Where one object was in one picture; pixels, and metres if known."""

    frame: int
    id: int
    left: float
    top: float
    width: float
    height: float
    x: float | None = None
    y: float | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height."""
        return (self.left, self.top, self.width, self.height)


class Truth(Struct, frozen=True):
    """What is known of one clip."""

    fps: float
    width: int
    height: int
    events: list[Event]
    boxes: list[Spot] = []
    homography: list[list[float]] | None = None
    impaired: list[tuple[float, float, str]] = []

    def at(self, frame: int) -> list[Spot]:
        """Where everything was in one picture."""
        return [spot for spot in self.boxes if spot.frame == frame]

    def by_frame(self) -> dict[int, list[Spot]]:
        """The same for all pictures."""
        frames: dict[int, list[Spot]] = {}
        for spot in self.boxes:
            frames.setdefault(spot.frame, []).append(spot)
        return frames


def read(path: Path, *, fps: float = 0.0, width: int = 0, height: int = 0) -> Truth:
    """Read a truth; for MOT annotation the clip's rate and size are given.

    Raises:
        Invalid: it is not one.
    """
    try:
        if path.suffix in (".txt", ".csv"):
            return _mot(path, fps, width, height)
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise Invalid(f"truth {path}: {error.strerror}", "truth") from error
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise Invalid(f"truth {path}: {error}", "truth") from error


def _mot(path: Path, fps: float, width: int, height: int) -> Truth:
    spots = []
    with path.open(newline="") as lines:
        for row in csv.reader(lines):
            if not row:
                continue
            x, y = (float(row[7]), float(row[8])) if len(row) > 8 else (None, None)
            left, top, wide, high = (float(v) for v in row[2:6])
            spots.append(Spot(int(row[0]) - 1, int(row[1]), left, top, wide, high, x, y))
    ids = sorted({spot.id for spot in spots})
    events = []
    for each in ids:
        frames = [spot.frame for spot in spots if spot.id == each]
        events.append(Event(each, min(frames) / fps, max(frames) / fps))
    return Truth(fps, width, height, events, spots)
