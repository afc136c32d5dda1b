"""Thing Descriptions and Thing Models as text: names given twice, which a parsed document no longer shows."""

from __future__ import annotations

import json
from typing import Any

from diat.wot.frozen import fault_at


def repeated_name(document: bytes | str) -> str | None:
    """Where an object of the JSON document gives a name twice, in one line; None if none does.

    What is no JSON is not this function's matter: it answers None.
    """
    twice: list[tuple[dict[str, Any], str]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.append((made, _repeated(pairs)))
        return made

    try:
        # Numbers stay text: nobody looks at them, and huge ones would take their time.
        root = json.loads(document, object_pairs_hook=note, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not twice:
        return None
    holder, name = twice[0]
    return fault_at((*_path(root, holder), name), "given twice")


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _path(root: Any, wanted: dict[str, Any]) -> tuple[str | int, ...]:
    """The way to an object; none if it stood where a later one of the same name took its place."""
    ahead: list[tuple[Any, tuple[str | int, ...]]] = [(root, ())]
    while ahead:
        inside, path = ahead.pop()
        if inside is wanted:
            return path
        if isinstance(inside, dict):
            ahead.extend((value, (*path, key)) for key, value in inside.items())
        elif isinstance(inside, list):
            ahead.extend((value, (*path, index)) for index, value in enumerate(inside))
    return ()
