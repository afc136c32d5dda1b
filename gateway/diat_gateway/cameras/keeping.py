"""Which video a camera keeps: what it saw, unless another saw the same thing larger."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from diat_gateway.cameras.agreement import WAITS, Agreement, Candidate
from diat_gateway.cameras.clipping import Clipping
from diat_gateway.cameras.encoding import Packet

SETTLES = 20.0
"""Seconds after which it is known of what was seen whether it was an object."""


class Keeping:
    """Runs of video of one camera, and what is not decided yet; times are those of its source, s."""

    def __init__(self, fps: float) -> None:
        self._agreement = Agreement()
        self._open: deque[tuple[float, Candidate, float, float]] = deque()
        self._clipping = Clipping(fps)

    @property
    def waiting(self) -> bool:
        """Whether others still have time to tell of something."""
        return bool(self._open)

    def add(self, t: float, packet: Packet) -> None:
        """One more picture of the run."""
        self._clipping.add(t, packet)

    def cut(self) -> None:
        """The run ends here."""
        self._clipping.cut()

    def mine(self, candidate: Candidate, first: float, last: float) -> None:
        """This camera saw something, from ``first`` to ``last``."""
        self._open.append((time.monotonic() + WAITS, candidate, first, last))

    def theirs(self, candidate: Candidate) -> None:
        """Another camera did."""
        self._agreement.told(candidate)

    def decided(self, now: float, *, at_once: bool = False) -> Iterator[tuple[float, float, bytes]]:
        """Clips that are kept by what was told in time, as (from, to, file).

        Args:
            now: how far the camera has looked.
            at_once: nothing comes any more: nobody is waited for.
        """
        while self._open and (at_once or self._open[0][0] <= time.monotonic()):
            _, candidate, first, last = self._open.popleft()
            if self._agreement.keeps(candidate):
                self._clipping.wanted(first, last)
        settled = min([now - SETTLES, *(first for _, _, first, _ in self._open)])
        yield from self._clipping.take(float("inf") if at_once else settled)
