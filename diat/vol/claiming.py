"""Claims over tiers: what one side of a line wants of an actuator counts at the other side's gate as well.

Each side tells the other the first of its own claims on an actuator, and takes what it is told as a claim of
a holder that stands for the other side. Both order the same claims by the same rule, and so have the same
winner. A claim of a person gives way to a newer one of a person on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from diat.kernel.overlay import Ledger, Overlay
from diat.vol.arbitration import PERSON, Arbiter, Claim, Priority
from diat.vol.thing import VirtualObject


class Said(Struct, frozen=True, array_like=True):
    """A claim as it is told.

    Attributes:
        names: the affordances that it is made for.
        since: Unix milliseconds of who tells; ``until`` likewise, None if it does not end by itself.
        person: whether a person made it by hand.
    """

    title: str
    priority: Priority
    names: tuple[str, ...]
    since: int
    until: int | None = None
    person: bool = False


Of = dict[str, dict[str, Said | None]]
"""Name of a thing to its actuators, each with the first claim on it; None if nobody wants it."""


class Claims(Struct, frozen=True):
    """What one side tells of claims.

    Attributes:
        all: whether there are no others.
    """

    of: Of
    all: bool = False


DECODER = msgspec.json.Decoder(Claims)


class Claiming:
    """One side's claims for the other, and the other's here; used by the writer alone.

    Args:
        ledger: what it commits with.
        arbiter: who has all claims.
        other: ``above`` or ``below``: where the other side is.
        clock: answers with the time.
    """

    def __init__(self, ledger: Ledger, arbiter: Arbiter, other: str, clock: Callable[[], int]) -> None:
        self._arbiter = arbiter
        self._other = other
        self._clock = clock
        self._told: Overlay[str, Said] = ledger.overlay()

    def news(self, thing: str, actuator: str) -> tuple[bool, Said | None]:
        """Whether the other side is to be told of an actuator, and what."""
        key, said = f"{thing} {actuator}", self._first(thing, actuator)
        if said == self._told.get(key):
            return False, said
        self._note(key, said)
        return True, said

    def everything(self, things: Iterable[str]) -> dict[str, dict[str, Said | None]]:
        """All that the other side is to know of claims on these things, by their ids."""
        found: dict[str, dict[str, Said | None]] = {}
        for thing in things:
            for key in self._arbiter.keys(thing):
                actuator = key.partition(" ")[2]
                said = self._first(thing, actuator)
                self._note(key, said)
                if said is not None:
                    found.setdefault(thing, {})[actuator] = said
        return found

    def take(self, each: VirtualObject, said: Said | None, actuator: str, offset: int = 0) -> None:
        """The other side told a claim; ``offset`` is by how many milliseconds its clock is ahead of ours."""
        now = self._clock()
        actuator = each.actuator(said.names[0]) if said is not None and said.names else actuator
        holder = f"{self._other} {PERSON}" if said is not None and said.person else self._other
        for claim in self._arbiter.claimants(each.id, actuator):
            stale = self._theirs(claim) and (said is None or claim.holder != holder)
            older = said is not None and said.person and claim.holder == PERSON
            if stale or (older and said is not None and claim.since < said.since - offset):
                self._arbiter.release_all(claim.holder, now, each.id, actuator)
        if said is None:
            return
        made = Claim(
            holder=holder,
            title=said.title[:200],
            priority=said.priority,
            since=said.since - offset,
            until=None if said.until is None else said.until - offset,
            names=said.names,
        )
        known = next((x for x in self._arbiter.claimants(each.id, actuator) if x.holder == holder), None)
        if known is None or msgspec.structs.replace(known, wish=None) != made:
            self._arbiter.claim(each.id, actuator, made)

    def only(self, thing: str, actuators: Sequence[str]) -> None:
        """The other side has no claims on others of a thing's actuators."""
        for actuator in [key.partition(" ")[2] for key in self._arbiter.keys(thing)]:
            if actuator not in actuators:
                self.release(thing, actuator)

    def release(self, thing: str, actuator: str | None = None, *, lasting: bool = False) -> None:
        """The other side has no claim on a thing, or an actuator of it; ``lasting``: none that has no end."""
        for key in self._arbiter.keys(thing):
            name = key.partition(" ")[2]
            for claim in self._arbiter.claimants(thing, name) if actuator in (None, name) else ():
                if self._theirs(claim) and not (lasting and claim.until is not None):
                    self._arbiter.release_all(claim.holder, self._clock(), thing, name)

    # --- within ---

    def _first(self, thing: str, actuator: str) -> Said | None:
        for claim in self._arbiter.claimants(thing, actuator):
            if not self._theirs(claim):
                person = claim.holder.rpartition(" ")[2] == PERSON
                return Said(claim.title, claim.priority, claim.names, claim.since, claim.until, person)
        return None

    def _theirs(self, claim: Claim) -> bool:
        return claim.holder in (self._other, f"{self._other} {PERSON}")

    def _note(self, key: str, said: Said | None) -> None:
        if said is not None:
            self._told.put(key, said)
        elif self._told.get(key) is not None:
            self._told.remove(key)
