"""Who may drive an actuator when several want to: claims, a stated winner, and the losers told.

Whoever wants an actuator to have a value *claims* it. An actuator is all of a thing by which one quantity is
driven (``VirtualObject.actuator``): a valve's position and its actions to open and close are one. Of all
claims on one actuator the one of the highest priority wins; among equals a person, then the one that was
there first. A person's manual command is a claim that ends after a stated time. When the winning claim ends
the next one wins, and its holder is told; what a person had set holds again by itself.

Invariants: a holder has one claim on an actuator at most, and it ends with the last affordance that it was
made for; what an actuator is still to be brought to (``Rest``) is there only while nobody claims it, or a
person does to whom it came back.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.thing import NO_LIMITS, Envelope

Priority = Literal["safety", "person", "automation", "convenience"]
RANKS: dict[Priority, int] = {"safety": 0, "person": 1, "automation": 2, "convenience": 3}
"""Lower wins."""
PERSON = "person"
"""The holder of the claims that people make by hand."""
ABOVE, BELOW = "above", "below"
"""The holders of claims that were made on the other side of a line; of people with ``person`` behind it."""
HOLD = 3_600_000
"""Milliseconds for which a person's command keeps services off an actuator, unless they say otherwise."""


class Rest(Struct, frozen=True, kw_only=True):
    """What an affordance is to be brought to since nobody wants its actuator any more, or a person again.

    Attributes:
        name: the property, or the action that is invoked.
        kind: which of the two.
        value: of the property.
        service: who let go of it, or ``person``; ``delivery``, ``envelope``, ``why`` as its commands had.
        due: when to try (again), Unix milliseconds; None while a command is under way.
        tries: how often it was tried without success.
        actuation: the command that is under way.
    """

    name: str
    kind: Literal["property", "action"]
    value: Any = None
    service: str
    delivery: Literal["at-most-once", "at-least-once", "exactly-once"] = "exactly-once"
    envelope: Envelope = NO_LIMITS
    why: dict[str, Any] | None = None
    due: int | None = None
    tries: int = 0
    actuation: str = ""


class Claim(Struct, frozen=True, kw_only=True):
    """That somebody wants an actuator.

    Attributes:
        holder: id of a service, or ``person``.
        title: how the holder is called in front of people.
        since: when the claim was made, Unix milliseconds.
        until: when it ends by itself, Unix milliseconds; None if it does not.
        names: the affordances of the actuator by which the holder drives it.
        wish: what a person set it to, which holds again once nobody of higher rank drives it.
    """

    holder: str
    title: str
    priority: Priority
    since: int
    until: int | None = None
    names: tuple[str, ...] = ()
    wish: Rest | None = None


class Told(Struct, frozen=True):
    """What an affordance was last told, or said.

    Attributes:
        value: None if it was moved by another affordance, so that only its position is known.
        since: since when it is so, Unix milliseconds.
        on: its position; None if the value says it.
        turned: since when it is in that position; 0 if as long as it has the value.
        reference: the command that told it, where an envelope says how soon the next may come.
    """

    value: Any = None
    since: int = 0
    on: bool | None = None
    turned: int = 0
    reference: str = ""

    @property
    def position(self) -> bool:
        """Whether it is on: true, or more than 0."""
        return bool(self.value) if self.on is None else self.on

    @property
    def positioned(self) -> int:
        """Since when it is in its position, Unix milliseconds."""
        return self.turned or self.since


class Actuator(Struct, frozen=True):
    """What is durable of an actuator.

    Attributes:
        claims: who wants it, the winner first.
        told: affordance to what it was last told.
        seen: property with an envelope to the position that it said itself, and since when.
        rest: what it is to be brought to.
    """

    claims: tuple[Claim, ...] = ()
    told: dict[str, Told] = {}
    seen: dict[str, Told] = {}
    rest: Rest | None = None


class Released(Struct, frozen=True):
    """What ended with a claim: whether it had won, and who wins now."""

    won: bool
    following: Claim | None


