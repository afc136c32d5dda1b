"""Tokens: what programs come with; each shown once, when it is made."""

from __future__ import annotations

from nicegui import ui

from diat.dashboard.pages.security import places
from diat.dashboard.pages.user import tokens
from diat.dashboard.parts.fields import ROLES, Fields
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html, link
from diat.dashboard.parts.secret import show_once
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit

_LASTS = {"1d": "a day", "30d": "30 days", "90d": "90 days", "366d": "a year"}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Tokens</h1>"))
    if visit.is_at_least("admin"):
        sections("Security", SECURITY, "/tokens")
    html(
        Markup("<p>A program comes with a token, as <code>Authorization: Bearer …</code>. It may a "
               "part of what its owner may.</p>")
    )  # fmt: skip
    owners = await _owners(visit)
    if owners:
        await _new(visit, owners)
    else:
        html(
            Markup('<p class="empty">A token belongs to somebody: {} first, a program perhaps.</p>').format(
                link("/security", "make somebody")
            )
        )
    await tokens(visit, await visit.rest.get("/tokens"))


async def _owners(visit: Visit) -> dict[str, str]:
    """Whom one may make tokens for: oneself, and for administrators programs."""
    me = visit.principal
    own = {me.name: f"{me.name} (you)"} if me.kind in ("user", "account") else {}
    if not visit.is_at_least("admin"):
        return own
    users = await visit.rest.get("/users")
    wanted = [each["name"] for each in users if each["kind"] == "account" or me.kind == "local"]
    return own | {name: name for name in wanted if name not in own}


async def _new(visit: Visit, owners: dict[str, str]) -> None:
    html(Markup("<h2>A new one</h2>"))
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        fields.text("title", "What it is for", hint="For people: Grafana in the cellar")
        fields.one_of("user", "Whose it is", owners, next(iter(owners)))
        fields.one_of("role", "At most", {None: "all its owner's roles"} | {each: each for each in ROLES})
        fields.several(
            "places",
            "Only at",
            await places(visit),
            hint="Nothing: wherever its owner's roles hold",
            new=True,
        )
        fields.text("purpose", "Purpose", hint="As policies name it")
        fields.one_of("expires", "It holds for", _LASTS, "90d")

    async def make() -> None:
        said = {name: fields.get(name) for name in ("title", "user", "role", "places", "purpose", "expires")}
        body = {name: value for name, value in said.items() if value} | {"title": said["title"] or ""}
        made = await fields.send(lambda: visit.rest.post("/tokens", body))
        if made is None:
            return
        told = "Put it where the program finds it. It is shown here and never again."
        await show_once(f"The token for {made['title']}", made["token"], told)
        ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        act("Make a token", make, main=True)


PAGE = Page(path="/tokens", title="Tokens", build=build, nav="hidden", under="/security")
