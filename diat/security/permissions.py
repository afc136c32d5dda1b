"""Which topics a credential may use, derived from what a thing is; as MQTT filters.

Everything that is not allowed is refused. What is allowed never has a wildcard where another's name could
stand, so no filter, however it is written, reaches what is another's.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from diat.wire import topics

RESERVED = ("$", "diat/", "wot/", "homeassistant/status")
"""How topics begin that no description of a foreign thing, and no scope of a bridge, may ask for."""


class Permissions(Struct, frozen=True):
    """What may be published and what subscribed to.

    Attributes:
        publish: MQTT filters; a message's topic has to match one.
        subscribe: MQTT filters; what is subscribed to has to lie within one.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()

    def may_publish(self, topic: str) -> bool:
        """Whether a message may be sent on a topic."""
        return any(covers(each, topic) for each in self.publish) and not {"+", "#"} & set(topic)

    def may_subscribe(self, asked: str) -> bool:
        """Whether all that a filter matches may be read."""
        return any(covers(each, asked) for each in self.subscribe)


def of_native(thing: str) -> Permissions:
    """A thing's own topics, as the table of topics has them."""
    return Permissions(
        publish=(
            topics.announcement(thing),
            topics.status(thing),
            topics.properties(thing),
            topics.results(thing),
            topics.event(thing, "+"),
        ),
        subscribe=(f"diat/{thing}/#", topics.CLOCK),
    )


def of_gateway(name: str) -> Permissions:
    """What a gateway may besides: pass on what its things say."""
    return Permissions(publish=(topics.up(name),))


def of_joining(thing: str) -> Permissions:
    """What a thing may that has no credential yet: announce itself, and hear the answer."""
    return Permissions(
        publish=(topics.announcement(thing), topics.status(thing)),
        subscribe=(topics.admission(thing), topics.credential(thing)),
    )


def together(*parts: Permissions) -> Permissions:
    """All that any of them allows."""
    return Permissions(
        publish=tuple(dict.fromkeys(each for part in parts for each in part.publish)),
        subscribe=tuple(dict.fromkeys(each for part in parts for each in part.subscribe)),
    )


def plain(topic: str) -> bool:
    """Whether a topic may be given to a foreign thing: one topic, of nobody's but the thing's choosing."""
    return bool(topic) and not ({"+", "#"} & set(topic)) and not topic.startswith(RESERVED)


def covers(allowed: str, asked: str) -> bool:
    """Whether everything that ``asked`` matches, ``allowed`` matches too; both are topics or filters."""
    if asked.startswith("$") != allowed.startswith("$"):
        return False
    have, want = allowed.split("/"), asked.split("/")
    for at, level in enumerate(have):
        if level == "#":
            return True
        if at == len(want) or want[at] == "#" or level not in ("+", want[at]):
            return False
    return len(have) == len(want)


def overlap(one: str, other: str) -> bool:
    """Whether there is a topic that both filters match."""
    left, right = one.split("/"), other.split("/")
    for at in range(max(len(left), len(right))):
        if "#" in (left[at : at + 1] + right[at : at + 1]):
            return True
        if at >= len(left) or at >= len(right):
            # a/# matches a itself as well.
            rest = (left if at < len(left) else right)[at:]
            return rest == ["#"]
        if left[at] != right[at] and "+" not in (left[at], right[at]):
            return False
    return True


def meeting(one: Iterable[str], others: Iterable[str]) -> tuple[str, str] | None:
    """The first two filters, one of each, that overlap; None if none do."""
    known = tuple(others)
    return next(((each, other) for each in one for other in known if overlap(each, other)), None)
