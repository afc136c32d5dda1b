"""One camera as a native thing: pictures in, records and clips out, at the level that it is set to."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from diat.adapters.brokers.address import BrokerAddress
from diat.kernel.errors import NotFound
from diat.kernel.ids import random_id
from diat.nodes.native import NativeNode
from diat_gateway.cameras import levels, sources
from diat_gateway.cameras.agreement import WAITS, Agreement, Candidate
from diat_gateway.cameras.clipping import Clipping
from diat_gateway.cameras.description import CameraSetup, description
from diat_gateway.cameras.encoding import Packet
from diat_gateway.cameras.line import Outlet
from diat_gateway.cameras.portraits import Portraits
from diat_gateway.cameras.records import Homography, place_of, record
from diat_gateway.cameras.seeing.analysis import Seen
from diat_gateway.cameras.seeing.objects import Object
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.cameras.shelf import Full, Kept, Shelf

_LOG = logging.getLogger(__name__)

STEP = 0.5
"""Seconds between two reports of places on the ground."""

Upload = Callable[[str, "Kept", Any], None]
"""Brings the file (its path) to the platform under a ticket."""
Beside = Callable[[Candidate], None]
"""Takes what a camera tells the others of an object."""


class Camera:
    """One camera.

    Args:
        setup: how it is set up.
        address: the broker beside it, and as whom to come.
        shelf: where clips lie.
        upload: brings a clip to the platform; None if there is no way.
        video: (host, port) of whoever takes its video at ``low`` and ``middle``.
        memory: folder in which it keeps its credential and what it was told to do; None keeps nothing.
        more: how else it comes to the broker (``key``, ``ca``), as ``diat.json`` has it.
        beside: told of each candidate, for the cameras of the same gateway.
    """

    def __init__(
        self,
        setup: CameraSetup,
        address: BrokerAddress,
        shelf: Shelf,
        *,
        upload: Upload | None = None,
        video: tuple[str, int] | None = None,
        memory: Path | None = None,
        more: Mapping[str, Any] | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.setup = setup
        self._shelf, self._upload = shelf, upload
        self._beside = beside
        self._level: levels.Level = setup.level
        self._config: Any = None
        self._homography = _homography(setup)
        self._said: dict[str, Any] = {}
        self._agreement = Agreement()
        self._portraits = Portraits()
        self._deciding: deque[tuple[float, Candidate]] = deque()
        self._clipping = Clipping(setup.fps)
        self._ending = threading.Event()
        self._epoch = time.time()
        self._time = 0.0
        self._sent = 0
        self._moment, self._detected = -1, False
        self._video = video
        self._outlet: Outlet | None = None
        self._outlet_due = 0.0
        self._node = NativeNode(
            address,
            setup.name,
            description(setup),
            setters={"level": self._set_level},
            performers={"fetch": self._fetch, "keep": self._keep},
            configured=self._configured,
            memory=memory,
            config=more,
        )
        self._thread = threading.Thread(target=self._run, name=f"camera {setup.name}", daemon=True)

    @property
    def said(self) -> dict[str, Any]:
        """What it said last of itself."""
        return dict(self._said)

    @property
    def epoch(self) -> float:
        """Unix s of its source's time 0."""
        return self._epoch

    @property
    def time(self) -> float:
        """How far it has looked, s on the clock of its source."""
        return self._time

    def start(self) -> None:
        """Announce it and begin to look; returns at once."""
        self._said = {
            "stream": "starting",
            "sight": "unknown",
            "storage": "ready",
            "motion": False,
            "objects": 0,
        }
        self._said |= {"level": self._level, "sent": 0}
        self._node.start()
        self._node.report(self._said)
        self._thread.start()

    def stop(self) -> None:
        """Keep what was begun, and leave."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._node.stop()

    def wait(self, seconds: float) -> bool:
        """Whether its source ended within so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        source = sources.Source(
            self.setup.source, self.setup.fps, again=self.setup.again, paced=self.setup.paced
        )
        level, worker = self._level, self._worker(self._level)
        # Ticks while no picture comes, so that what waits for a decision gets one.
        for frame in sources.frames(source, lambda how: self._say(stream=how), self._pause):
            if level != self._level:
                self._send(worker.finish())
                level, worker = self._level, self._worker(self._level)
                self._say(level=level, sight="unknown" if level == "low" else "clear")
            self._send(worker.take(frame))
            self._time = frame.t
            self._decide()
        self._send(worker.finish())
        self._keep_clip()
        while self._deciding and not self._ending.wait(0.1):
            self._decide()
        self._decide(at_once=True)
        self._say(sent=self._sent)

    def _worker(self, level: levels.Level) -> levels.Low:
        if level == "low":
            return levels.Low(self.setup.fps)
        return levels.Middle(self.setup.fps, on_seen=self._saw)

    def _saw(self, frame: Frame | None, seen: Seen) -> None:
        self._say(sight=seen.impaired or "clear", motion=seen.alert, objects=len(seen.objects))
        if frame is not None:
            self._portraits.see(frame.image, seen.objects)
        self._detect(seen)
        for each in seen.over:
            self._over(each)

    def _detect(self, seen: Seen) -> None:
        """Places on the ground, twice a second while something is there, and once when it has gone."""
        if self._homography is None or self._level != "high" or seen.impaired is not None:
            return
        moment = round(seen.t / STEP)
        if moment == self._moment or not (seen.objects or self._detected):
            return
        self._moment, self._detected = moment, bool(seen.objects)
        there = [(no, place_of(box, self._homography)) for no, box in seen.objects[:32]]
        found = [{"id": no, "x": round(x, 2), "y": round(y, 2), "within": 1.0} for no, (x, y) in there]
        self._node.report({"detections": found}, t=round((self._epoch + seen.t) * 1000))

    def _over(self, each: Object) -> None:
        told = record(each, self._epoch, self._homography)
        picture = self._portraits.take(each.no)
        if self._level == "high":
            self._node.emit("object", told)
            if picture is not None:
                self._put("snapshot", each.first, each.last, picture)
        rank = max((box[2] * box[3]) ** 0.5 for _, box in each.path)
        candidate = Candidate(
            self.setup.name, each.no, told["from"], told["to"], round(float(rank), 1), told.get("ground", [])
        )
        self._node.emit("candidate", msgspec.to_builtins(candidate))
        if self._beside is not None:
            self._beside(candidate)
        self._deciding.append((time.monotonic() + WAITS, candidate))

    def _decide(self, *, at_once: bool = False) -> None:
        """Say of objects that all had time to tell of whether their video is kept here."""
        while self._deciding and (at_once or self._deciding[0][0] <= time.monotonic()):
            _, candidate = self._deciding.popleft()
            if self._agreement.keeps(candidate):
                self._clipping.wanted(candidate.start - self._epoch, candidate.end - self._epoch)
        for start, end, content in self._clipping.take(waiting=bool(self._deciding)):
            self._put("clip", start, end, content)

    def _send(self, out: list[levels.Out]) -> None:
        for piece in out:
            if not isinstance(piece, levels.Video):
                continue
            if piece.begins:
                self._keep_clip()
            if self._level != "low":
                self._clipping.add(piece.t, Packet(piece.data, piece.key))
            if self._level != "high":
                self._video_out(piece)
        if not out:
            self._keep_clip()

    def _keep_clip(self) -> None:
        self._clipping.cut()

    def _video_out(self, piece: levels.Video) -> None:
        """Video goes by its own line; while nobody takes it, it is not kept back."""
        if self._video is None:
            return
        try:
            if self._outlet is None:
                if time.monotonic() < self._outlet_due:
                    return
                self._outlet_due = time.monotonic() + 5.0
                self._outlet = Outlet(*self._video, patience=5.0)
            head: dict[str, Any] = {"c": self.setup.name, "t": round(piece.t, 3), "key": piece.key}
            if piece.begins:
                head["begins"] = piece.begins
            self._outlet.send(head, piece.data)
            self._sent += len(piece.data)
        except OSError:
            self._outlet = None

    def _put(self, kind: Any, start: float, end: float, content: bytes) -> None:
        first, last = (round((self._epoch + t) * 1000) for t in (start, end))
        try:
            kept = self._shelf.put(Kept(random_id(), self.setup.name, kind, first, last, 0), content)
        except Full as full:
            _LOG.warning("%s: %s", self.setup.name, full)
            self._say(storage="full")
            return
        self._say(storage="ready")
        self._node.emit("clip", {"id": kept.id, "kind": kind, "from": first, "to": last, "bytes": kept.bytes})

    def _say(self, **values: Any) -> None:
        changed = {name: value for name, value in values.items() if self._said.get(name) != value}
        if changed:
            self._said |= changed
            self._node.report(changed)

    def _set_level(self, value: Any) -> Any:
        if value not in levels.LEVELS:
            raise ValueError(f"level is one of {', '.join(levels.LEVELS)}")
        self._level = self._said["level"] = value
        return value

    def _configured(self, said: Mapping[str, Any]) -> None:
        """The platform pushes a level down, or takes it back; what was told once is not told again."""
        which = said.get("id")
        if which is not None and which == self._config:
            return
        level = said.get("level", self.setup.level)
        if level not in levels.LEVELS:
            raise ValueError(f"level is one of {', '.join(levels.LEVELS)}")
        self._config, self._level = which, level
        self._say(level=level)

    def _fetch(self, said: Any) -> Any:
        if self._upload is None:
            raise ValueError("this gateway does not know where the platform's REST is")
        try:
            kept, path = self._shelf.file(str(said["clip"]))
        except NotFound as gone:
            raise ValueError(str(gone)) from gone
        upload, ticket = self._upload, str(said["ticket"])
        threading.Thread(target=upload, args=(ticket, kept, path), name="upload", daemon=True).start()
        return {"bytes": kept.bytes}

    def _keep(self, said: Any) -> None:
        try:
            self._shelf.promise(str(said["clip"]))
        except NotFound as gone:
            raise ValueError(str(gone)) from gone

    def heard(self, candidate: Candidate) -> None:
        """Another camera tells what it saw."""
        if candidate.camera != self.setup.name:
            self._agreement.told(candidate)

    def _pause(self, seconds: float) -> bool:
        return self._ending.wait(seconds) if seconds > 0 else self._ending.is_set()


def _homography(setup: CameraSetup) -> Homography | None:
    if setup.homography is not None:
        return np.array(setup.homography)
    if not setup.area:
        return None
    points = np.array(setup.area)
    found, _ = cv2.findHomography(points[:, :2], points[:, 2:])
    return None if found is None else np.asarray(found)
