"""Tracks: blobs of one picture joined to those of the next by Kalman filters and the Hungarian method.

After Kalman (1960), Kuhn (1955) and SORT (Bewley et al., 2016). What several tracks run into as one blob
stays several: each goes on by its own motion within the blob, until it comes out again or too much time has
gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from diat_gateway.cameras.seeing.blobs import Blob, Box, iou, joined, overlap

Vector = NDArray[np.float64]

MOST = 100
"""Tracks at once."""


@dataclass(slots=True)
class Track:
    """One thing that is followed.

    Attributes:
        no: its number within the camera.
        state: centre x, bottom y, their speed per s, width, height; pixels.
        spread: covariance of the first four.
        first: when it was first seen, s.
        last: when it was last seen, alone or within a blob of several, s.
        path: (t, box) of each time it was seen.
        alone: pictures in which it had a blob of its own.
        seen: pictures in which it was seen at all.
        moving: mean share of its pixels that changed.
        still: seconds for which nothing in it changed.
        hidden: whether it is within a blob of several now.
        misses: pictures since it was last seen.
        colour: mean of its pixels, while it had a blob of its own.
        lit: mean share of its pixels that are the background in a stronger light.
        edge: mean sharpness of its outline.
    """

    no: int
    state: Vector
    spread: Vector
    first: float
    last: float
    path: list[tuple[float, Box]] = field(default_factory=list)
    alone: int = 0
    seen: int = 0
    moving: float = 0.0
    still: float = 0.0
    hidden: bool = False
    hidden_since: float = 0.0
    misses: int = 0
    colour: Vector = field(default_factory=lambda: np.zeros(3))
    lit: float = 0.0
    edge: float = 0.0

    @property
    def box(self) -> Box:
        """Where it is now."""
        x, y, _, _, w, h = self.state
        return (x - w / 2, y - h, w, h)

    @property
    def travelled(self) -> float:
        """The farthest it was from where it began, in sizes of itself (root of its box's area)."""
        if not self.path:
            return 0.0
        points = np.array([(b[0] + b[2] / 2, b[1] + b[3] / 2) for _, b in self.path])
        sizes = np.sqrt([b[2] * b[3] for _, b in self.path])
        return float(np.hypot(*(points - points[0]).T).max() / max(1.0, float(np.median(sizes))))


def _observed(box: Box) -> Vector:
    return np.array([box[0] + box[2] / 2, box[1] + box[3]])


class Tracker:
    """Follows what moves in one camera.

    Args:
        diagonal: of the picture, pixels; bounds how far anything jumps.
        patience: seconds for which a track goes on unseen.
        covered: seconds for which one goes on within the blob of others.
    """

    def __init__(self, diagonal: float, *, patience: float = 1.0, covered: float = 4.0) -> None:
        self._diagonal = diagonal
        self._patience = patience
        self._covered = covered
        self.tracks: list[Track] = []
        self._next = 1
        self._t: float | None = None

    def step(self, blobs: list[Blob], t: float) -> list[Track]:
        """Take the blobs of one picture; gives the tracks that ended."""
        dt = 0.0 if self._t is None else min(max(t - self._t, 0.0), 2.0)
        self._t = t
        for track in self.tracks:
            self._predict(track, dt)
        pairs, blobs = self._paired(blobs)
        for track, blob in pairs:
            self._correct(track, blob, t, dt)
        taken = {id(track) for track, _ in pairs}
        for track in self.tracks:
            if id(track) not in taken:
                self._unseen(track, pairs, t)
        used = {id(blob) for _, blob in pairs}
        for blob in blobs:
            if id(blob) not in used and len(self.tracks) < MOST:
                self._begin(blob, t)
        ended = [track for track in self.tracks if self._over(track, t)]
        gone = {id(track) for track in ended}
        self.tracks = [track for track in self.tracks if id(track) not in gone]
        return ended

    def end(self) -> list[Track]:
        """Nothing is followed any more; gives all tracks."""
        ended, self.tracks, self._t = self.tracks, [], None
        return ended

    def _predict(self, track: Track, dt: float) -> None:
        move = np.eye(4)
        move[0, 2] = move[1, 3] = dt
        track.state[:4] = move @ track.state[:4]
        size = max(4.0, float(np.sqrt(track.state[4] * track.state[5])))
        push = 1.5 * size
        noise = np.diag([dt**4 / 4, dt**4 / 4, dt**2, dt**2]) * push**2
        track.spread = move @ track.spread @ move.T + noise

    def _correct(self, track: Track, blob: Blob, t: float, dt: float) -> None:
        _, _, w, h = blob.box
        size = max(4.0, float(np.sqrt(w * h)))
        seen = np.diag([(0.10 * size) ** 2 + 1.0] * 2)
        gain = track.spread[:, :2] @ np.linalg.inv(track.spread[:2, :2] + seen)
        track.state[:4] += gain @ (_observed(blob.box) - track.state[:2])
        track.spread = (np.eye(4) - np.hstack([gain, np.zeros((4, 2))])) @ track.spread
        ease = 0.5 if track.seen < 5 else 0.3
        track.state[4] += ease * (w - track.state[4])
        track.state[5] += ease * (h - track.state[5])
        track.moving += (blob.moving - track.moving) / min(track.seen + 1, 20)
        share = 1.0 / min(track.alone + 1, 12)
        track.colour += share * (np.array(blob.colour) - track.colour)
        track.lit += share * (blob.lit - track.lit)
        track.edge += (blob.edge - track.edge) / min(track.alone + 1, 60)
        track.still = track.still + dt if blob.moving < 0.03 else 0.0
        track.alone += 1
        self._saw(track, t, blob.box)
        track.hidden = False

    def _saw(self, track: Track, t: float, box: Box) -> None:
        track.last, track.misses = t, 0
        track.seen += 1
        track.path.append((t, box))
        if len(track.path) > 4000:  # minutes: keep every other point of the older half
            track.path[:2000] = track.path[:2000:2]

    def _unseen(self, track: Track, pairs: list[tuple[Track, Blob]], t: float) -> None:
        """It has no blob of its own: perhaps it is within that of another."""
        box = track.box
        area = max(1.0, box[2] * box[3])
        for _, blob in pairs:
            if overlap(box, blob.box) > 0.5 * area and track.alone >= 3:
                if not track.hidden:
                    track.hidden, track.hidden_since = True, t
                x, y, w, h = blob.box
                track.state[0] = min(max(track.state[0], x + box[2] / 2), max(x + w - box[2] / 2, x + w / 2))
                track.state[1] = min(max(track.state[1], y + min(h, box[3])), y + h)
                track.state[2:4] *= 0.98
                self._saw(track, t, track.box)
                return
        track.misses += 1
        track.state[2:4] *= 0.9

    def _begin(self, blob: Blob, t: float) -> None:
        x, y = _observed(blob.box)
        size = max(4.0, float(np.sqrt(blob.box[2] * blob.box[3])))
        state = np.array([x, y, 0.0, 0.0, blob.box[2], blob.box[3]])
        spread = np.diag([size**2 * 0.02, size**2 * 0.02, (4 * size) ** 2, (4 * size) ** 2])
        track = Track(self._next, state, spread, t, t, moving=blob.moving, alone=1)
        track.colour, track.lit, track.edge = np.array(blob.colour), blob.lit, blob.edge
        self._next += 1
        self._saw(track, t, blob.box)
        self.tracks.append(track)

    def _over(self, track: Track, t: float) -> bool:
        if track.hidden and t - track.hidden_since > self._covered:
            return True
        patience = self._patience if track.seen >= 4 else 0.35
        return t - track.last > patience

    def _paired(self, blobs: list[Blob]) -> tuple[list[tuple[Track, Blob]], list[Blob]]:
        """Which blob belongs to which track; pieces of one track are joined first."""
        if not self.tracks or not blobs:
            return [], blobs
        blobs = self._whole(blobs)
        cost = np.full((len(self.tracks), len(blobs)), 1e3)
        for i, track in enumerate(self.tracks):
            box = track.box
            size = max(6.0, float(np.sqrt(box[2] * box[3])))
            reach = 2.2 * size if track.seen >= 4 else 3.5 * size
            for j, blob in enumerate(blobs):
                away = float(np.hypot(*(self._centre(box) - self._centre(blob.box))))
                if away > min(reach, 0.25 * self._diagonal):
                    continue
                ratio = max(box[2] * box[3], 1.0) / max(blob.box[2] * blob.box[3], 1.0)
                change = abs(float(np.log(ratio)))
                if change > 2.2:
                    continue
                cost[i, j] = (1.0 - iou(box, blob.box)) + 0.5 * away / reach + 0.25 * change
                unlike = min(1.0, float(np.abs(track.colour - blob.colour).max()) / 60.0)
                # What comes out of a blob of several is told apart by its colour.
                cost[i, j] += unlike * (1.2 if track.hidden else 0.4)
                if track.seen < 4:
                    cost[i, j] += 0.3
        rows, columns = linear_sum_assignment(cost)
        return [
            (self.tracks[i], blobs[j]) for i, j in zip(rows, columns, strict=True) if cost[i, j] < 1e3
        ], blobs

    @staticmethod
    def _centre(box: Box) -> Vector:
        return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])

    def _whole(self, blobs: list[Blob]) -> list[Blob]:
        """Blobs with the pieces of one track joined: those within where it alone is expected."""
        owner: dict[int, list[int]] = {}
        for j, blob in enumerate(blobs):
            area = blob.box[2] * blob.box[3]
            inside = [
                i
                for i, track in enumerate(self.tracks)
                if track.seen >= 4 and overlap(_wider(track.box), blob.box) > 0.75 * area
            ]
            if len(inside) == 1:
                owner.setdefault(inside[0], []).append(j)
        whole = []
        taken: set[int] = set()
        for i, pieces in owner.items():
            if len(pieces) < 2:
                continue
            one = joined([blobs[j] for j in pieces])
            covered, expected = one.box[2] * one.box[3], self.tracks[i].box[2] * self.tracks[i].box[3]
            # Else a box that grew would take in more and more, and never let go.
            if covered <= 1.4 * expected and one.area >= 0.35 * covered:
                whole.append(one)
                taken.update(pieces)
        return whole + [blob for j, blob in enumerate(blobs) if j not in taken]


def _wider(box: Box) -> Box:
    x, y, w, h = box
    return (x - 0.15 * w, y - 0.1 * h, 1.3 * w, 1.2 * h)
