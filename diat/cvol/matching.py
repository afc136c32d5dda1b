"""Matching: which affordances could fill a role, how well, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct

from diat.cvol.template import Capability
from diat.vol.announcements import NATIVE
from diat.vol.places import lies_in
from diat.vol.registry import Registry
from diat.vol.thing import Property, VirtualObject
from diat.vol.twin import Twin
from diat.wot.quantities import default_unit
from diat.wot.units import converter

UNREACHED = "it is reached only by forms of its own"
OFFLINE = "it is offline"
COMPOSITE = "composite"
"""The dialect of things that composites make."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A role with its parameters filled in; units in UCUM, freshness in seconds."""

    name: str
    capability: Capability
    quantity: str
    place: str
    unit: str | None
    freshness: float
    least: int
    most: int | None
    composites: bool

    def __str__(self) -> str:
        """For a person: ``something that can increase Temperature at hq/2``."""
        where = f" at {self.place}" if self.place else ""
        if self.capability == "read":
            return f"a property of {self.quantity}{where}"
        return f"something that can {self.capability} {self.quantity}{where}"


class Candidate(Struct, frozen=True, kw_only=True):
    """An affordance looked at for a role.

    Attributes:
        rank: lower is better; compared field by field.
        reason: why it fits, for a person.
        refusal: why it does not, None if it does.
        absent: it would fit but for not being there just now.
        later: it may fit as soon as its next reading comes.
    """

    thing: str
    title: str
    affordance: str
    unit: str | None = None
    rank: tuple[float, ...] = ()
    reason: str = ""
    refusal: str | None = None
    absent: bool = False
    later: bool = False


def candidates(
    wanted: Wanted,
    registry: Registry,
    twin: Callable[[str], Twin],
    now: int,
    own: Collection[str] = (),
) -> list[Candidate]:
    """Everything that has or affects the quantity, looked at for the role.

    Args:
        wanted: the role.
        registry: where things are.
        twin: the live state of a thing by id.
        now: Unix milliseconds.
        own: ids of things that must not fill it, because they depend on the one who asks.

    Returns:
        The fitting ones first, best first; then the refused ones.
    """
    found: list[Candidate] = []
    for each in registry.with_quantity(wanted.quantity):
        # What depends on the role, or is left out on purpose, was not turned down: it never stood for it.
        if each.id in own or (each.record.dialect == COMPOSITE and not wanted.composites):
            continue
        for prop in each.properties.values():
            if wanted.capability == "read":
                if prop.quantity == wanted.quantity and prop.readable:
                    found.append(_reading(wanted, each, prop, twin(each.id), now))
            elif prop.affects is not None and prop.affects.quantity == wanted.quantity:
                found.append(_driving(wanted, each, prop, twin(each.id)))
    return sorted(found, key=lambda c: (c.refusal is not None, c.rank))


def freshness(wanted: Wanted, prop: Property) -> float:
    """Seconds that a reading may be old: what the role asks, less if the thing itself promises more."""
    return wanted.freshness if prop.silence is None else min(wanted.freshness, prop.silence)


def _reading(wanted: Wanted, each: VirtualObject, prop: Property, twin: Twin, now: int) -> Candidate:
    # What was never declared is not taken to be in the usual unit as well.
    unit = prop.unit or (default_unit(wanted.quantity) if prop.confidence == 1 else None)
    target = wanted.unit or unit
    refusal = _elsewhere(wanted, each)
    absent = later = False
    if refusal is None and prop.category is not None:
        refusal = f"it tells of the thing itself ({prop.category})"
    if refusal is None and prop.writable and each.record.dialect != NATIVE:
        refusal = "it is a set-point"
    if refusal is None and not prop.numeric:
        refusal = "its values are not numbers"
    if refusal is None and target is not None and (unit is None or converter(unit, target) is None):
        refusal = f"its unit {prop.unit or 'is not known and'} does not convert to {wanted.unit}"
    if refusal is None and prop.name in each.description.unreached:
        refusal = UNREACHED
    if refusal is None and twin.status == "offline":
        refusal, absent = OFFLINE, True
    if refusal is None:
        reading = twin.values.get(prop.name)
        limit = freshness(wanted, prop)
        if reading is None:
            refusal, absent, later = "it has not reported yet", True, True
        elif now - reading.observed > limit * 1000:
            age = (now - reading.observed) / 1000
            refusal = f"its reading is {age:.0f} s old, more than {limit:.0f} s"
            absent = later = True
    rank = (
        float(each.record.dialect == COMPOSITE),
        # Native things may leave readOnly away, so what can be written may still be measured.
        float(prop.writable),
        1.0 - prop.confidence,
        prop.accuracy if prop.accuracy is not None else float("inf"),
        float(each.record.no),
    )
    return Candidate(
        thing=each.id,
        title=str(each.td.get("title", each.id)),
        affordance=prop.name,
        unit=unit,
        rank=rank,
        reason=_why(wanted, each, prop, unit, target),
        refusal=refusal,
        absent=absent,
        later=later,
    )


def _why(wanted: Wanted, each: VirtualObject, prop: Property, unit: str | None, target: str | None) -> str:
    described = [f"reads {wanted.quantity}"]
    if each.place:
        described.append(f"at {each.place}")
    if unit != target:
        described.append(f"in {unit}, converted to {target}")
    if prop.accuracy is not None:
        described.append(f"within {prop.accuracy:g}")
    if prop.confidence < 1:
        described.append(f"as its unit or name suggests ({prop.confidence:g} sure)")
    return " ".join(described)


def _driving(wanted: Wanted, each: VirtualObject, prop: Property, twin: Twin) -> Candidate:
    refusal = _elsewhere(wanted, each)
    direction = prop.affects.direction if prop.affects is not None else None
    if refusal is None and direction != wanted.capability:
        refusal = f"it can {direction}, not {wanted.capability}"
    if refusal is None and not prop.writable:
        refusal = "it is read only"
    if refusal is None and prop.type != "boolean":
        refusal = "it is not a switch"
    if refusal is None and prop.name in each.description.unreached:
        refusal = UNREACHED
    absent = refusal is None and twin.status == "offline"
    where = f" at {each.place}" if each.place else ""
    return Candidate(
        thing=each.id,
        title=str(each.td.get("title", each.id)),
        affordance=prop.name,
        rank=(float(each.record.no),),
        reason=f"can {wanted.capability} {wanted.quantity}{where}",
        refusal=OFFLINE if absent else refusal,
        absent=absent,
    )


def _elsewhere(wanted: Wanted, each: VirtualObject) -> str | None:
    if not each.taking_part:
        return f"it is {each.record.admission}"
    if not lies_in(each.place, wanted.place):
        return f"it is at {each.place}" if each.place else "nobody said where it is"
    return None
