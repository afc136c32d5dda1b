"""Any number of nodes of the firmware with chosen affordances, in one thread: what ``diat simulate`` runs."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.nodes.native import find_firmware
from diat.simulation.link import Address

if TYPE_CHECKING:
    from diat_node.life import Life
    from diat_node.node import Node

_SENSOR = re.compile(r"([A-Za-z0-9_-]{1,64})(?:=(\w+):([^:]+):(-?[\d.]+)\.\.(-?[\d.]+))?")
_LOOK = 0.5


class Sensor(Struct, frozen=True):
    """A property that wanders between two values; ``quantity`` and ``unit`` empty for none."""

    name: str
    quantity: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 100.0

    @classmethod
    def parse(cls, said: str) -> Sensor:
        """Read ``NAME`` or ``NAME=QUANTITY:UNIT:LOW..HIGH``.

        Raises:
            Invalid: it is something else.
        """
        found = _SENSOR.fullmatch(said)
        try:
            if found is not None and found[2] is None:
                return cls(found[1])
            if found is not None and (low := float(found[4])) < (high := float(found[5])):
                return cls(found[1], found[2], found[3], low, high)
        except ValueError:
            pass
        raise Invalid(f"{said!r} is not NAME or NAME=QUANTITY:UNIT:LOW..HIGH", "--sensor")


class Kind(Struct, frozen=True, kw_only=True):
    """What each node of a crowd has; ``every``: seconds between samples."""

    sensors: Sequence[Sensor] = ()
    switches: Sequence[str] = ()
    actions: Sequence[str] = ()
    events: Sequence[str] = ()
    every: float = 10.0
    place: str = ""


def make(kind: Kind, name: str, random: Random) -> Node:
    """One node, declared as in ``thing.py``."""
    from diat_node.node import Node

    node = Node(name, title=name, place=kind.place or None)
    for sensor in kind.sensors:
        node.property(
            sensor.name,
            _wandering(sensor, random),
            unit=sensor.unit or None,
            quantity=sensor.quantity or None,
            every=kind.every,
        )
    state: dict[str, bool] = {}
    for switch in kind.switches:

        def read(switch: str = switch) -> bool:
            return state.get(switch, False)

        def write(to: bool, switch: str = switch) -> None:
            state[switch] = to

        node.property(switch, read, write, type="boolean", every=kind.every)
    done: dict[str, int] = {}
    for action in kind.actions:

        def perform(action: str = action) -> int:
            done[action] = done.get(action, 0) + 1
            return done[action]

        node.action(action, perform, output={"type": "integer"})
    for event in kind.events:
        node.when_started.append(_telling(node.event(event), kind.every, random))
    return node


class Crowd:
    """Nodes ``{prefix}-1`` to ``{prefix}-{count}`` at one broker.

    Args:
        address: the broker; with a user name and a password all of them come with these.
        config: more of what ``diat.json`` says: ``key``, ``ca`` …
        folder: where each has a folder that stands for its flash; None for none.
        seed: the same seed gives the same values.
    """

    def __init__(
        self,
        address: Address,
        kind: Kind,
        *,
        count: int,
        prefix: str = "sim",
        config: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        seed: int = 1,
    ) -> None:
        find_firmware()
        from diat_node.board import Board
        from diat_node.life import Life

        told = {"host": address.host, "port": address.port, "health": 0, **(config or {})}
        if address.username is not None:
            told |= {"username": address.username, "password": address.password}
        self._lives: list[Life] = []
        for number in range(1, count + 1):
            name = f"{prefix}-{number}"
            own = {**told, "thing": name, "folder": None if folder is None else str(folder / name)}
            self._lives.append(Life(make(kind, name, Random(f"{seed}/{name}")), own, Board()))

    @property
    def standing(self) -> dict[str, int]:
        """How many nodes there are, how many are on line, and what all of them sent and did so far."""
        lives = self._lives
        return {
            "nodes": len(lives),
            "online": sum(life.state == "online" for life in lives),
            "refused": sum(life.state == "refused" for life in lives),
            "records": sum(life.ring.n for life in lives),
            "waiting": sum(len(life.ring) for life in lives),
        }

    async def live(self, ending: asyncio.Event) -> None:
        """Live until told to end; what waits then has two seconds to get out."""
        tasks = [asyncio.create_task(life.live()) for life in self._lives]
        await ending.wait()
        for _ in range(math.ceil(2 / _LOOK)):
            if not any(len(life.ring) and life.online.is_set() for life in self._lives):
                break
            await asyncio.sleep(_LOOK)
        for life in self._lives:
            life.end()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended


def _wandering(sensor: Sensor, random: Random) -> Any:
    at = [random.uniform(sensor.low, sensor.high)]
    step = (sensor.high - sensor.low) / 50

    def read() -> float:
        at[0] = min(max(at[0] + random.gauss(0, step), sensor.low), sensor.high)
        return round(at[0], 3)

    return read


def _telling(tell: Any, every: float, random: Random) -> Any:
    async def go() -> None:
        while True:
            await asyncio.sleep(every * random.uniform(0.5, 1.5))
            tell()

    return go
