"""Things: all there are, found by meaning, place and state, fifty at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act, choice, line
from diat.dashboard.parts.markup import Markup, chip, html, link, live, shortly, status, table
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit

SHOWN = 50
_STATES = {
    "": "any",
    "online": "online",
    "offline": "offline",
    "stale": "silent for long",
    "pending": "waiting to be let in",
    "rejected": "rejected",
}
_CAPABILITIES = {
    "": "anything",
    "read": "measures it",
    "write": "can be set",
    "increase": "increases it",
    "decrease": "decreases it",
    "switch": "switches it",
}


async def build(visit: Visit) -> None:
    """Make the page."""
    search = Search(visit)
    facets = await visit.rest.get("/overview/facets")
    html(
        Markup("<h1>Things</h1><p class='lead'>Everything that announced itself, found by what it means.</p>")
    )
    with ui.element("search").classes("row-wrap").props('aria-label="Find things"'):
        line("Words", search.set("text"), value=search.asked["text"], wide=True)
        choice("Quantity", {"": "any", **{each: each for each in facets["quantities"]}}, search, "quantity")
        choice("It", _CAPABILITIES, search, "capability")
        choice("Place", {"": "anywhere", **{each: each for each in facets["places"]}}, search, "place")
        choice("State", _STATES, search, "state")
    found = Fragment(search.rows, "things", "statuses")
    search.changed = found.refresh
    await found.show()
    with ui.element("nav").classes("buttons pager").props('aria-label="Pages of the list"') as pager:
        act("Earlier", lambda: search.turn(-SHOWN))
        act("Later", lambda: search.turn(SHOWN))
    search.pager = pager
    pager.set_visibility(search.long)


class Search:
    """What is looked for, kept in the address so that it can be shared."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.asked = {
            name: visit.argument(name) for name in ("text", "quantity", "capability", "place", "state")
        }
        first = visit.argument("offset", "0")
        self._offset = int(first) if first.isascii() and first.isdigit() and len(first) < 10 else 0
        self._total = 0
        self.changed: Any = None
        self.pager: ui.element | None = None

    def set(self, name: str) -> Any:
        """What takes a new value of a field."""

        async def taken(value: str) -> None:
            self.asked[name] = value or ""
            self._offset = 0
            await self._show()

        return taken

    async def turn(self, by: int) -> None:
        """Go to the next or an earlier part of the list."""
        self._offset = min(max(0, self._offset + by), max(0, (self._total - 1) // SHOWN * SHOWN))
        await self._show()

    @property
    def long(self) -> bool:
        """Whether there is more than one part."""
        return self._total > SHOWN

    async def rows(self) -> Markup:
        """The list as a table."""
        wanted = {name: value for name, value in self.asked.items() if value}
        answer = await self._visit.rest.ask(
            "GET", "/overview/things", query={**wanted, "limit": SHOWN, "offset": self._offset}
        )
        things, self._total = answer.json(), int(answer.headers["X-Total-Count"])
        if self.pager is not None:
            self.pager.set_visibility(self.long)
        if not things:
            return _nothing(searched=bool(wanted))
        first, last = self._offset + 1, self._offset + len(things)
        count = Markup('<p class="soft count" role="status">{} to {} of {}</p>').format(
            f"{first:,}", f"{last:,}", f"{self._total:,}"
        )
        rows: list[list[Any]] = [
            [link("/thing", each["title"], id=each["id"]), each["place"], _standing(each), _values(each)]
            for each in things
        ]
        return count + table("Things", ["Thing", "Place", "State", "Now"], rows)

    async def _show(self) -> None:
        said = {name: value for name, value in self.asked.items() if value}
        if self._offset:
            said["offset"] = str(self._offset)
        ui.navigate.history.replace(f"?{urlencode(said)}" if said else "?")
        await self.changed()


def _standing(each: dict[str, Any]) -> Markup:
    return status(each["id"], each["status"]) if each["admission"] == "accepted" else chip(each["admission"])


def _values(each: dict[str, Any]) -> Markup:
    if each["admission"] != "accepted":
        return Markup("&ndash;")
    shown = [
        Markup('<span class="pair"><span class="soft">{}</span> {}</span>').format(
            shortly(prop["title"], each["title"]), live(each["id"], prop["name"])
        )
        for prop in each["shows"]
    ]
    return Markup('<span class="pairs">{}</span>').format(Markup().join(shown))


def _nothing(*, searched: bool) -> Markup:
    if searched:
        return Markup('<p class="empty" role="status">Nothing fits. Take a word or a choice away.</p>')
    return Markup(
        '<div class="empty"><h2>No thing yet</h2><p>Things appear here by themselves once they announce '
        'themselves on MQTT. <a href="/ui/start">Connect the first one</a>.</p></div>'
    )


PAGE = Page(path="/things", title="Things", icon="things", build=build)
