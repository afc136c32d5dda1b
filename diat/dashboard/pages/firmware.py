"""Roll-outs of firmware: releases, who gets which, stage by stage, and how it goes."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.fields import Fields
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, age, chip, html, link, table
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

Json = dict[str, Any]
_STAGES = {
    "1, 10%, all": "one, a tenth, all",
    "1, all": "one, then all",
    "all": "all at once",
}
_TONES = {"running": "running", "paused": "waiting", "stopped": "failed", "completed": "completed"}
_LOOK = 3.0
"""Seconds between two looks at how it goes."""


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Firmware</h1>"))
    operation_sections(visit, "/firmware")
    releases = await visit.rest.get("/releases")
    found = Fragment(lambda: _all(visit))
    await found.show()
    if visit.is_at_least("engineer"):
        for each in await visit.rest.get("/rollouts", limit=1000):
            if each["state"] in ("running", "paused"):
                _turning(visit, each)
        await _new(visit, releases)
    ui.timer(_LOOK, found.refresh)


async def _all(visit: Visit) -> Markup:
    rollouts = (await visit.rest.get("/rollouts", limit=1000))[::-1]
    if not rollouts:
        return Markup(
            '<p class="empty">No roll-out yet. <code>diat node release</code> makes a release and signs it; '
            "put here, it is given to a few nodes first, and to the others if those are well with it.</p>"
        )
    rows: list[list[Any]] = [
        [
            link("/rollout", each["title"], id=each["id"]),
            chip(_TONES.get(each["state"], each["state"]), each["state"]),
            f"stage {each['stage']} of {len(each['stages'])}",
            counted(each),
            age(each["modified"]),
        ]
        for each in rollouts
    ]
    return table("Roll-outs", ["Roll-out", "State", "Stage", "Nodes", "Last news"], rows)


def counted(rollout: Json) -> str:
    """How many of its nodes stand how."""
    return ", ".join(f"{count} {state}" for state, count in sorted(rollout["counts"].items())) or "none fits"


def _turning(visit: Visit, each: Json) -> None:
    path = at("rollouts", each["id"])

    async def turn(verb: str) -> None:
        told = "No further node is asked. Those that were asked come to their end by themselves."
        if verb == "cancel" and not await asked(f"Cancel {each['title']}?", told, "Cancel the roll-out"):
            return
        if await attempt(lambda: visit.rest.post(f"{path}/{verb}")):
            ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        html(Markup("<span>{}</span>").format(each["title"]), "span")
        other = "pause" if each["state"] == "running" else "resume"
        act(other.capitalize(), lambda: turn(other))
        act("Cancel it", lambda: turn("cancel"), grave=True)


async def _new(visit: Visit, releases: list[Json]) -> None:
    html(Markup("<h2>Roll a release out</h2>"))
    if not releases:
        html(Markup('<p class="empty">There is no release: <code>diat node release --help</code>.</p>'))
        return
    places = (await visit.rest.get("/overview/facets"))["places"]
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        named = {each["id"]: f"{each['board']} {each['number']}" for each in releases}
        fields.one_of("release", "Release", named, next(reversed(named)))
        fields.one_of("place", "Only at", {None: "anywhere"} | {each: each for each in places})
        fields.one_of("stages", "In stages", _STAGES, "1, 10%, all")
        fields.number("failures", "Nodes that may fail", 0, "Before it stops by itself")

    async def roll() -> None:
        stages = [int(each) if each.isdecimal() else each for each in fields.get("stages").split(", ")]
        body = {"release": fields.get("release"), "stages": stages, "failures": fields.get("failures") or 0}
        body |= {"place": fields.get("place") or ""}
        if await fields.send(lambda: visit.rest.post("/rollouts", body)) is not None:
            ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        act("Roll it out", roll, main=True)


PAGE = Page(path="/firmware", title="Firmware", build=build, nav="hidden", under="/operation")
