"""The lecture's formulas for the six cases, fed with rates that were measured on single links.

Low sends N R, middle N p R, high N f (h + v s); what is computed at the aggregator sends only the map m. R is
taken from case 1, p from the time on air at middle, f, v and s from reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diat_gateway.cameras import levels
from diat_gateway.cameras.fusion import STEP
from diat_gateway.cameras.localisation import CASES
from diat_gateway.cameras.scenes.scene import Scene

if TYPE_CHECKING:
    from benchmarks.cameras.cases import Measured

HEAD, EACH = 28, 15
"""Bytes of a report without vehicles, with the lengths before it (h); of each vehicle in it (s)."""


@dataclass(frozen=True)
class Rates:
    """What the formulas are fed with.

    Attributes:
        cameras: N.
        seconds: of the measurement.
        video: R, bytes/s of one camera.
        duty: p, share of the time on air at middle, by truth: events with a second before and two after.
        reports: f, reports/s of one camera while something is there, over all the time.
        vehicles: v, in one report.
    """

    cameras: int
    seconds: float
    video: float
    duty: float
    reports: float
    vehicles: float

    @property
    def report_bytes(self) -> float:
        """h + v s."""
        return HEAD + self.vehicles * EACH

    def links(self, number: int) -> tuple[float, float]:
        """Bytes from sensors to aggregators and from aggregators to the cloud, by the model."""
        case = CASES[number]
        each = {
            "low": self.video,
            "middle": self.duty * self.video,
            "high": self.reports * self.report_bytes,
        }[case.level]
        first = self.cameras * each * self.seconds
        maps = 2 * self.reports * (HEAD + 10 + self.vehicles * (EACH + 3)) * self.seconds
        return first, first if case.rest == "cloud" else maps


def rates(measured: Mapping[int, Measured], scene: Scene) -> Rates:
    """The rates of one scene."""
    count = len(scene.cameras)
    air, reports, vehicles = 0.0, 0, 0
    for camera in range(count):
        known = scene.truth(camera)
        spans = [(e.start - levels.BEFORE, e.end + levels.AFTER) for e in known.events]
        steps = [i * 0.1 for i in range(int(scene.seconds * 10))]
        air += sum(any(a <= t <= b for a, b in spans) for t in steps) / len(steps) / count
        by_frame = known.by_frame()
        every = round(STEP * scene.fps)
        there = [len(by_frame[f]) for f in by_frame if f % every == 0]
        reports += len(there)
        vehicles += sum(there)
    return Rates(
        count,
        scene.seconds,
        measured[1].link1 / count / scene.seconds,
        air,
        reports / count / scene.seconds,
        vehicles / max(1, reports),
    )
