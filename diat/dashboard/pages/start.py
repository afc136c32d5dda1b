"""The start, in three steps: how things join, the first one appears, a first service is suggested."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.pages.service_new import USUAL
from diat.dashboard.parts.acts import attempt
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html, link, live
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit

_LOOKED_AT = 200
"""Things, the newest, that suggestions come from."""


async def build(visit: Visit) -> None:
    """Make the page."""
    html(
        Markup(
            "<h1>Begin</h1><p class='lead'>A few steps, each of which you can leave out and come back to.</p>"
        )
    )
    with ui.element("div").classes("steps"):
        if visit.is_at_least("admin"):
            await _name(visit)
        await _join(visit)
        html(Markup("<h2>First things</h2>"))
        await Fragment(lambda: _first(visit), "things").show()
        html(Markup("<h2>A first service</h2>"))
        await Fragment(lambda: _suggested(visit), "things", "services").show()


async def _name(visit: Visit) -> None:
    """What people call this place."""
    try:
        title = (await visit.rest.get("/settings"))["title"]["value"]
    except Refused:
        return
    html(Markup("<h2>What is this place called?</h2>"))
    with ui.element("div").classes("row-wrap"):
        named = ui.input("Name of the place", value=title or "").props("outlined dense").classes("name")

        async def keep() -> None:
            if await attempt(lambda: visit.rest.patch("/settings", {"title": named.value or None})):
                ui.navigate.reload()

        act("Keep", keep)


async def _join(visit: Visit) -> None:
    broker = visit.platform.broker
    html(Markup("<h2>How things join</h2>"))
    try:
        joining = await visit.rest.get("/joining")
    except Refused:
        joining = {}
    if joining.get("qr"):
        html(
            Markup(
                '<div class="join"><div class="qr" role="img" aria-label="Join key as a QR code">{}</div>'
                "<div><p>Scan this with the node, or type the address into it:</p>"
                "<p><code>{}</code></p></div></div>"
            ).format(Markup(joining["qr"]), joining.get("address", ""))
        )
        return
    told = "Point whatever speaks MQTT at this broker; it is found by itself:"
    if joining.get("asked") or visit.platform.lan:
        told = "Things need the join key: `diat thing join-key` shows it, or make one here."
    html(
        Markup("<p>{}</p><p><code>mqtt{}://{}:{}</code></p>").format(
            told, "s" if broker.tls else "", broker.host, broker.port
        )
    )
    if visit.platform.lan and visit.is_at_least("admin"):

        async def make() -> None:
            if await attempt(lambda: visit.rest.post("/joining/key")):
                ui.navigate.reload()

        act("Make a join key", make, main=True)


async def _first(visit: Visit) -> Markup:
    things = await visit.rest.get("/overview/things", sort_by="created", limit=6)
    if not things:
        return Markup(
            '<p class="empty" role="status">Waiting for the first thing. It appears here as soon as it '
            "announces itself.</p>"
        )
    cards = [
        Markup('<section class="card"><h3>{}</h3><p class="soft">{}</p>{}</section>').format(
            link("/thing", each["title"], id=each["id"]),
            each["place"] or "nowhere yet: give it a place",
            Markup().join(live(each["id"], shown["name"]) for shown in each["shows"][:1]),
        )
        for each in things
    ]
    return Markup('<div class="cards">{}</div>').format(Markup().join(cards))


async def _suggested(visit: Visit) -> Markup:
    found: list[dict[str, Any]] = await visit.rest.get(
        "/overview/things", sort_by="created", limit=_LOOKED_AT
    )
    taken = {
        (each["parameters"].get("quantity"), each["parameters"].get("place"))
        for each in await visit.rest.get("/services")
    }
    measured = {(q, each["place"]) for each in found for q in each["measures"] if each["place"]}
    driven = {(q, each["place"]) for each in found for q in each["drives"] if each["place"]}
    lines = []
    for quantity, place in sorted(measured & driven - taken):
        if quantity in USUAL:
            low, high, _ = USUAL[quantity]
            text = f"Keep the {quantity} at {place} between {low} and {high}"
            lines.append(link("/service-new", text, template="keep-within", place=place, quantity=quantity))
    for quantity, place in sorted({pair for pair in measured - driven - taken if pair[0] in USUAL})[:5]:
        text = f"Know the mean {quantity} at {place}"
        lines.append(link("/service-new", text, template="mean-of-place", place=place, quantity=quantity))
    if not lines:
        return Markup(
            '<p class="empty">Nothing to suggest yet. Services come of what is there: give things a place, '
            'and look again, or <a href="/ui/service-new">say yourself what is to be so</a>.</p>'
        )
    return Markup("<ul>{}</ul>").format(
        Markup().join(Markup("<li>{}</li>").format(each) for each in lines[:6])
    )


PAGE = Page(path="/start", title="Begin", icon="start", nav="more", build=build)
