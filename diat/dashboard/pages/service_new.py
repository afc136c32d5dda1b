"""A service asked for: what is to be so, or a template; planned first, then made or replaced."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts import plan_view
from diat.dashboard.parts.acts import attempt, tell
from diat.dashboard.parts.goal_form import GoalForm
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.parts.schema_form import Form, Unfilled
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit
from diat.kernel.clock import parse_time, rfc3339

_DAY = 86_400_000
USUAL = {
    "Temperature": (20, 22, "Cel"),
    "RelativeHumidity": (40, 60, "%"),
    "CarbonDioxide": (400, 1000, "[ppm]"),
}
"""What a quantity is usually kept within, and its unit."""


async def build(visit: Visit) -> None:
    """Make the page."""
    edited = visit.argument("edit")
    known = await visit.rest.get(at("services", edited)) if edited else None
    html(
        Markup("<h1>{}</h1><p class='lead'>{}</p>").format(
            f"Edit {known['title']}" if known else "New service",
            "Say what is to be so. Nothing happens before you have seen the plan.",
        )
    )
    facets = await visit.rest.get("/overview/facets")
    templates = await visit.rest.get("/templates")
    request = Request(visit, facets, templates, known)
    request.make()


class Request:
    """The form, the plan that comes of it, and what makes it so."""

    def __init__(
        self,
        visit: Visit,
        facets: dict[str, Any],
        templates: list[dict[str, Any]],
        known: dict[str, Any] | None,
    ) -> None:
        self._visit = visit
        self._known = known
        self._templates = {each["name"]: each for each in templates}
        self._suggestions = {
            "place": facets["places"],
            "quantity": facets["quantities"],
            "where": facets["places"],
        }
        self._planned: dict[str, Any] | None = None
        self._form: Form | None = None
        self._goal: GoalForm | None = None
        self._template = ""

    def make(self) -> None:
        """Make the fields."""
        known, asked = self._known, self._visit.argument
        by_goal = known["goal"] is not None if known else not asked("template")
        self._title = ui.input("Name", value=known["title"] if known else asked("title"))
        self._title.props("outlined dense").classes("name")
        first = "goal" if by_goal else "template"
        with ui.tabs().props("no-caps align=left") as self._tabs:
            ui.tab("goal", "What is to be so")
            ui.tab("template", "From a template")
        with ui.tab_panels(self._tabs, value=first, animated=False, keep_alive=True).classes("panels"):
            with ui.tab_panel("goal"):
                self._goal = GoalForm(self._suggestions, known["goal"] if known else None, asked("place"))
            with ui.tab_panel("template"):
                chosen = known["template"] if known else asked("template") or "keep-within"
                ui.select(
                    {name: each.get("title") or name for name, each in sorted(self._templates.items())},
                    label="Template",
                    value=chosen if chosen in self._templates else None,
                    on_change=lambda event: self._fields(event.value, None),
                ).props("outlined dense").classes("name")
                self._place = ui.element("div").classes("stack")
                self._fields(chosen, known["parameters"] if known else _from_address(self._visit))
        with ui.element("div").classes("buttons begin"):
            act("Show the plan", self._plan, main=True)
        self._outcome = ui.element("section").classes("plan").props('aria-label="Plan" aria-live="polite"')

    def _fields(self, template: str, parameters: dict[str, Any] | None) -> None:
        self._place.clear()
        found = self._templates.get(template)
        if found is None:
            return
        self._template = template
        with self._place:
            html(Markup('<p class="soft">{}</p>').format(found.get("description", "")))
            self._form = Form(found["parameters"], parameters, self._suggestions)

    def _wanted(self) -> dict[str, Any]:
        title = (self._title.value or "").strip()
        if self._tabs.value == "goal" and self._goal is not None:
            return {"title": title or self._goal.sentence(), "goal": self._goal.value()}
        if self._form is None:
            raise Unfilled("template", "choose one")
        named = title or str(self._templates[self._template].get("title") or self._template)
        return {"title": named, "template": self._template, "parameters": self._form.value()}

    async def _plan(self) -> None:
        try:
            wanted = self._wanted()
        except Unfilled as gap:
            tell(str(gap), bad=True)
            return
        instead = self._known["id"] if self._known else None
        try:
            plan = await self._replayed(wanted, instead)
        except Refused as refusal:
            if self._form is None or not self._form.blame(refusal.field, refusal.detail):
                tell(f"{refusal.field}: {refusal.detail}" if refusal.field else refusal.detail, bad=True)
            return
        self._planned = wanted
        self._outcome.clear()
        with self._outcome:
            await plan_view.show(self._visit, plan)
            with ui.element("div").classes("buttons begin"):
                act("Replace the service" if self._known else "Create the service", self._create, main=True)

    async def _replayed(self, wanted: dict[str, Any], instead: str | None) -> Any:
        """The plan with a replay over the last day, or over what there is of it; without one if none is."""
        try:
            since = (await self._visit.rest.get("/overview/figures"))["recorded_since"]
        except Refused:
            since = None
        now = self._visit.platform.clock()
        if since is not None:
            start = rfc3339(max(now - _DAY, parse_time(since)))
            try:
                return await self._visit.rest.post(
                    "/services/plan", {**wanted, "replay": {"from": start}}, instead=instead
                )
            except Refused as refusal:
                if not refusal.field.startswith("replay"):
                    raise
        return await self._visit.rest.post("/services/plan", wanted, instead=instead)

    async def _create(self) -> None:
        wanted, known = self._planned, self._known
        made: dict[str, Any] = {}

        async def done() -> None:
            rest = self._visit.rest
            answer = (
                await rest.put(at("services", known["id"]), wanted)
                if known
                else await rest.post("/services", wanted)
            )
            made.update(answer)

        if await attempt(done):
            ui.navigate.to(f"/service?id={made['id']}")


def _from_address(visit: Visit) -> dict[str, Any]:
    """Parameters that a link suggests; what a quantity is usually kept within besides."""
    quantity = visit.argument("quantity")
    found: dict[str, Any] = {"place": visit.argument("place") or None, "quantity": quantity or None}
    if quantity in USUAL:
        found["low"], found["high"], found["unit"] = USUAL[quantity]
    return found


PAGE = Page(
    path="/service-new", title="New service", build=build, nav="hidden", under="/services", least="engineer"
)
