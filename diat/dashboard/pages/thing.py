"""One thing: what it says now and said before, what it can do, what it is, and what went wrong."""

from __future__ import annotations

import json
from typing import Any

from nicegui import ui

from diat.dashboard.pages import thing_acts, thing_values
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.history import History, drawn
from diat.dashboard.parts.markup import Markup, age, chip, html, link, moment, status, table
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

_LINES = 12
"""Commands that are shown."""


async def build(visit: Visit) -> None:
    """Make the page."""
    thing = visit.argument("id")
    td = await visit.rest.get(at("things", thing))
    title = str(td.get("title", thing))
    ui.page_title(f"{title} · DIAT")
    with ui.element("div").classes("head"):
        head = Fragment(lambda: _head(visit, thing), "things")
        await head.show()
        with ui.element("div").classes("buttons"):
            await thing_acts.buttons(visit, td)
    each = visit.platform.things.registry.get(thing)
    with ui.element("div").classes("columns"):
        with ui.element("div"):
            await thing_values.values(visit, td, each)
            past = drawn(list(each.properties.values()))
            if past:
                html(Markup("<h2>History</h2>"))
                place = ui.element("div").classes("history-place")
        with ui.element("div"):
            await thing_values.actions(visit, td)
            html(Markup("<h2>Commands</h2>"))
            await Fragment(lambda: _commands(visit, thing), "commands").show()
            await _events(visit, td, thing)
            html(Markup("<h2>Diagnostics</h2>"))
            await Fragment(lambda: _diagnostics(visit, thing), "things").show()
    with ui.expansion("Thing Description").classes("more-settings"):
        html(Markup('<pre tabindex="0">{}</pre>').format(json.dumps(td, indent=2, ensure_ascii=False)))

    async def draw() -> None:
        with place:
            await History(visit, thing, past).show()

    if past:
        # What charts are drawn with is large: the page is painted first. A timer sends what is made by then,
        # so it comes last.
        ui.timer(0.05, draw, once=True)


async def _head(visit: Visit, thing: str) -> Markup:
    td = await visit.rest.get(at("things", thing))
    place = td.get("diat:place") or ""
    where = link("/things", place, place=place) if place else Markup('<span class="soft">nowhere yet</span>')
    standing = td.get("diat:admission", "accepted")
    shown = status(thing, td.get("diat:status", "unknown")) if standing == "accepted" else chip(standing)
    heard = td.get("diat:heard")
    return Markup(
        '<h1>{}</h1><p class="facts-line">{} {} <span class="soft">{} · heard {}</span></p>'
    ).format(
        td.get("title", thing), shown, where, td.get("diat:dialect", ""), age(heard) if heard else "never"
    )


async def _commands(visit: Visit, thing: str) -> Markup:
    given = await visit.rest.get("/actuations", thing=thing, limit=_LINES)
    if not given:
        return Markup('<p class="soft">Nobody has told it to do anything yet.</p>')
    rows: list[list[Any]] = [
        [
            age(each["created"]),
            link("/command", f"{each['affordance']} = {_short(each['input'])}", id=each["id"]),
            chip(each["status"]),
        ]
        for each in given
    ]
    return table("Commands", ["When", "What", "Became"], rows)


async def _events(visit: Visit, td: dict[str, Any], thing: str) -> None:
    if not td.get("events"):
        return
    html(Markup("<h2>Events</h2>"))

    async def shown() -> Markup:
        found = await visit.rest.get(at("things", thing, "occurrences"), limit=_LINES)
        if not found:
            return Markup('<p class="soft">None yet: {}.</p>').format(", ".join(td["events"]))
        rows: list[list[Any]] = [[moment(e["observed"]), e["event"], _short(e["value"])] for e in found]
        return table("Events", ["When", "Event", "Data"], rows)

    await Fragment(shown, "events").show()


async def _diagnostics(visit: Visit, thing: str) -> Markup:
    lines = await visit.rest.get(at("things", thing, "diagnostics"))
    if not lines:
        return Markup('<p class="soft">Nothing went wrong.</p>')
    rows: list[list[Any]] = [[each["text"], f"{each['count']:,}", age(each["last"])] for each in lines[::-1]]
    return table("Diagnostics", ["What", "Times", "Last"], rows, numbers=(1,))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "…"


PAGE = Page(path="/thing", title="Thing", build=build, nav="hidden", under="/things")
