"""Backups: made, downloaded, brought back, removed."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.pages.settings import EVERY
from diat.dashboard.parts.acts import asked, attempt, tell
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, chip, html, link, moment
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit

_LOOK = 1.0
"""Seconds between two looks at how far it is."""
_SHOWN = 100
Json = dict[str, Any]
_PUT = """async (e) => {
  const file = e.target.files[0];
  if (!file) return;
  const {csrf} = await (await fetch("/sessions/current")).json();
  const answer = await fetch("/backups/" + encodeURIComponent(file.name), {
    method: "PUT", body: file,
    headers: {"X-CSRF-Token": csrf ?? "", "Content-Type": "application/octet-stream"}});
  e.target.value = "";
  emit(answer.ok ? "" : (await answer.json()).detail);
}"""


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Backups</h1>"))
    operation_sections(visit, "/backups")
    found = await visit.rest.get("/backups", limit=_SHOWN)
    settings = await visit.rest.get("/settings")
    every, keep = settings["backup_every"]["value"], settings["backup_keep"]["value"]
    told = (
        f"By itself {EVERY.get(every, every)}; the last {keep} are kept."
        if every
        else "None is made by itself."
    )
    html(
        Markup("<p>{} {}. A backup holds every secret of the platform: keep it as one.</p>").format(
            told, link("/settings", "Change that")
        )
    )
    shelf = Shelf(visit)
    with ui.element("div").classes("row-wrap"):
        shelf.passphrase = (
            ui.input("Passphrase", password=True, password_toggle_button=True)
            .props('outlined dense autocomplete="new-password" hint="Seals it; needed to bring it back"')
            .classes("entry wide")
        )
        act("Back up now", shelf.make, main=True)
    html(Markup("<h2>Kept here</h2>"))
    shelf.place = ui.element("div").classes("fragment")
    shelf.show(found)
    html(Markup("<h2>From elsewhere</h2>"))
    shelf.upload()
    html(
        Markup(
            "<h2>Into another directory</h2><p>Bring one there, or onto another machine, by "
            "<code>diat restore FILE --data DIRECTORY</code>. "
            "It says what is wrong with a file before it touches anything.</p>"
        )
    )
    ui.timer(_LOOK, shelf.look)


class Shelf:
    """The list, made anew when it changes."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._shown: list[Json] | None = None
        self._bars: dict[str, ui.html] = {}
        self.place: ui.element = ui.element()
        self.passphrase: ui.input

    async def look(self) -> None:
        """See how far it is."""
        if not self.place.client.has_socket_connection:
            return
        try:
            self.show(await self._visit.rest.get("/backups", limit=_SHOWN))
        except Refused:
            return  # it starts again, or the person may no longer

    def show(self, found: list[Json]) -> None:
        """Show this list; of one that is under way how far it is."""
        for each in found:
            if (bar := self._bars.get(each["name"])) is not None and "progress" in each:
                bar.set_content(str(_bar(each)))
        plain = [{name: value for name, value in each.items() if name != "progress"} for each in found]
        if plain == self._shown:
            return
        self._shown, self._bars = plain, {}
        self.place.clear()
        with self.place:
            if not found:
                html(Markup('<p class="empty">No backup yet. Make one before it is needed.</p>'))
            for each in found:
                with ui.element("div").classes("line"):
                    self._line(each)

    async def make(self) -> None:
        """Make one now."""
        secret = self.passphrase.value
        if await attempt(lambda: self._visit.rest.post("/backups", {"passphrase": secret} if secret else {})):
            self.passphrase.set_value("")
            tell("It is being made.")
            await self.look()

    def upload(self) -> None:
        """A field for a file that was made elsewhere."""

        async def taken(event: Any) -> None:
            tell(str(event.args) or "It is here: bring it back below.", bad=bool(event.args))
            await self.look()

        html(
            Markup(
                "<p>A backup that was downloaded, here or from another platform, under the name that it had. "
                "When it is brought back it is read whole, and its passphrase tried, before anything "
                "changes.</p>"
            )
        )
        with ui.element("label").classes("upload"):
            html(Markup("Put a backup on the shelf"), "span")
            chosen = ui.element("input").props('type="file" accept=".backup" class="unseen"')
        # The browser gives it to REST itself: it is too large for a message.
        chosen.on("change", taken, js_handler=_PUT)

    def _line(self, each: Json) -> None:
        by = "by itself" if each["by"] == "schedule" else "by a person"
        said = chip(each["state"]) if each["state"] != "ready" else Markup()
        html(
            Markup('<strong>{}</strong> {}<br><span class="soft">{}, {}, {}</span>').format(
                moment(each["made"]),
                said,
                _size(each["bytes"]),
                by,
                "sealed" if each["sealed"] else "not sealed",
            )
        ).classes("grow")
        if each.get("error"):
            html(Markup('<p class="fault">{}</p>').format(each["error"]))
        if "progress" in each:
            self._bars[each["name"]] = html(_bar(each))
            return
        with ui.element("div").classes("buttons"):
            if each["state"] == "ready" or each["bytes"]:
                href = at("backups", each["name"])
                html(Markup('<a class="button" href="{}" download>Download</a>').format(href), "span")
                act("Bring back", lambda: self._bring(each), grave=True)
            act("Remove", lambda: self._remove(each), grave=True)

    async def _remove(self, each: Json) -> None:
        if await asked("Remove this backup?", "It is gone for good.", "Remove it"):
            await attempt(lambda: self._visit.rest.delete(at("backups", each["name"])), "It is removed.")
            await self.look()

    async def _bring(self, each: Json) -> None:
        with ui.dialog() as dialog, ui.card().classes("ask"):
            dialog.props["aria-label"] = "Bring this backup back?"
            html(
                Markup(
                    "<h2>Bring this backup back?</h2><p>The platform starts again as it was {}. "
                    "Readings, commands and changes since then are lost; users and tokens are those "
                    "of then. What is there now is kept beside it on the disk.</p>"
                ).format(moment(each["made"]))
            )
            secret = ui.input("Passphrase", password=True).props(
                'outlined dense autocomplete="off" hint="If it was sealed by another than the platform\'s"'
            )
            with ui.element("div").classes("buttons"):
                ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat no-caps autofocus")
                act("Bring it back", lambda: dialog.submit(True), grave=True)
        wanted = await dialog
        body = {"passphrase": secret.value} if secret.value else {}
        dialog.delete()
        if wanted:
            path = at("backups", each["name"], "restore")
            said = "It is read and checked; then the platform starts again."
            await attempt(lambda: self._visit.rest.post(path, body), said)
            await self.look()


def _bar(each: Json) -> Markup:
    done = round(100 * each["progress"])
    return Markup(
        '<div class="bar" role="progressbar" aria-label="How far it is" aria-valuenow="{}" aria-valuemin="0" '
        'aria-valuemax="100"><i style="width:{}%"></i></div>'
    ).format(done, done)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


PAGE = Page(path="/backups", title="Backups", build=build, nav="hidden", least="admin", under="/operation")
