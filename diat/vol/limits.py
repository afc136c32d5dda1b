"""Safety envelopes: which command may leave now, which must wait, and which never may.

What an actuator does just now is known from two sides: what it was last told, and what it last said itself.
A command must keep the envelope by both. Of a thing of which neither is known the worst is assumed: that it
went the other way in the moment in which we came to know it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from diat.kernel.errors import Invalid, TooSoon
from diat.vol.arbitration import Actuator, Told
from diat.vol.thing import NO_LIMITS, Action, Envelope, Property, VirtualObject

ANSWER = 5_000
"""Milliseconds after which to look whether a command was answered that another has to wait for."""


class Known(Struct, frozen=True):
    """What is known of an affordance.

    Attributes:
        told: what it was told.
        seen: what it said.
        since: since when there is such a thing, Unix milliseconds.
    """

    told: Told | None
    seen: Told | None
    since: int

    def facts(self, on: bool) -> list[Told]:
        """What it may be doing, if it is to be brought to a position."""
        found = [each for each in (self.told, self.seen) if each is not None]
        return found or [Told(None, self.since, not on)]


class Move(Struct, frozen=True):
    """What a command does to an affordance of the actuator, its own or another.

    Attributes:
        name: the affordance, or the pair that its directed actions are.
        envelope: its limits.
        value: what it is told; None if it is only moved along.
        on: the position that it is brought to; None if nobody can say.
    """

    name: str
    envelope: Envelope
    value: Any
    on: bool | None


def pair(actuator: str) -> str:
    """The name under which it is noted what the actions that drive an actuator up and down last did."""
    return f"{actuator} up or down"


def moves(each: VirtualObject, kind: str, name: str, value: Any) -> list[Move]:
    """What a command does, its own affordance first.

    A property and the actions of one actuator move each other: a valve that is opened by its action is open.
    Two properties stand for themselves.
    """
    actuator = each.actuator(name)
    if kind == "property":
        prop = each.properties[name]
        own = Move(name, prop.envelope, value, bool(value) if _switches(value) else None)
        paired = any(_step(action) is not None for action in _actions(each, actuator))
        if own.on is None or not paired or not _positioned(prop):
            return [own]
        raised = own.on is not _lowers(prop)
        return [own, Move(pair(actuator), NO_LIMITS, raised, raised)]
    action = each.actions[name]
    up = _step(action)
    if up is None:
        return [Move(name, action.envelope, value, None)]
    others = [
        Move(prop.name, prop.envelope, None, up is not _lowers(prop))
        for prop in each.properties.values()
        if prop.writable and each.actuator(prop.name) == actuator and _positioned(prop)
    ]
    return [Move(pair(actuator), action.envelope, up, up), *others]


def must_keep(envelope: Envelope, move: Move, known: Known, now: int) -> None:
    """Hold a command to a safety envelope, whoever gives it.

    Raises:
        Invalid: the value is outside.
        TooSoon: it is a change that may come only later.
    """
    number = _number(move.value)
    if number is not None:
        low, high = envelope.least, envelope.most
        if not math.isfinite(number):
            raise Invalid("not a finite number", move.name)
        if (low is not None and number < low) or (high is not None and number > high):
            raise Invalid(f"{number} is outside the safety envelope {low} to {high}", move.name)
        _must_not_race(envelope, move.name, number, known, now)
    if move.on is None:
        return
    for fact in known.facts(move.on):
        least = envelope.min_on if fact.position else envelope.min_off
        if fact.position is move.on or not least:
            continue
        until = fact.positioned + math.ceil(least * 1000)
        if now < until:
            position = "on" if fact.position else "off"
            raise TooSoon(f"{move.name}: the safety envelope keeps it {position} for {least:g} s", until)


def clamped(prop: Property, envelope: Envelope, value: Any) -> Any:
    """A wish as far as the envelopes let it come true."""
    if _number(value) is None:
        return value
    for each in (envelope, prop.envelope):
        low, high = each.least, each.most
        if prop.type == "integer":
            low = None if low is None else math.ceil(low)
            high = None if high is None else math.floor(high)
        if low is not None and value < low:
            value = low
        elif high is not None and value > high:
            value = high
    return value


def known_of(actuator: Actuator, name: str, since: int) -> Known:
    """What is known of an affordance of an actuator."""
    return Known(actuator.told.get(name), actuator.seen.get(name), since)


def _must_not_race(envelope: Envelope, name: str, number: float, known: Known, now: int) -> None:
    if not envelope.rate:
        return
    fact = known.told or known.seen
    start = None if fact is None else _number(fact.value)
    if start is not None:
        change = abs(number - start)
    elif envelope.least is not None and envelope.most is not None:
        change = max(number - envelope.least, envelope.most - number)
    else:
        return
    until = (fact.since if fact is not None else known.since) + math.ceil(change / envelope.rate * 1000)
    if change and now < until:
        raise TooSoon(f"{name}: the safety envelope lets it change by {envelope.rate:g} a second", until)


def _actions(each: VirtualObject, actuator: str) -> Iterator[Action]:
    return (action for action in each.actions.values() if each.actuator(action.name) == actuator)


def _step(action: Action) -> bool | None:
    """Whether an action goes up or down; None if it does neither."""
    direction = action.affects.direction if action.affects is not None else None
    return None if direction in (None, "switch") else direction == "increase"


def _positioned(prop: Property) -> bool:
    """Whether it says a position: what is switched or opened, and not a number that is aimed at."""
    return prop.type == "boolean" or (prop.numeric and (prop.affects is not None or prop.unit == "%"))


def _lowers(prop: Property) -> bool:
    return prop.affects is not None and prop.affects.direction == "decrease"


def _switches(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
