"""Who may drive an actuator when several want to: claims, a stated winner, and the losers told.

Whoever wants an actuator to have a value *claims* it. An actuator is all of a thing by which one quantity is
driven (``VirtualObject.actuator``): a valve's position and its actions to open and close are one. Of all
claims on one actuator the one of the highest priority wins; among equals the one that was there first. A
person's manual command is a claim that ends after a stated time. When the winning claim ends the next one
wins, and its holder is told.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.overlay import Index, Ledger, Overlay

Priority = Literal["safety", "person", "automation", "convenience"]
RANKS: dict[Priority, int] = {"safety": 0, "person": 1, "automation": 2, "convenience": 3}
"""Lower wins."""
PERSON = "person"
"""The holder of the claims that people make by hand."""
HOLD = 3_600_000
"""Milliseconds for which a person's command keeps services off an actuator, unless they say otherwise."""


class Claim(Struct, frozen=True, kw_only=True):
    """That somebody wants an actuator.

    Attributes:
        holder: id of a service, or ``person``.
        title: how the holder is called in front of people.
        since: when the claim was made, Unix milliseconds.
        until: when it ends by itself, Unix milliseconds; None if it does not.
    """

    holder: str
    title: str
    priority: Priority
    since: int
    until: int | None = None


class Told(Struct, frozen=True):
    """What an affordance was last told, and since when it has been told that, Unix milliseconds."""

    value: Any = None
    since: int = 0


class Actuator(Struct, frozen=True):
    """What is durable of an actuator.

    Attributes:
        claims: who wants it, the winner first.
        told: affordance to what it was last told.
    """

    claims: tuple[Claim, ...] = ()
    told: dict[str, Told] = {}


