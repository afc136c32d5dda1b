"""Virtual objects: what the platform knows of a thing, compiled for quick use.

A ``ThingRecord`` is the durable part; a ``VirtualObject`` joins it with what the thing's dialect says now
and is made anew whenever either changes. Both are immutable.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.vol.alike import ALIKE, json
from diat.vol.dialects.port import Description, Inlet
from diat.wot.quantities import quantity_kind
from diat.wot.schema import Check, compile_check, data_schema
from diat.wot.units import ucum

Admission = Literal["accepted", "pending", "rejected"]
CHANNEL = 64
"""Characters of a channel's name that count."""


class ThingRecord(Struct, frozen=True, kw_only=True):
    """What is durable of a virtual object.

    Attributes:
        no: short number, by which history refers to it; never given twice.
        id: the ``id`` of its Thing Description.
        name: the last segment of the id for native things, else the dialect's own name for it.
        dialect: how it speaks: ``native``, ``homeassistant``, ``composite``.
        identifiers: what names the physical thing behind it, as its dialect says.
        admission: whether it takes part; ``reason`` says why in one line, ``decided_by`` who decided.
        patch: what people said about it, a merge patch laid over the description.
        edited: member of the description to when people changed it last, Unix milliseconds.
        renames: what the hardware calls an affordance to the name that it has here, after a swap.
        retired: it was withdrawn; its number and patch wait for its return.
        created: Unix milliseconds, as are ``modified`` and ``expires``.
        expires: when its registration ends unless it is renewed; None if it does not.
        revision: grows with each change; the ETag.
    """

    no: int
    id: str
    name: str
    dialect: str
    identifiers: tuple[str, ...] = ()
    admission: Admission = "accepted"
    reason: str = "its announcement is valid"
    decided_by: Literal["policy", "person"] = "policy"
    patch: dict[str, Any] = {}
    edited: dict[str, int] = {}
    renames: dict[str, str] = {}
    retired: bool = False
    created: int
    modified: int
    expires: int | None = None
    revision: int = 1


class Envelope(Struct, frozen=True, kw_only=True):
    """Limits that no command may leave (``diat:envelope``).

    Attributes:
        least: lowest value, in the affordance's unit; None for no limit, as everywhere here.
        most: highest value.
        rate: most change a second.
        min_on: seconds that it stays on once it is, at least; on is true, or more than 0.
        min_off: seconds that it stays off once it is.
    """

    least: float | None = None
    most: float | None = None
    rate: float | None = None
    min_on: float | None = None
    min_off: float | None = None

    @property
    def timed(self) -> bool:
        """Whether it limits how soon a change may come."""
        return bool(self.rate or self.min_on or self.min_off)


NO_LIMITS = Envelope()


class Affects(Struct, frozen=True):
    """What driving an affordance does to a quantity."""

    quantity: str
    direction: Literal["increase", "decrease", "switch"]


class Property(Struct, frozen=True, kw_only=True):
    """A property, compiled.

    Attributes:
        check: says what is wrong with a value.
        quantity: QUDT quantity kind, such as ``Temperature``.
        confidence: how sure the quantity is, from 0 to 1; less than 1 where it was not declared.
        unit: UCUM code.
        accuracy: half width of the error, in ``unit``.
        envelope: limits that no command may leave.
        category: ``diagnostic`` or ``config`` for what tells of the thing itself (``diat:entityCategory``).
        silence: seconds after which, unheard, a value is no longer fresh.
        off_delay: seconds after which true becomes false; None if it does not by itself.
        channel: which of several like parts of the thing it drives.
    """

    name: str
    type: str | None
    check: Check
    quantity: str | None = None
    confidence: float = 1.0
    unit: str | None = None
    accuracy: float | None = None
    readable: bool = True
    writable: bool = True
    idempotent: bool = False
    affects: Affects | None = None
    envelope: Envelope = NO_LIMITS
    silence: float | None = None
    off_delay: float | None = None
    category: str | None = None
    channel: str = ""

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("number", "integer")


class Action(Struct, frozen=True, kw_only=True):
    """An action, compiled; ``check`` is for its input, None if it takes none."""

    name: str
    check: Check | None = None
    idempotent: bool = False
    affects: Affects | None = None
    envelope: Envelope = NO_LIMITS
    channel: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """An event, compiled; ``check`` is for its data, None if anything goes."""

    name: str
    check: Check | None = None
    quantity: str | None = None


