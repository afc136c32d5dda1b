"""``sun``: day and night as they are at the platform's place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from astral import Observer
from astral.sun import elevation
from pydantic import Field, model_validator

from diat.cvol.steps.base import Given, Site
from diat.cvol.steps.times import Timed

Event = Literal["sunrise", "sunset", "dawn", "dusk", "elevation"]
HORIZON = {"sunrise": -0.833, "sunset": -0.833, "dawn": -6.0, "dusk": -6.0}
"""Degrees of the sun's centre above the horizon: its upper edge is seen to touch it, and civil twilight."""
STRIDE = 600_000
"""Milliseconds: what is shorter, near the poles, may be overlooked."""
LOOK = 86_400_000
"""Milliseconds that we look ahead and back for the sun to pass."""
EVER = 1 << 60
Crossing = tuple[int, bool]
"""When the sun passes the height, and whether it rises."""


class Sun(Timed):
    """True from an event of the sun on until its counterpart, or while the sun stands high enough.

    ``sunrise``: until sunset; ``dawn`` (civil): until dusk; ``sunset``: until sunrise; ``dusk``: until dawn;
    ``elevation``: while the sun's centre is higher than ``above``. Where the sun does not set or rise for
    days, it stays as it is. Without the platform's latitude and longitude it has no value and says so.

    {do: sun, id: dark, event: sunset, offset: -1800}

    Attributes:
        offset: seconds by which it begins later; below 0: earlier.
        above: degrees, without refraction; for ``elevation`` alone.
    """

    event: Event
    offset: float = Field(default=0, ge=-43_200, le=43_200, allow_inf_nan=False)
    above: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)

    @model_validator(mode="after")
    def _height(self) -> Sun:
        if (self.event == "elevation") != (self.above is not None):
            raise ValueError("above is wanted for elevation, and only there")
        return self

    def answer(self, given: Given) -> tuple[bool | None, int | None, str | None]:
        """Whether it is so."""
        site, now = given.site, given.now
        if site.latitude is None or site.longitude is None:
            return None, None, "it is not known where the platform is: set its latitude and longitude"
        height = HORIZON.get(self.event, self.above or 0.0)
        rising = self.event not in ("sunset", "dusk")
        spans = _spans(site, height, now, round(self.offset * 1000), rising=rising)
        on = any(begin <= now < end for begin, end in spans)
        changes = [at for span in spans for at in span if now < at < EVER]
        return on, min(changes, default=now + LOOK), None


def _spans(site: Site, height: float, now: int, offset: int, *, rising: bool) -> list[tuple[int, int]]:
    """When it is so, as far as we look; what goes on beyond that has no end."""
    begin, end = now - LOOK - abs(offset), now + LOOK + abs(offset)
    since = -EVER if _high(site, begin, height) == rising else None
    spans = []
    for at, up in _crossings(site, height, begin, end):
        if up == rising:
            since = at + offset
        elif since is not None:
            spans.append((since, at))
            since = None
    return spans if since is None else [*spans, (since, EVER)]


def _crossings(site: Site, height: float, begin: int, end: int) -> list[Crossing]:
    """When the sun passes a height, to the second."""
    found: list[Crossing] = []
    was = _high(site, begin, height)
    for at in range(begin + STRIDE, end + STRIDE, STRIDE):
        high = _high(site, at, height)
        if high != was:
            before, after = at - STRIDE, at
            while after - before > 1000:
                middle = (before + after) // 2
                before, after = (middle, after) if _high(site, middle, height) == was else (before, middle)
            found.append((after, high))
            was = high
    return found


def _high(site: Site, at: int, height: float) -> bool:
    observer = Observer(site.latitude or 0.0, site.longitude or 0.0)
    return elevation(observer, datetime.fromtimestamp(at / 1000, UTC), with_refraction=False) > height
