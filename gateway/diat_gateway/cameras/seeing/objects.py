"""Objects: tracks that moved like things do, pieces of one object put together.

A track becomes an object when it lasted, travelled and changed as it went. Noise, leaves, lights and the
holes that something left behind do none of that for long. The end of an object waits a while for a piece
that goes on where it stopped, so that a pole in front of a car does not make two cars.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.evidence import Path, convinces, parted, piece_of
from diat_gateway.cameras.seeing.scale import Scale
from diat_gateway.cameras.seeing.tracks import Track
from diat_gateway.cameras.seeing.ways import along, at_edge, centre, one_with, opposite, size, speed

LEFT = 0.5
"""Seconds after which what was at the edge of the picture is gone, and what comes in there is another."""
PARTED = 1_000_000
"""Numbers from there on are of what was followed as one and were two."""


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
        shape: height and width of the picture, pixels.
    """

    def __init__(self, near: float, least: float, rules: Rules, shape: tuple[int, int]) -> None:
        self._scale = Scale(shape[0])
        self._shape = shape
        self._more = PARTED
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
            elif is_object(track, self._rules, self._near, self._least) and not one_with(
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
        # What goes on where it stopped is only known for one when it has lasted itself.
        late = self._rules.lasts + 0.5
        over = [each for each in self._waiting if t - each.last > self._patience(each) + late]
        gone = {id(each) for each in over}
        self._waiting = [each for each in self._waiting if id(each) not in gone]
        return new, self._told(over, t, dark=dark)

    def forget(self, since: float) -> None:
        """What began from then on was none."""
        self.current = {no: each for no, each in self.current.items() if each.first < since}
        self._waiting = [each for each in self._waiting if each.first < since]

    def end(self) -> list[Object]:
        """Nothing comes any more; gives what was not yet over."""
        rest = [*self._waiting, *{id(each): each for each in self.current.values()}.values()]
        self.current, self._waiting = {}, []
        return self._told(rest, max((each.last for each in rest), default=0.0))

    def _told(self, over: list[Object], t: float, *, dark: bool = False) -> list[Object]:
        """Those of what is over that were things, and no pieces of others."""
        tracks = {each.no: [self._tracks.pop(no) for no in each.parts if no in self._tracks] for each in over}
        over = [part for each in over for part in self._parted(each, tracks)]
        over = [
            each
            for each in over
            if convinces(each.path, tracks[each.no], self._least) and self._scale.fits(each.path)
        ]
        there = [*self.current.values(), *self._waiting, *self._gone, *over]
        over = [each for each in over if not any(_piece(each, other, dark=dark) for other in there)]
        self._gone = [*(each for each in self._gone if t - each.last < 60.0), *over][-50:]
        for each in over:
            self._scale.learn(each.path)
        return over

    def _parted(self, each: Object, tracks: dict[int, list[Track]]) -> list[Object]:
        paths = parted(each.path, self._shape[1], self._shape[0])
        parts = [Object(each.no, list(paths[0]), each.confirmed, each.parts)]
        for path in paths[1:]:
            self._more += 1
            tracks[self._more] = tracks[each.no]
            parts.append(Object(self._more, list(path), path[0][0], each.parts))
        return parts

    def _patience(self, each: Object) -> float:
        """Seconds for which a piece may go on.

        Longer for what is slow, which stays near where it was; hardly any for what left the picture.
        """
        clear = self._clear(each)
        if at_edge(clear[-1][1], *self._shape):
            return LEFT
        slow = float(np.hypot(*speed(clear))) < 2.0 * size(clear)
        return self._rules.hides if slow else self._rules.joins

    def _clear(self, each: Object) -> Path:
        """Its way as far as it was seen by itself: behind another, where it was is guesswork."""
        track = self._tracks.get(each.parts[-1])
        clear = [p for p in each.path[-400:] if track is None or p[0] <= track.clear]
        return clear or each.path

    def _continued(self, track: Track) -> Object | None:
        """The object that this track goes on with, if it began where that one would be."""
        start, box = track.path[0]
        begun = [p for p in track.path if p[0] - start <= 1.0]
        best, least = None, 1.0
        for each in self._waiting:
            gap = start - each.last
            if not -0.5 <= gap <= self._patience(each):
                continue
            clear = self._clear(each)
            if opposite(speed(clear), speed(begun)):
                continue
            large, pace, gap = size(clear), speed(clear), max(0.0, start - clear[-1][0])
            away = float(np.hypot(*(centre(box) - centre(clear[-1][1]) - pace * gap)))
            reach = 1.5 * large + min(2.5 * large, 0.5 * float(np.hypot(*pace)) * gap)
            if away / reach < least and 0.5 < float(np.sqrt(box[2] * box[3])) / large < 2.0:
                best, least = each, away / reach
        if best is not None:
            self._waiting.remove(best)
        return best


def _piece(each: Object, other: Object, *, dark: bool) -> bool:
    if each is other:
        return False
    return piece_of(each.path, other.path) or (dark and along(each.path, other.path))
