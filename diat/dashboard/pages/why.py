"""Who may do what, and why: a decision explained for anybody, any operation, any thing."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fields import ROLES, Fields
from diat.dashboard.parts.grants import told
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, chip, html, link, moment
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit
from diat.security.operations import LEAST

Json = dict[str, Any]
_OTHERS = {f"as {role}": {"role": role} for role in ROLES}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Who may what</h1>"))
    sections("Security", SECURITY, "/why")
    html(Markup("<p>What would be decided just now. Asking counts as no use and changes nothing.</p>"))
    users = {each["name"]: each for each in await visit.rest.get("/users")}
    things = {each["id"]: each for each in await visit.rest.get("/overview/things", limit=1000)}
    services = {each["id"]: each["title"] for each in await visit.rest.get("/services")}
    somebody = {name: f"{name}: {told(each['grants'])}" for name, each in users.items()}
    somebody |= {name: f"somebody {name} everywhere" for name in _OTHERS}
    somebody |= {f"service:{key}": f"the service {title}" for key, title in services.items()}
    targets: dict[str | None, str] = {None: "the platform as a whole"}
    targets |= {
        f"thing:{key}": f"{each['title']} ({each['place'] or 'no place'})" for key, each in things.items()
    }
    targets |= {f"service:{key}": f"the service {title}" for key, title in services.items()}
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        fields.one_of("name", "Who", somebody, next(iter(somebody)))
        fields.one_of("operation", "Wants to", {each: each for each in LEAST}, "read")
        fields.one_of("thing", "With", targets)
        fields.text("affordance", "Its", hint="A property, action or event; empty: the whole")
        fields.text("purpose", "For", hint="A purpose, as policies name it")
    place = ui.element("div").props('role="status" aria-live="polite"')

    async def ask() -> None:
        answer = await fields.send(lambda: visit.rest.post("/policies/decide", _question(fields, users)))
        if answer is not None:
            place.clear()
            with place:
                html(_answer(answer))

    with ui.element("div").classes("buttons begin"):
        act("Ask", ask, main=True)
    place.move(target_index=-1)


def _question(fields: Fields, users: dict[str, Json]) -> Json:
    who: str = fields.get("name")
    asked: Json = {"operation": fields.get("operation")}
    if who.startswith("service:"):
        asked |= {"kind": "service", "name": who.removeprefix("service:")}
    elif who in _OTHERS:
        asked |= {"kind": "user", "name": "somebody", "grants": [_OTHERS[who]]}
    else:
        asked |= {"kind": users[who]["kind"], "name": who, "grants": users[who]["grants"]}
    target: str | None = fields.get("thing")
    if target is not None:
        kind, _, key = target.partition(":")
        asked[kind] = key
    return asked | {name: value for name in ("affordance", "purpose") if (value := fields.get(name))}


def _answer(said: Json) -> Markup:
    words = {"permit": "may", "deny": "may not", "modify": "may, in another form", "delay": "may, later"}
    state = (
        "rejected" if said["effect"] == "deny" else "accepted" if said["effect"] == "permit" else "pending"
    )
    lines = [Markup("{} {}").format(chip(state, words[said["effect"]]), said["reason"])]
    if said["policies"]:
        named = Markup(", ").join(link("/policy", each, id=each) for each in said["policies"])
        lines.append(Markup("Decided by {}").format(named))
    if said["modify"]:
        forms = [f"{name} {value}" for form in said["modify"] for name, value in form.items()]
        lines.append(Markup("In the form: {}").format(", ".join(forms)))
    if said["delay"]:
        lines.append(Markup("Nothing younger than {} s").format(f"{said['delay']:,.0f}"))
    if said["obligations"]:
        owed = [f"{name} {value}" for each in said["obligations"] for name, value in each.items()]
        lines.append(Markup("Besides: {}").format(", ".join(owed)))
    if said["until"]:
        lines.append(Markup("Decided anew at {}").format(moment(said["until"])))
    shade = " deny" if said["effect"] == "deny" else ""
    return Markup('<div class="answer{}" data-effect="{}">{}</div>').format(
        shade, said["effect"], Markup().join(Markup("<p>{}</p>").format(each) for each in lines)
    )


PAGE = Page(path="/why", title="Who may what", build=build, nav="hidden", least="admin", under="/security")
