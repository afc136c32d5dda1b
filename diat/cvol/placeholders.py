"""Placeholders ``{{parameter}}`` of templates: finding them, and putting parameters in their place."""

from __future__ import annotations

import re
from typing import Any

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")


def placeholders(value: Any) -> set[str]:
    """All parameters that a value refers to."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, dict):
        return set().union(*(placeholders(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(placeholders(each) for each in value))
    return set()


def whole(value: Any) -> str | None:
    """The parameter that stands for the whole of a value; None if none does."""
    match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else match.group(1)


def parameter_of(value: Any) -> str:
    """The parameter that a part of a template is filled from, as a field; the template where it is fixed."""
    named = sorted(placeholders(value))
    return f"parameters.{named[0]}" if named else "template"


def fill(value: Any, parameters: dict[str, Any]) -> Any:
    """Replace placeholders; a whole string becomes the parameter's value, None where it is not given."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            return parameters.get(whole.group(1))
        return _PLACEHOLDER.sub(lambda match: str(parameters.get(match.group(1), "")), value)
    if isinstance(value, dict):
        return {key: fill(each, parameters) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, parameters) for each in value]
    return value
