"""What travels over the line between two tiers: bytes and messages, by thing and by affordance."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Struct

from diat.wire import topics
from diat.wire.envelope import Report

Key = tuple[str, str]
"""Name of a thing in topics, ``""`` for the line itself; and of an affordance, ``""`` for the whole thing."""
_REPORTS = msgspec.json.Decoder(Report | list[Report])
_LINE: Key = ("", "")


class Flow(Struct):
    """So much travelled.

    Attributes:
        bytes: of PUBLISH packets, shared out over what is in them.
        messages: how many.
    """

    bytes: float = 0.0
    messages: int = 0

    def add(self, size: float, messages: int = 1) -> None:
        """So much more."""
        self.bytes += size
        self.messages += messages


class Traffic(Struct):
    """What travelled over a line; written by the writer alone.

    Attributes:
        up: towards the core, as a whole.
        down: away from it.
        ups: the same since this daemon started, by thing and affordance.
        downs: likewise.
        untold: what was heard below and did not travel, since that gateway started: as many bytes as it would
            have been.
    """

    up: Flow
    down: Flow
    ups: dict[Key, Flow]
    downs: dict[Key, Flow]
    untold: dict[Key, Flow]


def traffic(up: tuple[float, int] = (0.0, 0), down: tuple[float, int] = (0.0, 0)) -> Traffic:
    """So many bytes and messages travelled before this daemon started."""
    return Traffic(Flow(*up), Flow(*down), {}, {}, {})


def packet(topic: str, payload: bytes, qos: int = 1) -> int:
    """Bytes of an MQTT PUBLISH packet (MQTT 3.1.1, 3.3)."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + len(payload)
    lengths = 1
    while rest >= 128**lengths:
        lengths += 1
    return 1 + lengths + rest


def share(total: Flow, by: dict[Key, Flow], size: int, entries: Iterable[tuple[str, bytes, int]]) -> None:
    """Count a packet of so many bytes, and share it out over its messages (topic, payload, size each)."""
    entries = list(entries)
    whole = sum(each for _, _, each in entries) or 1
    total.add(size, len(entries))
    for topic, payload, part in entries:
        keys = about(topic, payload)
        for key in keys:
            flow = by.get(key)
            if flow is None:
                flow = by[key] = Flow()
            flow.add(size * part / whole / len(keys))


def about(topic: str, payload: bytes) -> list[Key]:
    """What a message is about."""
    name = topics.named(topic)
    if name is None:
        return [_LINE]
    channel = topic.removeprefix(f"diat/{name}/")
    if channel == "properties":
        try:
            said = _REPORTS.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [(name, "")]
        reports = said if isinstance(said, list) else [said]
        found = [(name, each) for one in reports if one.v is not UNSET for each in one.v]
        return list(dict.fromkeys(found)) or [(name, "")]
    if channel.startswith("events/"):
        return [(name, channel.removeprefix("events/"))]
    return [(name, "")]
