"""The lecture's formulas, fed with measured rates; and what was measured.

N cameras. Low sends N R, middle N p R, high N f (h + v s) to the aggregators. What is worked out in the cloud
goes on as it came; what is worked out at the aggregators sends on the map alone, m.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diat_gateway.cameras.score import MapScore
from diat_gateway.vehicles.sensor import Figures
from diat_gateway.vehicles.setup import CASES


@dataclass(frozen=True)
class Measured:
    """One case, over the whole scene.

    Attributes:
        first: bytes from sensors to aggregators, on the sockets.
        second: bytes from aggregators to the cloud.
        cpu: s of each tier: ``sensor``, ``aggregator``, ``cloud``.
        map: how right the cloud's map was.
        figures: what each sensor says of itself.
    """

    first: int
    second: int
    cpu: Mapping[str, float]
    map: MapScore
    figures: Mapping[str, Figures]


@dataclass(frozen=True)
class Rates:
    """What the formulas are fed with; a second is one of the scene.

    Attributes:
        cameras: N.
        seconds: of the scene.
        video: R, bytes/s of one low camera.
        moving: bytes/s of one middle camera while it sends.
        duty: p, share of the pictures that a middle camera sends.
        reports: f, reports/s of one high camera.
        head: h, bytes of a report without vehicles, as MQTT carries it.
        vehicles: v, in one report.
        each: s, bytes of one vehicle.
        map: m, bytes/s of all maps.
    """

    cameras: int
    seconds: float
    video: float
    moving: float
    duty: float
    reports: float
    head: float
    vehicles: float
    each: float
    map: float

    @property
    def report(self) -> float:
        """h + v s."""
        return self.head + self.vehicles * self.each

    @property
    def crossing(self) -> float:
        """The duty from which on records are less than video while something moves."""
        return self.reports * self.report / self.video

    def links(self, case: int) -> tuple[float, float]:
        """Bytes from sensors to aggregators and from there to the cloud, by the model."""
        level, analysis = CASES[case]
        rate = {"low": self.video, "middle": self.duty * self.video, "high": self.reports * self.report}[
            level
        ]
        first = self.cameras * rate * self.seconds
        return first, first if analysis == "cloud" else self.map * self.seconds


def rates(measured: Mapping[int, Measured], seconds: float) -> Rates:
    """R and p are of the sensors in cases 1 and 3, f, h, v and s of those in 5, m of the link in case 6."""
    low, middle, high = (list(measured[case].figures.values()) for case in (1, 3, 5))
    reports = max(1, sum(each.reports for each in high))
    vehicles = max(1, sum(each.vehicles for each in high))
    sent, taken = sum(each.pieces for each in middle), max(1, sum(each.pictures for each in middle))
    on_air = max(1e-9, sent / taken * seconds * len(middle))
    return Rates(
        cameras=len(low),
        seconds=seconds,
        video=sum(each.bytes for each in low) / len(low) / seconds,
        moving=sum(each.bytes for each in middle) / on_air,
        duty=sent / taken,
        reports=reports / len(high) / seconds,
        head=sum(each.bytes - each.listed for each in high) / reports,
        vehicles=vehicles / reports,
        each=sum(each.listed for each in high) / vehicles,
        map=measured[6].second / seconds,
    )
