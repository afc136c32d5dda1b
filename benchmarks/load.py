"""The load: readings of native things, as fast as the broker acknowledges them.

All packets are encoded before the clock starts and have one length, so sending is slicing a buffer and
counting acknowledgements is counting bytes: a few microseconds a message in Python. ``sink`` shows it.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import mqtt, things
from benchmarks.processes import BenchmarkFailed
from diat.adapters.brokers.address import BrokerAddress
from diat.wire import topics

CONNECTIONS = 10
WINDOW = 100
"""Unacknowledged messages on one connection at most."""
_CHUNK = 25
"""Messages that must fit into the window before some are sent: a system call for each would cost too much."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the load did: when its first message went off (``time.monotonic``), seconds until the last was
    acknowledged, and the CPU time that it took itself."""

    first: float
    seconds: float
    cpu: float


def meter_readings(count: int, each: int) -> list[list[bytes]]:
    """Readings of ``count`` meters, ``each`` from every one, as packets for each connection."""
    boot, now = int(time.time()), int(time.time() * 1000)
    shares: list[list[bytes]] = []
    for connection in range(CONNECTIONS):
        packets: list[bytes] = []
        for n in range(1, each + 1):
            for number in range(connection, count, CONNECTIONS):
                payload = things.meter_reading(number, n, boot, now - (each - n) * 1000)
                packet_id = len(packets) % 65535 + 1
                packets.append(mqtt.publish(topics.properties(things.meter_name(number)), payload, packet_id))
        shares.append(packets)
    return shares


class Load:
    """Encoded readings, all of one length, and a connection to send each share of them by."""

    def __init__(self, address: BrokerAddress, shares: Sequence[list[bytes]]) -> None:
        self._publishers = [
            _Publisher(mqtt.Connection(address, f"bench-load-{number}"), packets)
            for number, packets in enumerate(shares)
        ]

    def run(self) -> Sent:
        """Send all of it; returns once the broker has acknowledged everything.

        Raises:
            BenchmarkFailed: the broker closed a connection or fell silent.
        """
        with selectors.DefaultSelector() as selector:
            for each in self._publishers:
                selector.register(each.link.socket, selectors.EVENT_READ, each)
            cpu, first = time.process_time(), time.monotonic()
            for each in self._publishers:
                each.send()
            busy = len(self._publishers)
            while busy:
                ready = selector.select(mqtt.PATIENCE)
                if not ready:
                    raise BenchmarkFailed(f"the broker acknowledged nothing for {mqtt.PATIENCE:.0f} s")
                for key, _ in ready:
                    publisher: _Publisher = key.data
                    publisher.acknowledged()
                    if publisher.done:
                        selector.unregister(key.fileobj)
                        busy -= 1
            return Sent(first, time.monotonic() - first, time.process_time() - cpu)

    def close(self) -> None:
        """Close the connections."""
        for each in self._publishers:
            each.link.socket.close()


class _Publisher:
    """One connection and its share of the messages."""

    def __init__(self, link: mqtt.Connection, packets: list[bytes]) -> None:
        self.link = link
        self._total = len(packets)
        self._size = len(packets[0])
        self._stream = memoryview(b"".join(packets))
        assert len(self._stream) == self._total * self._size, "packets differ in length"
        self._sent = 0
        self._acknowledged_bytes = 0

    @property
    def done(self) -> bool:
        return self._acknowledged_bytes == self._total * mqtt.PUBACK_SIZE

    def acknowledged(self) -> None:
        """Take acknowledgements in, and fill the window again."""
        came = self.link.socket.recv(65536)
        if not came:
            raise BenchmarkFailed("the broker closed a connection of the load")
        self._acknowledged_bytes += len(came)
        self.send()

    def send(self) -> None:
        room = WINDOW - (self._sent - self._acknowledged_bytes // mqtt.PUBACK_SIZE)
        until = min(self._sent + room, self._total)
        if until - self._sent >= _CHUNK or until == self._total > self._sent:
            self.link.socket.sendall(self._stream[self._sent * self._size : until * self._size])
            self._sent = until
