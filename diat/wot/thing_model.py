"""Thing Models (TM 1.1): checking them, and deriving the description of one thing from them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from diat.kernel.errors import Invalid
from diat.wot.document import repeated_name
from diat.wot.frozen import fault_at, one_line, schema_fault, too_deep
from diat.wot.imports import REF, Resolver, at_pointer, composed, extended_links
from diat.wot.placeholders import filled, misplaced, placeholders
from diat.wot.td import THING_MODEL, complete, fault, merge_patch
from diat.wot.walk import AFFORDANCES, Place, mapping

Json = dict[str, Any]

_REFERENCE = re.compile(r"[^#]*#(/.*)?", re.DOTALL)
_OPTIONAL = "tm:optional"
_REQUIRED = "tm:required"
"""Drafts listed what an instance must have; the Recommendation lists what it may leave out."""


def nowhere(address: str) -> Json | None:
    """A resolver that has no models."""
    return None


def model_fault(model: Any, *, document: bytes | str | None = None) -> str | None:
    """What is wrong with a Thing Model, in one line that names the place; None if it is valid.

    Models that it takes something from are not looked at.

    Args:
        model: the model.
        document: the text that it was read from, if names given twice are to be found.
    """
    found = schema_fault("tm", model)
    if found is None:
        found = next(
            (wrong for rule in (misplaced, _one_type, _lists, _references) for wrong in rule(model)), None
        )
    if found is None and document is not None:
        return repeated_name(document)
    return found


def derive(
    model: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    resolver: Resolver = nowhere,
    *,
    own: Mapping[str, Any] | None = None,
    without: Collection[str] = (),
) -> Json:
    """The Thing Description of one thing that is as the model says. Its forms may be left to the platform.

    Args:
        model: the Thing Model.
        values: what stands in the place of each placeholder.
        resolver: gives the models that this one extends or refers to.
        own: what is said of this thing alone (``id``, ``title``, ``forms``, …), a merge patch.
        without: JSON pointers of optional affordances that this thing does not have.

    Raises:
        Invalid: the model is wrong, refers to what is not there, or does not give a valid description;
            ``field`` names the place in the model, or ``placeholders.NAME``.
    """
    _must_be(model_fault(model))
    whole = composed(model, resolver)
    # Once more: what was taken over need not be a model, or not fit.
    _must_be(model_fault(whole))
    values, own = values or {}, own or {}
    for given, name in (values, "placeholders"), (own, "own"):
        if too_deep(given):
            raise Invalid("nested too deeply", name)
    for name in values.keys() - placeholders(whole):
        raise Invalid(one_line(f"the model has no placeholder {name!r}"), f"placeholders.{name}")
    _leave_out(whole, without)
    td = complete(_titled(merge_patch(_instance(filled(whole, values), model), own), model))
    _must_be(fault(td, forms_follow=True))
    return td


def _must_be(wrong: str | None) -> None:
    if wrong is not None:
        raise Invalid(wrong, wrong.partition(": ")[0] if ": " in wrong else "")


# --- checking ---


def _one_type(model: Mapping[str, Any]) -> Iterator[str]:
    links = model.get("links", [])
    types = [index for index, link in enumerate(links) if mapping(link).get("rel") == "type"]
    if len(types) > 1:
        yield fault_at(("links", types[1], "rel"), "a second link of relation 'type': one at most is allowed")


def _lists(model: Mapping[str, Any]) -> Iterator[str]:
    """``tm:optional`` and ``tm:required`` point at affordances, be they the model's or of what it extends."""
    inherits = any(True for _ in extended_links(model))
    for term in (_OPTIONAL, _REQUIRED):
        listed = model.get(term, [])
        if not isinstance(listed, list):
            yield fault_at((term,), "not a list of JSON pointers")
            continue
        for index, pointer in enumerate(listed):
            if not isinstance(pointer, str) or _kind_and_name(pointer) is None:
                yield fault_at((term, index), "not a JSON pointer to a property, an action or an event")
            elif not inherits and not _has(model, pointer):
                yield fault_at((term, index), f"there is nothing at {pointer}")


def _references(model: Mapping[str, Any]) -> Iterator[str]:
    ahead: list[tuple[Place, Any]] = [((), model)]
    while ahead:
        where, value = ahead.pop()
        if isinstance(value, Mapping):
            reference = value.get(REF)
            if REF in value and not (isinstance(reference, str) and _REFERENCE.fullmatch(reference)):
                yield fault_at((*where, REF), "it must be a file, # and a JSON pointer")
            ahead += [((*where, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            ahead += [((*where, index), inner) for index, inner in enumerate(value)]


# --- deriving ---


def _instance(whole: Json, model: Mapping[str, Any]) -> Json:
    """The model as the description of a thing: what makes it a model is taken off."""
    td = {name: value for name, value in whole.items() if name not in (_OPTIONAL, _REQUIRED, "$comment")}
    types = td.pop("@type", [])
    kept = [each for each in (types if isinstance(types, list) else [types]) if each != THING_MODEL]
    if kept:
        td["@type"] = kept
    made_from = model.get("id")
    if isinstance(made_from, str) and not placeholders(made_from):
        # It names the model; things made from it differ, so it becomes their link to the model.
        del td["id"]
        links = list(td.get("links", []))
        if not any(mapping(link).get("rel") == "type" for link in links):
            td["links"] = [*links, {"rel": "type", "href": made_from, "type": "application/tm+json"}]
    version = td.get("version")
    if isinstance(version, Mapping) and "instance" not in version:
        # A description must have a version; the first of this thing is called as the model's.
        td["version"] = {**version, "instance": str(version.get("model", "1"))}
    elif isinstance(version, str):
        td["version"] = {"instance": version}
    return td


def _titled(td: Json, model: Mapping[str, Any]) -> Json:
    """A model needs no title, a thing does: then it is called as the model is."""
    name = model.get("id")
    if "title" in td or not isinstance(name, str):
        return td
    return {**td, "title": re.split(r"[:/#]", name)[-1] or "Thing"}


def _leave_out(whole: Json, without: Collection[str]) -> None:
    optional = whole.get(_OPTIONAL, [])
    required = whole.get(_REQUIRED)
    for pointer in without:
        found = _kind_and_name(pointer)
        if found is None or not _has(whole, pointer):
            raise Invalid(one_line(f"the model has nothing at {pointer}"), "without")
        may_go = pointer in optional or (required is not None and pointer not in required)
        if not may_go:
            raise Invalid(one_line(f"{pointer} is not optional"), "without")
        kind, name = found
        whole[kind] = {key: value for key, value in whole[kind].items() if key != name}


def _has(model: Mapping[str, Any], pointer: str) -> bool:
    try:
        return isinstance(at_pointer(model, pointer), Mapping)
    except LookupError:
        return False


def _kind_and_name(pointer: str) -> tuple[str, str] | None:
    steps = pointer.split("/")
    if len(steps) != 3 or steps[0] or steps[1] not in AFFORDANCES or not steps[2]:
        return None
    return steps[1], steps[2].replace("~1", "/").replace("~0", "~")
