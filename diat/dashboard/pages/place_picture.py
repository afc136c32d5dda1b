"""The picture of a place, with the things that are on it; put, dropped, and arranged by engineers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from nicegui import ui

from diat.api.places import PICTURES
from diat.dashboard.parts.acts import attempt, tell
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html, link, live
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit

_THINGS = 400
_CLICK = (
    "(e) => {const r = e.currentTarget.getBoundingClientRect(); "
    "emit([(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height])}"
)


_PUT = """async (e) => {
  const file = e.target.files[0];
  if (!file) return;
  const {csrf} = await (await fetch("/sessions/current")).json();
  const answer = await fetch("/places/picture?place=" + %s, {
    method: "PUT", body: file, headers: {"X-CSRF-Token": csrf ?? ""}});
  emit(answer.ok ? "" : (await answer.json()).detail);
}"""


async def show(visit: Visit, place: str) -> None:
    """Make the picture where this is called, if there is one, and what engineers do with it."""
    picture = await _picture(visit, place)
    if picture is not None:
        shown = Fragment(lambda: _pinned(visit, place), "things")
        shown.element.classes("picture")
        await shown.show()
    if not visit.is_at_least("engineer"):
        return
    with ui.element("div").classes("buttons picture-acts"):
        _upload(place, again=picture is not None)
        if picture is None:
            return

        async def drop() -> None:
            path = "/places/picture"

            async def back() -> None:
                await visit.rest.ask("PUT", path, picture, query={"place": place}, kind="image/*")
                ui.navigate.reload()

            if await attempt(lambda: visit.rest.delete(path, place=place), "The picture is dropped.", back):
                shown.element.set_visibility(False)

        act("Drop the picture", drop, grave=True)
        await _arrange(visit, place, shown)


async def _picture(visit: Visit, place: str) -> bytes | None:
    try:
        return (await visit.rest.ask("GET", "/places/picture", query={"place": place})).content
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return None


async def _pinned(visit: Visit, place: str) -> Markup:
    things = await visit.rest.get("/overview/things", place=place, limit=_THINGS)
    pins = Markup().join(
        Markup('<div class="pin" style="left:{}%;top:{}%">{} {}</div>').format(
            round(100 * each["position"][0], 2),
            round(100 * each["position"][1], 2),
            link("/thing", each["title"], id=each["id"]),
            live(each["id"], each["shows"][0]["name"]) if each["shows"] else "",
        )
        for each in things
        if each["position"] is not None
    )
    return Markup('<img src="/places/picture?place={}" alt="Plan of {}">{}').format(quote(place), place, pins)


def _upload(place: str, *, again: bool) -> None:
    async def taken(event: Any) -> None:
        if event.args:
            tell(str(event.args), bad=True)
        else:
            ui.navigate.reload()

    with ui.element("label").classes("upload"):
        html(Markup("{}").format("Another picture" if again else "Put a floor plan"), "span")
        chosen = ui.element("input").props(f'type="file" accept="{",".join(PICTURES)}" class="unseen"')
    # The browser gives it to REST itself: it is too large for a message.
    chosen.on("change", taken, js_handler=_PUT % json.dumps(quote(place, safe="")))


async def _arrange(visit: Visit, place: str, shown: Fragment) -> None:
    things = await visit.rest.get("/overview/things", place=place, limit=_THINGS)
    chosen = ui.select(
        {each["id"]: each["title"] for each in things},
        label="Click where this is",
        with_input=True,
        clearable=True,
    ).props("outlined dense options-dense")

    async def put(event: Any) -> None:
        if not chosen.value:
            return
        where = [round(float(part), 4) for part in event.args]
        path = at("things", chosen.value)
        if await attempt(lambda: visit.rest.patch(path, {"diat:position": where})):
            await shown.refresh()

    shown.element.on("click", put, js_handler=_CLICK)