class Arbiter:
    """All claims; used by the writer alone, but for ``claims``.

    Attributes:
        actuators: ``thing actuator`` to what is known of it.
        on_turn: told of a holder who has won an actuator, or lost it, by what others did, and when.
        on_hand: told of what a person had set whose claim wins since somebody else's ended, and when.
        on_told: told of a service that waits for an actuator while that is told something else.
        on_first: told of each actuator of which the claims changed, by whomever.
        on_claims: told of each actuator whose claims somebody changed: the actuator, who, and when. Claims
            that end by themselves are not told.
    """

    def __init__(self, ledger: Ledger, actuators: Iterable[tuple[str, Actuator]] = ()) -> None:
        self.actuators: Overlay[str, Actuator] = ledger.overlay("actuators", actuators)
        self.on_turn: Callable[[str, str, int], None] = _nobody_waits
        self.on_hand: Callable[[str, Rest, int], None] = _nobody_obeys
        self.on_told: Callable[[str, str], None] = _nobody_looks
        self.on_claims: Callable[[str, Actuator, str, int], None] = _nobody_notes
        self.on_first: list[Callable[[str], None]] = []
        self._held: Index[str] = ledger.index()
        self._of: Index[str] = ledger.index()
        self._ends: list[tuple[int, str]] = []
        for key, each in self.actuators.committed.items():
            self._of.add(key.partition(" ")[0], key)
            for claim in each.claims:
                self._held.add(claim.holder, key)
                if claim.until is not None:
                    self._ends.append((claim.until, key))
        heapq.heapify(self._ends)

    # --- asked ---

    def claims(self, thing: str) -> dict[str, tuple[Claim, ...]]:
        """The committed claims on a thing, by actuator, the winner first; any thread may ask."""
        known = ((key, self.actuators.committed.get(key)) for key in list(self._of.committed.get(thing, ())))
        return {key.partition(" ")[2]: each.claims for key, each in known if each is not None and each.claims}

    def winner(self, thing: str, name: str) -> Claim | None:
        """Who drives the actuator just now."""
        claims = self.known(_key(thing, name)).claims
        return claims[0] if claims else None

    def claimants(self, thing: str, name: str) -> tuple[Claim, ...]:
        """Who wants the actuator, the winner first, as the writer sees it."""
        return self.known(_key(thing, name)).claims

    def committed(self, thing: str, name: str) -> tuple[Claim, ...]:
        """The same as it is durable; any thread may ask."""
        return (self.actuators.committed.get(_key(thing, name)) or Actuator()).claims

    def told(self, thing: str, name: str, affordance: str) -> Told:
        """What an affordance of an actuator was last told."""
        return self.known(_key(thing, name)).told.get(affordance) or Told()

    def known(self, key: str) -> Actuator:
        """What is known of ``thing actuator``."""
        return self.actuators.get(key) or Actuator()

    def keys(self, thing: str) -> list[str]:
        """All of a thing that was ever claimed or told, as ``thing actuator``."""
        return self._of.members(thing)

    def held(self, holder: str) -> list[str]:
        """The actuators that somebody claims, as ``thing actuator``."""
        return self._held.members(holder)

    # --- claims ---

    def claim(self, thing: str, name: str, claim: Claim) -> Claim:
        """Claim an actuator, or claim it anew; who wins.

        A holder's place among equals is kept when it claims again; a person's newer command counts anew.
        """
        key, now = _key(thing, name), claim.since
        known = self.known(key)
        mine = next((each for each in known.claims if each.holder == claim.holder), None)
        if mine is not None and mine.priority == claim.priority and claim.until is None:
            if mine.title == claim.title and set(claim.names) <= set(mine.names):
                return known.claims[0]
            claim = msgspec.structs.replace(claim, since=mine.since)
        for affordance in claim.names:
            self._release(thing, affordance, claim.holder, now, but=key)
        if mine is not None:
            claim = msgspec.structs.replace(claim, names=tuple(dict.fromkeys((*mine.names, *claim.names))))
        others = [each for each in known.claims if each.holder != claim.holder]
        self._held.add(claim.holder, key)
        if claim.until is not None:
            heapq.heappush(self._ends, (claim.until, key))
        self._change(key, known, sorted([*others, claim], key=_order), by=claim.holder, now=now)
        return self.known(key).claims[0]

    def release(self, thing: str, affordance: str, holder: str, now: int) -> Released | None:
        """Drive an actuator no longer by this affordance; None if it was not claimed for that.

        The claim ends with the last of its affordances. It is found by what it was made for, as the thing
        may have been described anew, or be gone, since.
        """
        return self._release(thing, affordance, holder, now)

    def release_all(self, holder: str, now: int, thing: str | None = None, name: str | None = None) -> None:
        """End all claims of a holder, or those on one thing, or on one actuator of it."""
        for key in self.held(holder):
            of, _, actuator = key.partition(" ")
            if thing in (None, of) and name in (None, actuator):
                self._end(key, holder, now)

    def rank(self, holder: str, title: str, priority: Priority, now: int) -> None:
        """A holder is called otherwise, or of another priority: its claims count anew where that changed."""
        for key in self.held(holder):
            known = self.known(key)
            changed = []
            for each in known.claims:
                if each.holder == holder and (each.title, each.priority) != (title, priority):
                    since = each.since if each.priority == priority else now
                    each = msgspec.structs.replace(each, title=title, priority=priority, since=since)
                changed.append(each)
            if changed != list(known.claims):
                self._change(key, known, sorted(changed, key=_order), by=holder, now=now)

    def only(self, holders: Iterable[str], now: int) -> None:
        """End the claims of services that there are no longer."""
        there = {*holders, PERSON, *(f"{side}{of}" for side in (ABOVE, BELOW) for of in ("", f" {PERSON}"))}
        for key, each in self.actuators.items():
            for claim in each.claims:
                if claim.holder not in there:
                    self._end(key, claim.holder, now)

    def take_over(self, thing: str, name: str, claims: Iterable[Claim], own: str, now: int) -> None:
        """Put the claims of all others in the place of theirs, but for those of ``own``: in a replay."""
        key = _key(thing, name)
        known = self.known(key)
        mine = [each for each in known.claims if each.holder == own]
        others = [each for each in claims if each.holder != own]
        for each in known.claims:
            if each.holder != own:
                self._held.discard(each.holder, key)
        for each in others:
            self._held.add(each.holder, key)
            if each.until is not None:
                heapq.heappush(self._ends, (each.until, key))
        self._change(key, known, sorted([*others, *mine], key=_order), by="", now=now)

    # --- what actuators are told, and say ---

    def note(self, key: str, told: Mapping[str, Told]) -> None:
        """Affordances of the actuator are told something, or moved by what others were told."""
        known = self.known(key)
        self._put(key, msgspec.structs.replace(known, told={**known.told, **told}))
        if any((known.told.get(name) or Told()).value != each.value for name, each in told.items()):
            for claim in known.claims[1:]:
                if claim.holder != PERSON:
                    self.on_told(claim.holder, key)

    def date(self, key: str, noted: int, really: int) -> None:
        """What was noted to be told at one time was told at another: in a replay."""
        known = self.known(key)
        told = {
            name: msgspec.structs.replace(
                each,
                since=really if each.since == noted else each.since,
                turned=really if each.turned == noted else each.turned,
            )
            for name, each in known.told.items()
        }
        if told != known.told:
            self._put(key, msgspec.structs.replace(known, told=told))

    def see(self, key: str, affordance: str, seen: Told) -> None:
        """A property says its position; it counts from when that last changed.

        What was told otherwise since then may have been done and undone: then it counts from now.
        """
        known = self.known(key)
        before, told = known.seen.get(affordance), known.told.get(affordance)
        stays = before is not None and before.position is seen.position
        if stays and before is not None and told is not None and told.position is not seen.position:
            stays = told.positioned <= before.since
        if not stays:
            self._put(key, msgspec.structs.replace(known, seen={**known.seen, affordance: seen}))

    def forget(self, thing: str) -> None:
        """Other hardware is behind a thing: nobody knows what that was told."""
        for key in self.keys(thing):
            self._put(key, msgspec.structs.replace(self.known(key), told={}, seen={}))

    def leave(self, key: str, rest: Rest | None) -> None:
        """Remember what an actuator that nobody claims is to be brought to; None: nothing."""
        known = self.known(key)
        if known.rest != rest:
            self._put(key, msgspec.structs.replace(known, rest=rest))

    # --- time ---

    def due(self) -> int | None:
        """When the next claim ends by itself, Unix milliseconds."""
        return self._ends[0][0] if self._ends else None

    def tick(self, now: int) -> None:
        """End the claims whose time is over."""
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            known = self.known(key)
            over = [each for each in known.claims if each.until is not None and each.until <= now]
            if not over:
                continue
            # Looked at once more: should this batch fail, the claim has not ended.
            heapq.heappush(self._ends, (now + 1000, key))
            for each in over:
                self._held.discard(each.holder, key)
            left = [each for each in known.claims if each not in over]
            self._change(key, known, left, by="", now=max(each.until or 0 for each in over))

    def set_back(self, now: int) -> None:
        """The clock was set back: what seems to lie ahead was just now, and lasts as long as it would."""
        for key, each in self.actuators.items():
            claims = tuple(_set_back(claim, now) for claim in each.claims)
            rest = each.rest
            if rest is not None and rest.due is not None:
                rest = msgspec.structs.replace(rest, due=now)
            told, seen = (
                {
                    name: msgspec.structs.replace(it, since=min(it.since, now), turned=min(it.turned, now))
                    for name, it in facts.items()
                }
                for facts in (each.told, each.seen)
            )
            changed = Actuator(claims, told, seen, rest)
            if changed != each:
                self._put(key, changed)
            for claim in claims:
                if claim.until is not None:
                    heapq.heappush(self._ends, (claim.until, key))

    # --- within ---

    def _release(self, thing: str, affordance: str, holder: str, now: int, but: str = "") -> Released | None:
        for key in self.held(holder):
            if key == but or not key.startswith(f"{thing} "):
                continue
            mine = next(each for each in self.known(key).claims if each.holder == holder)
            if mine.names and affordance not in mine.names:
                continue
            left = tuple(name for name in mine.names if name != affordance)
            if not left:
                return self._end(key, holder, now)
            known = self.known(key)
            changed = msgspec.structs.replace(mine, names=left)
            claims = [changed if each is mine else each for each in known.claims]
            self._change(key, known, claims, by=holder, now=now)
            return Released(claims[0] is changed, claims[0])
        return None

    def _end(self, key: str, holder: str, now: int) -> Released:
        known = self.known(key)
        won = known.claims[0].holder == holder
        left = [each for each in known.claims if each.holder != holder]
        self._held.discard(holder, key)
        self._change(key, known, left, by=holder, now=now)
        return Released(won, left[0] if left else None)

    def _change(self, key: str, known: Actuator, claims: list[Claim], *, by: str, now: int) -> None:
        rest = known.rest
        if rest is not None and rest.service == PERSON:
            stands = by != PERSON and bool(claims) and claims[0].holder == PERSON
        else:
            stands = not claims
        rest = rest if stands else None
        changed = msgspec.structs.replace(known, claims=tuple(claims), rest=rest)
        self._put(key, changed)
        if by:
            self.on_claims(key, changed, by, now)
        for listener in self.on_first:
            listener(key)
        before = known.claims[0].holder if known.claims else None
        after = claims[0].holder if claims else None
        if before == after:
            return
        there = {claim.holder for claim in claims}
        for holder in (before, after):
            if holder not in (None, by, PERSON) and holder in there:
                self.on_turn(str(holder), key, now)
        if after == PERSON and by not in ("", PERSON) and (wish := claims[0].wish) is not None:
            self.on_hand(key, wish, now)

    def _put(self, key: str, actuator: Actuator) -> None:
        self.actuators.put(key, actuator)
        self._of.add(key.partition(" ")[0], key)


def _key(thing: str, name: str) -> str:
    return f"{thing} {name}"


def _order(claim: Claim) -> tuple[int, bool, int, str]:
    return (RANKS[claim.priority], claim.holder.rpartition(" ")[2] != PERSON, claim.since, claim.holder)


def _set_back(claim: Claim, now: int) -> Claim:
    ahead = claim.since - now
    if ahead <= 0:
        return claim
    until = None if claim.until is None else claim.until - ahead
    return msgspec.structs.replace(claim, since=now, until=until)


def _nobody_waits(holder: str, key: str, now: int) -> None:
    """Stands in until a layer above listens."""


def _nobody_obeys(key: str, wish: Rest, now: int) -> None:
    """Stands in until the gate listens."""


def _nobody_looks(holder: str, key: str) -> None:
    """Stands in until a layer above listens."""


def _nobody_notes(key: str, after: Actuator, by: str, now: int) -> None:
    """Stands in until somebody notes it."""
