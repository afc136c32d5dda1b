"""Joins what several observers see to tracks: predict, gate, pair, correct, join, forget.

An observer that sees two things at once tells them apart, so tracks are only taken to be one while nobody
sees both. What nobody sees goes on by its motion for a while, and whoever sees it next gives it its number
back, if place, time and colour fit: so identity is handed over between views that do not meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec
from msgspec import Struct

from diat.cvol.tracks.assignment import pairs
from diat.cvol.tracks.motion import START, Seen, Track, ahead, corrected
from diat.cvol.tracks.reports import Report, Sighting, colour, unlike

GATE = 11.8
"""Squared distance in standard deviations within which 99.7 % of what belongs together lies (two axes)."""
_ALONE = 24.0
"""Cost from which on a sighting rather begins a track of its own."""
_SAME, _OTHER, _SHADE = -4.0, 4.0, 12.0
"""What it costs that an observer calls it as before, otherwise, or that it is of another colour."""
_STRANGE = 0.35
"""Difference of colours beyond which what was lost is not found again."""
RECENT = 600
"""Milliseconds for which an observer counts as seeing something."""
_WATCHERS = 8
"""Observers that a track remembers at most."""


class Rules(Struct, frozen=True):
    """How tracks are followed.

    Attributes:
        clock: seconds by which the clocks of observers may differ.
        push: m/s of speed that they gain or lose by chance in a second.
        gap: seconds for which a track lives unseen.
        apart: metres within which two tracks that nobody tells apart are one.
        hits: sightings until it counts.
        most: tracks at once.
    """

    clock: float = 0.1
    push: float = 8.0
    gap: float = 4.0
    apart: float = 4.0
    hits: int = 3
    most: int = 64


def applied(tracks: Sequence[Track], report: Report, rules: Rules) -> list[Track]:
    """The tracks after a report; reports come in order of time."""
    moved = [ahead(each, report.at, rules.push) for each in tracks]
    seen = dict(paired(moved, report, rules))
    taken: dict[int, Track] = {}
    fresh: list[Track] = []
    for row, sighting in enumerate(report.sightings):
        column = seen.get(row)
        if column is not None:
            taken[column] = _met(moved[column], sighting, report, rules)
        elif len(moved) + len(fresh) < rules.most:
            fresh.append(_begun(sighting, report))
    kept = [taken.get(column, each) for column, each in enumerate(moved)]
    return _joined([each for each in [*kept, *fresh] if _lives(each, report.at, rules)], report.at, rules)


def paired(moved: Sequence[Track], report: Report, rules: Rules) -> list[tuple[int, int]]:
    """Which sighting of a report is of which track; the tracks are as of its time."""
    return pairs(_costs(moved, report, rules), _ALONE)


def after(tracks: Sequence[Track], reports: Iterable[Report], rules: Rules) -> list[Track]:
    """The tracks after several reports, which are in order."""
    found = list(tracks)
    for report in reports:
        found = applied(found, report, rules)
    return found


def _variance(track: Track, sighting: Sighting, rules: Rules) -> float:
    """Of a sighting: its own, and what the thing may have gone while clocks differ, each as likely."""
    return sighting.within**2 + (track.speed * rules.clock) ** 2 / 12


def _costs(tracks: Sequence[Track], report: Report, rules: Rules) -> dict[tuple[int, int], float]:
    found = {}
    shades = [colour(each.colour) for each in report.sightings]
    for column, track in enumerate(tracks):
        lost = report.at - track.seen > 1000
        known = track.by.get(report.observer)
        for row, sighting in enumerate(report.sightings):
            spread = track.pp + _variance(track, sighting, rules)
            away = ((track.x - sighting.x) ** 2 + (track.y - sighting.y) ** 2) / spread
            if away > GATE:
                continue
            strange = unlike(track.colour, shades[row])
            if lost and strange > _STRANGE:
                continue
            cost = away + 2 * math.log(spread) + _SHADE * strange
            if known is not None and known.id == sighting.id:
                cost += _SAME
            elif known is not None and report.at - known.at <= RECENT:
                cost += _OTHER
            found[row, column] = cost
    return found


def _met(track: Track, sighting: Sighting, report: Report, rules: Rules) -> Track:
    found = corrected(track, sighting.x, sighting.y, _variance(track, sighting, rules))
    shade = colour(sighting.colour)
    mixed = track.colour
    if shade is not None:
        old = shade if mixed is None else mixed
        mixed = (
            old[0] + 0.1 * (shade[0] - old[0]),
            old[1] + 0.1 * (shade[1] - old[1]),
            old[2] + 0.1 * (shade[2] - old[2]),
        )
    return msgspec.structs.replace(
        found,
        seen=report.at,
        hits=track.hits + 1,
        colour=mixed,
        by=_watched(track.by, _names(sighting, report)),
    )


def _begun(sighting: Sighting, report: Report) -> Track:
    # Named after what it was first seen as: the same reports give the same names, whatever came first.
    name = crc32(f"{report.observer} {report.at} {sighting.id}".encode())
    return Track(
        id=f"{name:08x}",
        x=sighting.x,
        y=sighting.y,
        vx=0.0,
        vy=0.0,
        heading=None,
        pp=sighting.within**2,
        pv=0.0,
        vv=START**2,
        at=report.at,
        seen=report.at,
        hits=1,
        colour=colour(sighting.colour),
        by=_watched({}, _names(sighting, report)),
    )


def _names(sighting: Sighting, report: Report) -> dict[str, Seen]:
    """Who saw it: the observer, by its own number, and those whose word that is."""
    seen = Seen(str(sighting.id), report.at)
    return {report.observer: seen} | {each: Seen("", report.at) for each in sighting.by[:_WATCHERS]}


def _watched(before: dict[str, Seen], more: dict[str, Seen]) -> dict[str, Seen]:
    found = before | more
    if len(found) > _WATCHERS:
        last = sorted(found.items(), key=lambda each: (-each[1].at, each[0]))[:_WATCHERS]
        found = dict(last)
    return found


def _lives(track: Track, at: int, rules: Rules) -> bool:
    patience = rules.gap if track.hits >= rules.hits else min(rules.gap, 1.0)
    return at - track.seen <= patience * 1000


def _joined(tracks: list[Track], at: int, rules: Rules) -> list[Track]:
    """Without those that another track stands for: near, as fast, and seen by nobody who sees both."""
    found: list[Track] = []
    for track in sorted(tracks, key=lambda each: (-each.hits, each.id)):
        for place, other in enumerate(found):
            if _one(track, other, at, rules):
                found[place] = msgspec.structs.replace(
                    other, seen=max(other.seen, track.seen), by=_watched(track.by, other.by)
                )
                break
        else:
            found.append(track)
    return found


def _one(track: Track, other: Track, at: int, rules: Rules) -> bool:
    if math.hypot(track.x - other.x, track.y - other.y) > rules.apart or track.hits < rules.hits:
        return False
    if (
        math.hypot(track.vx - other.vx, track.vy - other.vy) > 3.0
        or unlike(track.colour, other.colour) > _STRANGE
    ):
        return False
    mine, theirs = (
        {name for name, seen in each.by.items() if at - seen.at <= RECENT} for each in (track, other)
    )
    return not mine & theirs
