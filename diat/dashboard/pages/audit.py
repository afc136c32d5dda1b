"""The audit: who did what, and whether it is as it was written."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act, choice, line
from diat.dashboard.parts.markup import Markup, chip, html, moment, table
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit

SHOWN = 50
_OUTCOMES = {
    "": "anything",
    "done": "done",
    "denied": "denied",
    "permitted": "handed out",
    "noted": "noted by the platform",
}
_TONES = {"done": "accepted", "denied": "rejected", "permitted": "sleeping", "noted": "sleeping"}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Audit</h1>"))
    sections("Security", SECURITY, "/audit")
    search = Search(visit)
    chain = html(Markup("<p>Each entry is chained to the one before it: nothing can be changed unseen.</p>"))

    async def verify() -> None:
        chain.set_content(str(Markup('<p role="status">It is being read …</p>')))
        try:
            found = await visit.rest.get("/audit/verify")
        except Refused as refusal:
            chain.set_content(str(Markup('<p class="fault">{}</p>').format(refusal.detail)))
            return
        chain.set_content(str(_verified(found)))

    with ui.element("div").classes("buttons"):
        act("Verify the chain", verify, main=True)
        html(Markup('<a class="button" href="/audit/export" download>Download all of it</a>'), "span")
    html(Markup("<h2>Entries</h2>"))
    with ui.element("search").classes("row-wrap").props('aria-label="Find entries"'):
        line("Who", search.set("who"), value=search.asked["who"])
        line("Did", search.set("did"), value=search.asked["did"])
        choice("Outcome", _OUTCOMES, search, "outcome")
    found = Fragment(search.rows)
    search.changed = found.refresh
    await found.show()
    with ui.element("nav").classes("buttons pager").props('aria-label="Pages of the list"'):
        search.turns = (act("Newest", search.newest), act("Earlier", search.earlier))
    search.show_turns()


class Search:
    """What is looked for, and how far back."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.asked = {name: visit.argument(name) for name in ("who", "did", "outcome")}
        self._before: int | None = None
        self._last = 0
        self._more = False
        self.turns: tuple[ui.button, ui.button] | None = None
        self.changed: Any = None

    def show_turns(self) -> None:
        """Show the buttons that lead somewhere."""
        if self.turns is not None:
            self.turns[0].set_visibility(self._before is not None)
            self.turns[1].set_visibility(self._more)

    def set(self, name: str) -> Any:
        """What takes a new value of a field."""

        async def taken(value: str) -> None:
            self.asked[name] = value or ""
            await self.newest()

        return taken

    async def newest(self) -> None:
        """Show the newest ones."""
        self._before = None
        await self.changed()

    async def earlier(self) -> None:
        """Go on to earlier ones."""
        self._before = self._last
        await self.changed()

    async def rows(self) -> Markup:
        """The entries as a table."""
        wanted = {name: value for name, value in self.asked.items() if value}
        found = await self._visit.rest.get("/audit", **wanted, limit=SHOWN + 1, before=self._before)
        self._more, found = len(found) > SHOWN, found[:SHOWN]
        self.show_turns()
        if not found:
            return Markup('<p class="empty" role="status">Nothing fits.</p>')
        self._last = found[-1]["no"]
        rows: list[list[Any]] = [
            [
                f"{each['no']:,}",
                moment(each["at"]),
                each["who"],
                each["did"] + (f" ({each['times']} times)" if each.get("times", 1) > 1 else ""),
                chip(_TONES[each["outcome"]], _OUTCOMES[each["outcome"]]),
                each.get("why", ""),
            ]
            for each in found
        ]
        return table("Entries of the audit", ["No.", "When", "Who", "Did", "Outcome", "Why"], rows)


def _verified(found: dict[str, Any]) -> Markup:
    if found["sound"]:
        return Markup(
            '<div class="answer" role="status"><p>{} {} entries, all as they were written.</p>'
            '<p class="soft">Keep its head elsewhere: <code>{}</code></p></div>'
        ).format(chip("running", "sound"), f"{found['entries']:,}", found["head"])
    lines = Markup().join(Markup("<li>{}</li>").format(each) for each in found["faults"])
    return Markup(
        '<div class="answer deny" role="status"><p>{} It is not as it was written:</p><ul>{}</ul></div>'
    ).format(chip("failed", "not sound"), lines)


PAGE = Page(path="/audit", title="Audit", build=build, nav="hidden", least="admin", under="/security")
