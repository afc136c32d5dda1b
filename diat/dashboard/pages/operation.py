"""Operation: what runs here, whether it does well, what goes along with the report of a bug."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, age, chip, html, link, table
from diat.dashboard.parts.sections import operation_sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit

Json = dict[str, Any]


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Operation</h1>"))
    operation_sections(visit, "/operation")
    html(await _standing(visit))
    html(_versions(await visit.rest.get("/versions")))
    await _rollouts(visit)
    if visit.is_at_least("admin"):
        _report(visit)


async def _standing(visit: Visit) -> Markup:
    try:
        await visit.rest.get("/health/ready")
        said = Markup("{} Messages are taken and stored.").format(chip("running", "ready"))
    except Refused as refusal:
        said = Markup("{} {}").format(chip("failed", "not ready"), refusal.problem.get("reason", ""))
    last = Markup()
    if visit.is_at_least("admin"):
        backups = [each for each in await visit.rest.get("/backups") if each["state"] == "ready"]
        told = age(backups[0]["made"]) if backups else "none yet"
        last = Markup("<p>Last backup: {}. {}</p>").format(told, link("/backups", "Backups"))
    return Markup("<p>{}</p>{}").format(said, last)


def _versions(told: Json) -> Markup:
    broker = told["broker"]
    rows: list[list[Any]] = [
        ["Platform", told["platform"]],
        ["Schema of the database", told["schema"]],
        ["Broker", f"{broker['kind']} {broker['version'] or ''}".strip()],
        ["Python", told["python"]],
        ["SQLite", told["sqlite"]],
        ["System", told["system"]],
        [
            "Libraries",
            ", ".join(f"{name} {version}" for name, version in told["libraries"].items() if version),
        ],
    ]
    return Markup("<h2>Versions</h2>") + table("Versions", ["What", "Version"], rows)


async def _rollouts(visit: Visit) -> None:
    """Which firmware is being rolled out."""
    found: list[Json] = await visit.rest.get("/rollouts", limit=1000)
    running = [each for each in found if each["state"] in ("running", "paused", "stopped")]
    html(
        Markup("<h2>Roll-outs of firmware</h2><p>{} {}</p>").format(
            f"{len(running)} under way or stopped." if running else "None is under way.",
            link("/firmware", "Firmware"),
        )
    )


def _report(visit: Visit) -> None:
    html(
        Markup(
            "<h2>Report of a bug</h2><p>Versions, settings, the last hour of the log, figures and "
            "diagnostics in one file. No secret is in it; names of things and places are.</p>"
            '<p><a class="button" href="/diagnostics/report" download>Download the report</a></p>'
            "<h2>Start again</h2><p>The platform ends in order and starts with the same flags. It takes some "
            "seconds, in which things wait with what they have to say.</p>"
        )
    )

    async def restart() -> None:
        if await asked("Start the platform again?", "Services rest until it is there again.", "Start again"):
            await attempt(
                lambda: visit.rest.post("/restart"), "It starts again; this page comes back by itself."
            )

    with ui.element("div").classes("buttons"):
        act("Start again", restart, grave=True)


PAGE = Page(path="/operation", title="Operation", icon="operation", build=build, nav="more")
