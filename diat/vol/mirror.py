"""Bare values on MQTT: what WoT clients read and observe there, whatever language the thing itself speaks.

Native things wrap their values, other dialects mix several into a message, composites have no topic at all.
So the newest value of each property is published, retained, on a topic of its own. That costs as little as
it may: at most ``RATE`` values a second over all things, each time the newest, oldest change first.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from diat.kernel.overlay import Overlay
from diat.vol.dialects.port import Outgoing
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.vol.twin import Twin
from diat.wire import topics
from diat.wire.envelope import encode

EVERY = 100
"""Milliseconds between two rounds."""
LOOKED_AT = 1_000
"""Things that are looked at in a round at most; most of them may have nothing to show."""
RATE = 300
"""Values published in a second at most; a thing's values of one moment are published together."""


class Mirror:
    """Publishes bare values; used by the writer alone. Commits with the ledger."""

    def __init__(
        self,
        registry: Registry,
        twins: Overlay[str, Twin],
        publish: Callable[[Outgoing], None],
        *,
        on: bool = True,
    ) -> None:
        self.on = on
        self._registry = registry
        self._twins = twins
        self._publish = publish
        self._waiting: dict[str, None] = {}
        self._taken: dict[str, None] = {}
        self._shown: dict[str, tuple[int, int]] = {}
        """Thing to its number and the position up to which its values are shown."""
        self._next = 0

    def note(self) -> None:
        """Things changed in the running batch."""
        if self.on:
            self._waiting.update(dict.fromkeys(self._twins.changes))
            self._waiting.update(dict.fromkeys(self._registry.objects.changes))

    def connected(self) -> None:
        """The broker is there anew, and may know nothing."""
        if self.on:
            self._shown = {}
            self._waiting.update(dict.fromkeys(self._registry.objects.committed))

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._next if self._waiting else None

    def tick(self, now: int) -> None:
        """Publish what changed, as much of it as may be."""
        if not self._waiting or now < self._next:
            return
        self._next = now + EVERY
        left = RATE * EVERY // 1000
        for thing in list(islice(self._waiting, LOOKED_AT)):
            del self._waiting[thing]
            self._taken[thing] = None
            left -= self._show(thing)
            if left <= 0:
                return

    def commit(self) -> None:
        """It is durable, and sent."""
        if self._taken:
            self._taken = {}

    def rollback(self) -> None:
        """It was not sent: again."""
        for thing in self._taken:
            self._shown.pop(thing, None)
        self._waiting = {**self._taken, **self._waiting}
        self._taken = {}

    def _show(self, thing: str) -> int:
        each, twin = self._registry.seen(thing), self._twins.get(thing)
        if each is None or not each.taking_part:
            return self._clear(thing, twin)
        if twin is None:
            return 0
        _, position = self._shown.get(thing, (0, 0))
        news = {
            name: reading.value
            for name, reading in twin.values.items()
            if reading.position > position and mirrored(each, name)
        }
        newest = max((reading.position for reading in twin.values.values()), default=0)
        self._shown[thing] = (each.record.no, max(newest, position))
        for name, value in news.items():
            self._say(each.record.no, name, encode(value))
        return len(news)

    def _clear(self, thing: str, twin: Twin | None) -> int:
        """Take back what was published of a thing that is no more."""
        number, _ = self._shown.pop(thing, (0, 0))
        names = list(twin.values) if number and twin is not None else []
        for name in names:
            self._say(number, name, b"")
        return len(names)

    def _say(self, number: int, name: str, payload: bytes) -> None:
        self._publish(Outgoing(topics.value(str(number), name), payload, qos=0, retain=True))


def mirrored(each: VirtualObject, name: str) -> bool:
    """Whether the values of a property are published."""
    prop: Any = each.properties.get(name)
    return prop is not None and prop.readable and name not in each.description.unreached
