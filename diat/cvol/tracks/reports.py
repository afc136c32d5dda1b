"""What an observer says that it sees, read with suspicion: what is no sighting is counted and left out."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from msgspec import Struct

from diat.cvol.tracks.motion import Colour

MOST = 32
"""Sightings in one report at most; the rest is left out."""
FARTHEST = 100_000.0
"""Metres from the origin at most."""
_VAGUE = 50.0
_LEAST = 0.05


class Sighting(Struct, frozen=True):
    """Something that an observer sees: a camera's record, or a vehicle of another map.

    Attributes:
        id: its number or name within the observer, the same from report to report.
        x: metres on the ground of the area; ``y`` along the other axis.
        within: standard deviation of each of them, metres.
        colour: ``rrggbb``, its mean colour; empty if nobody said.
        by: who saw it, if the observer passes on what others saw.
        at: to when that belongs, Unix milliseconds, if the observer passes on what it took from others.
    """

    id: str | int
    x: float
    y: float
    within: float = 1.0
    colour: str = ""
    by: list[str] = []
    at: int = 0


class Report(Struct, frozen=True, array_like=True):
    """All that one observer saw at one time (Unix milliseconds)."""

    at: int
    observer: str
    sightings: list[Sighting] = []

    @property
    def key(self) -> tuple[int, str]:
        """By what reports are put in order, and known when they come again."""
        return (self.at, self.observer)


def read(value: Any, at: int, observer: str) -> tuple[Report, int]:
    """Read a report; also how many of its entries are none.

    Args:
        value: what the observer said, a list of sightings.
        at: to when it belongs, Unix milliseconds.
        observer: id of the thing.
    """
    if not isinstance(value, list):
        return Report(at, observer), 1
    found: list[Sighting] = []
    for entry in value[:MOST]:
        sighting = _sighting(entry)
        if sighting is not None:
            found.append(sighting)
    # A map that was told again later is of the time that it says.
    at = min(at, max((each.at for each in found), default=0) or at)
    return Report(at, observer, found), len(value) - len(found)


def _sighting(entry: Any) -> Sighting | None:
    try:
        said = msgspec.convert(entry, Sighting)
    except msgspec.ValidationError:
        return None
    if not (abs(said.x) <= FARTHEST and abs(said.y) <= FARTHEST and 0 <= said.within <= _VAGUE):
        return None  # also what is no number
    if len(str(said.id)) > 64 or len(said.by) > MOST or any(len(each) > 256 for each in said.by):
        return None
    return msgspec.structs.replace(said, id=str(said.id), within=max(said.within, _LEAST))


def colour(said: str) -> Colour | None:
    """A colour as it is written; None if it is none."""
    try:
        parts = bytes.fromhex(said)
    except ValueError:
        return None
    return (parts[0] / 255, parts[1] / 255, parts[2] / 255) if len(parts) == 3 else None


def unlike(one: Colour | None, other: Colour | None) -> float:
    """How far two colours are apart, 0 to about 1; brightness counts half: cameras differ in light."""
    if one is None or other is None:
        return 0.2
    a, b = sum(one) / 3, sum(other) / 3
    hue = math.dist([part - a for part in one], [part - b for part in other])
    return hue + 0.5 * abs(a - b)
