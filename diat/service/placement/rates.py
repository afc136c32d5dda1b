"""What comes at gateways, taken down every few seconds: bytes and messages, whether they travelled or not."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from msgspec import Struct

from diat.cvol.placement.building import Rate
from diat.kernel.clock import Clock
from diat.security.decision import Decider
from diat.service.placement.beat import EVERY
from diat.vol.layer import VirtualObjectLayer
from diat.vol.recorded import Record

LOOKS_BACK = 600.0
"""Seconds over which rates are taken."""
HOUR = 3_600_000
"""Milliseconds."""
Key = tuple[str, str]
"""Name of a thing in topics, and an affordance of it."""
Amount = tuple[float, int]
"""Bytes and messages."""


class Has(Protocol):
    """What is looked at to find where steps had better run; the daemon."""

    things: VirtualObjectLayer
    record: Record
    clock: Clock
    decider: Decider


class Seen(Struct, frozen=True):
    """What had come at a gateway by a time, as bytes and messages.

    Attributes:
        by: all of it, whether it travelled or not.
        up: what travelled.
        total: over the line upward, with all that is of no thing.
        down: over the line downward.
    """

    at: int
    by: dict[Key, Amount]
    up: dict[Key, Amount]
    total: Amount
    down: Amount


class Rates:
    """Knows how much comes; used by any thread, but ``count`` by one at a time."""

    def __init__(self, daemon: Has) -> None:
        """Nothing was seen yet."""
        self._daemon = daemon
        self._seen: dict[str, deque[Seen]] = {}

    def count(self) -> bool:
        """Take down what has come by now; whether there is any gateway."""
        now, tiers = self._daemon.clock(), self._daemon.things.tiers
        for gateway in tiers.gateways():
            traffic = tiers.traffic(gateway.name)
            up = {key: (flow.bytes, flow.messages) for key, flow in list(traffic.ups.items())}
            by = dict(up)
            for key, flow in list(traffic.untold.items()):
                size, messages = by.get(key, (0.0, 0))
                by[key] = (size + flow.bytes, messages + flow.messages)
            seen = self._seen.setdefault(gateway.name, deque(maxlen=int(LOOKS_BACK / EVERY)))
            if seen and any(by.get(key, (0, 0))[1] < count for key, (_, count) in seen[-1].by.items()):
                seen.clear()  # it was started again and counts anew
            total = (traffic.up.bytes, traffic.up.messages)
            seen.append(Seen(now, by, up, total, (traffic.down.bytes, traffic.down.messages)))
        return bool(self._seen)

    def looks(self, gateway: str) -> list[Seen]:
        """What was seen of a gateway of late, oldest first."""
        return list(self._seen.get(gateway, ()))

    def ends(self, gateway: str, since: int = 0) -> tuple[Seen, Seen] | None:
        """What was seen of a gateway first, from a time on, and last; None if it was not looked at twice."""
        seen = [each for each in self.looks(gateway) if each.at >= since]
        return (seen[0], seen[-1]) if len(seen) > 1 else None

    def of(self, thing: str, affordance: str) -> Rate:
        """What comes of an affordance in an hour, as it is on the line or would be."""
        gateway = self._daemon.things.tiers.gateway_of(thing)
        ends = self.ends(gateway or "")
        if ends is None or ends[0].at == ends[1].at:
            return Rate(0.0, 0.0)
        key = self.wire(thing), affordance
        return added(ends[1].by.get(key), ends[0].by.get(key), (ends[1].at - ends[0].at) / HOUR)

    def wire(self, thing: str) -> str:
        """The name of a thing in topics."""
        each = self._daemon.things.registry.objects.committed.get(thing)
        return each.wire if each is not None and each.wire else thing.rpartition(":")[2]


def added(now: Amount | None, before: Amount | None, hours: float) -> Rate:
    """What was added within some hours, in one."""
    size, count = now or (0.0, 0)
    size_before, count_before = before or (0.0, 0)
    return Rate(max(0, count - count_before) / hours, max(0.0, size - size_before) / hours)
