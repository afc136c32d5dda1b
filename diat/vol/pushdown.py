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
PRECISION = "diat:precision"
"""The term by which a description says how the thing counts, ``single`` or ``double``."""
BY_HAND = "by hand"
"""The holder of what a person asks for."""
WATCHERS = "watchers"
"""The holder of what those need who watch a property and have not said that they need less."""
_WINDOWS = ("mean", "min", "max")
_HOUR = 3_600_000
_MEASURED = 60_000
"""Milliseconds over which what a thing sends has to be measured to count."""


class Rule(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is needed of a property; empty: every sample.

    Attributes:
        every: at most one value in so many seconds.
        delta: only a change of so much, in the property's unit; 0: only what is another value.
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
        reference: the id that the thing was told it under; empty if it did not have to be told anything.
        since: since when it is to do that, Unix milliseconds; 0 if that is not known.
        before: bytes in an hour that it sent when it did nothing itself; None if nobody had measured it.
        state: ``pending`` until the thing answers, then ``completed`` or ``failed``.
        error: what it could not do.
        level: at which of its levels a thing, such as a camera, is to work; None leaves it to the thing.
        switched: when that was asked for, Unix milliseconds.
    """

    needs: dict[str, Rules]
    reference: str
    since: int = 0
    before: float | None = None
    state: str = "pending"
    error: str | None = None
    level: str | None = None
    switched: int = 0


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
        watching: property of a thing to those who watch it.
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
        self.watching: Callable[[str], Mapping[str, set[str]]] = _nobody_watches
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
        return self._again(each, known, needs)

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
        # Somebody may have set another level at the thing meanwhile: each wish for one is told.
        return self._tell(each, known.needs if known else {}, level, 0 if level is None else self._clock())

    def watched(self, thing: str) -> None:
        """Somebody watches a thing from now on, or no more."""
        each = self._registry.seen(thing)
        known = self.pushed.get(thing)
        needs = dict(known.needs) if known is not None else {}
        if each is None or not each.description.td.get(TAKES) or each.record.dialect != "native":
            return
        if self._watched(each, needs).get(WATCHERS) != needs.get(WATCHERS):
            self._again(each, known, needs)

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
            if each is not None and pushed.reference:
                self._say(each, self._message(thing, pushed))

    def report(self, thing: str, needs: Mapping[str, Rules]) -> Rules:
        """What a thing is told for these needs. What a person asks of a thing here holds as it is."""
        rules = merged_rules(needs)
        if self._registry.gateway_of(thing) is None:
            rules |= needs.get(BY_HAND, {})
            rules = {name: rule for name, rule in rules.items() if rule != Rule()}
        return rules

    def told(self, thing: str) -> Rules:
        """What a thing is told, as it is committed; any thread may ask."""
        pushed = self.pushed.committed.get(thing)
        return self.report(thing, pushed.needs) if pushed is not None else {}

    def before(self, thing: str) -> float | None:
        """Bytes in an hour that a thing sent before it did what it is told; any thread may ask."""
        pushed, traffic = self.pushed.committed.get(thing), self.traffic.get(thing)
        if pushed is not None and pushed.before is not None:
            return pushed.before
        return traffic.before if traffic is not None else None

    def _watched(self, each: VirtualObject, needs: dict[str, Rules]) -> dict[str, Rules]:
        """These needs with those of watchers."""
        elsewhere = self._registry.gateway_of(each.id) is not None
        watched = {
            prop: Rule()
            for prop, watchers in self.watching(each.id).items()
            # Who composites are says what they need just after they watch; somebody else never does.
            if any(prop not in needs.get(who, {}) and not (elsewhere and ":" not in who) for who in watchers)
        }
        rest = {holder: rules for holder, rules in needs.items() if holder != WATCHERS}
        return rest | ({WATCHERS: watched} if watched else {})

    def _again(self, each: VirtualObject, known: Pushed | None, needs: dict[str, Rules]) -> Pushed:
        """Tell it of other needs, at the level that it has."""
        if known is None:
            return self._tell(each, needs)
        return self._tell(each, needs, known.level, known.switched)

    def _tell(
        self, each: VirtualObject, needs: dict[str, Rules], level: str | None = None, switched: int = 0
    ) -> Pushed:
        now, known = self._clock(), self.pushed.get(each.id)
        needs = self._watched(each, needs)
        report = self.report(each.id, needs)
        whole = all(rule == Rule() for rule in report.values())
        if known is None and level is None and whole and needs and self._registry.gateway_of(each.id) is None:
            # It sends every sample as it is: nothing has to be said.
            pushed = Pushed(needs=needs, reference="", state="completed")
            self.pushed.put(each.id, pushed)
            return pushed
        # Nothing needed is told as well: a thing that is away would not hear of a message taken back.
        at_level = () if level is None else (level, str(switched))
        reference = derived_id("config", each.id, encode(report).decode(), *at_level)
        if known is not None and (
            known.reference == reference or (whole and level is None and not known.reference)
        ):
            pushed = msgspec.structs.replace(known, needs=needs)
            self.pushed.put(each.id, pushed)
            return pushed
        before = known.before if known is not None and known.reference else None
        traffic = self.traffic.get(each.id)
        if traffic is not None:
            hourly = traffic.hourly(now)
            measured = now - traffic.since >= _MEASURED
            self.traffic[each.id] = Traffic(now, before=hourly if measured else traffic.before)
            before = hourly if before is None and measured else before
        pushed = Pushed(
            needs=needs,
            reference=reference,
            since=known.since if known is not None and known.since and not whole else now,
            before=None if whole else before,
            level=level,
            switched=switched,
        )
        self.pushed.put(each.id, pushed)
        self._say(each, self._message(each.id, pushed))
        return pushed

    def _message(self, thing: str, pushed: Pushed) -> bytes:
        level = {} if pushed.level is None else {"level": pushed.level}
        return encode({"id": pushed.reference, "report": self.report(thing, pushed.needs), **level})

    def _say(self, each: VirtualObject, body: bytes) -> None:
        for topic in self._registry.announcements.topics(each.id):
            name = topic.removeprefix(topics.TD_PREFIX)
            if name != topic and topics.is_name(name):
                self._publish(Outgoing(topics.config(name), body, retain=True))


def _nobody_watches(thing: str) -> Mapping[str, set[str]]:
    """Stands in until there are observers."""
    return {}


def merged_rules(needs: Mapping[str, Rules]) -> Rules:
    """What serves all holders. A property of which a holder says nothing is not its concern."""
    names = dict.fromkeys(name for rules in needs.values() for name in rules)
    return {name: merged([rules[name] for rules in needs.values() if name in rules]) for name in names}


def merged(rules: Iterable[Rule]) -> Rule:
    """The rule that lets through whatever any of these does.

    A step that one of them does not have holds back what that one needs: it falls away. Who wants nothing
    but ``silence`` is served by whatever the others want. What thins out the values beyond a limit would hold
    back crossings of another one.
    """
    parts = [rule.steps() for rule in rules]
    asking = [part for part in parts if part.keys() != {"silence"}]
    lives = [part["silence"] for part in parts if "silence" in part]
    if not asking:
        return Rule(silence=min(lives)) if lives else Rule()
    kept: dict[str, Any] = {}
    alike = len({(part.get("above"), part.get("below")) for part in asking}) == 1
    for step, choose in (("every", min), ("delta", min)):
        if all(step in part for part in asking):
            least = choose(part[step] for part in asking)
            if alike or (step == "delta" and least == 0):
                kept[step] = least
    if all("above" in part or "below" in part for part in asking):
        for step, choose in (("above", min), ("below", max)):
            if found := [part[step] for part in asking if step in part]:
                kept[step] = choose(found)
    # Of values that stand for different things nobody could tell which is which.
    windows = {tuple(step for step in _WINDOWS if step in part) for part in asking}
    if len(windows) == 1:
        kept |= {step: min(part[step] for part in asking) for step in windows.pop()}
    if kept and lives:
        kept["silence"] = min(lives)
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
