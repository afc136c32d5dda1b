"""Cameras and areas: what moves where on a map, live, and the clips of what happened."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import choice
from diat.dashboard.parts.markup import Markup, html, link, live, moment, status
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit

Json = dict[str, Any]
MAP = "VehicleMap"
CAMERA = "diat:Camera"
_MOST = 100
"""Cameras that are shown."""
_SHOWN = 24
_LOOK = 10.0
_TOLD = {"sight": "Sight", "stream": "Pictures", "motion": "Motion", "objects": "Objects", "level": "Sends"}
"""What is told of each camera, by the names that ours have for it."""
_KINDS = {"": "clips and pictures", "clip": "clips", "snapshot": "pictures"}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Cameras and areas</h1>"))
    cameras = await visit.rest.get("/overview/things", type=CAMERA, limit=_MOST)
    maps = await _maps(visit)
    if not cameras and not maps:
        html(
            Markup(
                '<div class="empty"><h2>No camera yet</h2><p>A gateway looks through cameras and tells what '
                "it sees; pictures leave it only if you want them to: <code>diat gateway --help</code>. "
                "Who moves where is put together by a service of the template {}.</p></div>"
            ).format(link("/service-new", "vehicle-map", template="vehicle-map"))
        )
        return
    for each in maps:
        html(each)
    if cameras:
        html(Markup("<h2>Cameras</h2>"))
        html(Markup('<div class="cards">{}</div>').format(Markup().join(_camera(each) for each in cameras)))
    await _clips(visit, cameras)


async def _maps(visit: Visit) -> list[Markup]:
    found = []
    for each in await visit.rest.get("/overview/things", quantity=MAP, limit=20):
        td = await visit.rest.get(at("things", each["id"]))
        for name, prop in td.get("properties", {}).items():
            if MAP in str(prop.get("@type", "")):
                path = at("things", each["id"], "properties", name)
                found.append(
                    Markup("<h2>{} <small>{}</small></h2><diat-map path=\"{}\"></diat-map>").format(
                        link("/thing", each["title"], id=each["id"]), each["place"], path
                    )
                )  # fmt: skip
    return found


def _camera(each: Json) -> Markup:
    rows = [
        Markup("<dt>{}</dt><dd>{}</dd>").format(title, live(each["id"], name))
        for name, title in _TOLD.items()
    ]
    return Markup(
        '<section class="card"><h3>{} {}</h3><p class="label">{}</p><dl class="facts">{}</dl></section>'
    ).format(
        link("/thing", each["title"], id=each["id"]),
        status(each["id"], each["status"]),
        each["place"],
        Markup().join(rows),
    )


async def _clips(visit: Visit, cameras: list[Json]) -> None:
    search = Search(visit, {each["id"]: each["title"] for each in cameras})
    try:
        await visit.rest.get("/clips", limit=1)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return
    html(Markup("<h2>What happened</h2>"))
    with ui.element("search").classes("row-wrap").props('aria-label="Find clips"'):
        choice("Camera", {"": "any"} | search.titles, search, "thing")
        choice("What", _KINDS, search, "kind")
    found = Fragment(search.clips)
    search.changed = found.refresh
    await found.show()
    ui.timer(_LOOK, found.refresh)


class Search:
    """Which clips are shown."""

    def __init__(self, visit: Visit, titles: dict[str, str]) -> None:
        self._visit = visit
        self.titles = titles
        self.asked = {"thing": visit.argument("camera"), "kind": ""}
        self.changed: Any = None

    def set(self, name: str) -> Any:
        """What takes a new value of a field."""

        async def taken(value: str) -> None:
            self.asked[name] = value or ""
            await self.changed()

        return taken

    async def clips(self) -> Markup:
        """The clips as cards; a film is fetched from its gateway when somebody begins to look."""
        wanted = {name: value for name, value in self.asked.items() if value}
        found = await self._visit.rest.get("/clips", limit=_SHOWN, **wanted)
        if not found:
            return Markup(
                '<p class="empty" role="status">Nothing was kept. Clips appear when something happens.</p>'
            )
        return Markup('<div class="cards clips">{}</div>').format(
            Markup().join(self._clip(each) for each in found)
        )

    def _clip(self, each: Json) -> Markup:
        title = self.titles.get(each["thing"], each["thing"])
        what = Markup('<video controls preload="none" src="{}" aria-label="{}"></video>')
        if each["kind"] == "snapshot":
            what = Markup('<a href="{0}"><img loading="lazy" src="{0}" alt="{1}"></a>')
        return Markup('<section class="card">{}<p>{} <span class="soft">{}</span></p></section>').format(
            what.format(each["href"], f"{title}, {each['kind']}"), moment(each["from"]), title
        )


PAGE = Page(path="/cameras", title="Cameras", icon="cameras", build=build, nav="more")
