"""Settings: what people set while the platform runs, where each comes from, and what takes a restart."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from nicegui import ui

from diat.dashboard.parts.fields import Fields
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html, link
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.parts.unit_rows import UnitRows
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit

Json = dict[str, Any]
_WHOEVER = "Nothing: that of whoever looks"
_EACH = "each"
EVERY = {None: "never", "1h": "every hour", "6h": "every 6 hours", "1d": "every day", "7d": "every week"}


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Settings</h1>"))
    operation_sections(visit, "/settings")
    settings = await visit.rest.get("/settings")
    form = Form(visit, settings, (await visit.rest.get("/overview/facets"))["quantities"])
    waiting = [name for name, each in settings.items() if "next" in each]
    if waiting:
        html(
            Markup('<p class="note">Holds from the next start on: {}. {}</p>').format(
                ", ".join(waiting), link("/operation", "Start again")
            )
        )
    form.make()


class Form:
    """The fields of all settings; only what was changed is sent."""

    def __init__(self, visit: Visit, settings: Json, quantities: list[str]) -> None:
        self._visit = visit
        self._settings = settings
        self._quantities = quantities
        self._fields = Fields()
        self._may = visit.is_at_least("admin")

    def make(self) -> None:
        """Make the fields."""
        place = self._now("location") or {}
        with self._group("This place"):
            self._text("title", "What people call it")
            self._fields.typed("zone", "Times are shown in the zone", _zones(), self._now("zone"), _WHOEVER)
            self._says("zone")
            with ui.element("div").classes("row-wrap"):
                self._fields.number("location.latitude", "Latitude", place.get("latitude"), "Degrees north")
                self._fields.number("location.longitude", "Longitude", place.get("longitude"), "Degrees east")
            self._says("location")
            self._fields.typed("schedule_zone", "Zone of schedules", _zones(), self._now("schedule_zone"))
            self._says("schedule_zone")
        with self._group("Units"):
            units = self._now("units")
            options = {
                None: "as things say", "metric": "metric", "imperial": "imperial", _EACH: "chosen by quantity"
            }  # fmt: skip
            each = units if isinstance(units, dict) else {}
            field = self._fields.one_of(
                "units", "Values are shown in units that are", options, _EACH if each else units
            )
            self._says("units")
            fixed = not self._may or "flag" in self._settings["units"]
            self._units = UnitRows(self._quantities, each, fixed=fixed)
            self._units.element.bind_visibility_from(field, "value", value=_EACH)
        with self._group("How long history is kept"), ui.element("div").classes("row-wrap"):
            self._days("hot_days", "In the database", "Days, then in Parquet files")
            self._days("raw_days", "Readings as they came", "Days; empty: ever")
            self._days("hourly_days", "Hourly figures", "Days; empty: ever, 0: none")
            self._days("event_days", "Events", "Days; empty: ever")
        with self._group("Things"), ui.element("div").classes("row-wrap"):
            self._days("stale_after", "Stale after", "Seconds of silence")
            joined = {"accepted": "takes part at once", "pending": "waits for a person"}
            self._fields.one_of("admission", "A new thing", joined, self._now("admission"))
            self._says("admission")
        with self._group("Backups"), ui.element("div").classes("row-wrap"):
            self._fields.one_of("backup_every", "By itself", EVERY, self._now("backup_every"))
            self._days("backup_keep", "Keep", "Of those that it made by itself")
        if self._may:
            with ui.element("div").classes("buttons begin"):
                act("Keep the changes", self.send, main=True)

    async def send(self) -> None:
        """Send what was changed."""
        body = {
            name: value for name in self._settings if (value := self._said(name)) != self._now(name)
            and "flag" not in self._settings[name]
        }  # fmt: skip
        if not body:
            return
        told = await self._fields.send(lambda: self._visit.rest.patch("/settings", body), "Kept.")
        if told is not None:
            self._settings = told
            if any("next" in each for each in told.values()):
                ui.navigate.reload()

    def _said(self, name: str) -> Any:
        if name == "units" and self._fields.get(name) == _EACH:
            return self._units.get() or None
        if name != "location":
            return self._fields.get(name)
        north, east = self._fields.get("location.latitude"), self._fields.get("location.longitude")
        return None if north is None and east is None else {"latitude": north, "longitude": east}

    def _now(self, name: str) -> Any:
        each = self._settings[name]
        return each.get("next", each["value"])

    def _text(self, name: str, label: str) -> None:
        self._fields.text(name, label, self._now(name))
        self._says(name)

    def _days(self, name: str, label: str, hint: str) -> None:
        self._fields.number(name, label, self._now(name), hint)
        self._says(name)

    def _says(self, name: str) -> None:
        """Let a field be changed only if it can be, and say why not."""
        for field in ("location.latitude", "location.longitude") if name == "location" else (name,):
            if not self._may:
                self._fields.fix(field)
            elif "flag" in self._settings[name]:
                self._fields.fix(field, f"{self._settings[name]['flag']} says it")
            elif self._settings[name]["restart"]:
                self._fields.hint(field, "Holds from the next start on")

    def _group(self, title: str) -> ui.element:
        html(Markup("<h2>{}</h2>").format(title))
        return ui.element("div").classes("stack")


PAGE = Page(path="/settings", title="Settings", build=build, nav="hidden", under="/operation")
