"""DataSchemas, compiled: what values an affordance takes.

Only the keywords that Thing Description 1.1 gives to DataSchema count. ``multipleOf`` is kept for whole
numbers alone: on decimal fractions it would turn away readings over the last bit of a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

Check = Callable[[Any], str | None]
"""Answers with what is wrong with a value, in one line, or None."""

_PLAIN = frozenset(
    {"type", "const", "enum", "required", "pattern", "minLength", "maxLength", "minItems", "maxItems"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)


def data_schema(affordance: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an affordance, or of an ``input``, that says what values it takes."""
    schema = {key: value for key, value in affordance.items() if key in _PLAIN}
    step = affordance.get("multipleOf")
    if isinstance(step, int) and not isinstance(step, bool) and step > 0:
        schema["multipleOf"] = step
    for key in ("oneOf",):
        if isinstance(affordance.get(key), list):
            schema[key] = [data_schema(s) for s in affordance[key] if isinstance(s, Mapping)]
    if isinstance(affordance.get("items"), Mapping):
        schema["items"] = data_schema(affordance["items"])
    elif isinstance(affordance.get("items"), list):
        schema["items"] = [data_schema(s) for s in affordance["items"] if isinstance(s, Mapping)]
    if isinstance(affordance.get("properties"), Mapping):
        schema["properties"] = {
            name: data_schema(s) for name, s in affordance["properties"].items() if isinstance(s, Mapping)
        }
    return schema


def loosened(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema made by ``data_schema`` says of the kind of values, without the bounds that it sets them.

    Types and what is inside of objects and lists stay; ranges, steps, lengths, patterns and options go.
    """
    loose: dict[str, Any] = {key: schema[key] for key in ("type", "required") if key in schema}
    if "oneOf" in schema:  # without their bounds several may fit
        loose["anyOf"] = [loosened(each) for each in schema["oneOf"]]
    items = schema.get("items")
    if items is not None:
        loose["items"] = [loosened(each) for each in items] if isinstance(items, list) else loosened(items)
    if "properties" in schema:
        loose["properties"] = {name: loosened(each) for name, each in schema["properties"].items()}
    return loose


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Compile a schema made by ``data_schema``; equal schemas share one check.

    Raises:
        ValueError: the schema itself is wrong (a pattern that is no regular expression, say).
    """
    return _compile(msgspec.json.encode(schema, order="deterministic"))


@lru_cache(maxsize=20_000)
def _compile(canonical: bytes) -> Check:
    validator = jsonschema_rs.Draft7Validator(msgspec.json.decode(canonical))
    accepts = validator.is_valid

    def check(value: Any) -> str | None:
        if accepts(value):
            return None
        error = next(iter(validator.iter_errors(value)))
        where = ".".join(str(step) for step in error.instance_path)
        return (f"{where}: {error.message}" if where else error.message)[:300]

    return check
