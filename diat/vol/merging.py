"""One physical thing, several descriptions: announced in two dialects, or swapped for other hardware.

The first dialect's word counts; another one adds what the first does not have. Each dialect's messages feed,
and its commands drive, only what it added itself, so that nothing is read or done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from diat.vol.dialects.port import Description, Inlet, Outgoing, Outlet, Refusal, Uptake
from diat.wot.td import AFFORDANCES


class NarrowInlet(Struct, frozen=True):
    """An inlet of which only some values count; ``names`` maps its names to those of the object."""

    inner: Inlet
    names: Mapping[str, str]

    @property
    def topic(self) -> str:
        """The inlet's topic."""
        return self.inner.topic

    def read(self, payload: bytes) -> Uptake:
        """What the message means, in the object's names."""
        uptake = self.inner.read(payload)
        values = {self.names[name]: value for name, value in uptake.values.items() if name in self.names}
        events = tuple((self.names[name], data) for name, data in uptake.events if name in self.names)
        return Uptake(values, events, uptake.available, uptake.notes)


class RenamedOutlet(Struct, frozen=True):
    """An outlet whose confirming property has another name in the object."""

    inner: Outlet
    confirmed_by: str | None

    @property
    def idempotent(self) -> bool:
        """Whether performing it twice does the same as once."""
        return self.inner.idempotent

    def write(self, value: Any) -> Outgoing | Refusal:
        """The message that sets it."""
        return self.inner.write(value)


def merge(descriptions: Sequence[tuple[str, Description]]) -> Description:
    """One description from those of several dialects, the one that counts first.

    Args:
        descriptions: dialect and description, at least one.
    """
    if len(descriptions) == 1:
        return descriptions[0][1]
    td: dict[str, Any] = {}
    inlets: list[Inlet] = []
    outlets: dict[str, Outlet] = {}
    notes: list[str] = []
    unreached: set[str] = set()
    for dialect, description in descriptions:
        owned: list[str] = []
        for kind in AFFORDANCES:
            group = td.setdefault(kind, {})
            for name, affordance in description.td.get(kind, {}).items():
                if name not in group:
                    group[name] = affordance
                    owned.append(name)
        for key, value in description.td.items():
            if key == "diat:identifiers":
                td[key] = list(dict.fromkeys([*td.get(key, []), *value]))
            elif key not in AFFORDANCES:
                td.setdefault(key, value)
        outlets |= {name: outlet for name, outlet in description.outlets.items() if name in owned}
        inlets += [narrowed(inlet, owned) for inlet in description.inlets]
        notes += [f"{dialect}: {note}" for note in description.notes]
        unreached |= description.unreached & set(owned)
    td = {key: value for key, value in td.items() if value != {} or key not in AFFORDANCES}
    return Description(
        td=td,
        inlets=tuple(inlets),
        outlets=outlets,
        availability=descriptions[0][1].availability,
        notes=tuple(notes),
        unreached=frozenset(unreached),
    )


def narrowed(inlet: Inlet, names: Collection[str]) -> Inlet:
    """An inlet of which only the values of these properties count."""
    return NarrowInlet(inlet, {name: name for name in names})


def renamed(description: Description, names: Mapping[str, str]) -> Description:
    """A description in which affordances bear other names.

    Args:
        description: as the hardware's dialect says it.
        names: name there to name in the object; what is not in it keeps its name.
    """
    if not names:
        return description
    td = dict(description.td)
    known: dict[str, str] = {}
    for kind in AFFORDANCES:
        if kind in td:
            known |= {name: names.get(name, name) for name in td[kind]}
            td[kind] = {names.get(name, name): affordance for name, affordance in td[kind].items()}
    return Description(
        td=td,
        inlets=tuple(NarrowInlet(inlet, known) for inlet in description.inlets),
        outlets={
            names.get(name, name): RenamedOutlet(
                outlet,
                None if outlet.confirmed_by is None else names.get(outlet.confirmed_by, outlet.confirmed_by),
            )
            for name, outlet in description.outlets.items()
        },
        availability=description.availability,
        notes=description.notes,
        unreached=frozenset(names.get(name, name) for name in description.unreached),
    )


def counterparts(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """What affordances of other hardware are to be called in its place: name there to the name here.

    Those that mean the same (kind, quantity, type, direction and writability) correspond: by their names, and
    of the rest those that are the only ones of their meaning on both sides, where what is for setting up and
    for diagnosis stands back. Whatever else would take a name that is then given away gets another one.

    Args:
        old: the Thing Description that services and history know.
        new: the description of what takes its place.
    """
    found: dict[str, str] = {}
    for kind in AFFORDANCES:
        before, after = dict(old.get(kind, {})), dict(new.get(kind, {}))
        for name in [n for n in after if n in before and _meaning(after[n]) == _meaning(before[n])]:
            del before[name], after[name]
        for meaning in {_meaning(each) for each in after.values()} - {_meaning({})}:
            theirs, ours = (_only(group, meaning) for group in (after, before))
            if theirs is not None and ours is not None and theirs != ours:
                found[theirs] = ours
    names = {name for kind in AFFORDANCES for name in new.get(kind, {})}
    taken = names | set(found.values())
    for name in (names & set(found.values())) - found.keys():
        found[name] = next(n for i in range(2, len(taken) + 3) if (n := f"{name}_{i}") not in taken)
        taken.add(found[name])
    return found


def _only(group: Mapping[str, Any], meaning: tuple[Any, ...]) -> str | None:
    """The only affordance of this meaning; None if there is none, or if several have an equal claim."""
    alike = [name for name, each in group.items() if _meaning(each) == meaning]
    if len(alike) > 1:
        alike = [name for name in alike if "diat:entityCategory" not in group[name]]
    return alike[0] if len(alike) == 1 else None


def _meaning(affordance: Any) -> tuple[Any, ...]:
    if not isinstance(affordance, Mapping):
        return ()
    affects = affordance.get("diat:affects")
    return (
        str(affordance.get("@type")),
        "number" if affordance.get("type") == "integer" else affordance.get("type"),
        affordance.get("readOnly") is True,
        str(affects.get("quantity")) + str(affects.get("direction")) if isinstance(affects, Mapping) else "",
    )
