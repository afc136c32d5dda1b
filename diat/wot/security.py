"""Security of Thing Descriptions: that what is named is defined, and each scheme is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diat.wot.frozen import fault_at
from diat.wot.walk import Json, Walked, mapping


def active(holder: Json) -> list[str]:
    """The schemes that a thing or a form names in ``security``."""
    named = holder.get("security")
    return [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]


def open_to_all(td: Json) -> bool:
    """Whether it states no security, or only that none is needed."""
    if "security" not in td and "securityDefinitions" not in td:
        return True
    defined = mapping(td.get("securityDefinitions"))
    named = active(td)
    return bool(named) and all(mapping(defined.get(name)).get("scheme") == "nosec" for name in named)


def security_faults(parts: Walked) -> Iterator[str]:
    """Names that are not defined, schemes that are not complete."""
    td, forms = parts.td, parts.forms
    defined = mapping(td.get("securityDefinitions"))
    for where, holder in ((), td), *((where, form) for where, form, _ in forms):
        for name in active(holder):
            if name not in defined:
                yield fault_at((*where, "security"), f"{name!r} is not defined in securityDefinitions")
    for name, scheme in defined.items():
        place = ("securityDefinitions", name)
        if scheme.get("scheme") == "combo":
            for member in _members(scheme):
                if member not in defined:
                    yield fault_at(place, f"it combines {member!r}, which is not defined")
            if name in _within(name, defined):
                yield fault_at(place, "it combines itself")
        elif scheme.get("scheme") == "oauth2":
            yield from _oauth2(place, scheme)
        pointer = scheme.get("name")
        if scheme.get("in") == "body" and isinstance(pointer, str) and pointer[:1] not in ("", "/"):
            yield fault_at((*place, "name"), "for something in the body it must be a JSON pointer")
    for where, form, _ in forms:
        yield from _in_uri(where, form, td, defined)


def uri_variables(td: Json) -> set[str]:
    """Variables of URIs in which security schemes put their keys."""
    return {
        scheme["name"]
        for scheme in mapping(td.get("securityDefinitions")).values()
        if isinstance(scheme, dict) and scheme.get("in") == "uri" and isinstance(scheme.get("name"), str)
    }


def _oauth2(place: tuple[str, str], scheme: Json) -> Iterator[str]:
    flow = scheme.get("flow")
    needed = {"code": ("authorization", "token"), "client": ("token",)}.get(str(flow), ())
    for term in needed:
        if term not in scheme:
            yield fault_at(place, f"flow {flow!r} needs {term!r}")
    if flow == "client" and "authorization" in scheme:
        yield fault_at((*place, "authorization"), "flow 'client' must not have it")


def _in_uri(where: tuple[str | int, ...], form: Json, td: Json, defined: Json) -> Iterator[str]:
    """A key in the URI needs its place there. Of a ``oneOf`` any may be the one, so nothing is demanded."""
    for name in active(form) or active(td):
        scheme = mapping(defined.get(name))
        variable = scheme.get("name")
        if scheme.get("in") == "uri" and isinstance(variable, str):
            base = td.get("base")
            address = f"{base if isinstance(base, str) else ''}{form['href']}"
            if variable not in address or "{" not in address:
                yield fault_at((*where, "href"), f"no place for {variable!r}, which security {name!r} needs")


def _members(scheme: Json) -> list[str]:
    listed: list[Any] = []
    for term in ("oneOf", "allOf"):
        value = scheme.get(term)
        listed += value if isinstance(value, list) else [value]
    return [member for member in listed if isinstance(member, str)]


def _within(name: str, defined: Json) -> set[str]:
    """All schemes that one combines, directly or through others."""
    found: set[str] = set()
    ahead = _members(mapping(defined.get(name)))
    while ahead:
        member = ahead.pop()
        if member not in found:
            found.add(member)
            ahead += _members(mapping(defined.get(member)))
    return found
