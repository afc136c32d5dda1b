"""What goes through the rule: readings of thermometers, and the heaters that hear what comes of them.

The rule: leave out what is implausible, take the mean of nine readings, heat when it is below 20 degrees,
stop above 24, hold in between. Of ten readings of a thermometer one is implausible, so ten make a window.
Windows are cold, in between or warm in a fixed order, so which commands must come is known beforehand.
"""

from __future__ import annotations

import itertools
import select
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Self

import msgspec

from benchmarks import mqtt
from benchmarks.load import CONNECTIONS
from diat.adapters.brokers.address import BrokerAddress

THINGS = 20
OF_WINDOW = 10
"""Readings that make a window, the implausible one among them."""
STEADY = 5
"""Windows after one another without a new command, in the feed at full speed."""
_COLD, _BETWEEN, _WARM = 18.0, 22.0, 26.0
_IMPLAUSIBLE_AT, _IMPLAUSIBLE = 4, 999.0
_SWING = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.0)
"""By what readings differ from what their window is about."""
_decode = msgspec.json.Decoder().decode


def sensor(number: int, *, ruled: bool) -> str:
    """The name of a thermometer, with a rule or without."""
    return f"bench-{'sensor' if ruled else 'plain'}-{number:02d}"


def heater(number: int) -> str:
    """The name of the heater that the rule of a thermometer drives."""
    return f"bench-heater-{number:02d}"


@dataclass
class Feed:
    """Where readings go to, and how many went there.

    Attributes:
        root: how topics begin.
        ruled: whether they go through the rule.
        n: of the reading before, of each thermometer.
    """

    root: str
    ruled: bool
    n: int = 0
    boot: int = field(default_factory=lambda: int(time.time()))

    def packet(self, number: int, ahead: int, steady: int, packet_id: int) -> bytes:
        """A thermometer's reading that is ``ahead`` after the last one, as a packet of fixed length."""
        n = self.n + ahead
        body = (
            f'{{"b":{self.boot},"n":{n},"t":{int(time.time() * 1000)},'
            f'"v":{{"temperature":{value(ahead - 1, steady):.2f}}}}}'
        )
        topic = f"{self.root}/{sensor(number, ruled=self.ruled)}/properties"
        return mqtt.publish(topic, body.ljust(90).encode(), packet_id)

    def shares(self, each: int) -> list[list[bytes]]:
        """``each`` readings of every thermometer, as packets for each connection."""
        made: list[list[bytes]] = []
        for connection in range(CONNECTIONS):
            numbers = range(connection, THINGS, CONNECTIONS)
            ids = itertools.cycle(range(1, 65536))
            made.append(
                [
                    self.packet(number, at, STEADY, next(ids))
                    for at in range(1, each + 1)
                    for number in numbers
                ]
            )
        self.n += each
        return made


def value(at: int, steady: int) -> float:
    """The temperature of a reading: the ``at``-th, in a feed with a command every ``steady`` windows."""
    window, place = divmod(at, OF_WINDOW)
    if place == _IMPLAUSIBLE_AT:
        return _IMPLAUSIBLE
    turn, rest = divmod(window, steady)
    about = _BETWEEN if rest < steady - 1 else (_WARM if turn % 2 else _COLD)
    return about + _SWING[place]


class Heaters:
    """Hears commands in a thread of its own, and answers them as real heaters do.

    Attributes:
        heard: heater to what it was told: whether to heat, and when (``time.perf_counter``).
    """

    def __init__(self, address: BrokerAddress, *roots: str) -> None:
        self._link = mqtt.Connection(address, "bench-heaters")
        for root in roots:
            self._link.subscribe(f"{root}/+/set")
        self.heard: dict[str, list[tuple[bool, float]]] = defaultdict(list)
        self._asked: dict[str, int] = {}
        self._performed: set[str] = set()
        self._ids = itertools.cycle(range(1, 65536))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench-heaters")

    def told(self) -> dict[str, list[bool]]:
        """What each heater was told since it was asked before."""
        fresh = {}
        for name, told in list(self.heard.items()):
            fresh[name] = [heating for heating, _ in told[self._asked.get(name, 0) :]]
            self._asked[name] = len(told)
        return fresh

    def forget(self) -> None:
        """Begin anew: nothing was heard."""
        self.heard.clear()
        self._asked.clear()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not select.select([self._link.socket], [], [], 0.1)[0]:
                continue
            packets, now = self._link.receive(), time.perf_counter()
            answers = [self._obey(p.body, now) for p in packets if p.kind == mqtt.PUBLISH]
            if answers:
                self._link.socket.sendall(b"".join(answers))

    def _obey(self, body: bytes, now: float) -> bytes:
        command = mqtt.publication(body)
        said = _decode(command.payload)
        root, name, _ = command.topic.split("/")
        if said["id"] not in self._performed:
            self._performed.add(said["id"])
            self.heard[name].append((said["v"]["heating"], now))
        result = msgspec.json.encode({"id": said["id"], "status": "completed"})
        return mqtt.puback(command.packet_id) + mqtt.publish(
            f"{root}/{name}/results", result, next(self._ids)
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._link.socket.close()
