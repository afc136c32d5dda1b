"""One track: where something is on the ground, how fast, and how sure that is.

A Kalman filter of constant velocity, its acceleration taken as white noise. Errors count as equal in all
directions, so that both axes share one covariance of two by two.
"""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

START = 15.0
"""m/s: how fast something unknown may be going, as a standard deviation."""
_TURNS = 0.7
"""m/s from which on the direction of a movement is its heading."""
Colour = tuple[float, float, float]
"""Red, green, blue, each from 0 to 1."""


class Seen(Struct, frozen=True, array_like=True):
    """By what number an observer knew it last, and when that was (Unix milliseconds)."""

    id: str
    at: int


class Track(Struct, frozen=True, array_like=True):
    """Something that is followed; metres, seconds, Unix milliseconds.

    Attributes:
        id: of the track, the same as long as it lives.
        x: place and velocity along the first axis; ``y``, ``vy`` along the second.
        heading: degrees from the first axis towards the second; None while it never moved.
        pp: variance of the place, of each axis; ``vv`` of the velocity, ``pv`` of both together.
        at: to when place and velocity belong.
        seen: when it was last seen.
        hits: how often it was seen.
        colour: its mean colour; None if nobody said.
        by: observer to what that saw last of it.
    """

    id: str
    x: float
    y: float
    vx: float
    vy: float
    heading: float | None
    pp: float
    pv: float
    vv: float
    at: int
    seen: int
    hits: int
    colour: Colour | None
    by: dict[str, Seen]

    @property
    def speed(self) -> float:
        """m/s."""
        return math.hypot(self.vx, self.vy)


def ahead(track: Track, at: int, push: float) -> Track:
    """The track at a later time.

    Args:
        track: as it was.
        at: Unix milliseconds.
        push: spectral density of its acceleration, as m/s gained by chance in a second.
    """
    dt = (at - track.at) / 1000
    if dt <= 0:
        return track
    q = push * push
    return msgspec.structs.replace(
        track,
        x=track.x + dt * track.vx,
        y=track.y + dt * track.vy,
        pp=track.pp + dt * (2 * track.pv + dt * track.vv) + q * dt**3 / 3,
        pv=track.pv + dt * track.vv + q * dt * dt / 2,
        vv=track.vv + q * dt,
        at=at,
    )


def corrected(track: Track, x: float, y: float, variance: float) -> Track:
    """The track after it was seen at a place, with that variance of each axis."""
    spread = track.pp + variance
    near, fast = track.pp / spread, track.pv / spread
    dx, dy = x - track.x, y - track.y
    vx, vy = track.vx + fast * dx, track.vy + fast * dy
    turned = math.hypot(vx, vy) >= _TURNS
    return msgspec.structs.replace(
        track,
        x=track.x + near * dx,
        y=track.y + near * dy,
        vx=vx,
        vy=vy,
        heading=math.degrees(math.atan2(vy, vx)) % 360 if turned else track.heading,
        pp=(1 - near) * track.pp,
        pv=(1 - near) * track.pv,
        vv=track.vv - fast * track.pv,
    )
