"""Steps that things do themselves: what is needed of a property, pushed down so that less travels.

Each holder (a person, a service) says what it needs. What a thing is told serves all of them: of two needs
the one that lets more through holds. The thing's own description says which steps it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, Invalid
from diat.kernel.ids import derived_id
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.dialects.port import Outgoing
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.wire import topics
from diat.wire.envelope import Result, encode

TAKES = "diat:pushdown"
"""The term by which a description says which steps the thing takes."""
_WINDOWS = ("mean", "min", "max")
_HOUR = 3_600_000


class Rule(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is needed of a property; empty: every sample.

    Attributes:
        every: at most one value in so many seconds.
        delta: only a change of so much, in the property's unit.
        above: crossings of this, and while above one ``every`` so often.
        below: likewise.
        mean: one mean for so many seconds.
        min: one least value for so many seconds.
        max: one greatest value for so many seconds.
        silence: at least one value in so many seconds.
    """

    every: float | UnsetType = UNSET
    delta: float | UnsetType = UNSET
    above: float | UnsetType = UNSET
    below: float | UnsetType = UNSET
    mean: float | UnsetType = UNSET
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET
    silence: float | UnsetType = UNSET

    def steps(self) -> dict[str, float]:
        """The steps that it has."""
        found: dict[str, float] = msgspec.to_builtins(self)
        return found


Rules = dict[str, Rule]
"""Property to what is needed of it."""


class Pushed(Struct, frozen=True, kw_only=True):
    """What is pushed down to a thing.

    Attributes:
        needs: holder to what it needs.
        reference: the id that the thing was told it under.
        state: ``pending`` until the thing answers, then ``completed`` or ``failed``.
        error: what it could not do.
        level: at which of its levels a thing, such as a camera, is to work; None leaves it to the thing.
    """

    needs: dict[str, Rules]
    reference: str
    state: str = "pending"
    error: str | None = None
    level: str | None = None


class Traffic(Struct):
    """Bytes that a thing sent since it was told something else; in memory only.

    Attributes:
        before: bytes in an hour before that, None if nothing is known.
    """

    since: int
    bytes: int = 0
    before: float | None = None

    def hourly(self, now: int) -> float:
        """Bytes in an hour, as it goes."""
        return self.bytes * _HOUR / max(now - self.since, 1)


