"""What tiers can bear, by what gateways say of themselves and what this machine has left.

Limits are judged twice, so that a figure that goes up and down by a little moves nothing: what runs somewhere
may stay as long as that is borne at all, what is to go there must have room to spare.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from msgspec import Struct

from diat.cvol.placement.problem import Tier
from diat.kernel.machine import MIB, Machine
from diat.service.placement.placing import HERE
from diat.service.placement.rates import HOUR, Has, Rates

EFFORT = 1e5
"""Price of a second of CPU where half of a battery is left, in bytes: radio takes about as much for them."""
_SECONDS = 3600.0


class Room(Struct, frozen=True):
    """How much of what is there is left to others.

    Attributes:
        cpu: processors that are kept free.
        memory: bytes that are kept free.
        line: share of what a line carries that may be used.
        slower: by how much a line is taken to be slower than it was of late.
    """

    cpu: float
    memory: float
    line: float
    slower: float


STAYS = Room(cpu=0.05, memory=16.0 * MIB, line=0.95, slower=1.0)
"""As long as this is kept, what runs somewhere may stay there."""
COMES = Room(cpu=0.15, memory=48.0 * MIB, line=0.8, slower=1.25)
"""This is kept for what comes there."""
SMALL = 0.01
"""Processors that all services together may take in any case: it would not help if they were not there."""


class Uses(Struct, frozen=True, kw_only=True):
    """What a composite takes of a tier where its steps run at present.

    Attributes:
        cpu: seconds of CPU in an hour.
        memory: bytes.
        bytes: over the line of the tier in an hour.
    """

    cpu: float = 0.0
    memory: float = 0.0
    bytes: float = 0.0


class Nodes:
    """Knows what tiers can bear; used by one thread at a time.

    Attributes:
        cut_off: gateways that cannot be told anything just now.
    """

    def __init__(self, daemon: Has, rates: Rates) -> None:
        """``rates`` knows what lines carry already."""
        self._daemon = daemon
        self._rates = rates
        self._machine = Machine()
        self._spare = self._machine.spare()
        self._figures: dict[str, Mapping[str, float]] = {}
        self._cuts: dict[str, float] = {}
        self._looked: int | None = None
        self.cut_off: set[str] = set()

    def look(self) -> None:
        """Take down what they say by now."""
        self._spare = self._machine.spare()
        gateways = self._daemon.things.tiers.gateways()
        self._figures = {
            each.name: {name: float(said) for name, said in each.figures.items() if _number(said)}
            for each in gateways
        }
        now = self._daemon.clock()
        weight = min(1.0, max(0, now - (self._looked or now)) / HOUR)
        self._looked = now
        self.cut_off = {each.name for each in gateways if not each.connected}
        for each in gateways:
            known = self._cuts.get(each.name, 0.0)
            self._cuts[each.name] = known + weight * ((each.name in self.cut_off) - known)

    def tiers(
        self, names: Iterable[str], room: Room, uses: Mapping[str, Uses], services: Mapping[str, int]
    ) -> tuple[Tier, ...]:
        """The core and gateways below it, with what they can bear of a composite.

        Args:
            names: of the gateways.
            room: what is kept free.
            uses: tier to what the composite takes of it already.
            services: tier to how many services have steps there.
        """
        here = Tier(
            name=HERE,
            cpu=_cpu(self._spare.cpu, room, uses.get(HERE, Uses()), services.get(HERE, 0)),
            memory=_memory(self._spare.memory, room, uses.get(HERE, Uses())),
        )
        return here, *(self._gateway(name, room, uses, services) for name in names)

    def _gateway(self, name: str, room: Room, uses: Mapping[str, Uses], services: Mapping[str, int]) -> Tier:
        said, own = self._figures.get(name, {}), uses.get(name, Uses())
        trip = room.slower * said.get("roundTrip", 0.0) / 2
        carries = said.get("carries", math.inf)
        battery = min(1.0, max(0.01, said.get("battery", 1.0)))
        return Tier(
            name=name,
            above=HERE,
            price=said.get("price", 1.0),
            latency=said.get("linger", 0.0) + trip,
            back=trip,
            cut=self._cuts.get(name, 0.0),
            capacity=self._capacity(name, carries * _SECONDS * room.line, own),
            cpu=_cpu(said.get("cpuFree"), room, own, services.get(name, 0)),
            memory=_memory(said.get("memoryFree"), room, own),
            effort=EFFORT * (1 / battery - 1),
        )

    def _capacity(self, name: str, carries: float, own: Uses) -> float:
        """Bytes in an hour that the line has for a composite, besides what others have it carry."""
        ends = self._rates.ends(name)
        if ends is None or ends[0].at == ends[1].at:
            return carries
        first, last = ends
        total = (last.total[0] - first.total[0]) / ((last.at - first.at) / HOUR)
        return max(0.0, carries - max(0.0, total - own.bytes))


def _cpu(free: float | None, room: Room, own: Uses, services: int) -> float:
    if free is None:
        return math.inf
    least = SMALL * _SECONDS / max(1, services)
    return max(least, own.cpu + (free - room.cpu) * _SECONDS)


def _memory(free: float | None, room: Room, own: Uses) -> float:
    return math.inf if free is None else max(0.0, own.memory + free * MIB - room.memory)


def _number(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool)
