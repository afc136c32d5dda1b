"""Runs one level over one clip, with all that leaves it on real sockets; what is scored is what arrived."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from diat_gateway.cameras import levels, score
from diat_gateway.cameras.ear import Ear
from diat_gateway.cameras.encoding import Decoder
from diat_gateway.cameras.line import Inlet, Outlet
from diat_gateway.cameras.relay import Relay
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.cameras.truth import Spot

from benchmarks.brokers import own_broker
from benchmarks.cameras.baseline import errors
from diat.adapters.brokers.address import BrokerAddress
from diat.nodes.native import NativeNode


@dataclass
class Arrived:
    """What came out at the other end, and what it cost.

    Attributes:
        bytes: on the sockets, both ways, everything counted.
        records: of objects.
        pictures: how many best pictures.
        runs: from, to (s) of video.
        psnr: inside objects, dB.
        gaps: pictures between whole ones within runs.
        cpu: s of the level itself.
        impaired: pictures at which the camera said that it could not see, by reason.
    """

    bytes: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    pictures: int = 0
    runs: list[tuple[float, float]] = field(default_factory=list)
    psnr: float = float("nan")
    gaps: list[int] = field(default_factory=list)
    cpu: float = 0.0
    impaired: dict[str, int] = field(default_factory=dict)


class Post:
    """A broker, and a camera's connections to it and to whoever takes its pictures, all through relays."""

    def __init__(self, port: int) -> None:
        self.port = port

    def records(self, level: levels.High, frames: Sequence[Frame]) -> Arrived:
        """The records and pictures of a clip, as they arrived."""
        arrived = Arrived()
        came = threading.Event()

        def take(_name: str, told: Any) -> None:
            if "end" in told:
                came.set()
            else:
                arrived.records.append(told)

        def picture(_head: dict[str, Any], _body: bytes) -> None:
            arrived.pictures += 1

        name = f"camera-{time.monotonic_ns()}"
        sink = Ear(BrokerAddress("127.0.0.1", self.port), f"sink-{name}", [f"diat/{name}/events/+"], take)
        sink.open()
        with Relay(self.port) as mqtt, Inlet(picture) as inlet, Relay(inlet.port) as http:
            camera = NativeNode(
                BrokerAddress("127.0.0.1", mqtt.port), name, {"title": "Camera", "events": {"object": {}}}
            )
            camera.start()
            outlet = Outlet("127.0.0.1", http.port)
            if not (sink.wait(20) and camera.wait_connected(20)):
                raise TimeoutError("no broker")
            for frame in [*frames, None]:
                began = time.process_time()
                out = level.take(frame) if frame is not None else level.finish()
                arrived.cpu += time.process_time() - began
                _note(arrived, level.impaired)
                for told in out:
                    if isinstance(told, levels.Told):
                        camera.emit("object", told.record)
                        if told.picture is not None:
                            outlet.send({"no": told.record["no"]}, told.picture)
            camera.emit("object", {"end": True})
            camera.drain(20)
            if not came.wait(20):
                raise TimeoutError("records did not arrive")
            outlet.close()
            inlet.wait(1, 20)
            camera.stop()
            arrived.bytes = mqtt.bytes + http.bytes
        sink.close()
        return arrived


def video(
    level: levels.Low, frames: Sequence[Frame], fps: float, spots: Mapping[int, Sequence[Spot]]
) -> Arrived:
    """The video of a clip as it arrived, decoded and looked at."""
    arrived, runs = Arrived(), list[list[tuple[float, bytes, bool]]]()

    def take(head: dict[str, Any], body: bytes) -> None:
        if "begins" in head:
            runs.append([])
        runs[-1].append((head["t"], body, head["key"]))

    with Inlet(take) as inlet, Relay(inlet.port) as relay:
        outlet = Outlet("127.0.0.1", relay.port)
        for frame in [*frames, None]:
            began = time.process_time()
            out = level.take(frame) if frame is not None else level.finish()
            arrived.cpu += time.process_time() - began
            _note(arrived, level.impaired)
            for piece in out:
                if isinstance(piece, levels.Video):
                    head: dict[str, Any] = {"t": round(piece.t, 3), "key": piece.key}
                    if piece.begins:
                        head["begins"] = piece.begins
                    outlet.send(head, piece.data)
        outlet.close()
        inlet.wait(1, 30)
        arrived.bytes = relay.bytes
    by_time = {round(frame.t, 3): frame for frame in frames}
    wrong: list[float] = []
    for run in runs:
        times = [t for t, _, _ in run]
        arrived.runs.append((times[0], times[-1] + 1 / fps))
        keys = [i for i, (_, _, key) in enumerate(run) if key]
        arrived.gaps += np.diff(keys).tolist()
        decoder = Decoder()
        images = [i for _, data, _ in run for i in decoder.decode(data)] + list(decoder.finish())
        for t, image in zip(times, images, strict=False):
            frame = by_time[t]
            wrong += errors(image, frame, spots.get(frame.number, ()))
    arrived.psnr = score.psnr(wrong)
    return arrived


def _note(arrived: Arrived, reason: str | None) -> None:
    if reason is not None:
        arrived.impaired[reason] = arrived.impaired.get(reason, 0) + 1


@contextmanager
def post() -> Iterator[Post]:
    """A real broker of our own, as ``diat up`` has one, and a post on it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="diat-bench-") as directory:
        broker = own_broker("embedded", Path(directory), port)
        broker.start()
        try:
            yield Post(port)
        finally:
            broker.stop()
