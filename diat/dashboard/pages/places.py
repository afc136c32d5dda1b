"""Places: the tree, and of each a plan with live values: a picture, and one drawn from what lies inside."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nicegui import ui

from diat.dashboard.pages import place_picture
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.markup import Markup, html, link, live, shortly, status
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit
from diat.wot.places import lies_in

_THINGS = 400
"""Things of a place that are looked at."""
_IN_A_ROOM = 8
"""Things whose values are shown of one place."""
Json = dict[str, Any]


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Places</h1>"))
    tree = await visit.rest.get("/places")
    if not tree:
        html(
            Markup(
                '<div class="empty"><h2>No place yet</h2><p>A thing says where it is, or you do: open '
                '<a href="/ui/things">a thing</a> and give it a place such as <code>home/kitchen</code>.</p>'
                "</div>"
            )
        )
        return
    here = visit.argument("place") or tree[0]["path"]
    with ui.element("div").classes("places"):
        navigation = Fragment(lambda: _tree(visit, here), "things")
        navigation.begin(_branch(tree, here))
        navigation.element.props('role="navigation" aria-label="Tree of places"')
        with ui.element("section").props('aria-labelledby="here"'):
            html(Markup('<h2 id="here">{}</h2>').format(here))
            await place_picture.show(visit, here)
            await Fragment(lambda: _plan(visit, here), "things").show()


async def _tree(visit: Visit, here: str) -> Markup:
    return _branch(await visit.rest.get("/places"), here)


def _branch(places: list[Json], here: str) -> Markup:
    lines = Markup().join(
        Markup('<li><a href="/ui/places?place={}"{}>{} <small>{}</small></a>{}</li>').format(
            _encoded(each["path"]),
            Markup(' aria-current="location"') if each["path"] == here else "",
            each["name"],
            f"{each['inside']:,}",
            _branch(each["children"], here) if lies_in(here, each["path"]) and each["children"] else "",
        )
        for each in places
    )
    return Markup('<ul class="tree">{}</ul>').format(lines)


async def _plan(visit: Visit, here: str) -> Markup:
    things = await visit.rest.get("/overview/things", place=here, limit=_THINGS, sort_by="place")
    rooms: dict[str, list[Json]] = {}
    for each in things:
        rest = each["place"][len(here) :].strip("/").split("/")[0]
        rooms.setdefault(rest, []).append(each)
    boxes = Markup().join(_room(here, name, found) for name, found in sorted(rooms.items()))
    return Markup('<div class="plan-drawn">{}</div>').format(boxes)


def _room(here: str, name: str, things: list[Json]) -> Markup:
    path = f"{here}/{name}" if name else here
    named = Markup('<a href="/ui/places?place={}">{}</a>').format(_encoded(path), name)
    telling = [each for each in things if each["shows"]]
    telling.sort(key=lambda each: not _FIRST.intersection(each["quantities"]))
    values = Markup().join(
        Markup("<li>{}<span>{}</span></li>").format(
            link("/thing", each["title"], id=each["id"]), _values(each)
        )
        for each in telling[:_IN_A_ROOM]
    )
    silent = [each for each in things if not each["shows"]]
    rest = Markup().join(
        Markup("<li>{} {}</li>").format(
            link("/thing", each["title"], id=each["id"]), status(each["id"], each["status"])
        )
        for each in silent[:4]
    )
    return Markup('<section class="room"><h3>{} <small>{}</small></h3><ul>{}{}</ul></section>').format(
        named if name else "Here", f"{len(things):,}", values, rest
    )


def _values(each: Json) -> Markup:
    return Markup().join(
        Markup('<span class="pair">{} {}</span> ').format(
            shortly(prop["title"], each["title"]), live(each["id"], prop["name"])
        )
        for prop in each["shows"][:2]
    )


_FIRST = frozenset({"Temperature", "RelativeHumidity", "CarbonDioxide", "Occupancy", "Illuminance"})
"""Quantities that are shown first."""


def _encoded(path: str) -> str:
    return quote(path)


PAGE = Page(path="/places", title="Places", icon="places", build=build)
