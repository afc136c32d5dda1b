"""How far an observer is from what the others say: its clock is off, or it is fitted wrongly to the ground.

Each sighting of a track that others see too is compared with where that is expected. What stays when that is
averaged is no chance: along the way that things go it is time, else it is place. Of the fitting of one camera
among several the mean knows a part only, since its own sightings are in the track.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from diat.cvol.tracks.fusion import RECENT, Rules, paired
from diat.cvol.tracks.motion import Track, ahead
from diat.cvol.tracks.reports import Report, Sighting

_ENOUGH = 20
"""Sightings from which on it is believed."""
_LONG = 60
"""Sightings over which it is averaged."""
_MOST = 16
"""Observers that are remembered."""
_FAR = 8.0
"""Metres within which what its observer alone sees is compared with what others see."""
_FAST = 3.0
"""m/s from which on a way tells time."""
_SURE = 1.5
"""How many times what it is off by chance."""
SECONDS, METRES = 0.2, 1.0
"""What is said, beside what clocks may differ."""


class Offset(Struct, frozen=True, array_like=True):
    """Of one observer, over its last sightings.

    Attributes:
        count: how many; ``moving``: of things that go.
        x: metres along the first axis; ``y`` along the other.
        seconds: by which it is ahead on their way.
        spread: mean square of what x and y are off from that; ``swing`` of seconds.
    """

    count: int = 0
    x: float = 0.0
    y: float = 0.0
    spread: float = 0.0
    moving: int = 0
    seconds: float = 0.0
    swing: float = 0.0


def offset(
    known: Mapping[str, Offset], tracks: Sequence[Track], report: Report, rules: Rules
) -> dict[str, Offset]:
    """What is known after a report, of which nothing is in the tracks yet."""
    found = dict(known)
    if report.observer not in found and len(found) >= _MOST:
        return found
    moved = [ahead(each, report.at, rules.push) for each in tracks]
    mine = dict(paired(moved, report, rules))
    for row, sighting in enumerate(report.sightings):
        own = moved[mine[row]] if row in mine else None
        track = own if own is not None and _others(own, report) else _beside(sighting, own, moved, report)
        if track is not None and track.hits >= 2 * rules.hits:
            known_of = found.get(report.observer, Offset())
            found[report.observer] = _more(known_of, track, sighting.x - track.x, sighting.y - track.y)
    return found


def doubt(each: Offset, rules: Rules) -> str | None:
    """What is wrong with an observer, as the rest of a sentence; None if nothing is known to be."""
    late = abs(each.seconds)
    if each.moving >= _ENOUGH and late > max(SECONDS + rules.clock, _SURE * math.sqrt(each.swing)):
        way = "ahead" if each.seconds > 0 else "behind"
        return f"has things where others have them {late:.1f} s {way}: its clock may be off"
    away = math.hypot(each.x, each.y)
    if each.count >= _ENOUGH and away > max(METRES, _SURE * math.sqrt(each.spread)):
        return f"has things {away:.1f} m from where others have them: it may be fitted wrongly to the ground"
    return None


def _others(track: Track, report: Report) -> bool:
    """Whether others than who reports saw it just now."""
    return any(name != report.observer and report.at - seen.at <= RECENT for name, seen in track.by.items())


def _beside(sighting: Sighting, own: Track | None, moved: Sequence[Track], report: Report) -> Track | None:
    """What others see near something that its observer alone sees: probably the same, seen elsewhere."""
    near, least = None, _FAR
    for each in moved:
        seen = each.by.get(report.observer)
        if (seen is not None and report.at - seen.at <= RECENT) or not _others(each, report):
            continue
        if own is not None and math.hypot(each.vx - own.vx, each.vy - own.vy) > _FAST:
            continue
        away = math.hypot(each.x - sighting.x, each.y - sighting.y)
        if away < least:
            near, least = each, away
    return near


def _more(known: Offset, track: Track, dx: float, dy: float) -> Offset:
    count = min(known.count + 1, _LONG)
    x, y = known.x + (dx - known.x) / count, known.y + (dy - known.y) / count
    off = (dx - x) ** 2 + (dy - y) ** 2
    spread = known.spread + (off - known.spread) / count
    if track.speed < _FAST:
        return Offset(count, x, y, spread, known.moving, known.seconds, known.swing)
    # Whose clock is ahead says of a place that it was there later than it was: it has things behind theirs.
    ahead_of = (dx * track.vx + dy * track.vy) / track.speed**2
    moving = min(known.moving + 1, _LONG)
    seconds = known.seconds + (ahead_of - known.seconds) / moving
    swing = known.swing + ((ahead_of - seconds) ** 2 - known.swing) / moving
    return Offset(count, x, y, spread, moving, seconds, swing)
