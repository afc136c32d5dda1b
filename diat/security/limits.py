"""How much one may ask: so many requests a second, so many at once, so many streams; each for itself."""

from __future__ import annotations

from collections import Counter, OrderedDict

from msgspec import Struct

MOST = 10_000
"""Who is remembered at most; who is forgotten begins with a full bucket."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one principal may ask at most.

    Attributes:
        rate: requests a second in the long run.
        burst: requests in one go.
        at_once: requests that are being answered, streams not counted.
        streams: streams that are being read.
    """

    rate: float = 200.0
    burst: float = 400.0
    at_once: int = 32
    streams: int = 64


class Buckets:
    """A bucket of requests for each principal, filled at a rate; used in one thread."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, who: str, now: float) -> float:
        """Take a request out; seconds until there is one if the bucket is empty, else 0.

        Args:
            who: whose bucket.
            now: seconds of a clock that never goes back.
        """
        left, at = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        taken = left >= 1
        self._left[who] = (left - 1 if taken else left, now)
        while len(self._left) > MOST:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate


class AtOnce:
    """How many of something each principal has going on; used in one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._going: Counter[str] = Counter()

    def begin(self, who: str) -> bool:
        """Count one more; False, and not counted, if there are as many as there may be."""
        if self._going[who] >= self._most:
            return False
        self._going[who] += 1
        return True

    def end(self, who: str) -> None:
        """One of them is over."""
        self._going[who] -= 1
        if not self._going[who]:
            del self._going[who]
