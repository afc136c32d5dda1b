"""What the Thing Description 1.1 Recommendation demands and its JSON Schema cannot say.

Only what the Recommendation calls MUST is here, and what no value or client could ever satisfy. A rule
yields its faults, each in one line that names the place. Rules run on descriptions that the schema accepts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from diat.wot.frozen import fault_at
from diat.wot.security import security_faults, uri_variables
from diat.wot.walk import Json, Place, Walked, mapping, walked

Rule = Callable[[Walked], Iterator[str]]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_BOUNDS = (
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
)
"""Lower bound, upper bound, and whether they must not be equal."""


def broken_rule(td: Json) -> str | None:
    """The first rule that a description breaks, in one line; None if it breaks none."""
    parts = walked(td)
    return next((found for rule in RULES for found in rule(parts)), None)


def _one_model(parts: Walked) -> Iterator[str]:
    """A thing is made from one Thing Model at most."""
    links = parts.td.get("links") or []
    types = [index for index, link in enumerate(links) if link.get("rel") == "type"]
    if len(types) > 1:
        yield fault_at(("links", types[1], "rel"), "a second link of relation 'type': one at most is allowed")


def _base(parts: Walked) -> Iterator[str]:
    """Relative references need a base that is none."""
    base = parts.td.get("base")
    if isinstance(base, str) and not _SCHEME.match(base):
        yield fault_at(("base",), "not an absolute URI")


def _texts(parts: Walked) -> Iterator[str]:
    """Texts in several languages are named by language tags."""
    places: list[tuple[Place, Json]] = [((), parts.td)]
    places += [(where, affordance) for where, _, affordance in parts.affordances]
    for where, holder in places + parts.schemas:
        for name in ("titles", "descriptions"):
            for tag in mapping(holder[name]) if name in holder else ():
                if not _LANGUAGE.fullmatch(tag):
                    yield fault_at((*where, name, tag), "not a language tag (BCP 47)")


def _direction(parts: Walked) -> Iterator[str]:
    context = parts.td.get("@context")
    for index, entry in enumerate(context if isinstance(context, list) else []):
        if isinstance(entry, dict) and entry.get("@direction") not in (None, "ltr", "rtl"):
            yield fault_at(("@context", index, "@direction"), "neither 'ltr' nor 'rtl'")


def _satisfiable(parts: Walked) -> Iterator[str]:
    """Some value must be able to pass a schema."""
    for where, schema in parts.schemas:
        if schema.get("readOnly") is True and schema.get("writeOnly") is True:
            yield fault_at(where, "readOnly and writeOnly at once: nobody could use it")
        for low, high, strict in _BOUNDS:
            if low not in schema or high not in schema:
                continue
            least, most = _number(schema[low]), _number(schema[high])
            if least is not None and most is not None and (least > most or (strict and least == most)):
                yield fault_at((*where, low), f"{least} is beyond {high} {most}")


def _responses(parts: Walked) -> Iterator[str]:
    """Further responses name their schema by its definition."""
    defined = mapping(parts.td.get("schemaDefinitions"))
    for where, form, _ in parts.forms:
        for index, response in enumerate(form.get("additionalResponses") or []):
            schema = response.get("schema")
            if isinstance(schema, str) and schema not in defined:
                yield fault_at(
                    (*where, "additionalResponses", index, "schema"),
                    f"{schema!r} is not defined in schemaDefinitions",
                )


def _variables(parts: Walked) -> Iterator[str]:
    """Variables of URI templates are declared, with values that fit into a URI."""
    common = mapping(parts.td.get("uriVariables"))
    declared: list[tuple[Place, Json]] = [(("uriVariables",), common)]
    declared += [
        ((*where, "uriVariables"), mapping(affordance.get("uriVariables")))
        for where, _, affordance in parts.affordances
    ]
    secret = uri_variables(parts.td)
    for where, variables in declared:
        for name, schema in variables.items():
            if mapping(schema).get("type") in ("object", "array"):
                yield fault_at((*where, name, "type"), "a URI variable can be neither object nor array")
            if name in secret:
                yield fault_at((*where, name), "the name belongs to a security scheme")
    for where, form, affordance in parts.forms:
        known = common.keys() | mapping(affordance.get("uriVariables")).keys() | secret
        for name in template_variables(form["href"]):
            if name not in known:
                yield fault_at((*where, "href"), f"variable {name!r} is not declared in uriVariables")


def template_variables(href: str) -> Iterator[str]:
    """The variables of a URI template (RFC 6570)."""
    for expression in _TEMPLATE.findall(href):
        for variable in expression.lstrip("+#./;?&=,!@|").split(","):
            yield variable.rstrip("*").partition(":")[0]


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


RULES: tuple[Rule, ...] = (
    security_faults,
    _one_model,
    _base,
    _texts,
    _direction,
    _satisfiable,
    _responses,
    _variables,
)
