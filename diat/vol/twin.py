"""The live state of a thing: newest readings, whether it is there, and which messages were already seen.

Exactly once: a native message is named by ``(thing, boot, n)``. For each of a thing's last boots a ``Mark``
remembers the highest ``n`` seen and the gaps below it, so a repeat is known whenever it comes, in bounded
memory.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

BOOTS = 8
"""Boots of a thing whose marks are kept."""
GAPS = 64
"""Gaps kept in one mark; past that the lowest is given up, and what might still come for it is refused."""

Status = Literal["unknown", "online", "offline", "sleeping"]
Quality = Literal["good", "uncertain", "bad"]
Availability = bool | Literal["sleeping"]


class Reading(Struct, frozen=True, array_like=True, gc=False):
    """An observed value.

    Attributes:
        observed: when the thing observed it, Unix milliseconds.
        received: when it reached us, Unix milliseconds.
        n: sequence number within the thing's boot, 0 if it has none; orders readings of one millisecond.
        position: ingest position, the order of arrival over everything.
    """

    value: Any
    observed: int
    received: int
    quality: Quality = "good"
    n: int = 0
    position: int = 0


class Mark(Struct, frozen=True, array_like=True):
    """Which sequence numbers of one boot were seen: all up to ``high`` but for the gaps."""

    high: int = 0
    gaps: tuple[tuple[int, int], ...] = ()

    def take(self, n: int) -> Mark | None:
        """The mark with ``n`` seen, or None if it was seen before."""
        if n == self.high + 1:
            return Mark(n, self.gaps)
        if n > self.high:
            gaps = (*self.gaps, (self.high + 1, n - 1))
            return Mark(n, gaps[-GAPS:])
        for at, (low, high) in enumerate(self.gaps):
            if low <= n <= high:
                rest = tuple(part for part in ((low, n - 1), (n + 1, high)) if part[0] <= part[1])
                gaps = self.gaps[:at] + rest + self.gaps[at + 1 :]
                return Mark(self.high, gaps[-GAPS:])
        return None

    def give_up(self, low: int, high: int) -> Mark:
        """The mark with a range taken as seen: the thing says that it will never come."""
        gaps: list[tuple[int, int]] = []
        for gap_low, gap_high in self.gaps:
            gaps += [
                part
                for part in ((gap_low, min(gap_high, low - 1)), (max(gap_low, high + 1), gap_high))
                if part[0] <= part[1]
            ]
        if low > self.high + 1:
            gaps.append((self.high + 1, low - 1))
        return Mark(max(self.high, high), tuple(dict.fromkeys(gaps))[-GAPS:])


class Cut(Struct, frozen=True):
    """A thing that cannot be reached because its gateway cannot.

    Attributes:
        gateway: its name.
        before: what the thing's status was when that came about, or has become by what came since.
    """

    gateway: str
    before: Status


class Twin(Struct):
    """What is known of a thing just now. The writer changes a copy and puts that (``Overlay``).

    Attributes:
        values: property name to its newest reading.
        marks: boot to what was seen of it, the boot last heard of last.
        status: what the thing, its last will or its sources of availability say.
        since: when the status became so, Unix milliseconds.
        heard: when anything last came from it, Unix milliseconds; 0 if never.
        sources: for each source of availability, whether it says that the thing is there, or asleep.
        anchors: boot to ``(u, received)`` of its newest message, for things without a clock.
        cut: by what it cannot be reached, None if nothing is in between.
    """

    values: dict[str, Reading] = {}
    marks: dict[str, Mark] = {}
    status: Status = "unknown"
    since: int = 0
    heard: int = 0
    sources: dict[str, Availability] = {}
    anchors: dict[str, tuple[float, int]] = {}
    cut: Cut | None = None

    def copy(self) -> Twin:
        """A copy that may be changed without changing this one."""
        return Twin(
            self.values.copy(),
            self.marks.copy(),
            self.status,
            self.since,
            self.heard,
            self.sources.copy(),
            self.anchors.copy(),
            self.cut,
        )

    def first_time(self, boot: str, n: int) -> bool:
        """Note message ``n`` of a boot; False if it was seen before."""
        mark = self.marks.get(boot)
        if mark is None:
            mark = self._new_boot(boot)
        taken = mark.take(n)
        if taken is None:
            return False
        if self.marks and boot != next(reversed(self.marks)):
            self.marks.pop(boot, None)  # the boot last heard of stands last: the first is forgotten first
        self.marks[boot] = taken
        return True

    def give_up(self, boot: str, low: int, high: int) -> None:
        """Note that the thing gave up a range of messages."""
        mark = self.marks.get(boot) or self._new_boot(boot)
        self.marks[boot] = mark.give_up(low, high)

    def date(self, boot: str, uptime: float, received: int) -> int:
        """When a thing without a clock observed something, by the newest message of that boot.

        Args:
            boot: the boot that the message belongs to.
            uptime: milliseconds since that boot.
            received: when the message came, Unix milliseconds.
        """
        anchor = self.anchors.get(boot)
        if anchor is None or uptime >= anchor[0]:
            self.anchors[boot] = (uptime, received)
            while len(self.anchors) > BOOTS:
                del self.anchors[next(iter(self.anchors))]
            return received
        return round(anchor[1] - (anchor[0] - uptime))

    def learn(self, name: str, reading: Reading) -> bool:
        """Keep a reading if it is the newest of its property; whether it was."""
        known = self.values.get(name)
        if known is not None and (known.observed, known.n) > (reading.observed, reading.n):
            return False
        self.values[name] = reading
        return True

    def turn(self, status: Status, now: int) -> bool:
        """Set the status; whether that changed it."""
        if status == self.status:
            return False
        self.status = status
        self.since = now
        return True

    def missing(self) -> list[tuple[str, int, int]]:
        """Gaps in what was seen: ``(boot, first, last)`` of messages that never came."""
        return [(boot, low, high) for boot, mark in self.marks.items() for low, high in mark.gaps]

    def _new_boot(self, boot: str) -> Mark:
        while len(self.marks) >= BOOTS:
            del self.marks[next(iter(self.marks))]
        return Mark()
