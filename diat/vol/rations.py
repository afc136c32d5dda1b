"""How much one credential may send: past it messages are dropped, and who goes on is cut off for a while.

A flood is known by the first batch that it fills, so that what waits behind it is little.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from diat.wire import topics

THING_RATE, THING_BURST = 50.0, 500.0
"""Messages a second in the long run, and in one go: of a thing."""
BRIDGE_RATE, BRIDGE_BURST = 2_000.0, 20_000.0
"""The same of a bridge or gateway, which speaks for many."""
HELD_OUT = 10_000
"""Milliseconds for which who floods is kept out."""
MOST = 50_000
"""Topics whose owner is remembered."""


class Bucket(Struct):
    """What a credential may still send just now.

    Attributes:
        left: messages.
        at: when that was so, Unix milliseconds.
        excess: messages dropped since it last kept within its rate.
        until: when it may come in again, Unix milliseconds.
        dropped: messages dropped ever.
    """

    left: float
    at: int
    excess: int = 0
    until: int = 0
    dropped: int = 0


class Rations:
    """Counts what each credential sends; used by the writer alone, but ``held_out``."""

    def __init__(self, owner: Callable[[str], str], speaks_for_many: Callable[[str], bool]) -> None:
        """Rations that nobody has used yet.

        Args:
            owner: whose credential may publish on a topic; ``""`` for nobody's.
            speaks_for_many: whether a credential is that of a bridge or gateway.
        """
        self._owner = owner
        self._speaks_for_many = speaks_for_many
        self._owners: dict[str, str] = {}
        self._buckets: dict[str, Bucket] = {}
        self.on_flood: Callable[[str, int], None] = _nobody

    def take(self, topic: str, now: int) -> bool:
        """Whether a message on a topic is to be taken; now in Unix milliseconds."""
        owner = self._owners.get(topic)
        if owner is None:
            owner = self._whose(topic)
        if not owner:
            return True
        bucket = self._buckets.get(owner)
        many = self._speaks_for_many(owner)
        rate, burst = (BRIDGE_RATE, BRIDGE_BURST) if many else (THING_RATE, THING_BURST)
        if bucket is None:
            bucket = self._buckets[owner] = Bucket(burst, now)
        elif now > bucket.at:
            bucket.left = min(burst, bucket.left + (now - bucket.at) * rate / 1000)
            bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            if bucket.left > burst / 2:
                bucket.excess = 0
            return True
        bucket.dropped += 1
        bucket.excess += 1
        if bucket.excess > burst and now >= bucket.until:
            bucket.until, bucket.excess = now + HELD_OUT, 0
            self.on_flood(owner, now)
        return False

    def held_out(self, name: str, now: int) -> bool:
        """Whether a credential has flooded just now; any thread may ask."""
        bucket = self._buckets.get(name)
        return bucket is not None and now < bucket.until

    def _whose(self, topic: str) -> str:
        if topic.startswith("diat/"):
            native = topics.from_thing(topic)
            owner = native[0] if native is not None else ""
        else:
            owner = self._owner(topic)
        if len(self._owners) >= MOST:
            self._owners.clear()
        self._owners[topic] = owner
        return owner


def _nobody(name: str, now: int) -> None:
    """Stands in until somebody cuts off who floods."""
