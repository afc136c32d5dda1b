"""Runs of video in memory until it is known which of them are kept."""

from __future__ import annotations

from collections.abc import Iterator

from diat_gateway.cameras.encoding import Packet
from diat_gateway.cameras.muxing import mp4

LONGEST = 60.0
"""Seconds of one clip at most; a longer run becomes several."""
_MOST = 64 << 20
"""Bytes of runs that wait at most; the oldest goes."""


class Clipping:
    """The runs of one camera."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._now: list[tuple[float, Packet]] = []
        self._runs: list[list[tuple[float, Packet]]] = []
        self._wanted: list[tuple[float, float]] = []

    def add(self, t: float, packet: Packet) -> None:
        """One more picture."""
        if self._now and packet.key and t - self._now[0][0] > LONGEST:
            self.cut()
        self._now.append((t, packet))

    def cut(self) -> None:
        """The run ends here."""
        if self._now:
            self._runs.append(self._now)
            self._now = []
        while len(self._runs) > 1 and sum(len(p.data) for run in self._runs for _, p in run) > _MOST:
            self._runs.pop(0)

    def wanted(self, start: float, end: float) -> None:
        """An object of this time is kept here."""
        self._wanted.append((start, end))
        del self._wanted[:-200]

    def take(self, before: float) -> Iterator[tuple[float, float, bytes]]:
        """Clips that are kept, as (from, to, file).

        Args:
            before: all is decided of what was over by then, s: of such runs those that nobody wants go.
        """
        rest = []
        for run in self._runs:
            first, last = run[0][0], run[-1][0]
            if any(start <= last and end >= first for start, end in self._wanted):
                yield first, last, mp4([packet for _, packet in run], self._fps)
            elif last >= before:
                rest.append(run)
        self._runs = rest
