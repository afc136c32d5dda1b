"""What cameras cost, learnt from scenes with less and more in them; no processes, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from diat_gateway.cameras import levels
from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.vehicles.ground import calibrate
from diat_gateway.vehicles.observer import description
from diat_gateway.vehicles.setup import Setup

from benchmarks.vehicles import junction, offline
from benchmarks.vehicles.model import Camera
from diat.vol.traffic import packet
from diat.wire import frame, topics
from diat.wire.envelope import encode

EVENTS = (0, 2, 5, 9)
SECONDS = 15.0
_PACKET = 7
"""Bytes that MQTT puts before topic and payload, with the packet's number."""
_GREETING = 250
"""Bytes of MQTT's CONNECT and of what a native thing asks for and says when it comes."""


@dataclass(frozen=True)
class Sample:
    """The cameras of one aggregator over one scene; bytes a second are of one of them.

    Attributes:
        duty: share of the pictures that a middle one sends.
        low: bytes/s; ``middle`` and ``high`` too.
        told: what the high ones tell.
    """

    duty: float
    low: float
    middle: float
    high: float
    told: list[offline.Told]


def samples(seed: int, width: int) -> list[Sample]:
    """Of scenes with less and more in them, the emptiest first."""
    found = [_sample(junction.scene(seed + events, SECONDS, events, width)) for events in EVENTS]
    return sorted(found, key=lambda each: each.duty)


def learnt(found: Sequence[Sample], setup: Setup) -> Camera:
    """What cameras cost, by these samples."""
    duty = np.array([each.duty for each in found])
    moving, idle = np.polyfit(duty, np.array([each.low for each in found]), 1)
    records = _Messages("records", [each.told for each in found])
    maps = _Messages("vehicles", [_mapped(each.told) for each in found])
    thing = encode(description(setup.place, "Camera north", levels=True))
    return Camera(
        idle=float(idle),
        moving=float(moving),
        gated=sum(each.middle for each in found) / max(1e-9, float(duty.sum())),
        head=records.head,
        each=records.each,
        packed=records.packed,
        map_head=maps.head,
        map_each=maps.each,
        map_packed=maps.packed,
        map_more=maps.listed / max(1e-9, records.listed),
        once=len(thing) + _GREETING,
    )


class _Messages:
    """What is told over some scenes, as messages.

    Attributes:
        head: bytes of one without what is listed; ``each``: of one entry of the list.
        listed: entries in a message.
        packed: share of them that a line carries, which puts those of a second into one frame.
    """

    def __init__(self, name: str, scenes: Sequence[Sequence[offline.Told]]) -> None:
        whole = [each for told in scenes for each in told]
        entries = sum(len(value) for _, _, value in whole)
        lists = sum(len(encode(value)) - 2 for _, _, value in whole)
        plain = sum(_PACKET + len(topic) + len(body) for topic, body in map(self._message(name), whole))
        self.head = (plain - lists) / max(1, len(whole))
        self.each = lists / max(1, entries)
        self.listed = entries / max(1, len(whole))
        carried = 0
        for told in scenes:
            for _, second in groupby(told, key=lambda each: each[0] // 1000):
                body = frame.frame([("", b"1000"), *map(self._message(name), second)])
                carried += packet(topics.up("rsu"), body)
        self.packed = carried / max(1, plain)

    @staticmethod
    def _message(name: str) -> Callable[[offline.Told], tuple[str, bytes]]:
        def made(told: offline.Told) -> tuple[str, bytes]:
            at, thing, value = told
            said = {"b": 3405691582, "n": at // 200 % 100_000, "t": at, "v": {name: value}}
            return topics.properties(thing), encode(said)

        return made


def _mapped(told: Sequence[offline.Told]) -> list[offline.Told]:
    return [(at, "composite-0190f2a1c5e87d3b", value) for at, value in offline.maps(told)]


def _sample(filmed: Scene) -> Sample:
    """The cameras of the first aggregator."""
    names, chance = next(iter(junction.AGGREGATORS.values())), np.random.default_rng(1)
    sent, told, pieces, taken = {"low": 0, "middle": 0}, [], 0, 0
    for number, name in enumerate(junction.NAMES):
        if name not in names:
            continue
        frames = list(filmed.frames(number))
        taken += len(frames)
        for level in ("low", "middle"):
            worker = levels.make(level, filmed.fps)
            out = [piece for each in frames for piece in worker.take(each)] + worker.finish()
            video = [piece for piece in out if isinstance(piece, levels.Video)]
            sent[level] += sum(len(piece.data) for piece in video)
            pieces += len(video) if level == "middle" else 0
        ground = calibrate(junction.fitting(filmed.cameras[number], chance))
        told += offline.seen("high", frames, name, ground, filmed.fps, 0.2)
    told.sort(key=lambda each: each[:2])
    high = sum(_PACKET + len(topics.properties(name)) + 60 + len(encode(value)) for _, name, value in told)
    total = len(names) * filmed.seconds
    return Sample(pieces / taken, sent["low"] / total, sent["middle"] / total, high / total, told)
