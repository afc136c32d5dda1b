"""The topic grammar of native things; docs/reference/topics.md says it for people.

Subscribing with one filter keeps the broker's order, so topics are told apart here and not by subscriptions.
"""

from __future__ import annotations

import re
from urllib.parse import quote

TD_PREFIX = "wot/td/"
CLOCK = "diat/clock"
SHOWN = "diat/things/"
"""How the topics begin on which the platform shows bare values."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What ``{thing}`` may be."""

NATIVE_LIMIT = 64 * 1024
"""Bytes of a native message at most."""
ANNOUNCEMENT_LIMIT = 8 * 1024 * 1024
"""Bytes of an announcement at most."""

_FROM_THING = re.compile(r"diat/([A-Za-z0-9_-]{1,64})/(?:(status|properties|results|up)|events/([^/#+]+))")
_NAMED = re.compile(r"(?:diat/([A-Za-z0-9_-]{1,64})/|wot/td/([A-Za-z0-9_-]{1,64})$)")
_OURS = frozenset({"things", "clock"})
"""What stands where a thing's name would in topics that are nobody's."""


def is_name(text: str) -> bool:
    """Whether the text may stand for ``{thing}`` in a topic."""
    return NAME.fullmatch(text) is not None


def announcement(thing: str) -> str:
    """Where a thing puts its Thing Description."""
    return TD_PREFIX + thing


def admission(thing: str) -> str:
    """Where the platform answers an announcement."""
    return f"diat/{thing}/admission"


def credential(thing: str) -> str:
    """Where the platform gives a thing its credential."""
    return f"diat/{thing}/credential"


def status(thing: str) -> str:
    """Where a thing, or its last will, says whether it is there."""
    return f"diat/{thing}/status"


def properties(thing: str) -> str:
    """Where a thing reports values of its properties."""
    return f"diat/{thing}/properties"


def event(thing: str, name: str) -> str:
    """Where a thing tells of an event."""
    return f"diat/{thing}/events/{name}"


def results(thing: str) -> str:
    """Where a thing answers commands."""
    return f"diat/{thing}/results"


def setting(thing: str) -> str:
    """Where the platform sets properties."""
    return f"diat/{thing}/set"


def action(thing: str, name: str) -> str:
    """Where the platform invokes an action."""
    return f"diat/{thing}/actions/{name}"


def config(thing: str) -> str:
    """Where the platform pushes steps down to a thing."""
    return f"diat/{thing}/config"


def up(gateway: str) -> str:
    """Where a gateway passes on what its things say, in frames (``diat.wire.frame``)."""
    return f"diat/{gateway}/up"


def down(gateway: str) -> str:
    """Where a gateway is given, in frames, what its things are told, and its parts of services."""
    return f"diat/{gateway}/down"


def parts(gateway: str, service: str) -> str:
    """What a gateway is told of its part of a service, and answers; travels in frames only."""
    return f"diat/{gateway}/parts/{service}"


def value(thing: str, name: str) -> str:
    """Where the platform shows the bare value of a property; ``thing`` is here the number of the thing."""
    # A character that means something in topics, or that a broker cannot carry, is written as in an address.
    return f"{SHOWN}{thing}/properties/{quote(name, safe='{}')}"


def from_thing(topic: str) -> tuple[str, str] | None:
    """``(thing, channel)`` if a native thing speaks on this topic, else None.

    The channel is ``status``, ``properties``, ``results``, ``events/{event}`` or, of a gateway, ``up``.
    """
    match = _FROM_THING.fullmatch(topic)
    if match is None:
        return None
    thing, channel, name = match.groups()
    return thing, channel or f"events/{name}"


def named(topic: str) -> str | None:
    """The name of the thing whose topic it is, whoever speaks on it; None if it is no thing's."""
    match = _NAMED.match(topic)
    name = (match[1] or match[2]) if match is not None else None
    return None if name in _OURS else name
