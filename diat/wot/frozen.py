"""The frozen JSON Schemas of the W3C, and what they find wrong in one line that names the place.

``td-1.1.schema.json`` and ``tm-1.1.schema.json`` are those of the Thing Description 1.1 Recommendation,
published by the W3C under its Software and Document licence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs

MAX_DEPTH = 64
"""Levels of objects and lists at most. The schema's validator recurses, and would take the process down."""
MAX_LINE = 300
"""Characters of a fault at most."""


def schema_fault(kind: Literal["td", "tm"], document: Any) -> str | None:
    """What the schema of Thing Descriptions, or of Thing Models, finds wrong; None if nothing."""
    if too_deep(document):
        return f"nested more than {MAX_DEPTH} levels deep"
    validator = _validator(kind)
    try:
        # Most documents are valid, and this alone is much quicker.
        if validator.is_valid(document):
            return None
        validator.validate(document)
    except jsonschema_rs.ValidationError as error:
        return _explained(error)
    except ValueError as unreadable:  # what is no JSON at all, such as a lone surrogate
        return one_line(str(unreadable))
    return None


def schema_faults(kind: Literal["td", "tm"], document: Any, limit: int = 20) -> list[str]:
    """All that the schema finds wrong, up to a limit; one for each place that is wrong."""
    if too_deep(document):
        return []
    try:
        return [_explained(error) for error in islice(_validator(kind).iter_errors(document), limit)]
    except ValueError:  # what is no JSON at all; the first fault has said so
        return []


def fault_at(where: Sequence[str | int], message: str) -> str:
    """A fault as all of them read: the place, dotted, and what is wrong there."""
    place = ".".join(_step(step) for step in where)
    return one_line(f"{place}: {message}" if place else message)


def one_line(text: str) -> str:
    """The text on one line of at most ``MAX_LINE`` characters."""
    line = " ".join(text[: 2 * MAX_LINE].split())
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"


def too_deep(document: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether objects and lists are nested deeper than ``limit`` levels."""
    level = [document]
    for _ in range(limit + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level = [each for each in inner if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _step(step: str | int) -> str:
    text = str(step)
    return text if len(text) <= 80 else f"{text[:79]}…"


@cache
def _validator(kind: str) -> jsonschema_rs.Draft7Validator:
    schema = json.loads(Path(__file__).with_name(f"{kind}-1.1.schema.json").read_text("utf-8"))
    return jsonschema_rs.Draft7Validator(schema)


def _explained(error: jsonschema_rs.ValidationError) -> str:
    """The error, or, where several shapes are allowed, that of the shape which was most likely meant."""
    if error.instance_path[:1] == ["securityDefinitions"] and len(error.instance_path) == 2:
        return _scheme_fault(error)
    meant = _meant(error)
    return fault_at(meant.instance_path, meant.message)


def _meant(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    shapes = [
        shape[0]
        for shape in getattr(error.kind, "context", None) or ()
        # A shape of another JSON type was hardly meant.
        if shape and not any(e.kind.name == "type" and e.instance_path == error.instance_path for e in shape)
    ]
    return max(shapes, key=lambda shape: len(shape.instance_path), default=error)


def _scheme_fault(error: jsonschema_rs.ValidationError) -> str:
    """A security scheme is told by its ``scheme``: only that one's shape counts."""
    place = error.instance_path
    scheme = error.instance.get("scheme") if isinstance(error.instance, dict) else None
    if scheme is None:
        return fault_at(place, "no object that names its scheme")
    if scheme == "combo":
        return fault_at(place, "it needs either oneOf or allOf, with two schemes or more")
    for shape in getattr(error.kind, "context", None) or ():
        if shape and all(e.instance_path not in (place, [*place, "scheme"]) for e in shape):
            return fault_at(shape[0].instance_path, shape[0].message)
    return fault_at([*place, "scheme"], "neither a scheme of TD 1.1 nor one with a prefix of its own")
