"""Pictures of one camera in, records of vehicles out: the same at sensor, aggregator and cloud."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from diat_gateway.cameras.encoding import Decoder
from diat_gateway.cameras.seeing.analysis import Analysis, Seen
from diat_gateway.cameras.seeing.pictures import Frame, Image
from diat_gateway.vehicles.anchor import Anchor
from diat_gateway.vehicles.ground import Ground
from diat_gateway.vehicles.sightings import Sightings

Tell = Callable[[list[dict[str, Any]], float, str | None], None]
"""Takes records, their time (s on the camera's clock) and why the camera cannot see, if it cannot."""
_EARLY = 400
"""Pictures at most that wait until the background is known."""


class Looking:
    """Looks at the pictures of one camera; of one that was turned it tells that, and no places.

    Args:
        ground: before it.
        every: seconds between two reports.
        tell: takes the reports.
    """

    def __init__(self, ground: Ground, every: float, tell: Tell) -> None:
        self._sightings = Sightings(ground, every)
        self._analysis = Analysis()
        self._anchor = Anchor()
        self._said: str | None = None
        self._tell = tell
        self._early: dict[float, Image] = {}

    def take(self, frame: Frame) -> None:
        """Look at the next picture."""
        self._early[frame.t] = frame.image
        if len(self._early) > _EARLY:
            self._early.pop(next(iter(self._early)))
        self._report(self._analysis.look(frame))

    def finish(self) -> None:
        """No more pictures come."""
        self._report(self._analysis.finish())

    def _report(self, all_seen: Iterable[Seen]) -> None:
        for seen in all_seen:
            self._anchor.look(seen.t, self._analysis.background, seen.impaired)
            if self._anchor.lost and seen.impaired is None:
                seen.impaired, seen.objects = "moved", []
            records = self._sightings.take(seen, self._early.pop(seen.t, None))
            if records is None and seen.impaired not in (None, self._said):
                records = []
            if records is not None:
                self._said = seen.impaired
                self._tell(records, seen.t, seen.impaired)


class Watching:
    """Looks at the video of one camera as it comes in pieces: time, data, and whether a new run begins.

    Args:
        looking: takes the pictures.
    """

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self._decoder: Decoder | None = None
        self._times: deque[float] = deque()
        self._number = 0

    def take(self, t: float, data: bytes, *, begins: bool) -> None:
        """The next piece; what cannot be decoded is left out."""
        if begins:
            self._drain()
            self._decoder = Decoder()
        if self._decoder is None:
            return
        self._times.append(t)
        self._see(self._decoder.decode(data))

    def finish(self) -> None:
        """The video ended."""
        self._drain()
        self._looking.finish()

    def _drain(self) -> None:
        if self._decoder is not None:
            self._see(self._decoder.finish())
        self._times.clear()

    def _see(self, images: Iterable[Image]) -> None:
        for image in images:
            if self._times:
                self._looking.take(Frame(self._times.popleft(), image, self._number))
                self._number += 1
