"""Thing Descriptions: completing, checking and patching them as plain JSON. Fields we do not know survive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diat.wot.assertions import broken_rule
from diat.wot.document import repeated_name
from diat.wot.frozen import schema_fault, schema_faults
from diat.wot.registration import registration_fault
from diat.wot.security import open_to_all
from diat.wot.walk import AFFORDANCES as AFFORDANCES
from diat.wot.walk import affordances, mapping

Json = dict[str, Any]

CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
CONTEXT_1_0 = "https://www.w3.org/2019/wot/td/v1"
THING_MODEL = "tm:ThingModel"
"""The ``@type`` of Thing Models."""
OUR_TERMS = {"diat": "urn:diat:vocab#", "quantitykind": "http://qudt.org/vocab/quantitykind/"}

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


def merge_difference(source: Any, target: Any) -> Any:
    """The merge patch that makes one document into another; nulls within objects cannot be told.

    Both must be objects; what is equal in both is not in the patch.
    """
    patch: Json = {name: None for name in source if name not in target}
    for name, value in target.items():
        if name not in source:
            patch[name] = value
        elif isinstance(value, Mapping) and isinstance(source[name], Mapping):
            if inner := merge_difference(source[name], value):
                patch[name] = inner
        elif value != source[name] or type(value) is not type(source[name]):
            patch[name] = value
    return patch


def has_forms(td: Mapping[str, Any]) -> bool:
    """Whether the description brings forms of its own, anywhere."""
    return bool(td.get("forms")) or any(affordance.get("forms") for _, _, affordance in affordances(td))


def bare(td: Mapping[str, Any]) -> bool:
    """Whether it leaves to the platform how the thing is reached: it has no forms, nor security for them."""
    return not has_forms(td) and open_to_all(td)


def complete(td: Mapping[str, Any]) -> Json:
    """Fill in ``@context`` and security where they are missing; our own terms join a given context."""
    completed = dict(td)
    context = completed.get("@context", CONTEXT)
    listed = list(context) if isinstance(context, list) else [context]
    if CONTEXT not in listed:
        # The Recommendation wants the context of TD 1.0, where there is one, before that of 1.1.
        listed.insert(1 if listed[:1] == [CONTEXT_1_0] else 0, CONTEXT)
    if OUR_TERMS not in listed:
        listed.append(OUR_TERMS)
    completed["@context"] = listed
    if "security" not in completed or "securityDefinitions" not in completed:
        completed |= _NO_SECURITY
    return completed


def fault(
    td: Mapping[str, Any], *, document: bytes | str | None = None, forms_follow: bool | None = None
) -> str | None:
    """What is wrong with a description, in one line that names the place; None if it is valid.

    Args:
        td: the description; it must be complete but for forms.
        document: the text that it was read from, if names given twice are to be found.
        forms_follow: whether affordances without forms are no fault, because whoever serves the description
            fills them in; unless said, that is so of a bare description.
    """
    follow = bare(td) if forms_follow is None else forms_follow
    found = (
        _something_else(td)
        or schema_fault("td", _with_forms(td) if follow else td)
        or broken_rule(td)
        or registration_fault(td)
    )
    if found is None and document is not None:
        return repeated_name(document)
    return found


def faults(td: Mapping[str, Any], *, forms_follow: bool | None = None) -> list[str]:
    """All that is wrong with a description as far as it can be told at once; arguments as in ``fault``."""
    first = fault(td, forms_follow=forms_follow)
    if first is None:
        return []
    follow = bare(td) if forms_follow is None else forms_follow
    found = schema_faults("td", _with_forms(td) if follow else td)
    return list(dict.fromkeys([first, *found]))


def _something_else(td: Mapping[str, Any]) -> str | None:
    """What it is if it is none of the Recommendation; the schema would only say what it lacks."""
    types = td.get("@type")
    if THING_MODEL in (types if isinstance(types, list) else [types]):
        return f"@type: {THING_MODEL}: a Thing Model, not the description of a thing"
    if "title" not in td and ("name" in td or "interaction" in td):
        return "a draft older than Thing Description 1.0: it has no title"
    return None


def _with_forms(td: Mapping[str, Any]) -> Json:
    """The description with some form in each affordance that has none."""
    filled = dict(td)
    for kind in AFFORDANCES:
        group = filled.get(kind)
        if isinstance(group, Mapping):
            filled[kind] = {
                name: {"forms": _SOME_FORM, **affordance} if isinstance(affordance, Mapping) else affordance
                for name, affordance in mapping(group).items()
            }
    return filled
