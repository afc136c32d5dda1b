"""The dialect: announcements of both versions in, one description for each device out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from diat.vol.dialects.affordances import Draft, assemble
from diat.vol.dialects.commands import Command
from diat.vol.dialects.homie import effects, topics, version4, version5
from diat.vol.dialects.homie.datatypes import Datatype, Decoded, datatype
from diat.vol.dialects.homie.states import LOG_LEVELS, LogInlet, RootInlet, StateInlet
from diat.vol.dialects.homie.tree import Device, Property
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.meaning import last_word, measured, quantity, unit, watched
from diat.vol.dialects.port import Description, Inlet, Part, Refusal, Withdrawal


class Homie:
    """The Homie convention, versions 4 and 5.

    Args:
        base: the topic under which devices of version 4 live; those of version 5 are heard in any domain.
    """

    name = "homie"
    whole = False

    def __init__(self, base: str = "homie") -> None:
        self._base = base

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an attribute of version 4, or a description or an alert of version 5."""
        return topics.hear(topic, payload, self._base)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe one device, as far as it is announced, from all its parts, in whatever order they come."""
        parts = sorted(parts, key=lambda part: part.topic)
        newer = [part for part in parts if part.body["version"] == 5]
        if not parts:
            return Description(td={"title": "Thing"}, notes=("nothing of it is announced",))
        device = version5.device(newer) if newer else version4.device(parts)
        notes = list(device.notes)
        made = assemble(list(_drafts(device, notes)))
        return Description(
            td={"title": device.title, **device.terms, **made.td},
            inlets=(*made.inlets, *_inlets(device)),
            outlets=made.outlets,
            notes=tuple(dict.fromkeys(notes)),
        )


def _inlets(device: Device) -> Iterator[Inlet]:
    yield StateInlet(f"{device.topic}/$state")
    if device.root is not None:
        yield RootInlet(f"{device.root}/$state")
    if device.version >= 5:
        yield from (LogInlet(f"{device.topic}/$log/{level}", level) for level in LOG_LEVELS)


def _drafts(device: Device, notes: list[str]) -> Iterator[Draft]:
    for prop in device.properties:
        kind = datatype(prop, device.version)
        code, unclear = unit(prop.unit)
        notes.extend(f"{prop.label}: {note}" for note in (*kind.notes, *unclear))
        schema = kind.schema | _meaning(prop, kind.schema, code) | ({"unit": code} if code else {})
        schema |= effects.terms(prop, schema)
        yield from _standing(prop, kind, schema) if prop.retained else _momentary(prop, kind, schema)
        if prop.target:
            yield Draft(
                key=f"{prop.node}/{prop.id}/$target",
                name=f"{_name(prop)}_target",
                title=f"{_title(prop)} aimed at",
                schema=kind.schema | ({"unit": code} if code else {}) | {"diat:entityCategory": "diagnostic"},
                sources=(Source(f"{prop.topic}/$target", Decoded(kind.decode)),),
            )


def _standing(prop: Property, kind: Datatype, schema: dict[str, Any]) -> Iterator[Draft]:
    yield Draft(
        key=f"{prop.node}/{prop.id}",
        name=_name(prop),
        title=_title(prop),
        schema=schema,
        sources=(Source(prop.topic, Decoded(kind.decode)),),
        command=Command(topic=f"{prop.topic}/set", encode=kind.encode) if prop.settable else None,
    )


def _momentary(prop: Property, kind: Datatype, schema: dict[str, Any]) -> Iterator[Draft]:
    """What is not retained tells of a moment (a bell rings); a command to it is an action (brew coffee)."""
    yield Draft(
        key=f"{prop.node}/{prop.id}",
        name=f"{_name(prop)}_event" if prop.settable else _name(prop),
        title=_title(prop),
        schema={"data": schema},
        kind="event",
        sources=(Source(prop.topic, Decoded(kind.decode)),),
    )
    if prop.settable:
        yield Draft(
            key=f"{prop.node}/{prop.id}/set",
            name=_name(prop),
            title=_title(prop),
            schema={"input": schema},
            kind="action",
            command=Command(topic=f"{prop.topic}/set", encode=kind.encode),
            idempotent=False,
        )


def _name(prop: Property) -> str:
    # Nodes are announced one by one, so the name must not hang on what others are there.
    return prop.id if prop.id == prop.node else f"{prop.node}_{prop.id}"


def _title(prop: Property) -> str:
    """What people call it, with its node before it if the name alone does not tell."""
    name = (prop.name or prop.id.replace("-", " ").capitalize()).strip()
    node = (prop.node_name or prop.node.replace("-", " ").capitalize()).strip()
    return name if not node or node.lower() in name.lower() else f"{node}: {name}"


def _meaning(prop: Property, schema: dict[str, Any], code: str | None) -> dict[str, str]:
    """The quantity: from the unit if it tells, else from what the property is called."""
    names = [text for text in (prop.id, prop.name) if text]
    if schema.get("type") in ("integer", "number"):
        named = [*names, *map(last_word, names)] if not prop.unit or code else []
        return quantity(measured(named, code))
    if schema.get("type") == "boolean" and not prop.settable:
        return quantity(watched(names))
    return {}
