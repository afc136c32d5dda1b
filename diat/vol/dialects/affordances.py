"""From what a dialect understood of a thing to the affordances of its description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from diat.vol.dialects.commands import Command, CommandOutlet
from diat.vol.dialects.inlets import Feed, Source, state_inlets
from diat.vol.dialects.naming import Candidate, settled, slug
from diat.vol.dialects.port import Inlet, Outlet

GROUPS = {"property": "properties", "action": "actions", "event": "events"}
_HUMP = re.compile(r"(?<=[a-z][a-z0-9])(?=[A-Z])")


class Draft(Struct, frozen=True, kw_only=True):
    """A property, an action or an event that does not have its final name yet.

    Attributes:
        key: what tells it from all others of its thing; decides who keeps a name that two want.
        name: the name that it wants.
        title: for people.
        schema: for a property its DataSchema with its meaning, for an action or an event what else it has
            (``input``, ``data``).
        kind: which of the three it is.
        sources: where its value, or that it happened, is told; none for an action.
        command: how it is driven, None if it cannot be.
        idempotent: whether giving the command twice does the same as giving it once.
        confirmed: whether a reading follows a command.
    """

    key: str
    name: str
    title: str
    schema: dict[str, Any]
    kind: Literal["property", "action", "event"] = "property"
    sources: tuple[Source, ...] = ()
    command: Command | None = None
    idempotent: bool = True
    confirmed: bool = True


class Assembly(Struct, frozen=True):
    """The affordances of a description.

    Attributes:
        td: ``properties``, ``actions`` and ``events``, each left out if there are none.
        inlets: one for each topic.
        outlets: affordance name to what drives it.
    """

    td: dict[str, Any]
    inlets: tuple[Inlet, ...]
    outlets: dict[str, Outlet]


def assemble(drafts: Sequence[Draft]) -> Assembly:
    """Give each draft a name of its own, whatever order they come in, and put them together."""
    drafts = sorted(drafts, key=lambda draft: draft.key)
    names = settled([Candidate(d.key, d.kind, identifier(d.name) or d.kind, "") for d in drafts])
    groups: dict[str, dict[str, Any]] = {"property": {}, "action": {}, "event": {}}
    outlets: dict[str, Outlet] = {}
    feeds: list[tuple[Source, Feed]] = []
    for name, draft in sorted(zip(names, drafts, strict=True), key=lambda pair: pair[0]):
        groups[draft.kind][name] = _affordance(draft)
        if draft.command is not None:
            confirmed_by = name if draft.sources and draft.confirmed else None
            outlets[name] = CommandOutlet(draft.command, confirmed_by, draft.idempotent)
        for source in draft.sources:
            feeds.append((source, Feed(name, name, source.extract, draft.kind == "event")))
    td = {GROUPS[kind]: made for kind, made in groups.items() if made}
    return Assembly(td, state_inlets(feeds), outlets)


def identifier(text: str) -> str:
    """``[a-z0-9_]*`` from a name in any of the usual ways of writing: ``TotalTariff``, ``heat-setpoint``."""
    return slug(_HUMP.sub("_", text))


def _affordance(draft: Draft) -> dict[str, Any]:
    """The affordance as it stands in the Thing Description."""
    said: dict[str, Any] = {"title": draft.title, **draft.schema}
    if draft.kind == "event":
        return said
    if draft.kind == "action":
        return {**said, "idempotent": True} if draft.idempotent else said
    if draft.command is None:
        return {**said, "readOnly": True}
    if not draft.sources:
        said["writeOnly"] = True
    return said
