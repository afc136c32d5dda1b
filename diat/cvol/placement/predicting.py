"""What will travel over a line: the very frames that it would carry, made and measured.

Messages that come evenly are put into frames as the line does, and packed by the same code; so what is saved
by packing, and lost by small frames, is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from diat.vol.traffic import packet
from diat.wire import frame, topics
from diat.wire.envelope import encode

LINGER = 1.0
"""Seconds for which a line gathers what is not urgent."""
_ENOUGH = 400
"""Messages that are made at most."""
_START = 1_767_268_800_000


class Flow(Struct, frozen=True, kw_only=True):
    """Messages of one thing that come evenly.

    Attributes:
        name: of the thing in topics.
        values: what they say, one after another and then again from the first.
        hourly: how many in an hour.
        together: whether they come at even times, with others that come so often.
    """

    name: str
    values: Sequence[dict[str, Any]]
    hourly: float
    together: bool = False


class Predicted(Struct, frozen=True, kw_only=True):
    """In an hour: bytes of PUBLISH packets, messages in them, and bytes by the names of things."""

    bytes: float
    messages: float
    by: dict[str, float]


def predict(gateway: str, flows: Sequence[Flow], linger: float = LINGER) -> Predicted:
    """What these messages take on the line of a gateway."""
    flows = [each for each in flows if each.hourly > 0 and each.values]
    hourly = sum(each.hourly for each in flows)
    if not flows:
        return Predicted(bytes=0.0, messages=0.0, by={})
    span = _ENOUGH / hourly
    moments: list[tuple[float, int, int]] = []
    for at, flow in enumerate(flows):
        # Of what comes evenly, each by itself, one part of a period has passed when one begins to count.
        phase = 0.0 if flow.together else (at * 0.618034) % 1.0
        count = int(span * flow.hourly - phase) + 1
        moments += [((phase + number) / flow.hourly * 3600, at, number) for number in range(max(0, count))]
    total, made = 0.0, 0
    by: dict[str, float] = {}
    topic = topics.up(gateway)
    for group in _frames(sorted(moments), linger):
        entries = [frame.entry("", str(100_000 + made).encode())]
        sizes: list[tuple[str, int]] = []
        for moment, at, number in group:
            flow = flows[at]
            body = {
                "b": "0123456789ab",
                "n": 1000 + number,
                "t": _START + round(moment * 1000),
                "v": flow.values[number % len(flow.values)],
            }
            entries.append(frame.entry(topics.properties(flow.name), encode(body)))
            sizes.append((flow.name, len(entries[-1])))
            made += 1
        size = packet(topic, frame.pack(entries))
        total += size
        whole = sum(each for _, each in sizes)
        for name, each in sizes:
            by[name] = by.get(name, 0.0) + size * each / whole
    if not made:
        return Predicted(bytes=0.0, messages=0.0, by={})
    scale = hourly / made
    return Predicted(
        bytes=total * scale, messages=hourly, by={name: size * scale for name, size in by.items()}
    )


def _frames(moments: list[tuple[float, int, int]], linger: float) -> list[list[tuple[float, int, int]]]:
    """What goes together: what came within the time that the line gathers."""
    groups: list[list[tuple[float, int, int]]] = []
    until = -1.0
    for each in moments:
        if each[0] >= until or not groups:
            groups.append([])
            until = each[0] + linger
        groups[-1].append(each)
    return groups
