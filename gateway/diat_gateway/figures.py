"""What a gateway says of itself, every so often, while its line is up."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

from diat.kernel.machine import Machine
from diat.wire import frame, topics
from diat.wire.envelope import encode
from diat_gateway.pace import Pace
from diat_gateway.settings import LineSettings
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

_MIB = 1024 * 1024


class Figures:
    """Makes reports; used by the session's thread alone.

    Args:
        uplink: what it tells of.
        life: names the boot that the reports are counted in.
        line: how the line is told to run.
        pace: how it does.
    """

    def __init__(self, uplink: Uplink, life: str, line: LineSettings, pace: Pace) -> None:
        self._uplink = uplink
        self._life = life
        self._line = line
        self._pace = pace
        self._machine = Machine()
        self._n = 0
        self._next = 0.0
        self._spent = (time.monotonic(), _cpu())
        self.thinned: Callable[[], int] = _nothing

    def due(self, now: int) -> list[bytes]:
        """The reports as they stand in a frame, if it is time for them."""
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + self._line.figures
        self._n += 1
        name, own = self._uplink.name, self._uplink.own.committed[OWN]
        said = {"b": self._life, "n": self._n, "t": now + own.offset, "v": self._values(own.offset)}
        found = [frame.entry(topics.properties(name), encode(said))]
        untold = self._uplink.heard.untold()
        if untold:
            found.append(frame.entry(frame.untold(name), encode(untold)))
        return found

    def _values(self, offset: int) -> dict[str, float]:
        at, before = self._spent
        self._spent = (time.monotonic(), _cpu())
        lasted = max(self._spent[0] - at, 1e-3)
        spare, trip = self._machine.spare(), self._pace.trip(self._spent[0])
        values = {
            "spool": self._uplink.rows,
            "spoolBytes": self._uplink.bytes,
            "thinned": self.thinned(),
            "cpu": round((self._spent[1] - before) / lasted, 4),
            "memory": round(memory() / _MIB, 1),
            "cores": len(os.sched_getaffinity(0)),
            "memoryTotal": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB),
            "clockOffset": offset / 1000,
            "cpuFree": spare.cpu,
            "memoryFree": spare.memory,
            "battery": spare.battery,
            "linger": self._line.linger,
            "carries": round(self._pace.carries(self._spent[0])),
            "price": self._line.price,
        }
        return values if trip is None else values | {"roundTrip": round(trip, 4)}


def _nothing() -> int:
    """Stands in until something is thinned."""
    return 0


def memory() -> int:
    """Bytes of memory that this process takes."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu() -> float:
    return time.process_time()
