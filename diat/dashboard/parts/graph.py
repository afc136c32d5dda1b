"""A service as a graph: what it reads, its steps, what it drives, each in the band of its tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from diat.dashboard.parts.bands import CORE, THINGS, Node, drawn
from diat.dashboard.parts.markup import link, live

MOST = 5
"""Things of one role that are shown one by one."""
_DRIVES = ("drive", "invoke", "set")
Json = Mapping[str, Any]


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a service.

    Attributes:
        steps: of its template, each with ``id`` and ``do``.
        bindings: which things fill which roles.
        titles: of the things.
        values: what the steps came to at the last decision.
        tiers: step to the tier that it runs on.
        says: property of the service's own thing to the step that it comes from.
        own: id of that thing, ``""`` if it has none.
        crossing: what crosses from tier to tier, as REST tells it.
    """

    steps: Sequence[Json]
    bindings: Sequence[Json]
    titles: Mapping[str, str]
    values: Json
    tiers: Mapping[str, str]
    says: Mapping[str, str]
    own: str
    crossing: Json


def graph(service: str, known: Known) -> Markup:
    """The picture; ``diat-crossing`` in ``live.js`` keeps its rates up to date."""
    steps = {str(step["id"]): step for step in known.steps}
    lines = [(str(each["from"]), str(each["to"])) for each in known.crossing["lines"]]
    gateways = {tier for ends in lines for tier in ends} | set(known.tiers.values())
    gateways -= {CORE, THINGS}
    nodes, edges = _bound(known, steps)
    for name, step in steps.items():
        tier = known.tiers.get(name, CORE)
        came = f" = {_said(known.values[name])}" if name in known.values else ""
        band = tier if tier == CORE or tier in gateways else THINGS
        nodes[name] = Node(title=name, text=f"{step['do']}{came}", tone="step", band=band)
        edges += [(other, name) for other in _named(step) if other in steps and other != name]
    for name, source in known.says.items() if known.own else ():
        text = Markup("{} {}").format("says", live(known.own, name))
        nodes[f"(says) {name}"] = Node(
            title=link("/thing", name, id=known.own), text=text, tone="thing", band=CORE
        )
        edges.append((source, f"(says) {name}"))
    _place(nodes, edges)
    bands = [CORE, *sorted(gateways), THINGS]
    return drawn(service, bands, nodes, edges, lines)


def _bound(known: Known, steps: Mapping[str, Json]) -> tuple[dict[str, Node], list[tuple[str, str]]]:
    """A node for each thing of a role, of many one for all that are left; and what joins them to steps."""
    inside = {
        (each["thing"], each["affordance"])
        for each in known.crossing["of"]
        if each["from"] == each["to"] == CORE
    }
    driving = {str(step.get("role")) for step in steps.values() if step["do"] in _DRIVES}
    roles: dict[str, list[Json]] = {}
    for each in known.bindings:
        roles.setdefault(str(each["role"]), []).append(each)
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    for role, found in roles.items():
        alone = found if len(found) <= MOST + 1 else found[:MOST]
        keys = []
        for each in alone:
            thing, name = each["thing"], each["affordance"]
            key = f"{thing} {name} {role}"
            keys.append(key)
            nodes[key] = Node(
                title=link("/thing", known.titles.get(thing, thing), id=thing),
                text=Markup("{} {}").format(name, live(thing, name)),
                tone="thing",
                band=CORE if (thing, name) in inside else THINGS,
                of=(f"{thing} {name}",),
            )
        rest = found[len(alone) :]
        if rest:
            key = f"(rest) {role}"
            keys.append(key)
            of = tuple(f"{each['thing']} {each['affordance']}" for each in rest)
            nodes[key] = Node(title=f"{len(rest)} more", text=role, tone="thing", band=THINGS, of=of)
        users = [name for name, step in steps.items() if role in _named(step)]
        edges += [(name, key) if role in driving else (key, name) for name in users for key in keys]
    return nodes, edges


def _named(step: Json) -> set[str]:
    """Every word in a step that may name another step, or a role."""
    found: set[str] = set()
    left: list[Any] = [value for key, value in step.items() if key not in ("id", "do", "against")]
    while left:
        each = left.pop()
        if isinstance(each, str):
            found.add(each)
        elif isinstance(each, Mapping):
            left += each.values()
        elif isinstance(each, Iterable):
            left += each
    return found


def _place(nodes: dict[str, Node], edges: Sequence[tuple[str, str]]) -> None:
    """Each after all that it rests on; of one column in one band, one below the other."""
    for _ in range(len(nodes)):
        moved = False
        for before, after in edges:
            if nodes[after].column <= nodes[before].column < len(nodes):
                nodes[after].column = nodes[before].column + 1
                moved = True
        if not moved:
            break
    taken: dict[tuple[str, int], int] = {}
    for node in nodes.values():
        at = node.band, node.column
        node.row = taken.get(at, 0)
        taken[at] = node.row + 1


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower()
