"""Objects: tracks that moved like things do, pieces of one object put together.

A track becomes an object when it lasted, travelled and changed as it went. Noise, leaves, lights and the
holes that something left behind do none of that for long. The end of an object waits a while for a piece
that goes on where it stopped, so that a pole in front of a car does not make two cars.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.evidence import convinces, piece_of
from diat_gateway.cameras.seeing.scale import Scale
from diat_gateway.cameras.seeing.tracks import Track, Vector


@dataclass(frozen=True, slots=True)
class Rules:
    """When a track is an object.

    Attributes:
        lasts: seconds that it is seen at least.
        seen: pictures in which it is seen at least.
        travels: how far it goes at least, in sizes of itself.
        direct: the way from its begin to its farthest point, share of the way that it went, at least.
        moving: mean share of its pixels that change, at least.
        joins: seconds after which a piece may go on.
        hides: seconds for which something may stand before it.
    """

    lasts: float = 0.7
    seen: int = 5
    travels: float = 0.9
    direct: float = 0.35
    moving: float = 0.08
    joins: float = 2.5
    hides: float = 4.5


@dataclass(slots=True)
class Object:
    """Something that moved through the picture; coordinates in pixels of the picture that is looked at.

    Attributes:
        no: number of its first track.
        path: (t, box), in order of time.
        confirmed: when it was known to be one, s.
        parts: numbers of the tracks that it was put together of.
    """

    no: int
    path: list[tuple[float, Box]]
    confirmed: float
    parts: list[int] = field(default_factory=list)

    @property
    def first(self) -> float:
        """When it was first seen, s."""
        return self.path[0][0]

    @property
    def last(self) -> float:
        """When it was last seen, s."""
        return self.path[-1][0]


def is_object(track: Track, rules: Rules, near: float, least: float) -> bool:
    """Whether the track moved like a thing; ``near`` is the least way, ``least`` the least box, pixels."""
    if track.seen < rules.seen or track.last - track.first < rules.lasts:
        return False
    if track.alone < 0.4 * track.seen or track.moving < rules.moving:
        return False
    points = np.array([(b[0] + b[2] / 2, b[1] + b[3] / 2) for _, b in track.path])
    away = np.hypot(*(points - points[0]).T)
    farthest = int(away.argmax())
    large = float(np.quantile([b[2] * b[3] for _, b in track.path], 0.9))
    if large < least or away[farthest] < near or track.travelled < rules.travels:
        return False
    # Over steps of a few pictures, so that a wobbling outline is no way.
    coarse = points[: farthest + 1 : 3]
    way = float(np.hypot(*np.diff(coarse, axis=0).T).sum()) if len(coarse) > 1 else 0.0
    return way <= 0 or float(away[farthest]) >= rules.direct * way


class Objects:
    """The objects of one camera.

    Args:
        near: pixels that a thing travels at least.
        least: pixels that its box has at least, when it is nearest.
        rules: when a track is an object.
        height: of the picture, pixels.
    """

    def __init__(self, near: float, least: float, rules: Rules, height: int) -> None:
        self._scale = Scale(height)
        self._near = near
        self._least = least
        self._rules = rules
        self.current: dict[int, Object] = {}
        self._waiting: list[Object] = []
        self._gone: list[Object] = []
        self._tracks: dict[int, Track] = {}

    def step(
        self, tracks: list[Track], ended: list[Track], t: float, *, dark: bool = False
    ) -> tuple[list[Object], list[Object]]:
        """Take the tracker's step; gives the objects that are new and those that are over.

        In the ``dark`` a car is what its lamps show of it, in pieces: what goes along with another is part
        of it.
        """
        new = []
        for track in [*tracks, *ended]:
            mine = self.current.get(track.no)
            if mine is not None:
                if track.path and track.path[-1][0] > mine.last:
                    mine.path.extend(p for p in track.path[-3:] if p[0] > mine.last)
            elif is_object(track, self._rules, self._near, self._least) and not _one_with(
                track, tracks, self.current
            ):
                earlier = self._continued(track)
                if earlier is not None:
                    earlier.path.extend(p for p in track.path if p[0] > earlier.last)
                    earlier.parts.append(track.no)
                    self.current[track.no] = earlier
                    self._tracks[track.no] = track
                else:
                    self._tracks[track.no] = track
                    self.current[track.no] = Object(track.no, list(track.path), t, [track.no])
                    new.append(self.current[track.no])
        for track in ended:
            mine = self.current.pop(track.no, None)
            if mine is not None and mine not in self.current.values():
                self._waiting.append(mine)
        over = [each for each in self._waiting if t - each.last > self._patience(each)]
        self._waiting = [each for each in self._waiting if t - each.last <= self._patience(each)]
        return new, self._told(over, t, dark=dark)

    def end(self) -> list[Object]:
        """Nothing comes any more; gives what was not yet over."""
        rest = [*self._waiting, *{id(each): each for each in self.current.values()}.values()]
        self.current, self._waiting = {}, []
        return self._told(rest, max((each.last for each in rest), default=0.0))

    def _told(self, over: list[Object], t: float, *, dark: bool = False) -> list[Object]:
        """Those of what is over that were things, and no pieces of others."""
        tracks = {each.no: [self._tracks.pop(no) for no in each.parts if no in self._tracks] for each in over}
        over = [
            each
            for each in over
            if convinces(each.path, tracks[each.no], self._least) and self._scale.fits(each.path)
        ]
        there = [*self.current.values(), *self._waiting, *self._gone, *over]
        over = [
            each
            for each in over
            if not any(
                other is not each and (piece_of(each.path, other.path) or (dark and _along(each, other)))
                for other in there
            )
        ]
        self._gone = [*(each for each in self._gone if t - each.last < 60.0), *over][-50:]
        for each in over:
            self._scale.learn(each.path)
        return over

    def _patience(self, each: Object) -> float:
        """Seconds for which a piece may go on: longer for what is slow, which stays near where it was."""
        size = float(np.sqrt(each.path[-1][1][2] * each.path[-1][1][3]))
        return self._rules.hides if _pace(each) < 2.0 * size else self._rules.joins

    def _continued(self, track: Track) -> Object | None:
        """The object that this track goes on with, if it began where that one would be."""
        start, box = track.path[0]
        best, least = None, 1.0
        for each in self._waiting:
            gap = start - each.last
            if not -0.5 <= gap <= self._patience(each):
                continue
            b1, speed = each.path[-1][1], _speed(each)
            size = float(np.sqrt(b1[2] * b1[3]))
            away = float(np.hypot(*(_centre(box) - _centre(b1) - speed * max(gap, 0.0))))
            reach = 1.2 * size + min(2.5 * size, 0.5 * float(np.hypot(*speed)) * max(gap, 0.0))
            if away / reach < least and 0.25 < (box[2] * box[3]) / (b1[2] * b1[3]) < 4.0:
                best, least = each, away / reach
        if best is not None:
            self._waiting.remove(best)
        return best


def _speed(each: Object) -> Vector:
    """How it went in its last second, pixels a second."""
    recent = [p for p in each.path if each.last - p[0] <= 1.0]
    (t0, b0), (t1, b1) = recent[0], recent[-1]
    return (_centre(b1) - _centre(b0)) / (t1 - t0) if t1 > t0 else np.zeros(2)


def _pace(each: Object) -> float:
    return float(np.hypot(*_speed(each)))


def _one_with(track: Track, others: list[Track], known: Collection[int]) -> bool:
    """Whether it is one with an object already known: a lamp's light on the ground and its car."""
    size = float(np.sqrt(track.box[2] * track.box[3]))
    for other in others:
        if other is track or other.no not in known or max(other.lit, track.lit) < 0.5:
            continue
        mine = float(np.sqrt(other.box[2] * other.box[3]))
        near = float(np.hypot(*(_centre(other.box) - _centre(track.box)))) < 1.3 * (size + mine)
        pace = max(1.0, float(np.hypot(*other.state[2:4])))
        if near and float(np.hypot(*(other.state[2:4] - track.state[2:4]))) < 0.7 * pace:
            return True
    return False


def _along(one: Object, other: Object) -> bool:
    """Whether one went along beside the other for most of its time, and is the shorter of both."""
    if one is other or (one.last - one.first, -one.no) >= (other.last - other.first, -other.no):
        return False
    times = np.array([t for t, _ in other.path])
    first, last = (
        other.path[min(int(np.searchsorted(times, t)), len(times) - 1)][1] for t in (one.first, one.last)
    )
    mine, theirs_way = _centre(one.path[-1][1]) - _centre(one.path[0][1]), _centre(last) - _centre(first)
    if float(np.hypot(*(mine - theirs_way))) > 0.5 * max(
        float(np.hypot(*mine)), float(np.hypot(*theirs_way))
    ):
        return False
    near = 0
    for t, box in one.path:
        i = min(int(np.searchsorted(times, t)), len(times) - 1)
        theirs = other.path[i][1]
        reach = 1.3 * (np.sqrt(box[2] * box[3]) + np.sqrt(theirs[2] * theirs[3]))
        near += abs(times[i] - t) < 0.3 and float(np.hypot(*(_centre(box) - _centre(theirs)))) < reach
    return near > 0.55 * len(one.path)


def _centre(box: Box) -> Vector:
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
