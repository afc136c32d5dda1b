"""The six cases: two aggregators (a road-side and an on-board unit) with two cameras each, and the cloud.

Every sensor, aggregator and the cloud is a process of its own; what is counted passed a relay between them.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import msgspec
import numpy as np
from diat_gateway.cameras import levels, score
from diat_gateway.cameras.fusion import STEP
from diat_gateway.cameras.line import Inlet, Outlet
from diat_gateway.cameras.localisation import CASES, Sensor, Tier
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.seeing.pictures import Frame
from rich.console import Console
from rich.table import Table

from benchmarks.cameras import model, plots
from benchmarks.cameras.relay import Relay

AGGREGATORS = {"rsu": (0, 1), "obu": (2, 3)}
"""Which cameras each has."""
NEAR = 2.5
"""Metres within which a place counts as right: a car is 4 m long and its truth is its middle."""


@dataclass
class Measured:
    """One case.

    Attributes:
        link1: bytes from sensors to aggregators, on the sockets.
        link2: bytes from aggregators to the cloud.
        cpu: s of each tier: sensors, aggregators, cloud.
        found: places right, true, said.
        error: median distance of the right ones, metres.
    """

    link1: int
    link2: int
    cpu: dict[str, float] = field(default_factory=dict)
    found: score.Score = field(default_factory=lambda: score.Score(0, 0, 0))
    error: float = float("nan")


def main(console: Console, directory: Path | None, seed: int) -> int:
    """Measure all six, print them beside the model, and draw them if a directory is given."""
    scene = Scene(seed + 50, seconds=24.0, events=3, stops=0.0)
    with tempfile.TemporaryDirectory(prefix="diat-cases-") as pictures:
        render(scene, Path(pictures))
        measured = {number: measure(number, scene, Path(pictures)) for number in CASES}
    rates = model.rates(measured, scene)
    table = Table(title="Six cases, four cameras, 24 s: bytes on the sockets (model)", title_justify="left")
    for column in (
        "case",
        "sensor",
        "rest at",
        "sensor > aggregator",
        "aggregator > cloud",
        "CPU s: sensors, aggregators, cloud",
        "recall",
        "precision",
        "median error, m",
    ):
        table.add_column(column)
    for number, case in CASES.items():
        m, expected = measured[number], rates.links(number)
        table.add_row(
            str(number),
            case.level,
            case.rest,
            f"{m.link1:,} ({expected[0]:,.0f})",
            f"{m.link2:,} ({expected[1]:,.0f})",
            ", ".join(f"{m.cpu[tier]:.1f}" for tier in ("sensors", "aggregators", "cloud")),
            f"{m.found.recall:.2f}",
            f"{m.found.precision:.2f}",
            f"{m.error:.2f}",
        )
    console.print(table)
    points = list(crossing(seed))
    table = Table(title="One camera, by how often something moves", title_justify="left")
    for column in ("on air", "low, B/s", "middle, B/s", "high, B/s"):
        table.add_column(column)
    for p, low, middle, high in points:
        table.add_row(f"{p:.0%}", f"{low:,.0f}", f"{middle:,.0f}", f"{high:,.0f}")
    console.print(table)
    rate = points[-1][1]
    at = rates.report_bytes * rates.reports / rate
    console.print(
        f"By the model high sends less than middle from {at:.2%} on air; middle meets low at 100 %."
    )
    if directory is not None:
        plots.draw(directory, measured, rates, points)
        console.print(f"plots in {directory}")
    return 0


def render(scene: Scene, directory: Path) -> None:
    """The pictures of all cameras, so that rendering is no part of what is measured."""
    for camera in range(len(scene.cameras)):
        np.save(directory / f"{camera}.npy", np.stack([frame.image for frame in scene.frames(camera)]))


def measure(number: int, scene: Scene, pictures: Path) -> Measured:
    """One case."""
    case, context = CASES[number], multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ends: list[tuple[str, Connection]] = []

        def start(kind: str, target: object, *arguments: object) -> Connection:
            ours, theirs = context.Pipe()
            process = context.Process(target=target, args=(theirs, *arguments), daemon=True)  # type: ignore[arg-type]
            process.start()
            stack.callback(process.join, 10)
            ends.append((kind, ours))
            return ours

        cloud = start(
            "cloud",
            _tier,
            "cloud",
            case.rest == "cloud" or case.rest == "aggregator",
            scene,
            None,
            len(AGGREGATORS),
        )
        up = stack.enter_context(Relay(cloud.recv()))
        down = []
        for name, cameras in AGGREGATORS.items():
            pipe = start("aggregators", _tier, name, case.rest == "aggregator", scene, up.port, len(cameras))
            relay = stack.enter_context(Relay(pipe.recv()))
            down.append(relay)
            for camera in cameras:
                start("sensors", _sensor, camera, case.level, scene, pictures, relay.port)
        told = [(kind, pipe.recv()) for kind, pipe in ends]
        result = Measured(sum(r.bytes for r in down), up.bytes)
    for kind, (cpu, _) in told:
        result.cpu[kind] = result.cpu.get(kind, 0.0) + cpu
    said = {
        round(t / STEP): [(x, y) for _, x, y in things]
        for kind, (_, known) in told
        if kind == "cloud"
        for t, things in known
    }
    matched = score.places(_truth(scene), said, NEAR)
    result.found, result.error = matched.score, matched.error
    return result


def _truth(scene: Scene) -> dict[int, list[tuple[float, float]]]:
    """Where everything is that any camera can see, at each moment from 2 s on."""
    found: dict[int, dict[int, tuple[float, float]]] = {m: {} for m in range(4, int(scene.seconds / STEP))}
    for camera in range(len(scene.cameras)):
        for spot in scene.truth(camera).boxes:
            moment, odd = divmod(spot.frame, round(STEP * scene.fps))
            if not odd and moment in found and spot.x is not None and spot.y is not None:
                found[moment][spot.id] = (spot.x, spot.y)
    return {moment: list(there.values()) for moment, there in found.items()}


def _sensor(
    pipe: Connection, camera: int, level: levels.Level, scene: Scene, pictures: Path, port: int
) -> None:
    cv2.setNumThreads(1)
    outlet = Outlet("127.0.0.1", port)
    sensor = Sensor(str(camera), level, scene.fps, scene.cameras[camera].homography, outlet)
    for number, image in enumerate(np.load(pictures / f"{camera}.npy", mmap_mode="r")):
        sensor.take(Frame(number / scene.fps, np.ascontiguousarray(image), number))
    sensor.take(None)
    outlet.close()
    pipe.send((sensor.cpu, None))


def _tier(pipe: Connection, name: str, computes: bool, scene: Scene, port: int | None, below: int) -> None:
    cv2.setNumThreads(1)
    outlet = None if port is None else Outlet("127.0.0.1", port)
    maps = {str(i): camera.homography for i, camera in enumerate(scene.cameras)}
    tier = Tier(name, computes=computes, homographies=maps, line=outlet)
    with Inlet(tier.receive) as inlet:
        pipe.send(inlet.port)
        inlet.wait(below, 300)
    tier.finish()
    if outlet is not None:
        outlet.close()
    pipe.send((tier.cpu, tier.map))


def crossing(seed: int) -> Iterator[tuple[float, float, float, float]]:
    """For scenes that are more and more busy: share on air, bytes a second at low, middle and high."""
    for events in (1, 3, 7):
        scene = Scene(seed + 70 + events, seconds=24.0, events=events, stops=0.0)
        frames = list(scene.frames(0))
        sizes = {}
        air = 0.0
        for name in levels.LEVELS:
            if name == "high":
                counter = _Counter()
                sensor = Sensor("0", "high", scene.fps, scene.cameras[0].homography, counter)
                for frame in frames:
                    sensor.take(frame)
                sensor.take(None)
                sizes[name] = counter.bytes
                continue
            video = levels.Middle(scene.fps) if name == "middle" else levels.Low(scene.fps)
            out = [o for frame in frames for o in video.take(frame)] + video.finish()
            sizes[name] = sum(len(o.data) for o in out if isinstance(o, levels.Video))
            if isinstance(video, levels.Middle):
                air = sum(b - a for a, b in video.runs) / scene.seconds
        yield (
            air,
            sizes["low"] / scene.seconds,
            sizes["middle"] / scene.seconds,
            sizes["high"] / scene.seconds,
        )


class _Counter:
    """Counts what a line would carry."""

    def __init__(self) -> None:
        self.bytes = 0

    def send(self, head: dict[str, object], body: bytes = b"") -> None:
        self.bytes += 6 + len(msgspec.json.encode(head)) + len(body)
