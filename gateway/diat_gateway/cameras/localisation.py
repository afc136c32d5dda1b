"""Vehicle localisation over sensors, aggregators (road-side, on-board) and the cloud: who computes what.

One switch, the case, says at which level the sensors work and where the rest is computed:

====  ======  ===========
case  sensor  the rest at
====  ======  ===========
1     low     cloud
2     low     aggregator
3     middle  cloud
4     middle  aggregator
5     high    cloud
6     high    aggregator
====  ======  ===========

Low and middle send video, high sends places of vehicles. Who computes makes the map of its cameras; the cloud
joins the maps of the aggregators.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from diat_gateway.cameras import levels
from diat_gateway.cameras.encoding import Decoder
from diat_gateway.cameras.fusion import STEP, Fusion, Place
from diat_gateway.cameras.records import Homography, foot, on_ground
from diat_gateway.cameras.seeing.analysis import Analysis, Seen
from diat_gateway.cameras.seeing.blobs import Box
from diat_gateway.cameras.seeing.pictures import Frame


class Case(NamedTuple):
    """At which level sensors work, and where the rest is computed."""

    level: levels.Level
    rest: Literal["aggregator", "cloud"]


CASES: dict[int, Case] = {
    1: Case("low", "cloud"),
    2: Case("low", "aggregator"),
    3: Case("middle", "cloud"),
    4: Case("middle", "aggregator"),
    5: Case("high", "cloud"),
    6: Case("high", "aggregator"),
}


class Sends(Protocol):
    """The line to the next tier."""

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send one message."""


def place_of(box: Box, homography: Homography) -> Place:
    """Where on the ground the thing in a box is: behind the edge that we see by half of what it is deep."""
    x, y = foot(box)
    near = np.array(on_ground(homography, (x, y)))
    far = np.array(on_ground(homography, (x, y - 0.2 * box[3])))
    away = far - near
    length = float(np.hypot(*away))
    deep = 1.1 if box[2] > 0.8 * box[3] else 0.2
    at = near + away / length * deep if length > 0 else near
    return float(at[0]), float(at[1])


class Reporter:
    """Says every half second where on the ground the objects of one camera are."""

    def __init__(self, camera: str, homography: Homography) -> None:
        self._camera = camera
        self._homography = homography
        self._last = -1

    def report(self, seen: Seen) -> dict[str, Any] | None:
        """The report, if one is due and something is there."""
        moment = round(seen.t / STEP)
        if moment == self._last or abs(seen.t - moment * STEP) > 0.06 or not seen.objects:
            return None
        self._last = moment
        places = [place_of(box, self._homography) for _, box in seen.objects]
        return {"c": self._camera, "t": moment * STEP, "o": [[round(x, 2), round(y, 2)] for x, y in places]}


class Sensor:
    """One camera of the area.

    Attributes:
        cpu: s that it computed.
        air: s of video that it sent.
    """

    def __init__(
        self, camera: str, level: levels.Level, fps: float, homography: Homography, line: Sends
    ) -> None:
        self._camera = camera
        self._line = line
        self._video = levels.Middle(fps) if level == "middle" else levels.Low(fps)
        self._analysis = Analysis() if level == "high" else None
        self._reporter = Reporter(camera, homography)
        self.cpu = 0.0
        self.pieces = 0

    def take(self, frame: Frame | None) -> None:
        """Take a picture; None ends."""
        began = time.thread_time()
        if self._analysis is not None:
            for seen in self._analysis.look(frame) if frame is not None else self._analysis.finish():
                report = self._reporter.report(seen)
                if report is not None:
                    self._line.send(report)
        else:
            for piece in self._video.take(frame) if frame is not None else self._video.finish():
                if isinstance(piece, levels.Video):
                    self.pieces += 1
                    head: dict[str, Any] = {"c": self._camera, "t": round(piece.t, 3)}
                    if piece.begins:
                        head["begins"] = piece.begins
                    self._line.send(head, piece.data)
        self.cpu += time.thread_time() - began


class Tier:
    """An aggregator or the cloud: passes on what comes, or makes the map of it.

    Args:
        name: of this tier, as a source of maps for the next.
        computes: whether it analyses video and joins reports; else it passes them on.
        homographies: of the cameras, by name.
        line: to the next tier; None for the last.
    """

    def __init__(
        self, name: str, *, computes: bool, homographies: dict[str, Homography], line: Sends | None
    ) -> None:
        self._name = name
        self._computes = computes
        self._homographies = homographies
        self._line = line
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._fusion = Fusion()
        self.cpu = 0.0
        self.map: list[tuple[float, list[tuple[int, float, float]]]] = []

    def receive(self, head: dict[str, Any], body: bytes) -> None:
        """One message of the tier below; any thread."""
        with self._lock:
            began = time.thread_time()
            if not self._computes and self._line is not None:
                self._line.send(head, body)
            elif "map" in head:
                self._fusion.report(head["by"], head["t"], [(x, y) for _, x, y in head["map"]])
            elif "o" in head:
                self._fusion.report(head["c"], head["t"], [(x, y) for x, y in head["o"]])
            else:
                self._watch(head, body)
            self.cpu += time.thread_time() - began

    def finish(self) -> None:
        """Nothing more comes: what waits is joined, and passed on if there is a next tier."""
        began = time.thread_time()
        for watched in self._watched.values():
            self._report(watched.finish())
        self.flush()
        self.cpu += time.thread_time() - began

    def flush(self, before: float | None = None) -> None:
        """Join what came of moments (before a time, s)."""
        for t, things in self._fusion.maps(before):
            self.map.append((t, things))
            if self._line is not None and self._computes:
                told = [[number, round(x, 2), round(y, 2)] for number, x, y in things]
                self._line.send({"by": self._name, "t": t, "map": told})

    def _watch(self, head: dict[str, Any], body: bytes) -> None:
        name = head["c"]
        if name not in self._watched:
            self._watched[name] = _Watched(name, self._homographies[name])
        self._report(self._watched[name].take(head, body))

    def _report(self, reports: Iterable[dict[str, Any]]) -> None:
        for each in reports:
            self._fusion.report(each["c"], each["t"], [(x, y) for x, y in each["o"]])


class _Watched:
    """The video of one camera, decoded and looked at here."""

    def __init__(self, camera: str, homography: Homography) -> None:
        self._analysis = Analysis()
        self._reporter = Reporter(camera, homography)
        self._decoder: Decoder | None = None
        self._times: deque[float] = deque()
        self._number = 0

    def take(self, head: dict[str, Any], body: bytes) -> list[dict[str, Any]]:
        reports: list[dict[str, Any]] = []
        if "begins" in head:
            reports += self._drained()
            self._decoder = Decoder()
        self._times.append(head["t"])
        if self._decoder is not None:
            for image in self._decoder.decode(body):
                reports += self._look(image)
        return reports

    def finish(self) -> list[dict[str, Any]]:
        reports = self._drained()
        return reports + [r for seen in self._analysis.finish() if (r := self._reporter.report(seen))]

    def _drained(self) -> list[dict[str, Any]]:
        reports = [
            r for image in (self._decoder.finish() if self._decoder else ()) for r in self._look(image)
        ]
        self._times.clear()
        return reports

    def _look(self, image: Any) -> list[dict[str, Any]]:
        if not self._times:
            return []
        self._number += 1
        frame = Frame(self._times.popleft(), image, self._number)
        return [r for seen in self._analysis.look(frame) if (r := self._reporter.report(seen))]
