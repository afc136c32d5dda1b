"""The switch: what sensors do, and where the rest is worked out. Six cases, one file.

::

    level: high              # low: video; middle: video while something moves; high: records of vehicles
    analysis: aggregator     # aggregator or cloud: where video is looked at and the first map is made
    place: town/crossing
    aggregators: {rsu: [north, east], obu: [south, west]}
    cameras:
      north:
        source: north.npy    # pictures, or a video file, RTSP address or camera number
        fps: 10
        calibration: [[12, 200, -8.0, 3.5], …]     # u, v (pixels), x, y (metres); four points at least
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.wire import topics
from diat_gateway.vehicles.ground import Ground, Pair, calibrate

Level = Literal["low", "middle", "high"]
Analysis = Literal["aggregator", "cloud"]
CASES: dict[int, tuple[Level, Analysis]] = {
    1: ("low", "cloud"),
    2: ("low", "aggregator"),
    3: ("middle", "cloud"),
    4: ("middle", "aggregator"),
    5: ("high", "cloud"),
    6: ("high", "aggregator"),
}
"""Number in the lecture to the two words of the switch."""
_LARGEST = 1 << 20


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """One camera: where its pictures come from, how many a second, and points that fit it to the ground."""

    source: str
    calibration: list[Pair]
    fps: float = 10.0

    @property
    def ground(self) -> Ground:
        """Fitted to the ground."""
        return calibrate(self.calibration)


class Setup(Struct, frozen=True, forbid_unknown_fields=True):
    """Who computes what for an area.

    Attributes:
        level: what sensors do.
        analysis: where the rest is worked out.
        place: of the area, as a path.
        aggregators: name of each (road-side unit, on-board unit) to its cameras.
        cameras: by name.
        every: seconds between two reports while vehicles are there.
        lateness: seconds by which a report may come after a later one, within an aggregator.
    """

    level: Level
    analysis: Analysis
    place: str
    aggregators: dict[str, list[str]]
    cameras: dict[str, Camera]
    every: float = 0.2
    lateness: float = 1.0

    def aggregator_of(self, camera: str) -> str:
        """Whose camera it is."""
        return next(name for name, mine in self.aggregators.items() if camera in mine)


def read(path: Path) -> Setup:
    """Read a setup and check that it goes together.

    Raises:
        Invalid: it does not; the field is named.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _LARGEST:
            raise Invalid(f"{path}: more than 1 MiB", "setup")
        setup = msgspec.convert(yaml.safe_load(raw), Setup)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}", "setup") from None
    except (msgspec.ValidationError, yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"{path}: {error}", "setup") from None
    check(setup)
    return setup


def check(setup: Setup) -> None:
    """Whether its parts fit one another.

    Raises:
        Invalid: they do not.
    """
    for name in (*setup.aggregators, *setup.cameras):
        if not topics.is_name(name):
            raise Invalid(f"{name!r} is no name: A-Z a-z 0-9 _ - are, at most 64", "aggregators")
    placed = [camera for mine in setup.aggregators.values() for camera in mine]
    if sorted(placed) != sorted(setup.cameras):
        raise Invalid(
            "each camera belongs to one aggregator, and each that is named is described", "aggregators"
        )
    ways: dict[str, bool] = {}
    for name, camera in setup.cameras.items():
        if not 0 < camera.fps <= 120:
            raise Invalid(f"{camera.fps:g} pictures a second", f"cameras.{name}.fps")
        try:
            ways[name] = calibrate(camera.calibration).mirrored
        except Invalid as error:
            raise Invalid(str(error), f"cameras.{name}.calibration") from None
    odd = [name for name, way in ways.items() if 2 * list(ways.values()).count(way) <= len(ways)]
    if odd:
        raise Invalid(
            f"{odd[0]} has the ground the other way round than others: are points, or x and y, exchanged?",
            f"cameras.{odd[0]}.calibration",
        )
    if not (0 < setup.every <= 60 and 0 <= setup.lateness <= 30):
        raise Invalid("every is above 0 and at most 60 s, lateness 0 to 30 s", "every")
