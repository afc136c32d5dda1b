"""One service, with no set-up of its own: how it does and why, how it works, what it did."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.graph import Known, graph
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, age, chip, html, link, live, sentence, table
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit

_LINES = 12


async def build(visit: Visit) -> None:
    """Make the page."""
    service = visit.argument("id")
    known = await visit.rest.get(at("services", service))
    ui.page_title(f"{known['title']} · DIAT")
    with ui.element("div").classes("head"):
        await Fragment(lambda: _head(visit, service), "services").show()
        if visit.is_at_least("operator"):
            with ui.element("div").classes("buttons"):
                _buttons(visit, known)
    await Fragment(lambda: _bindings(visit, service), "services").show()
    html(Markup("<h2>How it works</h2>"))
    await Fragment(lambda: _graph(visit, service), "services", "commands").show()
    with ui.element("div").classes("columns"):
        with ui.element("div"):
            html(Markup("<h2>Last decisions</h2>"))
            await Fragment(lambda: _decisions(visit, service), "commands").show()
        with ui.element("div"):
            html(Markup("<h2>In plain words</h2>"))
            await Fragment(lambda: _explained(visit, service), "services", "commands").show()


def _buttons(visit: Visit, known: dict[str, Any]) -> None:
    path = at("services", known["id"])

    async def pause() -> None:
        rests = (await visit.rest.get(path))["state"] == "paused"
        said = "It goes on." if rests else "It rests: it wants nothing."
        await attempt(lambda: put(rests=not rests), said, lambda: put(rests=rests))

    async def put(*, rests: bool) -> None:
        await visit.rest.post(f"{path}/{'pause' if rests else 'resume'}")
        button.set_text("Resume" if rests else "Pause")

    async def end() -> None:
        again = {name: known[name] for name in ("title", "purpose") if known[name]}
        again |= (
            {"goal": known["goal"]}
            if known["goal"]
            else {"template": known["template"], "parameters": known["parameters"]}
        )
        question = f"End {known['title']}?"
        if not await asked(question, "What it drives is let go. Its commands stay in the record.", "End it"):
            return

        async def undo() -> None:
            made = await visit.rest.post("/services", again)
            ui.navigate.to(f"/service?id={made['id']}")

        await attempt(lambda: visit.rest.delete(path), f"{known['title']} has ended.", undo)

    button = act("Resume" if known["state"] == "paused" else "Pause", pause)
    if visit.is_at_least("engineer"):
        act("Edit", lambda: ui.navigate.to(f"/service-new?edit={known['id']}"))
        act("End", end, grave=True)


async def _head(visit: Visit, service: str) -> Markup:
    try:
        known = await visit.rest.get(at("services", service))
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return Markup("<h1>It has ended</h1><p>{}</p>").format(link("/services", "All services"))
    notes = [*known["missing"], *(f"{step}: {note}" for step, note in known["notes"].items())]
    if known.get("error"):
        notes.insert(0, known["error"])
    notes += [f"{each['winner']} drives {each['affordance']} instead" for each in known["conflicts"]]
    if known["dropped"]:
        notes.append(f"{known['dropped']:,} commands of which nobody knows that they arrived")
    lines = Markup().join(Markup("<li>{}</li>").format(each) for each in notes)
    return Markup(
        '<h1>{}</h1><p class="facts-line">{} <span>{}</span> <span class="soft">{} {}</span></p>{}'
    ).format(
        known["title"],
        chip(known["state"]),
        known["parameters"].get("place", ""),
        known["template"],
        known["version"],
        Markup('<ul class="notes">{}</ul>').format(lines) if notes else "",
    )


async def _bindings(visit: Visit, service: str) -> Markup:
    try:
        known = await visit.rest.get(at("services", service))
    except Refused:
        return Markup()
    if not known["bindings"]:
        return Markup(
            '<p class="empty">Nothing is bound. When something that fits comes, it is bound by itself.</p>'
        )
    titles = await _titles(visit, known["bindings"])
    rows: list[list[Any]] = [
        [
            each["role"],
            link("/thing", titles[each["thing"]], id=each["thing"]),
            live(each["thing"], each["affordance"]),
            each["reason"] + (f"; it stands in for what was wanted: {each['cost']}" if each["cost"] else ""),
            age(each["since"]),
        ]
        for each in known["bindings"]
    ]
    return Markup("<h2>Bound</h2>") + table("Bound", ["Role", "Thing", "Now", "Why", "Since"], rows)


async def _graph(visit: Visit, service: str) -> Markup:
    try:
        known = await visit.rest.get(at("services", service))
        template = await visit.rest.get(at("templates", known["template"]))
    except Refused as refusal:
        return Markup('<p class="soft">{}</p>').format(refusal.detail)
    last = await visit.rest.get("/actuations", service=service, limit=1)
    why = await visit.rest.get(at("actuations", last[0]["id"])) if last else {}
    crossing = await visit.rest.get(at("services", service, "traffic"), seconds=0)
    return graph(
        service,
        Known(
            steps=template["steps"],
            bindings=known["bindings"],
            titles=await _titles(visit, known["bindings"]),
            values=why.get("values") or {},
            tiers={step: str(each["tier"]) for each in known["placement"]["tiers"] for step in each["steps"]},
            says={name: each["from"] for name, each in template["derives"].items()},
            own=known["thing"] or "",
            crossing=crossing,
        ),
    )


async def _decisions(visit: Visit, service: str) -> Markup:
    found = await visit.rest.get("/actuations", service=service, limit=_LINES)
    if not found:
        return Markup('<p class="soft">It has not commanded anything yet.</p>')
    titles = await _titles(visit, found)
    rows: list[list[Any]] = [
        [
            age(each["created"]),
            link(
                "/command",
                f"{titles[each['thing']]}: {each['affordance']} = {str(each['input'])[:40].lower()}",
                id=each["id"],
            ),
            chip(each["status"]),
        ]
        for each in found
    ]
    return table("Last decisions", ["When", "What", "Became"], rows)


async def _explained(visit: Visit, service: str) -> Markup:
    try:
        said = await visit.rest.get(at("services", service, "explanation"))
    except Refused as refusal:
        return Markup('<p class="soft">{}</p>').format(refusal.detail)
    return Markup().join(Markup("<p>{}</p>").format(sentence(each)) for each in said["sentences"])


async def _titles(visit: Visit, among: list[dict[str, Any]]) -> dict[str, str]:
    """The titles of the things that are named, which whoever was told of them may know."""
    known = visit.platform.things.registry.objects.committed
    ids = {each["thing"] for each in among}
    return {each: str(known[each].td.get("title", each)) if each in known else each for each in ids}


PAGE = Page(path="/service", title="Service", build=build, nav="hidden", under="/services")
