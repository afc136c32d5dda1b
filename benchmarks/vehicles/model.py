"""The lecture's formulas with what they leave out, fed with rates of other scenes; and what was measured.

N cameras. The lecture has N R, N p R, N f (h + v s) and m. Three of these are mended here:

- R is no constant: what moves costs bits, so a low camera sends R0 + p R1; and what does not move costs a
  middle one nothing, so that it sends p Rm and not p R;
- a line between tiers packs the reports of a second into one frame, to a share c of what they were;
- m is worked out: each report makes a map of all that is there, so m = N f (hm + vm sm) cm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        told: where that had vehicles, metres.
        figures: what each sensor says of itself.
    """

    first: int
    second: int
    cpu: Mapping[str, float]
    map: MapScore
    figures: Mapping[str, Figures]
    told: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Camera:
    """What cameras of a kind cost, learnt from other scenes than the one that is predicted.

    Attributes:
        idle: R0, bytes/s of a low camera while nothing moves.
        moving: R1, bytes/s more while something does.
        gated: Rm, bytes/s of a middle camera while it sends.
        head: h, bytes of a report without vehicles, as MQTT carries it.
        each: s, bytes of one vehicle in it.
        packed: c, share of that which a line between tiers carries.
        map_head: hm, ``map_each``: sm, ``map_packed``: cm: the same of a map.
        map_more: vehicles on a map for each in a report.
        once: d, bytes that a camera says once: its description, a greeting.
    """

    idle: float
    moving: float
    gated: float
    head: float
    each: float
    packed: float
    map_head: float
    map_each: float
    map_packed: float
    map_more: float
    once: float


@dataclass(frozen=True)
class Scenery:
    """What of a scene the formulas need.

    Attributes:
        cameras: N.
        seconds: for which it lasts.
        duty: p, share of the pictures that a middle camera sends.
        reports: f, reports/s of one high camera.
        vehicles: v, in one report.
    """

    cameras: int
    seconds: float
    duty: float
    reports: float
    vehicles: float


def rate(camera: Camera, scene: Scenery, level: str) -> float:
    """Bytes/s that leave one camera."""
    if level == "low":
        return camera.idle + scene.duty * camera.moving
    if level == "middle":
        return scene.duty * camera.gated
    return scene.reports * (camera.head + scene.vehicles * camera.each)


def links(camera: Camera, scene: Scenery, case: int) -> tuple[float, float]:
    """Bytes from sensors to aggregators and from there to the cloud, by the mended formulas."""
    level, analysis = CASES[case]
    total = scene.cameras * scene.seconds
    once = scene.cameras * camera.once
    first = total * rate(camera, scene, level)
    if analysis == "aggregator":
        one = camera.map_head + camera.map_more * scene.vehicles * camera.map_each
        return first + once, total * scene.reports * one * camera.map_packed + once * camera.packed
    second = first * (camera.packed if level == "high" else 1.0)
    return first + once, second + once * camera.packed


def lecture(camera: Camera, scene: Scenery, case: int) -> tuple[float, float]:
    """The same by the formulas as they were: R constant, nothing packed; m is not worked out there."""
    level, analysis = CASES[case]
    low = rate(camera, scene, "low")
    one = {"low": low, "middle": scene.duty * low, "high": rate(camera, scene, "high")}[level]
    first = scene.cameras * scene.seconds * one
    return first, first if analysis == "cloud" else links(camera, scene, case)[1]


def crossing(camera: Camera, scene: Scenery, beat: float = 0.2) -> float:
    """The duty from which on records are less than video on demand.

    Below it a camera that sees nothing and still says so, ``beat`` times a second, costs more than one that
    sends nothing: p Rm = beat h (1 - p) + p f (h + v s), where f counts while something is there.
    """
    there = rate(camera, scene, "high") / max(scene.duty, 1e-9)
    quiet = beat * camera.head
    return min(1.0, quiet / max(1e-9, camera.gated - there + quiet))


def scenery(measured: Mapping[int, Measured], seconds: float) -> Scenery:
    """p is of the sensors in case 3, f and v of those in case 5."""
    middle, high = (list(measured[case].figures.values()) for case in (3, 5))
    reports = max(1, sum(each.reports for each in high))
    sent, taken = sum(each.pieces for each in middle), max(1, sum(each.pictures for each in middle))
    return Scenery(
        cameras=len(high),
        seconds=seconds,
        duty=sent / taken,
        reports=reports / len(high) / seconds,
        vehicles=sum(each.vehicles for each in high) / reports,
    )
