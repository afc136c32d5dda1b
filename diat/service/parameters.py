"""Parameters of a template, checked and with defaults filled in."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from diat.cvol.template import Template, nowhere
from diat.kernel.errors import Invalid
from diat.wot.quantities import quantity_kind
from diat.wot.units import ucum


def checked_parameters(template: Template, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters with defaults filled in.

    Raises:
        Invalid: they are against the template's schema; ``field`` names the parameter.
    """
    full = {
        name: schema["default"]
        for name, schema in template.parameters.get("properties", {}).items()
        if isinstance(schema, dict) and "default" in schema
    } | parameters
    validator = _validator(msgspec.json.encode(template.parameters))
    error = next(iter(validator.iter_errors(full)), None)
    if error is not None:
        place = [str(step) for step in error.instance_path]
        unknown = sorted(set(full) - set(template.parameters.get("properties", {})))
        if not place and unknown:
            place = [unknown[0]]
        missing = [name for name in template.parameters.get("required", []) if name not in full]
        if not place and missing:
            place = [missing[0]]
        raise Invalid(error.message[:300], ".".join(["parameters", *place]))
    return full


@lru_cache(maxsize=500)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    formats: dict[str, Callable[[str], bool]] = {
        "quantity": lambda text: quantity_kind(text) is not None,
        "unit": lambda text: ucum(text) is not None,
    }
    return jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(schema), formats=formats, validate_formats=True, retriever=nowhere
    )
