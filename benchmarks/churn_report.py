"""Churn at one or several sizes: run, and shown as a table and the line that is watched over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console

from benchmarks.churn import Churn
from benchmarks.churn_watch import Result
from benchmarks.crowd import Crowd
from benchmarks.processes import cpu_seconds
from benchmarks.report import table
from benchmarks.subjects import Platform
from benchmarks.town import Town

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen: so many rounds of so many events, of one seed."""

    rounds: int
    events: int
    seed: int


@dataclass(frozen=True, slots=True)
class Churned:
    """What came out for so many things and services; ``cpu`` is seconds of the platform for each event."""

    things: int
    services: int
    result: Result
    cpu: float

    def percentile(self, share: float) -> float:
        """The re-bind time that so many do not exceed, seconds."""
        times = self.result.times()
        return times[min(len(times) - 1, int(len(times) * share))]


def measure_churn(broker: str, directory: Path, size: tuple[int, int], plan: Plan, say: Say) -> Churned:
    """Let it churn on a platform of its own.

    Raises:
        BenchmarkFailed: services were not bound as they ought to be in time.
    """
    things, services = size
    random = Random(plan.seed)
    town = Town(things, services, random)
    with (
        Platform(broker, directory) as platform,
        Crowd(town, platform.address) as crowd,
        platform.client() as rest,
    ):
        churn = Churn(town, crowd, rest, random)
        churn.begin()
        say(f"{things:,} things and {services:,} services are there and bound")
        before = cpu_seconds(platform.child.pid)
        for _ in range(plan.rounds):
            churn.round(plan.events)
        spent = cpu_seconds(platform.child.pid) - before
        result = churn.end()
    say(f"{len(result.events):,} things happened, {len(result.faults)} faults")
    return Churned(things, services, result, spent / len(result.events))


def print_churn(console: Console, runs: Sequence[Churned]) -> None:
    """Re-bind times, commands, faults, and the last line."""
    shown = table(
        "Churn", "things", "services", "events", "p50 s", "p95 s", "p99 s", "commands", "CPU ms", "faults"
    )
    for run in runs:
        shown.add_row(
            f"{run.things:,}",
            f"{run.services:,}",
            f"{len(run.result.events):,}",
            *(f"{run.percentile(share):.3f}" for share in (0.5, 0.95, 0.99)),
            f"{run.result.commands:,}",
            f"{1000 * run.cpu:.1f}",
            str(len(run.result.faults)),
        )
    console.print(shown)
    for run in runs:
        for fault in run.result.faults[:10]:
            console.print(fault, markup=False)
    console.print(
        "\nRe-bind times: from the message to the answer of REST that shows all services bound as a naive\n"
        "reference says. Faults: orphans, duplicate commands, flapping. CPU: of the platform for an event,\n"
        "with the readings that came meanwhile and the answers of REST by which this was seen."
    )
    figures = ", ".join(f"{run.things}/{run.services} {run.percentile(0.95):.3f} s" for run in runs)
    console.print(f"churn re-bind p95: {figures}, faults {sum(len(run.result.faults) for run in runs)}")
