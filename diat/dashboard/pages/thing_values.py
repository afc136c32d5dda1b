"""The values of a thing, those that can be set with what sets them, and its actions with their forms."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from diat.dashboard.likes import preferred, written
from diat.dashboard.parts.acts import attempt, tell
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html, live
from diat.dashboard.parts.schema_form import Form, Unfilled
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit
from diat.vol.thing import VirtualObject

_LOOKS = 20
"""How often it is looked what became of an action, every half second."""


async def values(visit: Visit, td: dict[str, Any], each: VirtualObject) -> None:
    """A line for each property."""
    html(Markup("<h2>Values</h2>"))
    if not each.properties:
        html(Markup('<p class="soft">It tells no values.</p>'))
        return
    operates = visit.is_at_least("operator") and td.get("diat:admission") == "accepted"
    with ui.element("div").classes("values"):
        for name, prop in each.properties.items():
            said = td["properties"].get(name, {})
            with ui.element("div").classes("value"):
                html(_named(name, said, prop.quantity), "div")
                html(live(each.id, name) if prop.readable else Markup("&ndash;"), "div").classes("now")
                if prop.writable and operates and each.record.dialect != "composite":
                    with ui.element("div").classes("buttons"):
                        _setter(visit, each, name, said)


def _named(name: str, said: dict[str, Any], quantity: str | None) -> Markup:
    title = str(said.get("title", name))
    return Markup('<span>{}</span> <small title="{}">{}</small>').format(
        title, said.get("description", ""), quantity or ""
    )


def _setter(visit: Visit, each: VirtualObject, name: str, said: dict[str, Any]) -> None:
    path = at("things", each.id, "properties", name)
    prop = each.properties[name]
    scale = preferred(prop, visit.units)
    unit = scale.unit if scale.convert is not None else None

    async def put(value: Any) -> None:
        try:
            before = await visit.rest.get(path, unit=unit)
        except Refused:
            before = None

        async def back() -> None:
            await visit.rest.put(path, before, unit=unit)

        undo = back if before is not None and before != value else None
        await attempt(lambda: visit.rest.put(path, value, unit=unit), f"{name}: told.", undo)

    if prop.type == "boolean":
        ui.button("On", on_click=lambda: put(True)).props(
            f'outline no-caps dense aria-label="Set {_in(name)} on"'
        )
        ui.button("Off", on_click=lambda: put(False)).props(
            f'outline no-caps dense aria-label="Set {_in(name)} off"'
        )
        return

    def ask() -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("ask"):
            html(Markup("<h2>Set {}</h2>").format(said.get("title", name)))
            form = Form({**said, "title": name, "unit": written(scale.unit)} if unit else said)

            async def done() -> None:
                try:
                    value = form.value()
                except Unfilled:
                    return
                dialog.close()
                await put(value)

            with ui.element("div").classes("buttons"):
                act("Cancel", dialog.close)
                act("Set", done, main=True)

    ui.button("Set", on_click=ask).props(f'outline no-caps dense aria-label="Set {_in(name)}"')


async def actions(visit: Visit, td: dict[str, Any]) -> None:
    """A form for each action."""
    known = td.get("actions") or {}
    if not known or not visit.is_at_least("operator") or td.get("diat:admission") != "accepted":
        return
    html(Markup("<h2>Actions</h2>"))
    for name, said in known.items():
        with ui.expansion(str(said.get("title", name))).classes("more-settings"):
            if said.get("description"):
                html(Markup('<p class="soft">{}</p>').format(said["description"]))
            schema = said.get("input")
            form = Form(schema) if isinstance(schema, dict) else None
            act("Do it", _invoking(visit, td["id"], name, form), main=True)


def _invoking(visit: Visit, thing: str, name: str, form: Form | None) -> Any:
    async def invoke() -> None:
        try:
            value = form.value() if form is not None else None
        except Unfilled:
            return
        await attempt(lambda: _done(visit, thing, name, value))

    return invoke


async def _done(visit: Visit, thing: str, name: str, value: Any) -> None:
    answer = await visit.rest.ask("POST", at("things", thing, "actions", name), value)
    where, became = answer.headers.get("Location", ""), answer.json()
    for _ in range(_LOOKS):
        if became.get("status") != "pending" or not where:
            break
        await asyncio.sleep(0.5)
        became = await visit.rest.get(where)
    if became.get("status") in ("failed", "expired"):
        raise Refused(
            500, {"detail": f"{name} {became['status']}: {became.get('error') or 'it did not say why'}"}
        )
    output = became.get("output")
    tell(f"{name}: {became.get('status')}" + (f", {output}" if output is not None else ""))


def _in(name: str) -> str:
    """A name within a text that stands in quotation marks."""
    return name.replace("\\", "").replace('"', "”")
