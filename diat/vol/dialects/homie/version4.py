"""Homie 4: a device put together from attributes that come on a topic each, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diat.vol.dialects.homie.tree import Device, Property, is_id
from diat.vol.dialects.identity import mac
from diat.vol.dialects.port import Part
from diat.vol.dialects.words import quoted, word

MAX_PROPERTIES = 2_000

Attributes = Mapping[tuple[str, ...], str]
"""Path below the device, ending in the attribute, to what it says."""


def device(parts: Sequence[Part]) -> Device:
    """The device as far as it is announced."""
    topic = str(parts[0].body["device"])
    said: Attributes = {tuple(part.body["path"]): part.body["text"] for part in parts}
    notes = list(_missing(said))
    properties = tuple(_properties(topic, said, notes))
    name = topic.rsplit("/", 1)[-1]
    return Device(
        topic=topic,
        title=said.get(("$name",), "").strip() or name,
        version=4,
        properties=properties,
        terms=_terms(name, said),
        notes=tuple(notes),
    )


def _missing(said: Attributes) -> Iterator[str]:
    version = said.get(("$homie",))
    if version is None:
        yield "$homie is not announced yet"
    elif not version.startswith(("4.", "3.")):
        yield f"it speaks version {quoted(version)} of the convention, and is read as version 4"
    if ("$nodes",) not in said:
        yield "$nodes is not announced yet: what is known of its nodes is taken"


def _properties(topic: str, said: Attributes, notes: list[str]) -> Iterator[Property]:
    nodes = _listed(said.get(("$nodes",)))
    if nodes is None:
        nodes = list(dict.fromkeys(path[0] for path in said if len(path) > 1 and path[0] != "$fw"))
    older = said.get(("$homie",), "4.").startswith("3.")  # there a property without a datatype is text
    count = 0
    for node in nodes:
        if node.endswith("[]"):
            notes.append(f"{quoted(node)} is an array of nodes, as Homie 3 had them, and is left out")
            continue
        properties = _listed(said.get((node, "$properties")))
        if properties is None:
            notes.append(f"{quoted(node)}: $properties is not announced yet")
            properties = list(dict.fromkeys(path[1] for path in said if path[0] == node and len(path) == 3))
        for prop in properties:
            if not is_id(prop) or not is_id(node):
                notes.append(f"{quoted(f'{node}/{prop}')} is not an id of a node and one of a property")
                continue
            if not older and (node, prop, "$datatype") not in said:
                notes.append(f"{quoted(f'{node}/{prop}')}: its $datatype is not announced yet")
                continue
            count += 1
            if count > MAX_PROPERTIES:
                notes.append(f"only the first {MAX_PROPERTIES} properties are taken")
                return
            yield _property(topic, said, node, prop)


def _property(topic: str, said: Attributes, node: str, prop: str) -> Property:
    return Property(
        topic=f"{topic}/{node}/{prop}",
        node=node,
        id=prop,
        node_name=said.get((node, "$name")),
        node_type=word(said.get((node, "$type"))),
        name=said.get((node, prop, "$name")),
        datatype=said.get((node, prop, "$datatype")),
        format=said.get((node, prop, "$format")),
        unit=said.get((node, prop, "$unit")),
        settable=said.get((node, prop, "$settable")) == "true",
        retained=said.get((node, prop, "$retained")) != "false",
    )


def _terms(name: str, said: Attributes) -> dict[str, Any]:
    address = said.get(("$mac",), "").strip()
    names = [name, *([address] if address else []), *([mac(address)] if mac(address) else [])]
    terms: dict[str, Any] = {"diat:identifiers": names}
    if version := said.get(("$fw", "version"), "").strip():
        terms["version"] = {"instance": version}
    if model := said.get(("$fw", "name"), "").strip():
        terms["diat:model"] = model
    return terms


def _listed(text: str | None) -> list[str] | None:
    """Ids separated by commas, each once; None if there is no text."""
    if text is None:
        return None
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
