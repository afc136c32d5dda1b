"""A service as a graph: what it reads, its steps with their tiers, what it drives; with live values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from diat.dashboard.parts.markup import link, live

_WIDE, _HIGH, _ACROSS, _DOWN = 152, 62, 184, 78
"""Size of a node, and from one to the next, in pixels."""


class Node(Struct):
    """One box.

    Attributes:
        column: how far to the right; after all that it rests on.
        tone: ``thing`` or ``step``.
    """

    key: str
    title: Markup | str
    text: Markup | str
    tone: str
    column: int = 0
    row: int = 0


def graph(
    steps: Sequence[Mapping[str, Any]],
    bindings: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    values: Mapping[str, Any],
    tiers: Mapping[str, str],
) -> Markup:
    """The picture.

    Args:
        steps: of the template, each with ``id`` and ``do``.
        bindings: which things fill which roles.
        titles: of the things.
        values: what the steps came to at the last decision.
        tiers: step to the tier that it runs on, where that is not the core.
    """
    known = {str(step["id"]): step for step in steps}
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    driving = {str(step.get("role")) for step in steps if step["do"] in ("drive", "invoke", "set")}
    for binding in bindings:
        key = f"{binding['thing']} {binding['affordance']} {binding['role']}"
        nodes[key] = Node(
            key,
            link("/thing", titles.get(binding["thing"], binding["thing"]), id=binding["thing"]),
            Markup("{} {}").format(binding["affordance"], live(binding["thing"], binding["affordance"])),
            "thing",
        )
    for name, step in known.items():
        where = tiers.get(name, "")
        came = f" = {_said(values[name])}" if name in values else ""
        nodes[name] = Node(name, name, f"{step['do']}{came}{f' · {where}' if where else ''}", "step")
        edges += [(other, name) for other in _named(step) if other in known and other != name]
        for binding in bindings:
            if binding["role"] not in _named(step):
                continue
            key = f"{binding['thing']} {binding['affordance']} {binding['role']}"
            edges.append((name, key) if binding["role"] in driving else (key, name))
    _place(nodes, edges)
    return _drawn(nodes, edges)


def _named(step: Mapping[str, Any]) -> set[str]:
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
    for _ in range(len(nodes)):
        moved = False
        for before, after in edges:
            if nodes[after].column <= nodes[before].column < len(nodes):
                nodes[after].column = nodes[before].column + 1
                moved = True
        if not moved:
            break
    taken: dict[int, int] = {}
    for node in nodes.values():
        node.row = taken.get(node.column, 0)
        taken[node.column] = node.row + 1


def _drawn(nodes: dict[str, Node], edges: Sequence[tuple[str, str]]) -> Markup:
    wide = _ACROSS * (1 + max((node.column for node in nodes.values()), default=0))
    high = _DOWN * (1 + max((node.row for node in nodes.values()), default=0))
    lines = Markup().join(_edge(nodes[before], nodes[after]) for before, after in dict.fromkeys(edges))
    boxes = Markup().join(
        Markup(
            '<div class="node {}" style="left:{}px;top:{}px"><strong>{}</strong><span>{}</span></div>'
        ).format(node.tone, node.column * _ACROSS, node.row * _DOWN, node.title, node.text)
        for node in nodes.values()
    )
    return Markup(
        '<div class="graph" tabindex="0" role="group" aria-label="How it works, from what it reads to what '
        'it drives"><div style="width:{}px;height:{}px"><svg width="{}" height="{}" aria-hidden="true">{}'
        "</svg>{}</div></div>"
    ).format(wide, high, wide, high, lines, boxes)


def _edge(before: Node, after: Node) -> Markup:
    x1, y1 = before.column * _ACROSS + _WIDE, before.row * _DOWN + _HIGH // 2
    x2, y2 = after.column * _ACROSS, after.row * _DOWN + _HIGH // 2
    bend = max(24, (x2 - x1) // 2)
    return Markup('<path d="M{} {}C{} {} {} {} {} {}"/>').format(x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2)


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower()