class PushDown:
    """All that is pushed down; changed by the writer alone.

    Attributes:
        pushed: thing to what is pushed down to it.
        traffic: thing to what it sends, for native things heard of in this life.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        publish: Callable[[Outgoing], None],
        clock: Clock,
        pushed: Iterable[tuple[str, Pushed]] = (),
    ) -> None:
        self._registry = registry
        self._publish = publish
        self._clock = clock
        self.pushed: Overlay[str, Pushed] = ledger.overlay("pushdown", pushed)
        self.traffic: dict[str, Traffic] = {}

    def need(self, thing: str, holder: str, rules: Rules) -> Pushed:
        """Note what a holder needs of a thing, in place of what it needed before; empty releases it.

        Raises:
            NotFound: there is no such thing.
            Conflict: it takes no steps.
            Invalid: it has no such property, or does not take such a step.
        """
        each = self._registry.get(thing)
        known = self.pushed.get(thing)
        if rules:
            _must_take(each, rules)
        needs = {**(known.needs if known else {}), holder: rules}
        if not rules:
            del needs[holder]
        return self._tell(each, needs, known.level if known else None)

    def switch(self, thing: str, level: str | None) -> Pushed:
        """Have a thing work at one of its levels, or at its own choice.

        Raises:
            NotFound: there is no such thing.
            Conflict: it takes no steps.
            Invalid: it has no such level.
        """
        each = self._registry.get(thing)
        known = self.pushed.get(thing)
        if level is not None:
            _must_have(each, level)
        return self._tell(each, known.needs if known else {}, level)

    def forget(self, thing: str) -> None:
        """The thing is out of service."""
        if self.pushed.get(thing) is not None:
            self.pushed.remove(thing)
            self._say(self._registry.get(thing), b"")
        self.traffic.pop(thing, None)

    def answered(self, thing: str, result: Result) -> None:
        """The thing says whether it does what it was told."""
        known = self.pushed.get(thing)
        if known is not None and result.id == known.reference and result.status in ("completed", "failed"):
            error = None if result.error is None else str(result.error)[:300]
            self.pushed.put(thing, msgspec.structs.replace(known, state=result.status, error=error))

    def count(self, thing: str, size: int, now: int) -> None:
        """The thing sent so many bytes of values."""
        traffic = self.traffic.get(thing)
        if traffic is None:
            traffic = self.traffic[thing] = Traffic(now)
        traffic.bytes += size

    def connected(self) -> None:
        """Say again what may not have got out before; a thing that has it does not answer."""
        for thing, pushed in list(self.pushed.items()):
            each = self._registry.seen(thing)
            if each is not None:
                self._say(each, _message(pushed))

    def _tell(self, each: VirtualObject, needs: dict[str, Rules], level: str | None) -> Pushed:
        now = self._clock()
        traffic = self.traffic.get(each.id)
        if traffic is not None:
            self.traffic[each.id] = Traffic(now, before=traffic.hourly(now))
        # Nothing needed is told as well: a thing that is away would not hear of a message taken back.
        # Somebody may have set another level at the thing meanwhile: a level is told anew each time.
        when = () if level is None else (str(now),)
        reference = derived_id("config", each.id, encode(merged_rules(needs)).decode(), *when)
        pushed = Pushed(needs=needs, reference=reference, level=level)
        self.pushed.put(each.id, pushed)
        self._say(each, _message(pushed))
        return pushed

    def _say(self, each: VirtualObject, body: bytes) -> None:
        for topic in self._registry.announcements.topics(each.id):
            name = topic.removeprefix(topics.TD_PREFIX)
            if name != topic and topics.is_name(name):
                self._publish(Outgoing(topics.config(name), body, retain=True))


def _message(pushed: Pushed) -> bytes:
    return encode({"id": pushed.reference, **_told(pushed.needs, pushed.level)})


def _told(needs: Mapping[str, Rules], level: str | None) -> dict[str, Any]:
    """What a thing is told, without the id that it answers by."""
    return {"report": merged_rules(needs), **({} if level is None else {"level": level})}


def merged_rules(needs: Mapping[str, Rules]) -> Rules:
    """What serves all holders. A property of which a holder says nothing is not its concern."""
    names = dict.fromkeys(name for rules in needs.values() for name in rules)
    return {name: merged([rules[name] for rules in needs.values() if name in rules]) for name in names}


def merged(rules: Iterable[Rule]) -> Rule:
    """The rule that lets through whatever any of these does.

    A step that one of them does not have holds back what that one needs: it falls away. ``silence`` only
    adds values, so the shortest holds.
    """
    parts = [rule.steps() for rule in rules]
    kept: dict[str, Any] = {}
    for step, choose in (("every", min), ("delta", min)):
        if all(step in part for part in parts):
            kept[step] = choose(part[step] for part in parts)
    if all("above" in part or "below" in part for part in parts):
        for step, choose in (("above", min), ("below", max)):
            if found := [part[step] for part in parts if step in part]:
                kept[step] = choose(found)
    # Of values that stand for different things nobody could tell which is which.
    windows = {tuple(step for step in _WINDOWS if step in part) for part in parts}
    if len(windows) == 1:
        kept |= {step: min(part[step] for part in parts) for step in windows.pop()}
    if found := [part["silence"] for part in parts if "silence" in part]:
        kept["silence"] = min(found)
    return Rule(**kept)


def _must_have(each: VirtualObject, level: str) -> None:
    takes = each.description.td.get(TAKES)
    if each.record.dialect != "native" or not isinstance(takes, list | tuple):
        raise Conflict(f"{each.id} takes no steps")
    levels = (each.description.td.get("properties") or {}).get("level", {}).get("enum") or ()
    if "level" not in takes or level not in levels:
        raise Invalid(f"{each.id} has no level {level!r}", "level")


def _must_take(each: VirtualObject, rules: Rules) -> None:
    takes = each.description.td.get(TAKES)
    if each.record.dialect != "native" or not isinstance(takes, list | tuple):
        raise Conflict(f"{each.id} takes no steps")
    properties = each.description.td.get("properties") or {}
    for name, rule in rules.items():
        if name not in properties:
            raise Invalid(f"there is no property {name!r}", f"report.{name}")
        for step in rule.steps():
            if step not in takes:
                raise Invalid(f"{each.id} does not take {step!r}", f"report.{name}.{step}")
