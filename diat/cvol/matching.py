"""Matching: which affordances could fill a role, how well, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from diat.cvol.wanted import Wanted
from diat.security.decision import Decision, strictest
from diat.security.form import Form, form_of
from diat.security.operations import Operation
from diat.vol.announcements import NATIVE
from diat.vol.interaction import COMPOSITE
from diat.vol.registry import Registry
from diat.vol.thing import Action, Affects, Event, Property, VirtualObject
from diat.vol.twin import Reading, Twin
from diat.wot.places import steps
from diat.wot.quantities import default_unit
from diat.wot.units import converter

UNREACHED = "it is reached only by forms of its own"
OFFLINE = "it is offline"
UNREACHABLE = "it is unreachable through the gateway {}"
REMOTE = 200
"""Things at other places that are looked at for what a person may have put into the wrong place."""
BindingKind = Literal["property", "action", "event", "pair"]
"""What of a thing fills a role; ``pair``: two actions, one that increases and one that decreases."""
Allow = Callable[[VirtualObject, str, Operation], Decision]
"""What was decided on an operation of a composite with an affordance of a thing."""
How = Literal["plain", "inverted", "percent"]
"""How a switch is driven: with the value itself, with its opposite, or with 100 and 0."""


class Filling(Protocol):
    """What fills a role, or could."""

    @property
    def affordance(self) -> str:
        """Its name."""

    @property
    def kind(self) -> BindingKind:
        """What of the thing it is."""

    @property
    def opposite(self) -> str:
        """Of a pair of actions, the one that decreases."""


class Candidate(Struct, frozen=True, kw_only=True):
    """An affordance looked at for a role.

    Attributes:
        kind: what of the thing it is.
        unit: UCUM code that its values come in, or are given in.
        accuracy: half width of its error, in the role's unit.
        opposite: of a pair of actions, the one that decreases.
        how: of a switch, how it is driven.
        cost: what is lost if it stands in for what was wanted; empty if it is what was wanted.
        rank: lower is better; compared field by field, the place in the role's ``order`` first.
        reason: why it fits, for a person.
        refusal: why it does not, None if it does.
        absent: it would fit but for not being there just now.
        later: it may fit as soon as its next reading comes.
        form: in which form its values are read; None for as they are.
        denied: it is refused by a role or a policy, and by nothing else.
    """

    thing: str
    title: str
    affordance: str
    kind: BindingKind = "property"
    unit: str | None = None
    accuracy: float | None = None
    opposite: str = ""
    how: How = "plain"
    cost: str = ""
    rank: tuple[float, ...] = ()
    reason: str = ""
    refusal: str | None = None
    absent: bool = False
    later: bool = False
    form: Form | None = None
    denied: bool = False


def candidates(
    wanted: Wanted,
    registry: Registry,
    twin: Callable[[str], Twin],
    now: int,
    own: Collection[str] = (),
    *,
    allow: Allow | None = None,
    stand_ins: bool = False,
) -> list[Candidate]:
    """Everything at the place that has or affects the quantity, looked at for the role.

    Args:
        wanted: the role.
        registry: where things are.
        twin: the live state of a thing by id.
        now: Unix milliseconds.
        own: ids of things that must not fill it, because they depend on the one who asks.
        allow: what may fill it; None for anything.
        stand_ins: whether substitutes are looked at even if something of what is wanted fits.

    Returns:
        The fitting ones first, best first; then the refused ones.
    """
    if wanted.exact is not None:
        return _exactly(wanted.exact, registry)
    look = _Look(wanted, registry, twin, now, own, allow)
    found = [each for quantity in wanted.quantities for each in look.at(quantity, wanted.place)]
    if wanted.substitutes and (stand_ins or not any(each.refusal is None for each in found)):
        found += [
            msgspec.structs.replace(each, cost=cost, reason=f"{each.reason} instead: {cost}")
            for quantity, cost in wanted.substitutes
            for each in look.at(quantity, wanted.place)
        ]
    return sorted(found, key=lambda each: (each.refusal is not None, bool(each.cost), each.rank))


def elsewhere(
    wanted: Wanted,
    registry: Registry,
    twin: Callable[[str], Twin],
    now: int,
    own: Collection[str] = (),
    most: int = 5,
    *,
    allow: Allow | None = None,
) -> list[Candidate]:
    """What would fill the role if it were at the place, the nearest first; arguments as in ``candidates``.

    It is what a person may have put into the wrong place. There may be thousands of things elsewhere: at
    most ``most`` are told, found among the ``REMOTE`` nearest.
    """
    look = _Look(wanted, registry, twin, now, own, allow)
    found: dict[tuple[str, str], Candidate] = {}
    left = REMOTE
    inner = steps(wanted.place)
    for depth in reversed(range(len(inner))):
        for quantity in wanted.quantities:
            for each in registry.found(quantity, "/".join(inner[:depth])):
                if steps(each.place)[: depth + 1] == inner[: depth + 1]:
                    continue  # it is nearer, and was looked at before
                if left == 0 or len(found) >= most:
                    return list(found.values())[:most]
                left -= 1
                for would in look.into(quantity, each):
                    if would.refusal is None or would.absent:
                        found.setdefault((would.thing, would.affordance), _afar(would, each))
    return list(found.values())[:most]


def freshness(wanted: Wanted, prop: Property) -> float:
    """Seconds that a reading may be old: what the role asks, less if the thing itself promises more."""
    return wanted.freshness if prop.silence is None else min(wanted.freshness, prop.silence)


class _Look(NamedTuple):
    """What is looked at things for, and with what."""

    wanted: Wanted
    registry: Registry
    twin: Callable[[str], Twin]
    now: int
    own: Collection[str]
    allow: Allow | None = None

    def at(self, quantity: str, place: str) -> Iterator[Candidate]:
        """All of a quantity at a place."""
        for each in self.registry.with_quantity(quantity, place):
            yield from self.into(quantity, each)

    def into(self, quantity: str, each: VirtualObject) -> Iterator[Candidate]:
        """What of a thing has or affects a quantity."""
        # What depends on the role, or is left out on purpose, was not turned down: it never stood for it.
        left_out = each.record.dialect == COMPOSITE and not self.wanted.composites
        if self.wanted.apart and self.registry.gateway_of(each.id) in self.wanted.apart:
            left_out = True
        if each.id not in self.own and not left_out:
            found = _of_thing(self.wanted, quantity, each, self.twin(each.id), self.now)
            yield from found if self.allow is None else (self._allowed(each, one) for one in found)

    def _allowed(self, each: VirtualObject, found: Candidate) -> Candidate:
        """A candidate in the form in which it may fill the role, or refused if it may not."""
        if self.allow is None or (found.refusal is not None and not found.absent):
            return found
        decided = may_fill(self.allow, each, found, drives=self.wanted.drives)
        if decided.effect == "deny":
            return msgspec.structs.replace(
                found, refusal=decided.reason, absent=False, later=False, denied=True
            )
        form = None if self.wanted.drives else form_of(decided)
        return found if form is None else msgspec.structs.replace(found, form=form)


def may_fill(allow: Allow, each: VirtualObject, found: Filling, *, drives: bool) -> Decision:
    """What was decided on an affordance that fills a role, or could: bound, and then read or driven."""
    operation: Operation = "observe" if not drives else "write" if found.kind == "property" else "invoke"
    names = [name for name in (found.affordance, found.opposite) if name]
    decided = strictest(allow(each, name, what) for name in names for what in ("bind", operation))
    if not drives and decided.delay:
        reason = f"{decided.reason}: a service needs values as they come"
        return msgspec.structs.replace(decided, effect="deny", reason=reason)
    return decided


def _exactly(what: tuple[str, str], registry: Registry) -> list[Candidate]:
    """The property of the thing that is meant, whatever it is; what it said counts until it says more."""
    thing, name = what
    each = registry.seen(thing)
    if each is None or name not in each.properties:
        return []
    return [
        Candidate(
            thing=thing,
            title=_title(each),
            affordance=name,
            rank=(0.0,),
            reason="it is a part of this service",
            refusal=_barred(each),
        )
    ]


def _of_thing(
    wanted: Wanted, quantity: str, each: VirtualObject, twin: Twin, now: int
) -> Iterator[Candidate]:
    if wanted.capability == "notice":
        events = (event for event in each.events.values() if event.quantity == quantity)
        yield from (_noticing(wanted, each, event, twin) for event in events)
    elif wanted.capability == "read":
        found = (prop for prop in each.properties.values() if prop.quantity == quantity and prop.readable)
        yield from (_reading(wanted, each, prop, twin, now) for prop in found)
    elif wanted.capability == "switch":
        yield from _switching(wanted, quantity, each, twin)
    else:
        for prop in each.properties.values():
            own = prop.quantity == quantity
            affected = prop.affects is not None and prop.affects.quantity == quantity
            if own if wanted.capability == "set" else affected:
                yield _driving(wanted, each, prop, twin)
        for action in each.actions.values():
            if action.affects is not None and action.affects.quantity == quantity:
                yield _invoking(wanted, each, action, twin)


def _reading(wanted: Wanted, each: VirtualObject, prop: Property, twin: Twin, now: int) -> Candidate:
    # What was never declared is not taken to be in the usual unit as well.
    usual = default_unit(prop.quantity or wanted.quantity) if prop.confidence == 1 else None
    unit = prop.unit or usual
    target = wanted.unit or unit
    accuracy = _accuracy(prop, unit, target)
    refusal = _barred(each) or _unreadable(wanted, each, prop, unit, target, accuracy)
    silent = None
    reading = twin.values.get(prop.name)
    if refusal is None and twin.status != "offline":
        silent = _silent(wanted, prop, reading, now)
    described = [f"reads {prop.quantity}"]
    if each.place:
        described.append(f"at {each.place}")
    if unit != target:
        described.append(f"in {unit}, converted to {target}")
    if accuracy is not None:
        described.append(f"within {accuracy:g}")
    if prop.confidence < 1:
        described.append(_supposed(prop.confidence).strip())
    offline = refusal is None and twin.status == "offline"
    return Candidate(
        thing=each.id,
        title=_title(each),
        affordance=prop.name,
        unit=unit,
        accuracy=accuracy,
        rank=(
            _place_in_order(wanted, each),
            float(each.record.dialect == COMPOSITE),
            # Native things may leave readOnly away, so what can be written may still be measured.
            float(prop.writable),
            1.0 - prop.confidence,
            *_preferences(wanted, each, accuracy, reading.observed if reading is not None else 0),
            float(each.record.no),
        ),
        reason=" ".join(described),
        refusal=refusal or (_away(twin) if offline else silent),
        absent=offline or silent is not None,
        later=silent is not None,
    )


def _unreadable(
    wanted: Wanted,
    each: VirtualObject,
    prop: Property,
    unit: str | None,
    target: str | None,
    accuracy: float | None,
) -> str | None:
    """Why a property, as it is described, cannot be read for the role."""
    if prop.category is not None:
        return f"it tells of the thing itself ({prop.category})"
    if prop.name in each.description.unreached:
        return UNREACHED
    if prop.writable and prop.numeric and each.record.dialect != NATIVE:
        return "it is a set-point"
    if (reason := _of_another_type(wanted, prop)) is not None:
        return reason
    if target is not None and (unit is None or converter(unit, target, prop.quantity) is None):
        return f"its unit {prop.unit or 'is not known and'} does not convert to {wanted.unit}"
    if wanted.accuracy is not None and accuracy is not None and accuracy > wanted.accuracy:
        return f"it is accurate within {accuracy:g} {target or ''}, worse than {wanted.accuracy:g}"
    return None


def _away(twin: Twin) -> str:
    return OFFLINE if twin.cut is None else UNREACHABLE.format(twin.cut.gateway)


def _silent(wanted: Wanted, prop: Property, reading: Reading | None, now: int) -> str | None:
    """Why what a property last said does not count."""
    if reading is None:
        return "it has not reported yet"
    limit = freshness(wanted, prop)
    if now - reading.observed <= limit * 1000:
        return None
    return f"its reading is {(now - reading.observed) / 1000:.0f} s old, more than {limit:.0f} s"


def _noticing(wanted: Wanted, each: VirtualObject, event: Event, twin: Twin) -> Candidate:
    refusal = _barred(each)
    absent = refusal is None and twin.status == "offline"
    where = f" at {each.place}" if each.place else ""
    return Candidate(
        thing=each.id,
        title=_title(each),
        affordance=event.name,
        kind="event",
        rank=(_place_in_order(wanted, each), float(each.record.no)),
        reason=f"tells of {event.quantity}{where}",
        refusal=_away(twin) if absent else refusal,
        absent=absent,
    )


def _driving(wanted: Wanted, each: VirtualObject, prop: Property, twin: Twin) -> Candidate:
    refusal = _barred(each)
    if refusal is None and wanted.capability != "set":
        refusal = _of_another_way(wanted, prop.affects)
    if refusal is None and not prop.writable:
        refusal = "it is read only"
    unit = prop.unit or (default_unit(wanted.quantity) if wanted.capability == "set" else None)
    if refusal is None:
        refusal = _of_another_type(wanted, prop)
    if (
        refusal is None
        and wanted.unit
        and (unit is None or converter(wanted.unit, unit, wanted.quantity) is None)
    ):
        refusal = f"its unit {prop.unit or 'is not known and'} does not convert from {wanted.unit}"
    return _actuator(wanted, each, prop.name, "property", twin, refusal, unit=unit, sure=prop.confidence)


def _switching(wanted: Wanted, quantity: str, each: VirtualObject, twin: Twin) -> Iterator[Candidate]:
    """What switches a quantity either way: a switch, a position, or two actions.

    Of what a thing, or a channel of it, has for that only the best counts, else it would be told twice.
    """
    drivers: list[Property | Action] = [*each.properties.values(), *each.actions.values()]
    for channel in dict.fromkeys(
        one.channel for one in drivers if one.affects is not None and one.affects.quantity == quantity
    ):
        found = list(_ways(wanted, quantity, channel, each, twin))
        fit = [way for way in found if way.refusal is None or way.absent]
        best = min(fit, key=lambda way: way.rank, default=None)
        for way in found:
            if best is not None and way is not best and way in fit:
                way = msgspec.structs.replace(way, refusal=f"{best.affordance} does that", absent=False)
            yield way


def _ways(
    wanted: Wanted, quantity: str, channel: str, each: VirtualObject, twin: Twin
) -> Iterator[Candidate]:
    refusal = _barred(each)
    for prop in each.properties.values():
        if prop.affects is None or (prop.affects.quantity, prop.channel) != (quantity, channel):
            continue
        wrong = refusal
        if wrong is None and not prop.writable:
            wrong = "it is read only"
        percent = prop.numeric and prop.unit == "%"
        if wrong is None and not percent and prop.type != "boolean":
            wrong = "it is not a switch"
        how: How = "percent" if percent else "inverted" if prop.affects.direction == "decrease" else "plain"
        yield _actuator(wanted, each, prop.name, "property", twin, wrong, how=how, sure=prop.confidence)
    up, down = (
        next(
            (
                action
                for action in each.actions.values()
                if action.affects is not None
                and (action.affects.quantity, action.affects.direction) == (quantity, direction)
                and action.channel == channel
            ),
            None,
        )
        for direction in ("increase", "decrease")
    )
    if up is not None and down is not None:
        needy = next((a for a in (up, down) if a.check is not None and a.check(None) is not None), None)
        wrong = refusal or (f"{needy.name} needs an input" if needy is not None else None)
        yield _actuator(wanted, each, up.name, "pair", twin, wrong, opposite=down.name)


def _invoking(wanted: Wanted, each: VirtualObject, action: Action, twin: Twin) -> Candidate:
    refusal = _barred(each) or _of_another_way(wanted, action.affects)
    if refusal is None and action.check is not None and action.check(None) is not None:
        refusal = "it needs an input"
    return _actuator(wanted, each, action.name, "action", twin, refusal)


def _actuator(
    wanted: Wanted,
    each: VirtualObject,
    name: str,
    kind: BindingKind,
    twin: Twin,
    refusal: str | None,
    *,
    unit: str | None = None,
    opposite: str = "",
    how: How = "plain",
    sure: float = 1.0,
) -> Candidate:
    if refusal is None and name in each.description.unreached:
        refusal = UNREACHED
    absent = refusal is None and twin.status == "offline"
    where = f" at {each.place}" if each.place else ""
    return Candidate(
        thing=each.id,
        title=_title(each),
        affordance=name,
        kind=kind,
        unit=unit,
        opposite=opposite,
        how=how,
        # Of a thing that can be switched by a property and by actions, the property says what is so; and on
        # by a switch is as bright as it was, by a position as bright as can be.
        rank=(
            _place_in_order(wanted, each),
            1.0 - sure,
            float(kind != "property"),
            float(how == "percent"),
            float(each.record.no),
        ),
        reason=f"can {wanted.capability} {wanted.quantity}{where}{_supposed(sure)}",
        refusal=_away(twin) if absent else refusal,
        absent=absent,
    )


def _barred(each: VirtualObject) -> str | None:
    return None if each.taking_part else f"it is {each.record.admission}"


def _afar(would: Candidate, each: VirtualObject) -> Candidate:
    where = f"it is at {each.place}" if each.place else "nobody said where it is"
    return msgspec.structs.replace(would, refusal=where, absent=False, later=False)


def _of_another_type(wanted: Wanted, prop: Property) -> str | None:
    if wanted.type == "number" and not prop.numeric:
        return "its values are not numbers"
    if wanted.type == "boolean" and prop.type != "boolean":
        return "it is not a switch" if wanted.drives else "its values are not true or false"
    if wanted.type == "string" and prop.type != "string":
        return "its values are not words"
    return None


def _of_another_way(wanted: Wanted, affects: Affects | None) -> str | None:
    direction = affects.direction if affects is not None else None
    if wanted.capability in ("switch", direction):
        return None
    return f"it can {direction}, not {wanted.capability}"


def _accuracy(prop: Property, unit: str | None, target: str | None) -> float | None:
    """Half width of the error in the role's unit: a width has no offset."""
    if prop.accuracy is None or unit is None or target is None or unit == target:
        return prop.accuracy
    convert = converter(unit, target, prop.quantity)
    return None if convert is None else abs(convert(prop.accuracy) - convert(0.0))


def _place_in_order(wanted: Wanted, each: VirtualObject) -> float:
    return float(wanted.order.index(each.id)) if each.id in wanted.order else float(len(wanted.order))


def _preferences(
    wanted: Wanted, each: VirtualObject, accuracy: float | None, observed: int
) -> Iterator[float]:
    for preference in wanted.prefer:
        if preference == "accuracy":
            yield accuracy if accuracy is not None else float("inf")
        elif preference == "freshness":
            yield float(-observed)
        elif preference == "native":
            yield float(each.record.dialect != NATIVE)
        elif preference == "oldest":
            yield float(each.record.created)


def _supposed(sure: float) -> str:
    return f" as its unit or name suggests ({sure:g} sure)" if sure < 1 else ""


def _title(each: VirtualObject) -> str:
    return str(each.td.get("title", each.id))
