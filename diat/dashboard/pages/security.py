"""People: who there is, with which roles, and somebody new; for others than administrators: oneself."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.adapters.joinkey import as_svg
from diat.dashboard.parts.acts import tell
from diat.dashboard.parts.fields import Fields
from diat.dashboard.parts.grants import Grants, told
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, chip, html, link, table
from diat.dashboard.parts.secret import show_once
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

Json = dict[str, Any]
_KINDS = {"user": "a person", "account": "a program"}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Security</h1>"))
    if not visit.is_at_least("admin"):
        await _oneself(visit)
        return
    sections("Security", SECURITY, "/security")
    users = await visit.rest.get("/users")
    if not users:
        html(
            Markup(
                '<div class="empty"><h2>Nobody yet</h2><p>Whoever can log in on this machine is its '
                "administrator. Make people here before you open the platform with "
                "<code>diat up --lan</code>.</p></div>"
            )
        )
    else:
        rows: list[list[Any]] = [
            [
                link("/user", each["name"], id=each["name"]),
                each["title"],
                _KINDS[each["kind"]],
                told(each["grants"]),
                _state(each),
            ]
            for each in users
        ]
        html(table("People and programs", ["Login", "Name", "Is", "May", "State"], rows))
    await _new(visit)


def _state(each: Json) -> Markup:
    if each["disabled"]:
        return chip("offline", "disabled")
    if each["kind"] == "user" and not each["password"]:
        return chip("waiting", "no password yet")
    return chip("running", "may log in" if each["kind"] == "user" else "by its tokens")


async def _new(visit: Visit) -> None:
    html(Markup("<h2>Somebody new</h2>"))
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        fields.text("name", "Login", hint="a to z, digits, . _ -")
        fields.text("title", "Name")
        fields.one_of("kind", "Is", _KINDS, "user")
    grants = Grants(await places(visit), [{"role": "viewer"}])

    async def make() -> None:
        name = fields.get("name") or ""
        body = {"name": name, "title": fields.get("title") or "", "kind": fields.get("kind")}
        made = await fields.send(lambda: visit.rest.post("/users", body | {"grants": grants.get()}))
        if made is None:
            return
        if made["kind"] == "user":
            await invite(visit, name)
        else:
            tell(f"{name} is made. Make a token for it next.")
        ui.navigate.to(f"/ui/user?id={name}")

    with ui.element("div").classes("buttons begin"):
        act("Make", make, main=True)


async def invite(visit: Visit, name: str) -> None:
    """Make a link that sets somebody's password, and show it."""
    made = await visit.rest.post(at("users", name, "invitation"))
    text = "Good once, within a day; earlier ones hold no longer. Hand it to nobody but the person."
    await show_once(
        f"The link that sets the password of {name}", made["link"], text, picture=as_svg(made["link"])
    )


async def places(visit: Visit) -> list[str]:
    """Paths of places, of many the outer ones, for fields to choose from."""
    found: list[str] = (await visit.rest.get("/overview/facets"))["places"]
    return found


async def _oneself(visit: Visit) -> None:
    me = await visit.rest.get("/sessions/current")
    html(
        Markup("<p>You are <strong>{}</strong>: {}. {}</p>").format(
            me["name"], told(me["grants"]), link("/tokens", "Your tokens and sessions")
        )
    )
    if me["kind"] != "user":
        return
    html(Markup("<h2>Your password</h2>"))
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        for name, label, kind in (("current", "As it is", "current"), ("password", "As it is to be", "new")):
            fields.text(name, label).props(f'type=password autocomplete="{kind}-password"')

    async def change() -> None:
        body = {name: fields.get(name) or "" for name in ("current", "password")}
        path = at("users", me["name"], "password")
        if await fields.send(lambda: visit.rest.put(path, body)) is not None:
            ui.navigate.to("/login")

    with ui.element("div").classes("buttons begin"):
        act("Change it", change, main=True)


PAGE = Page(path="/security", title="Security", icon="security", build=build, nav="more")
