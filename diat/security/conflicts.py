"""Policies held against each other: where one takes from another what that says, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from diat.security.policy import Document
from diat.wot.places import lies_in

MOST = 20
"""Lines that are told."""


def warnings(policy: str, document: Document, others: Mapping[str, Document]) -> list[str]:
    """What a person should know who puts a policy beside others, a line each.

    Conditions of time, situation and count are not weighed: two policies that hold at different times are
    told as well. What is written in Cedar is not compared.
    """
    if document.cedar is not None:
        return ["what is written in Cedar is not compared with the other policies"]
    found = []
    for name, other in sorted(others.items()):
        if name == policy or other.cedar is not None or not meet(document, other):
            continue
        line = _line(document, other, other.title or name, name)
        if line is not None:
            found.append(line)
        if len(found) == MOST:
            found.append("there may be more")
            break
    return found


def meet(one: Document, other: Document) -> bool:
    """Whether two policies may be about the same request."""
    who, whom = one.who, other.who
    what, that = one.what, other.what
    pairs: tuple[tuple[Iterable[object], Iterable[object]], ...] = (
        (one.operations, other.operations),
        (who.kinds, whom.kinds),
        (_named(one), _named(other)),
        (who.roles, whom.roles),
        (who.purposes, whom.purposes),
        (what.things + what.services, that.things + that.services),
        (what.types, that.types),
        (what.affordances, that.affordances),
        (what.quantities, that.quantities),
    )
    if any(left and right and not set(left) & set(right) for left, right in map(_listed, pairs)):
        return False
    if not what.places or not that.places:
        return True
    return any(lies_in(a, b) or lies_in(b, a) for a in what.places for b in that.places)


def _line(document: Document, other: Document, title: str, name: str) -> str | None:
    effects = {document.effect, other.effect}
    which = f"policy {title!r} ({name})"
    if "deny" in effects and len(effects) > 1:
        if other.effect == "deny":
            return f"{which} denies some of what this one is about; a denial wins"
        return f"this one denies some of what {which} is about; a denial wins"
    if effects == {"permit", "modify"} or effects == {"permit", "delay"}:
        return f"{which} and this one meet: what is permitted is restricted as well"
    if document.effect == other.effect == "modify" and document.modify != other.modify:
        return f"{which} and this one both give another form: both are applied, in the order of their ids"
    return None


def _named(document: Document) -> set[tuple[str, str]]:
    return {(kind, name) for kind, names in document.who.named.items() for name in names}


def _listed(pair: tuple[Iterable[object], Iterable[object]]) -> tuple[list[object], list[object]]:
    return list(pair[0]), list(pair[1])
