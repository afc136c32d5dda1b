"""How many readings things have kept to themselves, by the rate at which they came before."""

from __future__ import annotations

from msgspec import Struct

ENOUGH = 5
"""Readings after which it is known how often they come."""
Key = tuple[str, str]


class _Known(Struct):
    """Of a property.

    Attributes:
        begun: when it was first looked at, or began to say everything again; Unix milliseconds.
        heard: readings by then.
        since: since when it keeps some to itself; None if it does not.
        rate: readings in a millisecond when it did not; 0 if that is not known.
        unsaid: readings that it kept to itself before.
    """

    begun: int
    heard: int
    since: int | None = None
    rate: float = 0.0
    unsaid: float = 0.0


class Unsaid:
    """Reckons what was not said since the start; used by one thread at a time."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[Key, _Known] = {}

    def of(self, key: Key, heard: int, now: int, *, obeys: bool) -> int:
        """Readings of a property that were not said.

        Args:
            key: which property.
            heard: readings of it that were, since the start.
            now: Unix milliseconds.
            obeys: whether its thing keeps to itself what nobody needs.
        """
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(now, heard)
        if obeys and known.since is None:
            came, lasted = heard - known.heard, now - known.begun
            known.rate = came / lasted if came >= ENOUGH and lasted > 0 else known.rate
            known.since, known.begun, known.heard = now, now, heard
        unsaid = known.unsaid
        if known.since is not None:
            unsaid += max(0.0, known.rate * (now - known.since) - (heard - known.heard))
        if not obeys and known.since is not None:
            known.since, known.begun, known.heard, known.unsaid = None, now, heard, unsaid
        return round(unsaid)
