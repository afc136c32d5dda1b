"""Runs the six cases, each with processes of its own, and scores their maps on more scenes without."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from diat_gateway.cameras import levels
from diat_gateway.cameras.relay import Relay
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.score import MapScore
from diat_gateway.vehicles.setup import CASES, Setup
from diat_gateway.vehicles.system import System
from rich.console import Console
from rich.table import Table

from benchmarks.vehicles import junction, offline, plots, sampling
from benchmarks.vehicles.model import Camera, Measured, Scenery, crossing, lecture, links, scenery

TIERS = ("sensor", "aggregator", "cloud")
RECALL, PRECISION, ERROR = 0.85, 0.75, 0.3
"""What the map of each case must reach over all scenes together; metres."""
MORE = 2
"""Scenes beside the one with processes."""


def measure(case: int, filmed: Scene, setup: Setup) -> Measured:
    """Run one case on real processes and sockets."""
    level, analysis = CASES[case]
    relays: dict[str, list[Relay]] = {"first": [], "second": []}

    def through(line: str, port: int) -> int:
        relay = Relay(port)
        relays[line].append(relay)
        return relay.port

    with tempfile.TemporaryDirectory(prefix="diat-vehicles-") as directory:
        switched = msgspec.structs.replace(setup, level=level, analysis=analysis)
        with System(switched, Path(directory), through) as system:
            before = {line: sum(each.sent for each in all_of) for line, all_of in relays.items()}
            system.begin()
            system.wait(filmed.seconds + 120)
            bytes_of = {
                line: sum(each.sent for each in all_of) - before[line] for line, all_of in relays.items()
            }
            cpu, maps = system.cpu(), system.maps()
            figures = dict(system.figures)
    for relay in (*relays["first"], *relays["second"]):
        relay.__exit__()
    told = [(vehicle["x"], vehicle["y"]) for _, vehicles in maps for vehicle in vehicles]
    judged = junction.judged(filmed, maps)
    return Measured(bytes_of["first"], bytes_of["second"], cpu, judged, figures, told)


def run(console: Console, seed: int, seconds: float, events: int, width: int, directory: Path | None) -> int:
    """Measure, print, draw; 1 if what must hold of the cases does not."""
    filmed = junction.scene(seed, seconds, events, width)
    with tempfile.TemporaryDirectory(prefix="diat-pictures-") as pictures:
        setup = junction.setup(filmed, Path(pictures))
        residuals = {name: round(camera.ground.residual, 3) for name, camera in setup.cameras.items()}
        console.print(f"homographies from {len(setup.cameras)} x 9 points; residual, m: {residuals}")
        measured = {}
        for case, (level, analysis) in CASES.items():
            console.print(f"case {case}: {level}, the rest at {analysis} …")
            one = measured[case] = measure(case, filmed, setup)
            console.print(f"  {one.first:,} and {one.second:,} bytes; {_quality(one.map)}")
    found = sampling.samples(seed + 100, width)
    camera, scene = sampling.learnt(found, setup), scenery(measured, seconds)
    _print(console, measured, camera, scene)
    _print_samples(console, found, camera, scene)
    more = {seed + n: offline.score(seed + n, seconds, events, width) for n in range(1, 1 + MORE)}
    whole = _print_maps(console, {seed: {case: each.map for case, each in measured.items()}, **more})
    if directory is not None:
        for path in plots.draw(directory, filmed, measured, camera, scene, found, whole):
            console.print(f"wrote {path}")
    wrong = violated(measured) + missed(whole)
    for each in wrong:
        console.print(f"MISSED: {each}")
    return 1 if wrong else 0


def missed(maps: Mapping[int, MapScore]) -> list[str]:
    """Which maps are not as right as they must be, over all scenes."""
    return [
        f"case {case}: {_quality(each)}; at least {RECALL} and {PRECISION} within {ERROR} m"
        for case, each in maps.items()
        if not (each.score.recall >= RECALL and each.score.precision >= PRECISION and each.error <= ERROR)
    ]


def violated(measured: dict[int, Measured]) -> list[str]:
    """What must hold of the six cases whatever the scene, and does not."""
    found = []
    for one, other in ((1, 2), (3, 4), (5, 6)):
        a, b = measured[one].first, measured[other].first
        if abs(a - b) > 0.15 * max(a, b):
            found.append(
                f"the first link depends on the level alone: cases {one} and {other}: {a:,} and {b:,} bytes"
            )
    for case in (1, 3):
        if abs(measured[case].second - measured[case].first) > 0.15 * measured[case].first:
            found.append(f"what is relayed goes on as it came: case {case}")
    if not measured[5].first < measured[3].first <= 1.02 * measured[1].first:
        found.append("high sends less than middle, and middle no more than low")
    for case in (2, 4):
        if measured[case].second > 0.5 * measured[case - 1].second:
            found.append(f"the analysis at the aggregator saves the second link: case {case}")
    for case, each in measured.items():
        if not each.map.score.found:
            found.append(f"case {case} found nobody")
    return found


def _quality(found: MapScore) -> str:
    return (
        f"recall {found.score.recall:.2f}, precision {found.score.precision:.2f}, "
        f"median error {found.error:.2f} m"
    )


def _print(console: Console, measured: dict[int, Measured], camera: Camera, scene: Scenery) -> None:
    for name, value in (dataclasses.asdict(camera) | dataclasses.asdict(scene)).items():
        console.print(f"  {name} {value:,.3g}" if abs(value) < 100 else f"  {name} {value:,.0f}")
    table = Table(
        title="Six cases: bytes on the sockets (model, measured to model; the lecture's)",
        title_justify="left",
    )
    for column in ("case", "sensors", "rest at", "sensors to aggregators", "aggregators to cloud",
                   "CPU s: sensors, aggregators, cloud", "recall", "precision", "median error"):  # fmt: skip
        table.add_column(column)
    for case, each in measured.items():
        said = [
            f"{real:,} ({model:,.0f}, {real / max(1.0, model):.2f}; {plain:,.0f})"
            for real, model, plain in zip(
                (each.first, each.second),
                links(camera, scene, case),
                lecture(camera, scene, case),
                strict=True,
            )
        ]
        table.add_row(
            str(case), *CASES[case], *said, ", ".join(f"{each.cpu[tier]:.1f}" for tier in TIERS),
            f"{each.map.score.recall:.2f}", f"{each.map.score.precision:.2f}", f"{each.map.error:.2f}",
        )  # fmt: skip
    console.print(table)


def _print_samples(console: Console, found: list[sampling.Sample], camera: Camera, scene: Scenery) -> None:
    table = Table(title="One camera, by how often something moves: bytes a second", title_justify="left")
    for column in ("on air", "low", "middle", "high", "least"):
        table.add_column(column)
    for each in found:
        sent = (each.low, each.middle, each.high)
        least = levels.LEVELS[sent.index(min(sent))]
        table.add_row(f"{each.duty:.0%}", *(f"{bytes_of:,.0f}" for bytes_of in sent), least)
    console.print(table)
    console.print(f"records are less than video on demand from p = {crossing(camera, scene):.2%} on")


def _print_maps(console: Console, maps: dict[int, dict[int, MapScore]]) -> dict[int, MapScore]:
    """The map of each case on each scene; of all scenes together."""
    table = Table(title="The map, scene by scene: recall, precision, median error", title_justify="left")
    table.add_column("case")
    for number, seed in enumerate(maps):
        table.add_column(f"seed {seed}" + ("" if number else ", processes"))
    table.add_column("together")
    whole = {}
    for case in CASES:
        mine = [each[case] for each in maps.values()]
        whole[case] = sum(mine[1:], mine[0])
        told = [
            f"{each.score.recall:.2f}, {each.score.precision:.2f}, {each.error:.2f} m ({each.score.true})"
            for each in (*mine, whole[case])
        ]
        table.add_row(str(case), *told)
    console.print(table)
    return whole
