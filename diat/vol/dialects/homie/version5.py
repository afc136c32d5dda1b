"""Homie 5: a device as its description document says, and the alerts that stand for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from diat.vol.dialects.homie.tree import Device, Property, is_id
from diat.vol.dialects.homie.version4 import MAX_PROPERTIES
from diat.vol.dialects.port import Part
from diat.vol.dialects.words import quoted, word


def device(parts: Sequence[Part]) -> Device:
    """The device with its alerts as notes."""
    topic = str(parts[0].body["device"])
    domain, name = topic.rsplit("/", 1)
    description: dict[str, Any] = {}
    notes = []
    for part in parts:
        if "description" in part.body:
            description = part.body["description"]
        else:
            notes.append(f"alert {quoted(part.body['path'][-1])}: {quoted(part.body['text'], 200)}")
    if not description:
        notes.append("$description is not announced yet")
    properties = tuple(_properties(topic, description, notes))
    root = _id(description, "root", notes)
    parent = _id(description, "parent", notes) or root
    return Device(
        topic=topic,
        title=word(description.get("name")) or name,
        version=5,
        properties=properties,
        root=f"{domain}/{root}" if root and root != name else None,
        terms={
            "diat:identifiers": [name],
            **({"diat:parent": f"{domain}/{parent}"} if parent and parent != name else {}),
        },
        notes=tuple(notes),
    )


def _properties(topic: str, description: dict[str, Any], notes: list[str]) -> Iterator[Property]:
    count = 0
    for node, about in _objects(description, "nodes", "nodes", notes):
        for prop, said in _objects(about, "properties", f"{node}: properties", notes):
            count += 1
            if count > MAX_PROPERTIES:
                notes.append(f"only the first {MAX_PROPERTIES} properties are taken")
                return
            yield Property(
                topic=f"{topic}/{node}/{prop}",
                node=node,
                id=prop,
                node_name=word(about.get("name")),
                node_type=word(about.get("type")),
                name=word(said.get("name")),
                datatype=word(said.get("datatype")),
                # Spaces count in enums, so it is taken as it stands.
                format=said["format"] if isinstance(said.get("format"), str) else None,
                unit=word(said.get("unit")),
                settable=said.get("settable") is True,
                retained=said.get("retained") is not False,
                target=said.get("settable") is True and said.get("retained") is not False,
            )


def _objects(
    about: dict[str, Any], key: str, label: str, notes: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects by id inside an object; what else stands there is noted."""
    listed = about.get(key, {})
    if not isinstance(listed, dict):
        notes.append(f"{quoted(label)} must be an object, not {quoted(listed)}")
        return
    for name, inside in listed.items():
        if not isinstance(inside, dict) or not is_id(name):
            notes.append(f"{quoted(label)}: {quoted(name)} is not an id with an object")
        else:
            yield name, inside


def _id(description: dict[str, Any], key: str, notes: list[str]) -> str | None:
    said = description.get(key)
    if said is None:
        return None
    if not isinstance(said, str) or not is_id(said):
        notes.append(f"{key} must be the id of a device, not {quoted(said)}")
        return None
    return said
