"""What policies of this daemon keep at gateways: they are told, and let it leave no more."""

from __future__ import annotations

from diat.security.decisions import Decisions
from diat.service.placement.proposing import ABOVE
from diat.vol.layer import VirtualObjectLayer
from diat.vol.targets import target_of

OFTEN = 60_000
"""Milliseconds until it is looked at again though nothing has changed but the time of day."""
Kept = dict[str, dict[str, list[str]]]
"""Gateway to names of its things, each with the properties and events that stay there."""


class Withholding:
    """Finds what is to stay at gateways; one thread at a time."""

    def __init__(self, things: VirtualObjectLayer, decisions: Decisions) -> None:
        """Nothing is found yet."""
        self._things = things
        self._decisions = decisions
        self._looked: tuple[int, int, int] | None = None
        self._found: Kept = {}

    def look(self, now: int) -> Kept:
        """What is to stay where, by now."""
        known = self._decisions.generation, self._things.notices.last
        if self._looked is None or self._looked[:2] != known or now - self._looked[2] >= OFTEN:
            self._looked = *known, now
            self._found = self._stays(now)
        return self._found

    def _stays(self, now: int) -> Kept:
        if self._decisions.everywhere(ABOVE, "send-up"):
            return {}
        found: Kept = {}
        for each in list(self._things.registry.objects.committed.values()):
            gateway = self._things.tiers.ties.committed.get(each.wire) if each.wire else None
            if gateway is None:
                continue
            names = [*each.properties, *(each.td.get("events") or {})]
            kept = [
                each.outward(one)
                for one in names
                if self._decisions.decide(ABOVE, "send-up", target_of(each, one), now).effect == "deny"
            ]
            if kept:
                found.setdefault(gateway, {})[each.wire] = sorted(kept)
        return found
