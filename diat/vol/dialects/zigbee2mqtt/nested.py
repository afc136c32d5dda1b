"""Values with values inside: their DataSchema, as the features inside a list or a composite say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diat.vol.dialects.zigbee2mqtt.units import code_of

MAX_DEPTH = 8
MAX_INSIDE = 200
MAX_CHOICES = 1_000


def schema(said: Any, depth: int = 0) -> dict[str, Any]:
    """The DataSchema of a feature in the form in which it travels; anything goes where nothing is said."""
    if not isinstance(said, dict) or depth == MAX_DEPTH:
        return {}
    match said.get("type"):
        case "binary":
            return one_of([said.get("value_off"), said.get("value_on")])
        case "enum":
            values = said.get("values")
            return one_of(values if isinstance(values, list) else [])
        case "numeric":
            code, _ = code_of(said.get("unit"))
            return {"type": "number", **limits(said), **({"unit": code} if code else {})}
        case "text":
            return {"type": "string"}
        case "list":
            items = schema(said.get("item_type"), depth + 1)
            return {"type": "array", **({"items": items} if items else {}), **_lengths(said)}
        case "composite":
            inside = dict(_inside(said, depth))
            return {"type": "object", **({"properties": inside} if inside else {})}
    return {}


def limits(said: dict[str, Any]) -> dict[str, Any]:
    """``minimum`` and ``maximum``, if they make a range."""
    low, high = (_finite(said.get(key)) for key in ("value_min", "value_max"))
    if low is not None and high is not None and low > high:
        return {}
    return {key: value for key, value in (("minimum", low), ("maximum", high)) if value is not None}


def one_of(values: list[Any]) -> dict[str, Any]:
    """The DataSchema of one of these JSON scalars."""
    kept = [value for value in values[:MAX_CHOICES] if isinstance(value, str | int | float)]
    if not kept:
        return {}
    if all(isinstance(value, str) for value in kept):
        return {"type": "string", "enum": list(dict.fromkeys(kept))}
    if all(isinstance(value, bool) for value in kept):
        return {"type": "boolean"}
    if not any(isinstance(value, str | bool) for value in kept):
        return {"type": "number", "enum": list(dict.fromkeys(kept))}
    # Words and numbers, or true beside 1: JSON tells them apart where Python does not.
    return {"enum": list({(type(value), value): value for value in kept}.values())}


def inner_key(said: dict[str, Any], endpoint: Any = None) -> str | None:
    """Under which key a feature stands inside a composite.

    On an endpoint the announcement marks it there too; the messages do not.
    """
    key = said.get("property") or said.get("name")
    if not isinstance(key, str) or not key:
        return None
    mark = said.get("endpoint", endpoint)
    return key.removesuffix(f"_{mark}") if isinstance(mark, str) and mark else key


def _inside(said: dict[str, Any], depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    features = said.get("features")
    for feature in features[:MAX_INSIDE] if isinstance(features, list) else ():
        if not isinstance(feature, dict):
            continue
        if key := inner_key(feature, said.get("endpoint")):
            label = feature.get("label")
            title = {"title": label} if isinstance(label, str) and label else {}
            yield key, {**title, **schema(feature, depth + 1)}


def _lengths(said: dict[str, Any]) -> dict[str, int]:
    found = {"minItems": said.get("length_min"), "maxItems": said.get("length_max")}
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    }


def _finite(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        return None
    return value
