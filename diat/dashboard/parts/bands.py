"""A graph in bands, one for each tier, the core above; what crosses between them is said at their heads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

CORE, THINGS = "core", "things"
_WIDE, _HIGH, _ACROSS, _DOWN = 140, 76, 165, 88
"""Size of a node, and from one to the next, in pixels."""
_HEAD, _LINE, _FOOT = 22, 22, 4
"""Of a band: above its name, of a line that is said of it, and below its nodes."""
_EMPTY = 12
_MARGIN = 8
_NAMES = {CORE: ("Core", ""), THINGS: ("Things", "")}
_RATE = Markup('<b class="rate" data-rate="messages">&ndash;</b>{}/s <b class="rate" data-rate="bytes"></b>')


class Node(Struct, kw_only=True):
    """One box.

    Attributes:
        tone: ``thing`` or ``step``.
        band: the tier that it is on.
        of: what its rate is of: thing and affordance, each.
        column: how far to the right; after all that it rests on.
    """

    title: Markup | str
    text: Markup | str
    tone: str
    band: str
    of: tuple[str, ...] = ()
    column: int = 0
    row: int = 0


class _Band(Struct):
    top: int
    head: int
    high: int


def drawn(
    service: str,
    names: Sequence[str],
    nodes: Mapping[str, Node],
    edges: Sequence[tuple[str, str]],
    lines: Sequence[tuple[str, str]],
) -> Markup:
    """The picture.

    Args:
        service: its id.
        names: of the bands, from above.
        nodes: by key.
        edges: from node to node.
        lines: from tier to tier, over which something crosses.
    """
    said = {name: _lines_of(name, lines) for name in names}
    bands: dict[str, _Band] = {}
    top = 0
    for name in names:
        rows = 1 + max((node.row for node in nodes.values() if node.band == name), default=-1)
        head = _HEAD + _LINE * (1 + len(said[name]))
        bands[name] = _Band(top, head, head + (rows * _DOWN if rows else _EMPTY) + _FOOT)
        top += bands[name].high
    wide = 2 * _MARGIN + _WIDE + _ACROSS * max((node.column for node in nodes.values()), default=0)
    paths = Markup().join(_edge(bands, nodes[before], nodes[after]) for before, after in dict.fromkeys(edges))
    inner = Markup().join(
        _band(name, bands[name], said[name], [node for node in nodes.values() if node.band == name])
        for name in names
    )
    return Markup(
        '<diat-crossing service="{}" class="graph" tabindex="0" role="group" aria-label="How it works, from '
        'what it reads to what it drives, by tier"><div style="width:max(100%,{}px);height:{}px">{}'
        '<svg width="{}" height="{}" aria-hidden="true">{}</svg></div></diat-crossing>'
    ).format(service, wide, top, inner, wide, top, paths)


def _lines_of(name: str, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines that are said of a band: of things all of theirs, of a gateway that to the core."""
    if name == CORE:
        return []
    return [each for each in lines if name in each and (name == THINGS or THINGS not in each)]


def _band(name: str, band: _Band, lines: Sequence[tuple[str, str]], nodes: Sequence[Node]) -> Markup:
    title, kind = _NAMES.get(name, (name, "gateway"))
    rates = Markup().join(_line(name, each) for each in lines)
    boxes = Markup().join(_box(node, band) for node in nodes)
    return Markup(
        '<section class="band" aria-label="{}" style="top:{}px;height:{}px"><div class="band-head"><h3>{} '
        "<small>{}</small></h3>{}</div>{}</section>"
    ).format(f"{title} {kind}".strip(), band.top, band.high, title, kind, rates, boxes)


def _line(name: str, line: tuple[str, str]) -> Markup:
    """What crosses between this band and another, up or down."""
    source, goal = line
    up = source == name
    other = goal if up else source
    way = Markup('<span aria-hidden="true">{}</span> {}').format(
        "↑" if up else "↓", f"{'to' if up else 'from'} {_NAMES.get(other, (other, ''))[0]}"
    )
    what = " readings" if up else " commands"
    return Markup('<p data-line="{}"><span class="way">{}</span> {}</p>').format(
        f"{source}>{goal}", way, _RATE.format(what)
    )


def _box(node: Node, band: _Band) -> Markup:
    rate = Markup()
    if node.of:
        rate = Markup('<span class="of" data-of="{}">{}</span>').format(json.dumps(node.of), _RATE.format(""))
    return Markup(
        '<div class="node {}{}" style="left:{}px;top:{}px"><strong>{}</strong><span>{}</span>{}</div>'
    ).format(
        node.tone,
        "" if node.of else " short",
        _MARGIN + node.column * _ACROSS,
        band.head + node.row * _DOWN,
        node.title,
        node.text,
        rate,
    )


def _edge(bands: Mapping[str, _Band], before: Node, after: Node) -> Markup:
    x1, y1 = _MARGIN + before.column * _ACROSS + _WIDE, _middle(bands, before)
    x2, y2 = _MARGIN + after.column * _ACROSS, _middle(bands, after)
    bend = max(20, (x2 - x1) // 2)
    crosses = Markup(' class="crosses"') if before.band != after.band else ""
    return Markup('<path{} d="M{} {}C{} {} {} {} {} {}"/>').format(
        crosses, x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2
    )


def _middle(bands: Mapping[str, _Band], node: Node) -> int:
    band = bands[node.band]
    return band.top + band.head + node.row * _DOWN + _HIGH // 2
