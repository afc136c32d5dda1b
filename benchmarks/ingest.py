"""Ingest: messages a second from the first publish until everything is committed, nothing lost or doubled.

The limit and the platform take turns, each with a fresh broker of the same kind and a fresh database in the
same place, under the same load: native messages of 200 bytes with six values, QoS 1, ten connections with 100
unacknowledged messages each. The platform's things are announced before. Afterwards the database is opened
and every message looked for.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load, meter_readings
from benchmarks.processes import BenchmarkFailed, busy_seconds, cpu_seconds
from benchmarks.subjects import Limit, Platform, Stored


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        rate: messages a second.
        cpu: CPU seconds a message of the process that takes them, ``broker`` and ``load`` likewise.
        sending: share of the time after which the broker had acknowledged everything.
        others: CPU that other processes took meanwhile, in cores.
        repeats: messages that the broker delivered again.
    """

    rate: float
    cpu: float
    broker: float
    load: float
    sending: float
    others: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Ingest:
    """All runs, in pairs."""

    limit: list[Run]
    platform: list[Run]

    @property
    def ratio(self) -> float:
        """The median of the ratios of the pairs."""
        pairs = zip(self.platform, self.limit, strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)


def measure_ingest(
    broker: str, directory: Path, rounds: int, things: int, each: int, say: Callable[[str], None]
) -> Ingest:
    """Run limit and platform by turns.

    Raises:
        BenchmarkFailed: a message was lost or doubled.
    """
    measured = Ingest([], [])
    for turn in range(1, rounds + 1):
        for kind, runs in ((Limit, measured.limit), (Platform, measured.platform)):
            with kind(broker, directory / f"{kind.name}-{turn}", things * each) as subject:
                subject.admit(things)
                run = _run(subject, things, each)
            runs.append(run)
            say(f"ingest {turn} of {rounds}: {kind.name} {run.rate:,.0f} messages/s")
    return measured


def _run(subject: Limit | Platform, things: int, each: int) -> Run:
    messages = things * each
    load = Load(subject.address, meter_readings(things, each))
    pids = subject.pids
    try:
        machine, before, own = busy_seconds(), [cpu_seconds(pid) for pid in pids], time.process_time()
        sent = load.run()
        committed = subject.committed()
        process, broker = (cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True))
        others = busy_seconds() - machine - process - broker - (time.process_time() - own)
        seconds = committed - sent.first
    finally:
        load.close()
    _must_be_complete(subject.name, subject.stored(), things, each)
    return Run(
        rate=messages / seconds,
        cpu=process / messages,
        broker=broker / messages,
        load=sent.cpu / messages,
        sending=sent.seconds / seconds,
        others=max(0.0, others / seconds),
        repeats=subject.repeats(),
    )


def _must_be_complete(name: str, stored: Stored, things: int, each: int) -> None:
    """Fail unless every message is there exactly once.

    Raises:
        BenchmarkFailed: a message was lost or doubled.
    """
    seen: Counter[int] = Counter()
    rows = 0
    for thing, n in stored:
        # One number for both: n begins at 1 and ends at ``each``.
        seen[thing * (each + 1) + n] += 1
        rows += 1
    doubled = rows - len(seen)
    lost = things * each - len(seen)
    if doubled or lost:
        raise BenchmarkFailed(
            f"{name}: of {things * each} messages {lost} are not in the database, {doubled} are there twice"
        )
