"""One person or program: roles, tokens, and what can be done about them."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.pages.security import invite, places
from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.fields import Fields
from diat.dashboard.parts.grants import Grants
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, age, chip, html, link
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

Json = dict[str, Any]


async def build(visit: Visit) -> None:
    """Make the page."""
    name = visit.argument("id")
    answer = await visit.rest.ask("GET", at("users", name))
    known, tag = answer.json(), answer.headers["etag"]
    html(
        Markup("<h1>{} {}</h1>").format(
            known["title"] or name, chip("offline", "disabled") if known["disabled"] else ""
        )
    )
    sections("Security", SECURITY, "/security")
    who = "a person" if known["kind"] == "user" else "a program, which comes with tokens"
    html(
        Markup("<p>{}, {}; since {}. {}</p>").format(
            name, who, age(known["created"]), link("/audit", "What was done", who=f"{known['kind']}:{name}")
        )
    )
    fields = Fields()
    fields.text("title", "Name", known["title"])
    html(Markup("<h2>Roles</h2>"))
    grants = Grants(await places(visit), known["grants"])

    async def keep(**changes: Any) -> None:
        body = {"title": fields.get("title") or "", "grants": grants.get(), "disabled": known["disabled"]}
        put = visit.rest.ask("PUT", at("users", name), body | changes, headers={"If-Match": tag})
        if await fields.send(lambda: put, "Kept. What runs under other roles has ended.") is not None:
            ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        act("Keep", keep, main=True)
        if known["kind"] == "user":
            act("Let set a new password", lambda: invite(visit, name))
        if known["disabled"]:
            act("Enable", lambda: keep(disabled=False))
        else:
            act("Disable", lambda: _disable(keep, name), grave=True)
        act("Remove", lambda: _remove(visit, name), grave=True)
    await tokens(visit, await visit.rest.get("/tokens", user=name))


async def _disable(keep: Any, name: str) -> None:
    told = "What runs under it ends at once; nothing can be done as it until it is enabled again."
    if await asked(f"Disable {name}?", told, "Disable"):
        await keep(disabled=True)


async def _remove(visit: Visit, name: str) -> None:
    told = "All its tokens go with it, and what runs under them ends at once. What it did stays in the audit."
    if await asked(f"Remove {name}?", told, "Remove") and await attempt(
        lambda: visit.rest.delete(at("users", name))
    ):
        ui.navigate.to("/ui/security")


async def tokens(visit: Visit, found: list[Json]) -> None:
    """A list of tokens and sessions, each of which can be revoked."""
    html(Markup("<h2>Tokens and sessions</h2>"))
    if not found:
        html(Markup('<p class="empty">None. {}</p>').format(link("/tokens", "Make a token")))
        return
    with ui.element("div"):
        for each in found:
            with ui.element("div").classes("line") as line:
                _token(visit, each, line)


def _token(visit: Visit, each: Json, line: ui.element) -> None:
    what = [each["user"], each["role"] or "all its roles"]
    what += [f"at {', '.join(each['places'])}"] if each["places"] else []
    what += [f"for {each['purpose']}"] if each["purpose"] else []
    html(
        Markup('<strong>{}</strong> {}<br><span class="soft">{}; ends {}</span>').format(
            each["title"] or ("a browser" if each["kind"] == "session" else each["id"]),
            chip(each["kind"]),
            ", ".join(what),
            age(each["expires"]),
        )
    ).classes("grow")

    async def revoke() -> None:
        if await asked("Revoke it?", "What runs under it ends at once.", "Revoke") and await attempt(
            lambda: visit.rest.delete(at("tokens", each["id"])), "It opens nothing any more."
        ):
            line.delete()

    act("Revoke", revoke, grave=True)


PAGE = Page(path="/user", title="Person", build=build, nav="hidden", least="admin", under="/security")