def group(each: Property | Action) -> str:
    """What driving an affordance is about, by which all of a thing that do the same are claimed together.

    Of like parts of a thing (the sockets of a strip) each is claimed for itself: they have channels.
    """
    if each.affects is not None:
        return f"{each.affects.quantity} {each.channel}".rstrip()
    return (each.quantity if isinstance(each, Property) else None) or each.name


class VirtualObject(Struct, frozen=True, kw_only=True, eq=False):
    """Our live counterpart of one thing; made anew it is another one, so it can be told by identity.

    Attributes:
        td: its Thing Description without forms, people's patch applied.
        place: path of its place, ``""`` if none is known.
        inlets: topic to those who read it, for things of other dialects.
        wire: its name in the topics of native things; empty for other dialects.
        limited: properties that keep a position for a least time, or change at a limited rate.
        skills: what it can do with which quantity: ``read``, ``write`` or a direction; None is for any.
        notes: what of its description was not understood.
    """

    record: ThingRecord
    description: Description
    td: dict[str, Any]
    place: str
    properties: dict[str, Property]
    actions: dict[str, Action]
    events: dict[str, Event]
    inlets: dict[str, tuple[Inlet, ...]]
    wire: str = ""
    limited: frozenset[str] = frozenset()
    skills: frozenset[tuple[str, str | None]] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The ``id`` of its Thing Description."""
        return self.record.id

    @property
    def quantities(self) -> frozenset[str]:
        """The quantity kinds that it has, tells of or affects."""
        found = {each.quantity for each in self.properties.values()}
        found |= {each.quantity for each in self.events.values()}
        for affects in (
            *(each.affects for each in self.properties.values()),
            *(each.affects for each in self.actions.values()),
        ):
            found.add(affects.quantity if affects is not None else None)
        return frozenset(quantity for quantity in found if quantity is not None)

    def actuator(self, name: str) -> str:
        """What of the thing is claimed by whoever drives the affordance; its name if there is none."""
        each = self.properties.get(name) or self.actions.get(name)
        return name if each is None else group(each)

    def outward(self, name: str) -> str:
        """What its hardware calls an affordance."""
        for theirs, ours in self.record.renames.items():
            if ours == name:
                return theirs
        return name

    @property
    def taking_part(self) -> bool:
        """Whether it is accepted and not retired."""
        return self.record.admission == "accepted" and not self.record.retired


def compile_object(
    record: ThingRecord, description: Description, td: dict[str, Any], wire: str = ""
) -> VirtualObject:
    """Compile a virtual object from its record and its complete description ``td``.

    Whatever in an affordance cannot be used (an unknown unit, a wrong pattern) becomes a note; the rest of
    the thing stands.
    """
    notes = list(description.notes)
    properties = {}
    for name, affordance in _each(td, "properties", notes):
        properties[name], unclear = _property_alike(name, json(affordance))
        notes += unclear
    actions = {}
    for name, affordance in _each(td, "actions", notes):
        check = _check(name, affordance.get("input"), notes)
        actions[name] = Action(
            name=name,
            check=check,
            idempotent=_flag(affordance, "idempotent") or _flag(affordance, "safe"),
            affects=_affects(name, affordance, notes),
            envelope=envelope(affordance.get("diat:envelope")),
            channel=_channel(affordance),
        )
    events = {
        name: Event(
            name=name,
            check=_check(name, affordance.get("data"), notes),
            quantity=_quantity(affordance.get("@type")),
        )
        for name, affordance in _each(td, "events", notes)
    }
    inlets: dict[str, tuple[Inlet, ...]] = {}
    for inlet in description.inlets:
        inlets[inlet.topic] = (*inlets.get(inlet.topic, ()), inlet)
    place = td.get("diat:place")
    return VirtualObject(
        record=record,
        description=description,
        td=td,
        place=place if isinstance(place, str) else "",
        properties=properties,
        actions=actions,
        events=events,
        inlets=inlets,
        wire=wire,
        limited=_alike_names(frozenset(each.name for each in properties.values() if each.envelope.timed)),
        skills=_skills_alike(_skills(properties, actions)),
        notes=tuple(dict.fromkeys(notes)),
    )


def envelope(said: Any) -> Envelope:
    """The limits that a ``diat:envelope`` states; what is no number states none."""
    if not isinstance(said, Mapping):
        return NO_LIMITS
    keys = {"least": "min", "most": "max", "rate": "max-rate", "min_on": "min-on", "min_off": "min-off"}
    return Envelope(**{name: _number(said.get(key)) for name, key in keys.items()})


def _skills(properties: dict[str, Property], actions: dict[str, Action]) -> frozenset[tuple[str, str | None]]:
    able = [("read", prop.quantity) for prop in properties.values() if prop.readable]
    able += [("write", prop.quantity) for prop in properties.values() if prop.writable]
    driven: list[Property | Action] = [*properties.values(), *actions.values()]
    able += [(each.affects.direction, each.affects.quantity) for each in driven if each.affects is not None]
    return frozenset(skill for verb, quantity in able for skill in ((verb, quantity), (verb, None)))


@lru_cache(maxsize=ALIKE)
def _skills_alike(skills: frozenset[tuple[str, str | None]]) -> frozenset[tuple[str, str | None]]:
    """The same set for all things that can do the same."""
    return skills


@lru_cache(maxsize=ALIKE)
def _alike_names(names: frozenset[str]) -> frozenset[str]:
    """The same set for all things in which the same is limited."""
    return names


def _each(td: Mapping[str, Any], kind: str, notes: list[str]) -> list[tuple[str, dict[str, Any]]]:
    group = td.get(kind, {})
    if not isinstance(group, dict):
        notes.append(f"{kind}: not an object")
        return []
    return [(name, affordance) for name, affordance in group.items() if isinstance(affordance, dict)]


@lru_cache(maxsize=ALIKE)
def _property_alike(name: str, affordance: bytes) -> tuple[Property, list[str]]:
    """The property with that name and affordance, as JSON, which all things share that have it."""
    notes: list[str] = []
    return _property(name, msgspec.json.decode(affordance), notes), notes


def _property(name: str, affordance: dict[str, Any], notes: list[str]) -> Property:
    unit, quantity = None, _quantity(affordance.get("@type"))
    if isinstance(said := affordance.get("unit"), str):
        unit = ucum(said, quantity)
        if unit is None:
            notes.append(f"{name}: unknown unit {said!r}")
    kind, category = affordance.get("type"), affordance.get("diat:entityCategory")
    return Property(
        name=name,
        type=kind if isinstance(kind, str) else None,
        check=_check(name, affordance, notes) or _anything,
        quantity=quantity,
        confidence=_confidence(affordance.get("diat:confidence")),
        unit=unit,
        accuracy=_number(affordance.get("diat:accuracy")),
        readable=not _flag(affordance, "writeOnly"),
        writable=not _flag(affordance, "readOnly"),
        idempotent=_flag(affordance, "idempotent") or _flag(affordance, "safe"),
        affects=_affects(name, affordance, notes),
        envelope=envelope(affordance.get("diat:envelope")),
        silence=_number(affordance.get("diat:silence")),
        off_delay=_delay(affordance.get("diat:offDelay")),
        category=category if isinstance(category, str) else None,
        channel=_channel(affordance),
    )


def _check(name: str, schema: Any, notes: list[str]) -> Check | None:
    if not isinstance(schema, Mapping):
        return None
    try:
        return compile_check(data_schema(schema))
    except ValueError as error:
        notes.append(f"{name}: its schema cannot be used: {error}"[:300])
        return None


def _anything(value: Any) -> str | None:
    return None


def _quantity(types: Any) -> str | None:
    for term in types if isinstance(types, list) else [types]:
        if isinstance(term, str) and (kind := quantity_kind(term)) is not None:
            return kind
    return None


def _confidence(said: Any) -> float:
    number = _number(said)
    return 1.0 if number is None else min(max(number, 0.0), 1.0)


def _affects(name: str, affordance: Mapping[str, Any], notes: list[str]) -> Affects | None:
    said = affordance.get("diat:affects")
    if said is None:
        return None
    if isinstance(said, Mapping):
        quantity = _quantity(said.get("quantity"))
        direction = said.get("direction")
        if quantity is not None and direction in ("increase", "decrease", "switch"):
            return Affects(quantity, direction)
    notes.append(f"{name}: diat:affects needs a quantity and a direction (increase, decrease or switch)")
    return None


def _channel(affordance: Mapping[str, Any]) -> str:
    said = affordance.get("diat:channel")
    return said[:CHANNEL] if isinstance(said, str) else ""


def _flag(affordance: Mapping[str, Any], key: str) -> bool:
    return affordance.get(key) is True


def _delay(value: Any) -> float | None:
    """Seconds, at most a year."""
    seconds = _number(value)
    return seconds if seconds is not None and 0 < seconds <= 366 * 86_400 else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
