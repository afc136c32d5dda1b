"""The journal: the order in which everything came, and what composites decide on besides readings and events.

Each thing that comes has an ingest position. Readings and events are rows of their own; what else a decision
rests on is noted among the events, under names that no thing can have (``noted:…``): that a thing came, went,
was described anew or changed its status, who claims an actuator, and the moments at which composites were
looked at for no reading. So what a composite did can be done again from what is stored.

What is noted of no thing in particular is noted of number 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from diat.kernel.overlay import Ledger, Log, Overlay
from diat.vol.arbitration import Actuator
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading
from diat.wire.envelope import encode

RESERVED = "noted:"
"""How the names of what is noted begin; an event of a thing is not called so."""
STATUS = "noted:status"
"""A thing's status turned: the status."""
KNOWN = "noted:known"
"""A thing's twin learned values that are no rows of history: property to reading."""
DESCRIBED = "noted:described"
"""A thing came, went or was described anew: ``{"before": what it was}``, null if it was not there."""
CLAIMS = "noted:claims"
"""Others' or own claims on an actuator changed: ``{"actuator", "claims", "by", "within"}``."""
COMPOSED = "noted:composed"
"""A composite was put to work, changed or ended: ``{"id", "title", "template", "parameters", "paused"}``."""
STARTED = "noted:started"
"""The platform started: ``{"wakes", "claims"}``: when each composite had wanted to be woken next, and when
the first claim would have ended. What was due before was done in time, all else had to wait for the start."""
LOOKED = "noted:looked"
"""Composites were bound anew to what had changed until then."""
LATE = "noted:late"
"""Timers were looked at so late that they were no longer held to have come in time."""

NOBODY = 0
"""Number of what is noted of no thing."""
TIMERS = -1
"""Stands for the time, where the position is told of what brought something about."""
LARGEST = 256 * 1024
"""Bytes of a description that is kept when it gives way to another."""

EventRow = tuple[int, int, str, int, int, str | None, int | None, str]
"""position, thing number, event, observed, received, boot, n, data as JSON."""


class Journal:
    """Gives out ingest positions and keeps events and notes; used by the writer alone.

    Notes are taken from ``begin`` on: what is put together from the database at the start is no news.

    Attributes:
        within: position of what composites are being told of just now, ``TIMERS`` if it is the time, 0 if
            they are told of nothing.
    """

    def __init__(self, ledger: Ledger, position: int = 0) -> None:
        self._events: Log[EventRow] = ledger.log("events")
        self._position: Overlay[str, int] = ledger.overlay("meta", [("position", position)])
        self._at = position
        self._begun = False
        self.within = 0

    @property
    def position(self) -> int:
        """The position of what came last."""
        return self._at

    def arrival(self) -> int:
        """The next ingest position; each row has its own, for a message may bring several."""
        self._at += 1
        return self._at

    def go_to(self, position: int) -> None:
        """Let the next arrival have this position: only a replay does that."""
        self._at = position - 1

    def finish(self) -> None:
        """Note how far we are, at the end of the batch."""
        if self._at != self._position.get("position"):
            self._position.put("position", self._at)

    def event(self, row: EventRow) -> None:
        """Keep an event of a thing."""
        self._events.append(row)

    # --- notes ---

    def begin(self, undone: Mapping[str, Any], now: int) -> None:
        """Everything that was kept is there: the platform starts, with what it had not done as it stopped."""
        self._begun = True
        self.note(NOBODY, STARTED, undone, now)

    def note(self, thing: int, name: str, data: Any, now: int) -> int:
        """Note something of a thing (by number); its position."""
        if not self._begun:
            return self._at
        position = self.arrival()
        self._events.append((position, thing, name, now, now, None, None, encode(data).decode()))
        return position

    def learned(self, thing: int, readings: Mapping[str, Reading], now: int) -> None:
        """A twin learned readings that are no rows of history."""
        if self._begun:
            self.note(thing, KNOWN, readings, now)
        else:
            self.arrival()

    def described(self, before: VirtualObject | None, after: VirtualObject | None, now: int) -> None:
        """A thing came, went or is described anew.

        What it was is noted, not what it is: who goes back begins with what is there now.
        """
        each = after or before
        if each is None or not self._begun:
            return
        if before is not None and after is not None and _same(before, after):
            return
        self.note(each.record.no, DESCRIBED, {"before": _kept(before)}, now)

    def claimed(self, thing: int, actuator: str, after: Actuator, by: str, now: int) -> None:
        """Who claims an actuator changed, by what somebody did."""
        data = {"actuator": actuator, "claims": after.claims, "by": by, "within": self.within}
        self.note(thing, CLAIMS, data, now)


class Gone(msgspec.Struct, frozen=True):
    """What a thing was, as the journal keeps it."""

    record: Any
    td: dict[str, Any] = {}
    wire: str = ""


def _same(one: VirtualObject, other: VirtualObject) -> bool:
    return one.record == other.record and one.td == other.td and one.wire == other.wire


def _kept(before: VirtualObject | None) -> Gone | None:
    if before is None:
        return None
    kept = Gone(before.record, before.td, before.wire)
    return kept if len(encode(kept)) <= LARGEST else Gone(before.record)
