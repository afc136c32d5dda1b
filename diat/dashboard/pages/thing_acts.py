"""What is done with a thing: let in, named and placed, given other hardware, given back, retired."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt, leave
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit


async def buttons(visit: Visit, td: dict[str, Any]) -> None:
    """A button for each act that the person's role has."""
    thing = td["id"]
    if visit.is_at_least("operator"):
        if td.get("diat:admission") != "accepted":
            act("Let it in", _verdict(visit, thing, "accepted"), main=True)
        if td.get("diat:admission") == "pending":
            act("Turn it away", _verdict(visit, thing, "rejected"))
        claims = await visit.rest.get(at("things", thing, "claims"))
        if any(each["holder"] == "person" or each["priority"] == "person" for each in claims):
            act("Give back to services", _give_back(visit, thing))
    if visit.is_at_least("engineer"):
        act("Name and place", lambda: _describe(visit, td))
    if visit.is_at_least("operator"):
        act("Swap hardware", lambda: _swap(visit, td))
    if visit.is_at_least("engineer"):
        act("Retire", lambda: _retire(visit, td), grave=True)


def _verdict(visit: Visit, thing: str, state: str) -> Any:
    async def decide() -> None:
        if await attempt(lambda: visit.rest.put(at("things", thing, "admission"), state)):
            ui.navigate.reload()

    return decide


def _give_back(visit: Visit, thing: str) -> Any:
    async def give() -> None:
        if await attempt(
            lambda: visit.rest.delete(at("things", thing, "claims")), "Services drive it again."
        ):
            ui.navigate.reload()

    return give


async def _describe(visit: Visit, td: dict[str, Any]) -> None:
    facets = await visit.rest.get("/overview/facets")
    before = {"title": td.get("title"), "diat:place": td.get("diat:place")}
    with ui.dialog(value=True) as dialog, ui.card().classes("ask"):
        html(Markup("<h2>Name and place</h2>"))
        title = ui.input("Name", value=before["title"] or "").props("outlined dense").classes("full")
        place = ui.select(
            list(
                dict.fromkeys([*facets["places"], *([before["diat:place"]] if before["diat:place"] else [])])
            ),
            label="Place, like home/kitchen",
            value=before["diat:place"],
            with_input=True,
            new_value_mode="add-unique",
            clearable=True,
        )
        place.props("outlined dense").classes("full")

        async def done() -> None:
            after = {"title": title.value or None, "diat:place": place.value or None}
            path = at("things", td["id"])
            dialog.close()
            await attempt(
                lambda: visit.rest.patch(path, after), "Kept.", lambda: visit.rest.patch(path, before)
            )

        with ui.element("div").classes("buttons"):
            act("Cancel", dialog.close)
            act("Keep", done, main=True)


async def _swap(visit: Visit, td: dict[str, Any]) -> None:
    hardware = await visit.rest.get(at("things", td["id"], "hardware"))
    found = hardware["successors"]
    with ui.dialog(value=True) as dialog, ui.card().classes("ask"):
        html(
            Markup(
                "<h2>Put other hardware behind it</h2><p>History, services and policies stay with "
                "“{}”; the other thing is no more a thing of its own.</p>"
            ).format(td.get("title", td["id"]))
        )
        options = {each["thing"]: f"{each['title']}: {each['reason']}" for each in found}
        if not options:
            html(Markup('<p class="empty">Nothing here looks like a replacement. Connect it first.</p>'))
        chosen = ui.radio(options, value=next(iter(options), None))

        async def done() -> None:
            dialog.close()
            path = at("things", td["id"], "hardware")
            if chosen.value and await attempt(
                lambda: visit.rest.put(path, {"thing": chosen.value}), "Swapped."
            ):
                ui.navigate.reload()

        with ui.element("div").classes("buttons"):
            act("Cancel", dialog.close)
            if options:
                act("Swap", done, main=True)


async def _retire(visit: Visit, td: dict[str, Any]) -> None:
    title = str(td.get("title", td["id"]))
    consequence = (
        "Services let go of it, and it is listed no more. Its history stays; if it announces itself again "
        "it comes back."
    )
    path = at("things", td["id"])
    if not await asked(f"Retire {title}?", consequence, "Retire"):
        return

    async def undo() -> None:
        await visit.rest.post(f"{path}/return")
        ui.navigate.to(f"/thing?{urlencode({'id': td['id']})}")

    if await attempt(lambda: visit.rest.delete(path)):
        # A gateway brings its things anew, and is asked no more for what was retired.
        brought = "diat:gateway" in td or "diat:Gateway" in str(td.get("@type"))
        leave("/things", f"{title} is retired.", None if brought else undo)
