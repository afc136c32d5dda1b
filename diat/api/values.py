"""Values as they are handed out: as things gave them, or in the form that policies say, or not yet.

``Handed`` is what every route that tells values goes through; to ask for it counts as a use.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from diat.adapters.sql.figures import Aggregate, Past
from diat.api.access import may
from diat.api.ports import Platform
from diat.security.decision import Decision
from diat.security.form import Form, form_of
from diat.security.operations import Operation
from diat.security.principal import Principal
from diat.vol.targets import target_of
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading

PAGE = 1000
"""Readings looked at at once."""
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_LOOKS = ((_HOUR, _MINUTE), (_DAY, _HOUR), (400 * _DAY, _DAY))
"""How far back a value that is old enough is looked for, and in how long steps."""


class Handed(NamedTuple):
    """How values of an affordance are handed to somebody.

    Attributes:
        form: the form; None for as they are.
        now: as of when, Unix milliseconds.
        event: whether it is an event.
    """

    platform: Platform
    each: VirtualObject
    name: str
    form: Form | None
    now: int
    event: bool = False

    @property
    def held(self) -> bool:
        """Whether some values are not told, or not yet."""
        return self.form is not None and bool(self.form.delay or self.form.coarsen)

    def shaped(self, known: Past) -> Past:
        """A reading of history in its form, its times no finer than that."""
        if self.form is None:
            return known
        value = self.form.value(known.value, self.platform.pseudonyms)
        observed, received = self.form.at(known.observed), self.form.at(known.received)
        return msgspec.structs.replace(known, value=value, observed=observed, received=received)

    def newest(self) -> Past | None:
        """The newest reading that may be told; None if there is none."""
        known = self.platform.things.twin(self.each.id).values.get(self.name)
        found = None if known is None else past_of(known)
        if found is None or self.form is None or not self.held:
            return None if found is None else self.shaped(found)
        youngest = self.form.youngest(self.now)
        if found.observed > youngest:
            found = self._last(youngest + 1)
        if found is not None and self.form.coarsen:
            end = min(found.observed, youngest) + 1
            found = next(iter(self._rows(self.form.at(found.observed), end, 1)), found)
        return None if found is None else self.shaped(found)

    def history(
        self, start: int | None, end: int | None, after: tuple[int, int] | None = None
    ) -> Iterator[Past]:
        """The readings that may be told, oldest first; arguments as of ``History.readings``."""
        step = self.form.coarsen if self.form is not None else 0
        end = self.end(end)
        if step:
            start = None if start is None else start - start % step
            if after is not None:
                behind = after[0] - after[0] % step + step
                start, after = behind if start is None else max(start, behind), None
        told = None
        while True:
            page = self._rows(start, end, PAGE, after)
            for each in page:
                interval = each.observed // step if step else None
                if interval is None or interval != told:
                    told = interval
                    yield self.shaped(each)
            if len(page) < PAGE:
                return
            if step:
                start = page[-1].observed // step * step + step
            else:
                after = (page[-1].observed, page[-1].position)

    def page(
        self, start: int | None, end: int | None, limit: int, offset: int, after: tuple[int, int] | None
    ) -> list[Past]:
        """At most ``limit`` of them, after ``offset`` others."""
        if not self.held:
            number, history = self.each.record.no, self.platform.history
            found = history.readings(number, self.name, start, end, limit, offset=offset, after=after)
            return [self.shaped(each) for each in found]
        return list(islice(self.history(start, end, after), offset, offset + limit))

    def end(self, end: int | None) -> int | None:
        """The end of what may be asked of history, excluded, Unix milliseconds."""
        if self.form is None or not self.form.delay:
            return end
        youngest = self.form.youngest(self.now) + 1
        return youngest if end is None else min(end, youngest)

    def figures(
        self, start: int | None, end: int | None, every: int, aggregate: Aggregate, limit: int, offset: int
    ) -> list[Past]:
        """Figures over intervals; arguments as of ``History.aggregates``.

        Where values are told coarser in time, intervals are no shorter than that, and only whole ones are
        told: figures over parts of one would tell what lies between.
        """
        history, number = self.platform.history, self.each.record.no
        form, end = self.form, self.end(end)
        if form is not None and form.coarsen:
            every = -(-every // form.coarsen) * form.coarsen
            end = self.now if end is None else min(end, self.now)
            end -= end % every
            start = None if start is None else start - start % every
        found = history.aggregates(number, self.name, start, end, every, aggregate, limit, offset=offset)
        if form is None or aggregate == "count":
            return found
        key = self.platform.pseudonyms
        return [msgspec.structs.replace(each, value=form.value(each.value, key)) for each in found]

    def due(self, known: Past) -> int | None:
        """When a reading may be told, Unix milliseconds; None for never: its interval has its value."""
        if self.form is None:
            return known.observed
        if self.form.coarsen:
            first = self._rows(self.form.at(known.observed), known.observed + 1, 1)
            if first and first[0].position != known.position:
                return None
        return known.observed + self.form.delay

    def since(self, position: int, limit: int) -> list[Past]:
        """What came behind an ingest position, as it came."""
        history, number = self.platform.history, self.each.record.no
        ask = history.events_since if self.event else history.readings_since
        return ask(number, self.name, position, limit)

    def _rows(
        self, start: int | None, end: int | None, limit: int, after: tuple[int, int] | None = None
    ) -> list[Past]:
        history, number = self.platform.history, self.each.record.no
        ask = history.occurrences if self.event else history.readings
        return ask(number, self.name, start, end, limit, after=after)

    def _last(self, end: int) -> Past | None:
        """The last reading that was observed before a time; found in few looks, however many there are."""
        history, number = self.platform.history, self.each.record.no
        for back, step in _LOOKS:
            start = end - back
            while True:
                most = (end - start) // step + 2
                counts = history.aggregates(number, self.name, start, end, step, "count", most)
                if not counts:
                    break
                start = max(start, counts[-1].observed)
                if step == _MINUTE:
                    return _final(self._rows(start, end, 100 * PAGE))
                step = _HOUR if step == _DAY else _MINUTE
        return None


def _final(found: list[Past]) -> Past | None:
    return found[-1] if found else None


def handed(
    platform: Platform,
    principal: Principal,
    operation: Operation,
    each: VirtualObject,
    name: str,
    *,
    event: bool = False,
) -> Handed:
    """How values of an affordance are handed to a principal; that counts as a use.

    Raises:
        NotFound: the principal may not know that the thing is there.
        Forbidden: it may not have them; the message says which role or policy decided.
    """
    decided = used(platform, principal, operation, each, name)
    return Handed(platform, each, name, form_of(decided), platform.clock(), event)


def past_of(known: Reading) -> Past:
    """A reading of just now as one of history."""
    return Past(known.value, known.observed, known.received, known.quality, known.position)


class Withheld(NamedTuple):
    """Stands for a value that is not told."""

    reason: str


def told(platform: Platform, principal: Principal, thing: str, name: str, value: Any, at: int) -> Any:
    """A value of a record (a command, what it was decided on) as it may be told, or ``Withheld``.

    What is told coarser in time is withheld altogether: a record tells of one moment.

    Args:
        platform: the daemon.
        principal: who is told.
        thing: id of the thing; of one that is gone only who may read everywhere is told.
        name: the affordance.
        value: in the thing's own unit.
        at: as of when it is, Unix milliseconds.
    """
    if platform.decider.everywhere(principal, "read"):
        return value
    each = platform.things.registry.objects.committed.get(thing)
    if each is None:
        return Withheld("the thing is gone, and with it who may read it")
    now = platform.clock()
    decided = platform.decider.decide(principal, "read", target_of(each, name), now)
    form = form_of(decided)
    if decided.effect == "deny":
        return Withheld(decided.reason)
    if form is None:
        return value
    if form.coarsen or at > form.youngest(now):
        return Withheld(decided.reason)
    return form.value(value, platform.pseudonyms)


def used(
    platform: Platform, principal: Principal, operation: Operation, each: VirtualObject, name: str
) -> Decision:
    """The decision on using an affordance, which counts as a use; what it obliges to is seen to.

    Raises:
        NotFound: the principal may not know that the thing is there.
        Forbidden: it may not use it; the message says which role or policy decided.
    """
    may(platform, principal, operation, each, name)
    target = target_of(each, name)
    decided = platform.decider.use(principal, operation, target, platform.clock()).or_refuse()
    if decided.obligations:
        platform.obligations.see_to(decided, principal, operation, target)
    return decided
