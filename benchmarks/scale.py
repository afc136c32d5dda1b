"""What a great many things cost: memory, admission, search, start-up, and whether readings slow down.

For each number of things a fresh ``diat up`` with its own broker and database. The things announce themselves
and speak once each (``population``); then searches, readings, a stop and two starts. Nothing is stubbed, and
every figure is taken from outside the process that it is about, but for the search time ``inside``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks import mqtt, things
from benchmarks.load import CONNECTIONS, Load, meter_readings
from benchmarks.population import meters, population
from benchmarks.processes import BenchmarkFailed, Child, cpu_seconds, resident
from benchmarks.searching import QUERIES, Times, timed
from benchmarks.subjects import Platform
from diat.wire import topics

READINGS = 20_000
"""Readings that are taken while all things are known."""
FEW = 100
"""Things beside which the others are measured; the load needs a meter for each of its connections."""
_SETTLED = 2.0
"""Seconds for what was begun to be done before memory is looked at."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Start:
    """A start: seconds until all is known and a reading taken, CPU seconds until then, KiB afterwards."""

    seconds: float
    cpu: float
    resident: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What was measured with so many things.

    Attributes:
        announcements: messages by which they announced themselves.
        admission: seconds from the first of them until every thing had been admitted and had spoken.
        cpu: CPU seconds that this took the platform.
        empty, full: KiB of the platform before and after, ``broker_empty`` and ``broker_full`` likewise.
        rate: readings a second of the same ten things, whatever number is known.
        reading: CPU seconds for each of them.
        crowd: readings a second of every tenth thing.
        searches: by query, over REST and inside the process.
        clean, killed: the start after an orderly stop, and after SIGKILL.
    """

    things: int
    announcements: int
    admission: float
    cpu: float
    empty: float
    full: float
    broker_empty: float
    broker_full: float
    rate: float
    reading: float
    crowd: float
    searches: dict[str, tuple[Times, Times]]
    clean: Start
    killed: Start

    @property
    def memory(self) -> float:
        """KiB a thing in the platform."""
        return (self.full - self.empty) / self.things

    @property
    def broker_memory(self) -> float:
        """KiB a thing in the broker, which keeps what was announced and the sessions."""
        return (self.broker_full - self.broker_empty) / self.things


def measure_empty_start(broker: str, data: Path) -> Start:
    """A start with nothing known: what any start costs."""
    with Platform(broker, data):
        pass
    return _start(broker, data, 0)


def measure_scale(broker: str, data: Path, count: int, say: Say) -> Scale:
    """Measure with so many things.

    Raises:
        BenchmarkFailed: a thing was not admitted, or was unknown after a start.
    """
    announced, states = population(count)
    with Platform(broker, data) as platform:
        process, broker_process = platform.pids
        time.sleep(_SETTLED)
        empty, broker_empty = resident(process), resident(broker_process)
        begin, cpu = time.monotonic(), cpu_seconds(process)
        with mqtt.Connection(platform.address, "bench-announce") as link:
            link.publish_all(_packets(announced, retain=True))
            link.publish_all(_packets(states, retain=False))
        _wait_admitted(platform, count, begin, say)
        admission, cpu = time.monotonic() - begin, cpu_seconds(process) - cpu
        say(f"{count:,} things admitted in {admission:.1f} s")
        time.sleep(_SETTLED)
        full, broker_full = resident(process), resident(broker_process)
        outside = {
            name: timed(*platform.asking(f"/things?{query}"), lambda: cpu_seconds(process))
            for name, query in QUERIES.items()
        }
        say(f"{count:,} things: searched over REST")
        rate, reading = _readings(platform, CONNECTIONS)
        crowd, _ = _readings(platform, meters(count))
        say(f"{count:,} things: {rate:,.0f} readings/s")
    clean = _start(broker, data, count)
    say(f"{count:,} things: started in {clean.seconds:.1f} s")
    with Platform(broker, data) as platform:
        platform.kill()
    killed = _start(broker, data, count)
    say(f"{count:,} things: started after SIGKILL in {killed.seconds:.1f} s")
    inside = _inside(data)
    return Scale(
        things=count,
        announcements=len(announced),
        admission=admission,
        cpu=cpu,
        empty=empty,
        full=full,
        broker_empty=broker_empty,
        broker_full=broker_full,
        rate=rate,
        reading=reading,
        crowd=crowd,
        searches={name: (outside[name], inside[name]) for name in QUERIES},
        clean=clean,
        killed=killed,
    )


def _packets(said: list[tuple[str, bytes]], *, retain: bool) -> list[bytes]:
    return [
        mqtt.publish(topic, payload, at % 65535 + 1, retain=retain)
        for at, (topic, payload) in enumerate(said)
    ]


def _wait_admitted(platform: Platform, count: int, begin: float, say: Say) -> None:
    """Return once each thing has spoken, which it does after its announcement.

    Raises:
        BenchmarkFailed: there are fewer, or more, things than announced themselves.
    """
    told = begin

    def spoken() -> bool:
        nonlocal told
        heard = platform.readings()
        if (now := time.monotonic()) - told > 5:
            say(f"  {platform.messages():,.0f} messages taken, {heard:,.0f} of {count:,} things have spoken")
            told = now
        return heard >= count

    # The question costs the platform some milliseconds, so it is put seldom.
    platform.wait(spoken, "did not admit all things", pause=0.1, patience=60 + count / 100)
    # Readings are counted when they are taken, things shown once they are committed.
    platform.wait(lambda: platform.knows(count), "lost things, or knows some twice", patience=5)


def _readings(platform: Platform, speaking: int) -> tuple[float, float]:
    """Readings a second, and CPU seconds for each, of so many of the meters among the things."""
    time.sleep(1)  # a load has the second in which it begins for its boot: no two may have the same
    each, already = READINGS // speaking, platform.readings()
    process, _ = platform.pids
    load = Load(platform.address, meter_readings(speaking, each))
    try:
        before = cpu_seconds(process)
        sent = load.run()
        platform.wait(lambda: platform.readings() >= already + speaking * each, "lost readings", pause=0.05)
        seconds, cpu = time.monotonic() - sent.first, cpu_seconds(process) - before
    finally:
        load.close()
    return speaking * each / seconds, cpu / (speaking * each)


def _start(broker: str, data: Path, count: int) -> Start:
    """Start with what is there, until a reading of today is taken; then stop in order."""
    begin = time.monotonic()
    with Platform(broker, data) as platform:
        if not platform.knows(count):
            raise BenchmarkFailed(f"after a start not all of {count} things are known, or some twice")
        if count:
            reading = msgspec.json.encode({"v": {"temperature": 21.5}})
            topic = topics.properties(things.meter_name(0))
            with mqtt.Connection(platform.address, "bench-first") as link:
                link.publish_all([mqtt.publish(topic, reading, 1)])
            platform.wait(lambda: platform.readings() >= 1, "took no reading")
        seconds = time.monotonic() - begin
        process, _ = platform.pids
        cpu = cpu_seconds(process)
        time.sleep(_SETTLED)
        return Start(seconds, cpu, resident(process))


def _inside(data: Path) -> dict[str, Times]:
    """The same searches in a process of their own that has loaded the same things."""
    with Child(["benchmarks.searching", str(data)], data / "searching.log") as child:
        return msgspec.json.decode(child.line(120), type=dict[str, Times])
