"""One roll-out: how each of its nodes stands, and why."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.pages.firmware import counted
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.markup import Markup, age, chip, html, link, table
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

_TONES = {"healthy": "running", "failed": "failed", "missed": "offline", "updating": "waiting"}
_LOOK = 3.0


async def build(visit: Visit) -> None:
    """Make the page."""
    known = await visit.rest.get(at("rollouts", visit.argument("id")))
    html(Markup("<h1>{}</h1>").format(known["title"]))
    operation_sections(visit, "/firmware")
    found = Fragment(lambda: _nodes(visit))
    await found.show()
    ui.timer(_LOOK, found.refresh)


async def _nodes(visit: Visit) -> Markup:
    known = await visit.rest.get(at("rollouts", visit.argument("id")))
    rows: list[list[Any]] = [
        [
            link("/thing", name, id=name),
            chip(_TONES.get(each["state"], "sleeping"), each["state"]),
            age(each["since"]),
            each.get("why", ""),
        ]
        for name, each in known["things"].items()
    ]
    why = Markup('<p class="note">{}</p>').format(known["why"]) if known.get("why") else Markup()
    head = Markup("<p>{} {}: {}.</p>{}").format(chip(known["state"]), known["release"], counted(known), why)
    return head + table("Nodes", ["Node", "Stands", "Since", "Why"], rows)


PAGE = Page(path="/rollout", title="Roll-out", build=build, nav="hidden", under="/operation")
