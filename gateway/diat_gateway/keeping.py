"""What policies keep at this gateway: the daemon above is told, so that it runs here what reads that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diat.kernel.clock import Clock
from diat.security.decisions import Decisions
from diat.security.principal import Principal
from diat.vol.layer import VirtualObjectLayer
from diat.vol.targets import target_of
from diat.wire import frame
from diat.wire.envelope import encode
from diat_gateway.uplink import Uplink

Keeps = dict[str, dict[str, str]]
"""Name of a thing to its properties and events that stay, each with the gateway that it may not leave."""
OFTEN = 60_000
"""Milliseconds until it is looked at again though nothing has changed but the time of day."""


class Keeping:
    """Finds what may not leave, and says so when it changes.

    Args:
        uplink: by which it is said.
        things: what there is.
        decisions: who decides.
        above: the daemon above, as policies know it.
        submit: runs a change in the writer.
        clock: answers with the time.
    """

    def __init__(
        self,
        uplink: Uplink,
        things: VirtualObjectLayer,
        decisions: Decisions,
        above: Principal,
        submit: Callable[[Callable[[], Any]], object],
        clock: Clock,
    ) -> None:
        self._uplink = uplink
        self._things = things
        self._decisions = decisions
        self._above = above
        self._submit = submit
        self._clock = clock
        self._said: Keeps | None = None
        self._looked: tuple[int, int, int] | None = None

    def again(self) -> None:
        """The daemon above may not know it."""
        self._said = self._looked = None

    def look(self) -> None:
        """Say what stays, if that is news; one thread at a time."""
        now = self._clock()
        known = self._decisions.generation, self._things.notices.last
        if self._looked is not None and self._looked[:2] == known and now - self._looked[2] < OFTEN:
            return
        self._looked = *known, now
        stays = self.stays(now)
        if stays != self._said:
            topic, body = frame.keeps(self._uplink.name), encode(stays)
            self._submit(lambda: self._uplink.say(topic, body, urgent=True))
            self._said = stays

    def stays(self, now: int) -> Keeps:
        """What may not leave, by now."""
        if self._decisions.everywhere(self._above, "send-up"):
            return {}
        found: Keeps = {}
        objects = self._things.registry.objects.committed
        for name, passed in list(self._uplink.passed.committed.items()):
            each = objects.get(passed.thing)
            if each is None or not passed.td:
                continue
            names = [*each.properties, *(each.td.get("events") or {})]
            kept = [
                one
                for one in names
                if self._decisions.decide(self._above, "send-up", target_of(each, one), now).effect == "deny"
            ]
            if kept:
                found[name] = dict.fromkeys(sorted(kept), self._uplink.name)
        return found
