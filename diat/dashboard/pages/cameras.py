"""Cameras and areas: who moves where, live on a map; what each camera sees; clips of what happened."""

from __future__ import annotations

from typing import Any

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.markup import Markup, chip, html, link, live, moment, status, table
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit
from diat.kernel.clock import parse_time

_MAPS = ("VehicleMap", "Detections")
"""Quantities whose values are lists of what is where on the ground, in metres."""
_CLIPS = 50
Json = dict[str, Any]


async def build(visit: Visit) -> None:
    """Make the page."""
    html(
        Markup(
            "<h1>Cameras and areas</h1><p class='lead'>What cameras tell: objects, never pictures, unless "
            "you ask for a clip.</p>"
        )
    )
    await Fragment(lambda: _maps(visit), "things").show()
    html(Markup("<h2>Cameras</h2>"))
    await Fragment(lambda: _cameras(visit), "things").show()
    html(Markup("<h2>Clips</h2>"))
    await Fragment(lambda: _clips(visit), "events").show()


async def _maps(visit: Visit) -> Markup:
    shown: list[tuple[Json, str]] = []
    for quantity in _MAPS:
        for each in await visit.rest.get("/overview/things", quantity=quantity, capability="read", limit=12):
            names = [prop["name"] for prop in each["shows"] if prop["quantity"] == quantity]
            shown += [(each, name) for name in names if quantity == _MAPS[0] or not shown]
    if not shown:
        return Markup(
            '<p class="empty">No map yet. Ask for one with the template <a href="/ui/service-new?template='
            'vehicle-map">Who moves where at a place</a>, once cameras are there.</p>'
        )
    return Markup('<div class="maps">{}</div>').format(
        Markup().join(
            Markup(
                '<section class="card"><h3>{}</h3><p class="label">{}</p>'
                '<diat-map thing="{}" name="{}" role="img" aria-label="Map of {}"></diat-map></section>'
            ).format(
                link("/thing", each["title"], id=each["id"]), each["place"], each["id"], name, each["title"]
            )
            for each, name in shown
        )
    )


async def _cameras(visit: Visit) -> Markup:
    cameras = await visit.rest.get("/overview/things", type="diat:Camera", limit=200)
    if not cameras:
        return Markup(
            '<p class="empty">No camera yet. <code>diat camera --help</code> on a gateway says how one is '
            "connected; it appears here by itself.</p>"
        )
    rows: list[list[Any]] = [
        [
            link("/thing", each["title"], id=each["id"]),
            each["place"],
            status(each["id"], each["status"]),
            live(each["id"], "sight"),
            live(each["id"], "objects"),
            live(each["id"], "level"),
        ]
        for each in cameras
    ]
    return table("Cameras", ["Camera", "Place", "State", "Sees", "Objects", "What leaves it"], rows)


async def _clips(visit: Visit) -> Markup:
    try:
        clips = await visit.rest.get("/clips", limit=_CLIPS)
    except Refused as refusal:
        return Markup('<p class="soft">{}</p>').format(refusal.detail)
    if not clips:
        return Markup(
            '<p class="empty">No clip yet. Cameras keep one of each event, and tell of it here.</p>'
        )
    titles = visit.platform.things.registry.objects.committed
    rows: list[list[Any]] = [
        [
            moment(each["from"]),
            link("/thing", str(titles[each["thing"]].td.get("title", each["thing"])), id=each["thing"]),
            each["place"],
            chip("plain", each["kind"]),
            f"{(parse_time(each['to']) - parse_time(each['from'])) / 1000:.0f} s",
            _shown(each),
        ]
        for each in clips
        if each["thing"] in titles
    ]
    return table("Clips", ["When", "Camera", "Place", "Kind", "Length", "Itself"], rows, numbers=(4,))


def _shown(each: Json) -> Markup:
    """The clip, fetched from its gateway when somebody plays it."""
    size = f" ({each['bytes'] / 1e6:.1f} MB)" if each.get("bytes") else ""
    if each["kind"] == "snapshot":
        inner = Markup('<img loading="lazy" src="{}" alt="Snapshot">').format(each["href"])
    else:
        inner = Markup('<video controls preload="none" src="{}"></video>').format(each["href"])
    return Markup("<details><summary>Show{}</summary>{}</details>").format(size, inner)


PAGE = Page(path="/cameras", title="Cameras", icon="cameras", nav="more", build=build)
