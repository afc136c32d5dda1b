"""The layers as one, as the writer sees them: what comes first within a batch, and when they are next due."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from diat.cvol.execution import CompositeLayer
from diat.kernel.clock import Clock
from diat.service.situations import SituationLayer
from diat.vol.interaction import Command
from diat.vol.layer import VirtualObjectLayer
from diat.vol.rollouts import Rollouts
from diat.wire.envelope import Message

T = TypeVar("T")
SET_BACK = 2_000
"""Milliseconds by which the clock has to go back to count as having been set."""


class Layers:
    """The layers as the writer sees them (``diat.kernel.writer.Handler``)."""

    def __init__(
        self,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
        situations: SituationLayer,
        rollouts: Rollouts,
    ) -> None:
        self._things = things
        self._composites = composites
        self._situations = situations
        self._rollouts = rollouts
        self._clock = clock
        self._ticked = 0
        self._take = things.ingest.message
        self.quarantine = things.ingest.quarantine
        self.finish = things.ingest.finish

    def message(self, message: Message) -> None:
        """Take a message; timers that were due before it go first, situations that it brings about follow.

        So what composites decide depends on the order of times alone, not on how batches fell, and a replay
        of what was stored decides the same.
        """
        due = self._composites.due()
        if due is not None and due <= message.received:
            self._composites.tick(message.received)
        self._situate(message.received)
        if message.received < self._ticked:
            # It came while timers of a later time ran: it counts as having come after them.
            message = msgspec.structs.replace(message, received=self._ticked)
        self._take(message)
        self._situate(message.received)

    def change(self, change: Callable[[], T]) -> T:
        """Make a change from outside; timers that were due before it go first."""
        now = self._clock()
        due = self._composites.due()
        if due is not None and due <= now:
            self._ticked = max(self._ticked, now)
            self._composites.tick(now)
        self._situate(now)
        result = change()
        self._situate(now)
        # Whatever it was: it may have taken ingest positions, and those are never given out twice.
        self._things.ingest.finish(now)
        return result

    def receipt(self, reference: str) -> None:
        """The broker has this command."""
        self._things.interaction.receipt(reference, self._clock())

    def connected(self) -> None:
        """Send what was not sent."""
        self._things.interaction.connected(self._clock())
        self._things.birth.connected(self._things.interaction.publish)
        self._things.mirror.connected()
        self._things.pushdown.connected()

    def drain(self) -> list[Command]:
        """Hand over what is to be sent after the commit."""
        return self._things.drain()

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        if self._clock() < self._ticked - SET_BACK:
            return 0
        dues = (self._things.due(), self._composites.due(), self._situations.due(), self._rollouts.due())
        return min(each for each in dues if each is not None)

    def tick(self, now: int) -> None:
        """Do what is due by now."""
        if now < self._ticked - SET_BACK:
            self._ticked = now
            self._things.set_back(now)
            self._composites.set_back(now)
        self._ticked = max(self._ticked, now)
        self._composites.tick(now)
        self._things.tick(now)
        self._rollouts.tick(now)
        self._situate(now)
        self._things.ingest.finish(now)

    def _situate(self, now: int) -> None:
        """Let situations act that have come about, or have passed, by now."""
        due = self._situations.due()
        if due is not None and due <= now:
            self._situations.tick(now)
