"""Services: all there are, and how each does."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, chip, html, link, table
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit


async def build(visit: Visit) -> None:
    """Make the page."""
    with ui.element("div").classes("head"):
        html(Markup("<h1>Services</h1><p class='lead'>What people asked for, and what does it.</p>"))
        if visit.is_at_least("engineer"):
            act("New service", lambda: ui.navigate.to("/service-new"), main=True)
    await Fragment(lambda: _rows(visit), "services").show()


async def _rows(visit: Visit) -> Markup:
    services = await visit.rest.get("/services")
    if not services:
        return Markup(
            '<div class="empty"><h2>No service yet</h2><p>Say what is to be so, for example that a room '
            'stays between 20 and 24 °C: <a href="/ui/service-new">ask for a service</a>. What measures and '
            "heats there is found by itself.</p></div>"
        )
    rows: list[list[Any]] = [
        [
            link("/service", each["title"], id=each["id"]),
            chip(each["state"]),
            each["parameters"].get("place", ""),
            each["template"],
            f"{len(each['bindings']):,}",
            "; ".join(one.partition(" (turned down")[0] for one in each["missing"]),
        ]
        for each in services
    ]
    return table(
        "Services", ["Service", "State", "Place", "Template", "Bound", "Missing"], rows, numbers=(4,)
    )


PAGE = Page(path="/services", title="Services", icon="services", build=build)
