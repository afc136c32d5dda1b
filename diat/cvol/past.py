"""The past of things: what was there when a replay begins, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from diat.cvol.composite import own_thing
from diat.cvol.sandbox import ClaimsNote, Scene
from diat.cvol.steps import GREENWICH, Site
from diat.kernel.errors import Invalid
from diat.vol.arbitration import Claim
from diat.vol.dialects.port import Description
from diat.vol.journal import CLAIMS, DESCRIBED, KNOWN, STATUS, Gone
from diat.vol.recorded import Record, Row
from diat.vol.thing import ThingRecord, VirtualObject, compile_object
from diat.vol.twin import Reading, Twin

MOST_NOTES = 20_000
"""Times that things came, went or changed within a replay at most."""
MOST_COMMANDS = 10_000
"""Commands that are looked at."""
_BACK = 50
"""Notes of one kind that are looked back upon for each thing."""


class Survey(Struct, kw_only=True):
    """What there was at one moment; taken within the writer.

    Attributes:
        position: ingest position of what had come last.
        objects: all things.
        twins: what was known of them.
        dependants: things that depend on the composite, which therefore does not read them.
        site: where we are.
    """

    position: int
    objects: list[VirtualObject]
    twins: dict[str, Twin]
    dependants: frozenset[str] = frozenset()
    site: Site = GREENWICH


class Timeline:
    """What things were, going back from what they are: each note says what a thing was before it."""

    def __init__(self, present: list[VirtualObject], notes: list[Row]) -> None:
        self._states: dict[int, list[tuple[int, VirtualObject | None]]] = {}
        now = {each.record.no: each for each in present}
        for row in notes:
            self._states.setdefault(row.thing, []).append((row.position, _before(row)))
        for number in self._states:
            self._states[number].append((0, now.get(number)))
        for number, each in now.items():
            self._states.setdefault(number, [(0, each)])
        self.names = {
            number: each.id
            for number, states in self._states.items()
            for _, each in states
            if each is not None
        }

    def relevant(self, quantities: set[str]) -> dict[int, str]:
        """Numbers and ids of things that ever had one of these quantities."""
        return {
            number: self.names[number]
            for number, states in self._states.items()
            if any(each is not None and each.quantities & quantities for _, each in states)
        }

    def at_first(self, things: Iterable[int]) -> list[VirtualObject]:
        """These things as they were at the beginning; those that were there."""
        found = (self._states[number][0][1] for number in sorted(things))
        return [each for each in found if each is not None]

    def following(self, row: Row) -> VirtualObject | None:
        """What a thing was after a note; None if it was gone."""
        states = self._states.get(row.thing, [])
        at = next((at for at, (position, _) in enumerate(states) if position == row.position), None)
        return states[at + 1][1] if at is not None else None


def timeline(record: Record, survey: Survey, first: int) -> Timeline:
    """What things were from a position on.

    Raises:
        Invalid: they came, went and changed too often since then.
    """
    notes = record.notes(DESCRIBED, first, MOST_NOTES + 1)
    if len(notes) > MOST_NOTES:
        raise Invalid(f"things came, went or changed more than {MOST_NOTES} times since then", "replay.from")
    present = [each for each in survey.objects if each.id not in survey.dependants]
    return Timeline(present, [each for each in notes if each.position <= survey.position])


def scene(
    record: Record,
    survey: Survey,
    timeline: Timeline,
    composite: str,
    things: Iterable[int],
    first: int,
    start: int,
) -> Scene:
    """What was there when what has a position came.

    Args:
        record: what was recorded.
        survey: what is there now.
        timeline: of things.
        composite: id of the one that is replayed.
        things: numbers of those that can matter.
        first: the position.
        start: its time, Unix milliseconds.
    """
    mine = own_thing(composite)
    objects = [each for each in timeline.at_first(things) if each.id != mine]
    claims: dict[tuple[str, str], tuple[Claim, ...]] = {}
    for each in objects:
        for row in record.last_notes(each.record.no, CLAIMS, first, _BACK):
            note = msgspec.convert(row.data, ClaimsNote)
            claims.setdefault((each.id, note.actuator), note.claims)
    return Scene(
        objects=objects,
        own=next((no for no, thing in timeline.names.items() if thing == mine), 0),
        twins={each.id: _twin(record, survey, each, first, start) for each in objects},
        claims={
            key: tuple(each for each in held if each.until is None or each.until > start)
            for key, held in claims.items()
        },
        commands=record.last_commands([each.id for each in objects], start, MOST_COMMANDS)[::-1],
    )


def _twin(record: Record, survey: Survey, each: VirtualObject, first: int, start: int) -> Twin:
    """What was known of a thing when what has a position came."""
    number = each.record.no
    twin = Twin(values=record.known(number, list(each.properties), first))
    for row in reversed(record.last_notes(number, KNOWN, first, _BACK)):
        for name, reading in msgspec.convert(row.data, dict[str, Reading]).items():
            twin.learn(name, reading)
    turned = record.last_notes(number, STATUS, first, 1)
    now = survey.twins.get(each.id)
    if turned:
        twin.status, twin.since = turned[0].data, turned[0].received
    elif now is not None and now.since < start:
        twin.status, twin.since = now.status, now.since
    elif twin.values:
        twin.status = "online"
    return twin


def _before(row: Row) -> VirtualObject | None:
    """What a thing was before it was described anew."""
    said = row.data.get("before")
    if said is None:
        return None
    gone = msgspec.convert(said, Gone)
    record = msgspec.convert(gone.record, ThingRecord)
    # Whatever it spoke, what it is told is only taken down.
    return compile_object(record, Description(td=gone.td), gone.td, gone.wire or "gone")
