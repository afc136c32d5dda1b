"""Placeholders of Thing Models: ``{{NAME}}`` in a text stands for what is known only of an instance.

A text that is nothing but a placeholder becomes the value given for it, whatever its type; within other text
the value is written into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from diat.kernel.errors import Invalid
from diat.wot.frozen import fault_at
from diat.wot.walk import Place

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")


def placeholders(model: Any) -> set[str]:
    """The names of all placeholders in a document."""
    return {name.strip() for text in _texts(model) for name in _PLACEHOLDER.findall(text)}


def misplaced(model: Any) -> Iterator[str]:
    """Placeholders in names, where the Recommendation allows none; each in one line with its place."""
    ahead: list[tuple[Place, Any]] = [((), model)]
    while ahead:
        where, value = ahead.pop()
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if _PLACEHOLDER.search(name):
                    yield fault_at((*where, name), "a placeholder cannot stand for a name")
                ahead.append(((*where, name), inner))
        elif isinstance(value, list):
            ahead += [((*where, index), inner) for index, inner in enumerate(value)]


def filled(model: Any, values: Mapping[str, Any], where: str = "") -> Any:
    """The document with a value in the place of each placeholder.

    Raises:
        Invalid: no value is given for one, or the value cannot be written into text.
    """
    if isinstance(model, str):
        whole = _PLACEHOLDER.fullmatch(model)
        if whole is not None:
            return _given(whole[1], values, where)
        return _PLACEHOLDER.sub(lambda found: _as_text(found[1], values, where), model)
    if isinstance(model, Mapping):
        return {name: filled(inner, values, _inside(where, name)) for name, inner in model.items()}
    if isinstance(model, list):
        return [filled(inner, values, _inside(where, index)) for index, inner in enumerate(model)]
    return model


def _given(name: str, values: Mapping[str, Any], where: str) -> Any:
    name = name.strip()
    if name not in values:
        raise Invalid(f"no value is given for placeholder {name!r} at {where}", f"placeholders.{name}")
    return values[name]


def _as_text(name: str, values: Mapping[str, Any], where: str) -> str:
    value = _given(name, values, where)
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping | list):
        name = name.strip()
        raise Invalid(f"placeholder {name!r} stands within text at {where}", f"placeholders.{name}")
    return json.dumps(value)


def _inside(where: str, step: str | int) -> str:
    return f"{where}.{step}" if where else str(step)


def _texts(value: Any) -> Iterator[str]:
    ahead = [value]
    while ahead:
        inside = ahead.pop()
        if isinstance(inside, str):
            yield inside
        elif isinstance(inside, Mapping):
            ahead.extend(inside.values())
        elif isinstance(inside, list):
            ahead.extend(inside)
