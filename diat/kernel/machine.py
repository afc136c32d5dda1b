"""What the machine has left, as Linux says it: processors, memory and battery.

A limit of a control group (version 2), as containers have them, counts like a smaller machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from msgspec import Struct

MIB = 1024 * 1024
_PROC, _GROUP, _POWER = Path("/proc"), Path("/sys/fs/cgroup"), Path("/sys/class/power_supply")


class Spare(Struct, frozen=True, kw_only=True):
    """What is left.

    Attributes:
        cpu: processors that nobody used since it was last asked.
        memory: MiB that can still be taken.
        battery: share of the charge that is left, while it runs on a battery; 1 on mains.
    """

    cpu: float
    memory: float
    battery: float = 1.0


class Machine:
    """Tells what is left; used by one thread at a time.

    Args:
        proc: where the kernel tells of processes and memory.
        group: where it tells of the control group that we are in.
        power: where it tells of batteries.
    """

    def __init__(self, proc: Path = _PROC, group: Path = _GROUP, power: Path = _POWER) -> None:
        self._proc, self._group, self._power = proc, group, power
        self._ticks = self._looked()
        self._used = time.monotonic(), self._usage()

    def spare(self) -> Spare:
        """What is left by now; of processors, since it was last asked."""
        return Spare(cpu=self._cpu(), memory=self._memory(), battery=self._battery())

    # --- within ---

    def _cpu(self) -> float:
        (idle, total), (now, used) = self._looked(), (time.monotonic(), self._usage())
        (before, whole), (since, earlier) = self._ticks, self._used
        self._ticks, self._used = (idle, total), (now, used)
        cores = len(os.sched_getaffinity(0))
        free = cores * (idle - before) / (total - whole) if total > whole else float(cores)
        quota = self._quota()
        if quota is not None and now > since:
            free = min(free, quota - (used - earlier) / (now - since))
        return round(max(0.0, free), 3)

    def _memory(self) -> float:
        free = float("inf")
        for line in _text(self._proc / "meminfo").splitlines():
            if line.startswith("MemAvailable:"):
                free = float(line.split()[1]) * 1024
        most, taken = _text(self._group / "memory.max"), _text(self._group / "memory.current")
        if most.isdigit() and taken.isdigit():
            free = min(free, float(most) - float(taken))
        if free == float("inf"):
            free = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
        return round(max(0.0, free) / MIB, 1)

    def _battery(self) -> float:
        left = [
            _text(each / "capacity")
            for each in sorted(self._power.glob("*"))
            if _text(each / "type") == "Battery" and _text(each / "status") == "Discharging"
        ]
        found = [int(each) / 100 for each in left if each.isdigit()]
        return max(0.0, min(found, default=1.0))

    def _looked(self) -> tuple[float, float]:
        """Time that processors had nothing to do, and all of it, in ticks of all of them together."""
        first = _text(self._proc / "stat").partition("\n")[0].split()[1:9]
        ticks = [float(each) for each in first if each.isdigit()]
        return (sum(ticks[3:5]), sum(ticks)) if len(ticks) >= 5 else (0.0, 0.0)

    def _usage(self) -> float:
        """Seconds of processors that the control group has used."""
        for line in _text(self._group / "cpu.stat").splitlines():
            if line.startswith("usage_usec "):
                return float(line.split()[1]) / 1e6
        return time.process_time()

    def _quota(self) -> float | None:
        """Processors that the control group may use; None for all."""
        most, _, period = _text(self._group / "cpu.max").partition(" ")
        return float(most) / float(period) if most.isdigit() and period.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
