"""Thing Descriptions: completing, checking and patching them as plain JSON.

Checked against the frozen JSON Schema of the W3C Thing Description 1.1 Recommendation
(``td-1.1.schema.json``, published by the W3C under its Software and Document licence). Fields we do not
know survive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

Json = dict[str, Any]

CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
OUR_TERMS = {"diat": "urn:diat:vocab#", "quantitykind": "http://qudt.org/vocab/quantitykind/"}
AFFORDANCES = ("properties", "actions", "events")

_NO_SECURITY: Json = {"securityDefinitions": {"nosec_sc": {"scheme": "nosec"}}, "security": ["nosec_sc"]}
_SOME_FORM = [{"href": "urn:diat:form"}]


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396) and return the result; neither argument is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def has_forms(td: Mapping[str, Any]) -> bool:
    """Whether the description brings forms of its own, anywhere."""
    if td.get("forms"):
        return True
    return any(
        isinstance(affordance, Mapping) and affordance.get("forms")
        for kind in AFFORDANCES
        for affordance in _mapping(td.get(kind)).values()
    )


def complete(td: Mapping[str, Any]) -> Json:
    """Fill in ``@context`` and security where they are missing; our own terms join a given context."""
    completed = dict(td)
    context = completed.get("@context", CONTEXT)
    listed = list(context) if isinstance(context, list) else [context]
    if CONTEXT not in listed:
        listed.insert(0, CONTEXT)
    if OUR_TERMS not in listed:
        listed.append(OUR_TERMS)
    completed["@context"] = listed
    if "security" not in completed or "securityDefinitions" not in completed:
        completed |= _NO_SECURITY
    return completed


def fault(td: Mapping[str, Any]) -> str | None:
    """What is wrong with a description, in one line that names the place; None if it is valid.

    Missing forms are no fault: whoever serves the description fills them in.
    """
    candidate = dict(td)
    for kind in AFFORDANCES:
        group = candidate.get(kind)
        if isinstance(group, Mapping):
            candidate[kind] = {
                name: {"forms": _SOME_FORM, **affordance} if isinstance(affordance, Mapping) else affordance
                for name, affordance in group.items()
            }
    try:
        error = next(iter(_validator().iter_errors(candidate)), None)
    except ValueError as unreadable:
        return str(unreadable)[:300]
    if error is None:
        return None
    where = ".".join(str(step) for step in error.instance_path)
    return f"{where}: {error.message}"[:300] if where else error.message[:300]


@cache
def _validator() -> jsonschema_rs.Draft7Validator:
    schema = json.loads(Path(__file__).with_name("td-1.1.schema.json").read_text("utf-8"))
    return jsonschema_rs.Draft7Validator(schema)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