class Arbiter:
    """All claims; used by the writer alone.

    Attributes:
        actuators: ``thing actuator`` to what is known of it.
        on_turn: told of a holder who has won an actuator, or lost it, by what others did, and when.
        on_claims: told of each actuator whose claims somebody changed: the actuator, who, and when. Claims
            that end by themselves are not told.
    """

    def __init__(self, ledger: Ledger, actuators: Iterable[tuple[str, Actuator]] = ()) -> None:
        self.actuators: Overlay[str, Actuator] = ledger.overlay("actuators", actuators)
        self.on_turn: Callable[[str, str, int], None] = _nobody_waits
        self.on_claims: Callable[[str, Actuator, str, int], None] = _nobody_notes
        self._held: Index[str] = ledger.index()
        self._ends: list[tuple[int, str]] = []
        for key, each in self.actuators.committed.items():
            for claim in each.claims:
                self._held.add(claim.holder, key)
                if claim.until is not None:
                    self._ends.append((claim.until, key))
        heapq.heapify(self._ends)

    def winner(self, thing: str, name: str) -> Claim | None:
        """Who drives the actuator just now."""
        claims = self._get(_key(thing, name)).claims
        return claims[0] if claims else None

    def claims(self, thing: str, name: str) -> tuple[Claim, ...]:
        """Who wants the actuator, the winner first."""
        return self._get(_key(thing, name)).claims

    def committed(self, thing: str, name: str) -> tuple[Claim, ...]:
        """The same as it is durable; any thread may ask."""
        return (self.actuators.committed.get(_key(thing, name)) or Actuator()).claims

    def told(self, thing: str, name: str, affordance: str) -> Told:
        """What an affordance of an actuator was last told."""
        return self._get(_key(thing, name)).told.get(affordance) or Told()

    def claim(self, thing: str, name: str, claim: Claim) -> Claim:
        """Claim an actuator, or claim it anew; who wins.

        A holder's place among equals is kept when it claims again; a person's newer command counts anew.
        """
        key = _key(thing, name)
        known = self._get(key)
        mine = next((each for each in known.claims if each.holder == claim.holder), None)
        if mine is not None and claim.until is None and mine.priority == claim.priority:
            return known.claims[0]
        others = [each for each in known.claims if each.holder != claim.holder]
        self._held.add(claim.holder, key)
        if claim.until is not None:
            heapq.heappush(self._ends, (claim.until, key))
        self._change(key, known, sorted([*others, claim], key=_order), by=claim.holder, now=claim.since)
        return self._get(key).claims[0]

    def release(self, thing: str, name: str, holder: str, now: int) -> Claim | None:
        """End a claim, if there is one; who wins then."""
        key = _key(thing, name)
        known = self._get(key)
        self._held.discard(holder, key)
        left = [each for each in known.claims if each.holder != holder]
        if len(left) != len(known.claims):
            self._change(key, known, left, by=holder, now=now)
        return left[0] if left else None

    def take_over(self, thing: str, name: str, claims: Iterable[Claim], own: str, now: int) -> None:
        """Put the claims of all others in the place of theirs, but for those of ``own``: in a replay."""
        key = _key(thing, name)
        known = self._get(key)
        mine = [each for each in known.claims if each.holder == own]
        others = [each for each in claims if each.holder != own]
        for each in others:
            self._held.add(each.holder, key)
            if each.until is not None:
                heapq.heappush(self._ends, (each.until, key))
        self._change(key, known, sorted([*others, *mine], key=_order), by="", now=now)

    def note(self, thing: str, name: str, affordance: str, value: Any, now: int) -> None:
        """An affordance of the actuator is told a value."""
        key = _key(thing, name)
        known = self._get(key)
        told = known.told.get(affordance)
        if told is None or told.value != value or type(told.value) is not type(value):
            changed = {**known.told, affordance: Told(value, now)}
            self.actuators.put(key, msgspec.structs.replace(known, told=changed))

    def date(self, thing: str, name: str, affordance: str, noted: int, really: int) -> None:
        """An affordance was told what it was noted to be told at another time: in a replay."""
        key = _key(thing, name)
        known = self._get(key)
        told = known.told.get(affordance)
        if told is not None and told.since == noted:
            changed = {**known.told, affordance: Told(told.value, really)}
            self.actuators.put(key, msgspec.structs.replace(known, told=changed))

    def held(self, holder: str) -> list[str]:
        """The actuators that somebody claims, as ``thing actuator``."""
        return self._held.members(holder)

    def due(self) -> int | None:
        """When the next claim ends by itself, Unix milliseconds."""
        return self._ends[0][0] if self._ends else None

    def tick(self, now: int) -> None:
        """End the claims whose time is over."""
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            known = self._get(key)
            over = [each for each in known.claims if each.until is not None and each.until <= now]
            if not over:
                continue
            # Looked at once more: should this batch fail, the claim has not ended.
            heapq.heappush(self._ends, (now + 1000, key))
            for each in over:
                self._held.discard(each.holder, key)
            left = [each for each in known.claims if each not in over]
            self._change(key, known, left, by="", now=max(each.until or 0 for each in over))

    def _change(self, key: str, known: Actuator, claims: list[Claim], *, by: str, now: int) -> None:
        changed = msgspec.structs.replace(known, claims=tuple(claims))
        self.actuators.put(key, changed)
        if by:
            self.on_claims(key, changed, by, now)
        before = known.claims[0].holder if known.claims else None
        after = claims[0].holder if claims else None
        if before == after:
            return
        for holder in (before, after):
            if holder not in (None, by, PERSON):
                self.on_turn(str(holder), key, now)

    def _get(self, key: str) -> Actuator:
        return self.actuators.get(key) or Actuator()


def _key(thing: str, name: str) -> str:
    return f"{thing} {name}"


def _order(claim: Claim) -> tuple[int, int, str]:
    return (RANKS[claim.priority], claim.since, claim.holder)


def _nobody_waits(holder: str, key: str, now: int) -> None:
    """Stands in until a layer above listens."""


def _nobody_notes(key: str, after: Actuator, by: str, now: int) -> None:
    """Stands in until somebody notes it."""
