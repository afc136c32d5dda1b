"""Latency: from just before a sensor's reading is published to the receipt of the command at the actuator.

Each room has a thermometer and a heater, and the platform a ``keep-within`` service for it. Readings
alternate between too cold and too warm, so each one leads to a command. Rooms take turns, one reading each
``1 / rate`` seconds, and a room has one reading under way at most: so each command is known to belong to its
reading, and its value has to fit it. The heaters answer each command, as real ones do.

The bare echo is measured by the same client. Both have a fresh broker of the same kind, and take turns.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import mqtt, things
from benchmarks.processes import BenchmarkFailed
from benchmarks.subjects import Echo, Platform
from diat.adapters.brokers.address import BrokerAddress
from diat.wire import topics
from diat.wire.envelope import encode

LOW, HIGH = 20.0, 24.0
_COLD, _WARM = 18.0, 26.0
_LOST_AFTER = 10.0
"""Seconds after which a command that did not come is lost."""
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured.

    Attributes:
        pairs: of thermometer and heater.
        rate: readings a second, over all pairs.
        warm_up: seconds before the ``seconds`` that count, in each turn.
        rounds: how often each side has its turn.
    """

    pairs: int
    rate: int
    warm_up: float
    seconds: float
    rounds: int


@dataclass(slots=True)
class Delays:
    """What was measured of one side.

    Attributes:
        seconds: from reading to command, each.
        readings: sent, each of which had to lead to a command.
        skipped: turns left out because the room's command before was still awaited.
    """

    seconds: list[float]
    readings: int = 0
    skipped: int = 0

    def quantile(self, share: float) -> float:
        """The delay, in seconds, that this share of the readings did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Latency:
    """Both sides."""

    echo: Delays
    platform: Delays


def measure_latency(broker: str, directory: Path, plan: Plan, say: Callable[[str], None]) -> Latency:
    """Measure echo and platform by turns.

    Raises:
        BenchmarkFailed: a command was lost, came twice, or was the wrong one.
    """
    measured = Latency(Delays([]), Delays([]))
    for turn in range(1, plan.rounds + 1):
        with Echo(broker, directory / f"echo-{turn}") as bare:
            _turn(bare.address, plan, _echoed, measured.echo)
        _said(say, turn, plan, "echo", measured.echo)
        with Platform(broker, directory / f"rooms-{turn}") as platform:
            _furnish(platform, plan.pairs)
            _turn(platform.address, plan, _commanded, measured.platform)
        _said(say, turn, plan, "platform", measured.platform)
    return measured


def _furnish(platform: Platform, pairs: int) -> None:
    """Announce the things and ask for the services; they wait for the first readings."""
    with mqtt.Connection(platform.address, "bench-announce") as link:
        for pair in range(pairs):
            link.publish_all(things.announcement(things.sensor_name(pair), things.sensor_td(pair)))
            link.publish_all(things.announcement(things.heater_name(pair), things.heater_td(pair)))
    for pair in range(pairs):
        platform.create_service(
            {
                "title": f"Keep room {pair}",
                "template": "keep-within",
                "parameters": {
                    "quantity": "Temperature",
                    "place": f"bench/room-{pair}",
                    "low": LOW,
                    "high": HIGH,
                    "unit": "Cel",
                },
            }
        )


def _commanded(payload: dict[str, Any]) -> bool:
    """Whether the platform commands to heat."""
    return bool(payload["v"]["heating"])


def _echoed(payload: dict[str, Any]) -> bool:
    """Whether the echoed reading is too cold."""
    return bool(payload["v"]["temperature"] < LOW)


def _turn(
    address: BrokerAddress, plan: Plan, reads: Callable[[dict[str, Any]], bool], delays: Delays
) -> None:
    with (
        mqtt.Connection(address, "bench-sensors") as sensors,
        mqtt.Connection(address, "bench-heaters") as heaters,
    ):
        heaters.subscribe(topics.setting("+"))
        rooms = _Rooms(sensors, heaters, plan.pairs, reads)
        rooms.run(plan.rate, plan.warm_up, keep=False)
        rooms.run(plan.rate, plan.seconds, keep=True)
        delays.seconds += rooms.delays
        delays.readings += rooms.readings
        delays.skipped += rooms.skipped


class _Rooms:
    """All thermometers on one connection, all heaters on another, in one thread."""

    def __init__(
        self,
        sensors: mqtt.Connection,
        heaters: mqtt.Connection,
        pairs: int,
        reads: Callable[[dict[str, Any]], bool],
    ) -> None:
        self._sensors = sensors
        self._heaters = heaters
        self._pairs = pairs
        self._reads = reads
        self._boot = int(time.time())
        self._n = [0] * pairs
        self._cold = [False] * pairs
        self._under_way: dict[str, tuple[int, float]] = {}
        """Topic of the heater to pair and time of the reading."""
        self._performed: set[str] = set()
        self._packet_id = 0
        self._keep = False
        self.delays: list[float] = []
        self.readings = 0
        self.skipped = 0

    def run(self, rate: int, seconds: float, *, keep: bool) -> None:
        """Send readings at an even pace, then wait for the last commands; keep the delays or not."""
        self._keep = keep
        start = time.perf_counter()
        for turn in range(int(rate * seconds)):
            due = start + turn / rate
            while (rest := due - time.perf_counter()) > 0:
                self._hear(rest)
            self._report(turn % self._pairs)
        deadline = time.perf_counter() + _LOST_AFTER
        while self._under_way:
            if time.perf_counter() > deadline:
                raise BenchmarkFailed(f"{len(self._under_way)} readings led to no command")
            self._hear(0.1)

    def _report(self, pair: int) -> None:
        target = topics.setting(things.heater_name(pair))
        if target in self._under_way:
            self.skipped += self._keep
            return
        self.readings += self._keep
        self._n[pair] += 1
        self._cold[pair] = not self._cold[pair]
        reading = {
            "b": self._boot,
            "n": self._n[pair],
            "t": int(time.time() * 1000),
            "v": {"temperature": _COLD if self._cold[pair] else _WARM},
        }
        topic = topics.properties(things.sensor_name(pair))
        packet = mqtt.publish(topic, encode(reading), self._next_id())
        self._under_way[target] = pair, time.perf_counter()
        self._sensors.socket.sendall(packet)

    def _hear(self, patience: float) -> None:
        """Wait for something to come, at most so many seconds, and take it in."""
        sockets = [self._heaters.socket, self._sensors.socket]
        ready = select.select(sockets, [], [], patience)[0]
        now = time.perf_counter()
        if self._heaters.socket in ready:
            out = bytearray()
            for packet in self._heaters.receive():
                if packet.kind == mqtt.PUBLISH:
                    out += self._obey(mqtt.publication(packet.body), now)
            if out:
                self._heaters.socket.sendall(out)
        if self._sensors.socket in ready:
            self._sensors.receive()  # acknowledgements

    def _obey(self, command: mqtt.Publication, now: float) -> bytes:
        """Note the delay; what the heater answers."""
        said = _decode(command.payload)
        # What the platform sends has an id; what is echoed is known by its sequence number.
        reference = str(said.get("id") or f"{command.topic} {said['n']}")
        if reference not in self._performed:
            self._performed.add(reference)
            if command.topic not in self._under_way:
                raise BenchmarkFailed(f"a command on {command.topic} that no reading led to")
            pair, sent = self._under_way.pop(command.topic)
            if self._reads(said) is not self._cold[pair]:
                raise BenchmarkFailed(f"the wrong command on {command.topic}: {command.payload.decode()}")
            if self._keep:
                self.delays.append(now - sent)
        result = {"id": reference, "status": "completed"}
        answer = topics.results(command.topic.split("/")[1])
        return mqtt.puback(command.packet_id) + mqtt.publish(answer, encode(result), self._next_id())

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65535 + 1
        return self._packet_id


def _said(say: Callable[[str], None], turn: int, plan: Plan, name: str, delays: Delays) -> None:
    p50, p99 = (1000 * delays.quantile(share) for share in (0.5, 0.99))
    say(f"latency {turn} of {plan.rounds}: {name} p50 {p50:.2f} ms, p99 {p99:.2f} ms")
