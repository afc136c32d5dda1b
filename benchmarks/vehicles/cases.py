"""Runs the six cases, each with processes of its own, and sweeps how often something moves."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from diat_gateway.cameras import levels
from diat_gateway.cameras.relay import Relay
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.vehicles.ground import Ground
from diat_gateway.vehicles.looking import Looking
from diat_gateway.vehicles.setup import CASES, Setup
from diat_gateway.vehicles.system import System
from rich.console import Console
from rich.table import Table

from benchmarks.vehicles import junction, plots
from benchmarks.vehicles.model import Measured, Rates, rates
from diat.wire.envelope import encode

TIERS = ("sensor", "aggregator", "cloud")


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
    return Measured(bytes_of["first"], bytes_of["second"], cpu, junction.judged(filmed, maps), figures)


def sweep(seed: int, seconds: float, width: int) -> Iterator[plots.Point]:
    """Scenes with less and more in them: share on air, bytes a second of a low, middle and high camera."""
    for events in (0, 1, 2, 4, 8):
        filmed = junction.scene(seed + events, seconds, events, width)
        low, middle, reported = levels.make("low", filmed.fps), levels.make("middle", filmed.fps), [0]

        def tell(
            records: list[dict[str, object]], _t: float, _why: str | None, told: list[int] = reported
        ) -> None:
            told[0] += _OVERHEAD + len(encode(records))

        looking = Looking(Ground(filmed.cameras[0].homography), 0.2, tell)
        sent = [0, 0]
        pieces = 0
        for frame in [*filmed.frames(0), None]:
            for place, level in enumerate((low, middle)):
                out = level.take(frame) if frame is not None else level.finish()
                video = [each for each in out if isinstance(each, levels.Video)]
                sent[place] += sum(len(each.data) for each in video)
                pieces += place * len(video)
            looking.take(frame) if frame is not None else looking.finish()
        yield pieces / filmed.pictures, sent[0] / seconds, sent[1] / seconds, reported[0] / seconds


_OVERHEAD = 90
"""Bytes of a report without its records: topic, boot, number, time, as MQTT carries them."""


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
            found = one.map.score
            console.print(
                f"  {one.first:,} and {one.second:,} bytes; recall {found.recall:.2f}, "
                f"precision {found.precision:.2f}, median error {one.map.error:.2f} m"
            )
    fed = rates(measured, seconds)
    _print(console, measured, fed)
    points = sorted(sweep(seed, min(seconds, 30.0), width))
    _print_sweep(console, points, fed)
    if directory is not None:
        for path in plots.draw(directory, measured, fed, points):
            console.print(f"wrote {path}")
    wrong = violated(measured)
    for each in wrong:
        console.print(f"MISSED: {each}")
    return 1 if wrong else 0


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


def _print(console: Console, measured: dict[int, Measured], fed: Rates) -> None:
    for name, value in dataclasses.asdict(fed).items():
        console.print(
            f"  {name} {value:,.3g}" if isinstance(value, float) and value < 100 else f"  {name} {value:,.0f}"
        )
    table = Table(title="Six cases: bytes on the sockets (model, measured to model)", title_justify="left")
    for column in ("case", "sensors", "rest at", "sensors to aggregators", "aggregators to cloud",
                   "CPU s: sensors, aggregators, cloud", "recall", "precision", "median error"):  # fmt: skip
        table.add_column(column)
    for case, each in measured.items():
        expected = fed.links(case)
        said = [
            f"{real:,} ({model:,.0f}, {real / max(1.0, model):.2f})"
            for real, model in zip((each.first, each.second), expected, strict=True)
        ]
        table.add_row(
            str(case), *CASES[case], *said, ", ".join(f"{each.cpu[tier]:.1f}" for tier in TIERS),
            f"{each.map.score.recall:.2f}", f"{each.map.score.precision:.2f}", f"{each.map.error:.2f}",
        )  # fmt: skip
    console.print(table)


def _print_sweep(console: Console, points: list[plots.Point], fed: Rates) -> None:
    table = Table(title="One camera, by how often something moves: bytes a second", title_justify="left")
    for column in ("on air", "low", "middle", "high", "least"):
        table.add_column(column)
    for share, *sent in points:
        least = levels.LEVELS[sent.index(min(sent))]
        table.add_row(f"{share:.0%}", *(f"{each:,.0f}" for each in sent), least)
    console.print(table)
    console.print(
        f"f (h + v s) < p R, so records are less than video on demand, from p = {fed.crossing:.2%} on"
    )
