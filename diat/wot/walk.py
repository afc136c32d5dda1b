"""Going through a Thing Description or Thing Model: affordances, forms, data schemas, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

Json = Mapping[str, Any]
"""Objects of parsed JSON: what a parser made, so dicts and lists, which is what is asked for here."""
Place = tuple[str | int, ...]

AFFORDANCES = ("properties", "actions", "events")
_PARTS = {
    "properties": (),
    "actions": ("input", "output"),
    "events": ("subscription", "data", "dataResponse", "cancellation"),
}
"""Members of an affordance that are data schemas; a property is one itself."""


class Walked(Struct, frozen=True):
    """A description with all of its parts, gone through once."""

    td: Json
    affordances: list[tuple[Place, str, Json]]
    forms: list[tuple[Place, Json, Json]]
    schemas: list[tuple[Place, Json]]


def walked(td: Json) -> Walked:
    """Go through a description."""
    return Walked(td, list(affordances(td)), list(forms(td)), list(schemas(td)))


def mapping(value: Any) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def affordances(td: Json) -> Iterator[tuple[Place, str, Json]]:
    """Place, kind (``properties``, …) and body of each affordance that is an object."""
    for kind in AFFORDANCES:
        for name, affordance in mapping(td.get(kind)).items():
            if isinstance(affordance, dict):
                yield (kind, name), kind, affordance


def forms(td: Json) -> Iterator[tuple[Place, Json, Json]]:
    """Place and body of each form that is an object, with its affordance (empty for those of the thing)."""
    holders: list[tuple[Place, Json, Json]] = [((), td, {})]
    holders += [(where, affordance, affordance) for where, _, affordance in affordances(td)]
    for where, holder, affordance in holders:
        listed = holder.get("forms")
        for index, form in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(form, dict):
                yield (*where, "forms", index), form, affordance


def schemas(td: Json) -> Iterator[tuple[Place, Json]]:
    """Place and body of each data schema, those inside others included."""
    ahead: list[tuple[Place, Any]] = [
        (("schemaDefinitions", name), schema) for name, schema in mapping(td.get("schemaDefinitions")).items()
    ]
    ahead += [(("uriVariables", name), schema) for name, schema in mapping(td.get("uriVariables")).items()]
    for where, kind, affordance in affordances(td):
        if kind == "properties":
            ahead.append((where, affordance))
        ahead += [((*where, part), affordance[part]) for part in _PARTS[kind] if part in affordance]
        ahead += [
            ((*where, "uriVariables", name), schema)
            for name, schema in mapping(affordance.get("uriVariables")).items()
        ]
    while ahead:
        where, schema = ahead.pop()
        if not isinstance(schema, dict):
            continue
        yield where, schema
        if "properties" in schema:
            inside = mapping(schema["properties"])
            ahead += [((*where, "properties", name), inner) for name, inner in inside.items()]
        for part in ("items", "oneOf"):
            inner = schema.get(part)
            if isinstance(inner, dict):
                ahead.append(((*where, part), inner))
            elif isinstance(inner, list):
                ahead += [((*where, part, index), each) for index, each in enumerate(inner)]
