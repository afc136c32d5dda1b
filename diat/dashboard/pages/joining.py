"""How things get in: the join key with its QR code, for how long it opens the door, credentials of things."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.fields import Fields
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, age, chip, html, moment
from diat.dashboard.parts.secret import show_once
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit

Json = dict[str, Any]


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>How things get in</h1>"))
    sections("Security", SECURITY, "/joining")
    _door(visit, await visit.rest.get("/joining"))
    html(Markup("<h2>Credentials</h2>"))
    found = await visit.rest.get("/credentials")
    if not found:
        html(Markup('<p class="empty">None yet. A thing gets one when it joins with the key.</p>'))
    with ui.element("div"):
        for each in found:
            with ui.element("div").classes("line"):
                _credential(visit, each)
    _bridge(visit)


def _door(visit: Visit, known: Json) -> None:
    if not known["asked"]:
        html(
            Markup(
                '<p class="empty">On loopback things come in without a credential. '
                "<code>diat up --lan</code> opens the platform to the network; each thing then joins with a "
                "key and is given a credential.</p>"
            )
        )
        return
    words = {
        "always": "Whoever has the key gets in, at any time.",
        "closed": "The key opens nothing just now.",
    }
    until = words.get(known["open"]) or Markup("Whoever has the key gets in until {}.").format(
        moment(known["open"])
    )
    html(
        Markup(
            "<p>{}</p><details><summary>Show the key: whoever sees it can bring things in</summary>"
            '<div class="join"><div class="qr" role="img" aria-label="Join key as a QR code">{}</div>'
            "<div><p>Scan it with the node, or type:</p><p><code>{}</code></p></div></div></details>"
        ).format(until, Markup(known["qr"] or ""), known["address"] or "")
    )

    async def put(window: str | int) -> None:
        if await attempt(lambda: visit.rest.put("/joining", {"open": window})):
            ui.navigate.reload()

    async def renew() -> None:
        told = "The key of before opens nothing any more. Things that have a credential stay in."
        if await asked("Make another key?", told, "Make another") and await attempt(
            lambda: visit.rest.post("/joining/key")
        ):
            ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        act("Open for 10 minutes", lambda: put(600))
        act("Always open", lambda: put("always"))
        act("Close", lambda: put("closed"))
        act("Another key", renew, grave=True)
    if known["authority"]:
        html(
            Markup("<details><summary>Certificate of our authority, for things that are to trust us"
                   '</summary><pre tabindex="0">{}</pre></details>').format(known["authority"])
        )  # fmt: skip


def _credential(visit: Visit, each: Json) -> None:
    state = (
        chip("rejected", "revoked")
        if each["revoked"]
        else chip("accepted", "used" if each["used"] else "not used yet")
    )
    topics = f"; may publish {', '.join(each['publish'])}" if each["publish"] else ""
    html(
        Markup('<strong>{}</strong> {}<br><span class="soft">{}, renewed {}{}</span>').format(
            each["name"], state, each["kind"], age(each["renewed"]), topics
        )
    ).classes("grow")
    path = at("credentials", each["name"])

    async def renew() -> None:
        made: Json = {}
        if await attempt(lambda: _into(made, visit.rest.post(path))):
            told = f"User name {made['username']}. The one before it is good until this one is used."
            await show_once("The new password", made["password"], told)

    async def revoke() -> None:
        told = "Whoever is in with it is cut off, and the join key does not let it in again."
        if await asked(f"Revoke the credential of {each['name']}?", told, "Revoke") and await attempt(
            lambda: visit.rest.delete(path), "It is cut off."
        ):
            ui.navigate.reload()

    with ui.element("div").classes("buttons"):
        act("Renew", renew)
        if not each["revoked"]:
            act("Revoke", revoke, grave=True)


async def _into(target: Json, answer: Any) -> None:
    target.update(await answer)


def _bridge(visit: Visit) -> None:
    html(
        Markup("<h2>A bridge</h2><p>What speaks for many things, as Zigbee2MQTT does, has a credential for "
               "the topics that are its own.</p>")
    )  # fmt: skip
    fields = Fields()
    with ui.element("div").classes("row-wrap"):
        fields.text("name", "Name", hint="zigbee2mqtt")
        fields.one_of("kind", "Is", {"bridge": "a bridge", "gateway": "a gateway of ours"}, "bridge")
        fields.several("publish", "May publish", [], new=True, hint="Filters: zigbee2mqtt/#, then Enter")
        fields.several("subscribe", "May subscribe to", [], new=True)

    async def make() -> None:
        body = {name: fields.get(name) for name in ("name", "kind", "publish", "subscribe")}
        made = await fields.send(lambda: visit.rest.post("/credentials", body))
        if made is not None:
            told = f"User name {made['username']}. It is shown here and never again."
            await show_once("Its password", made["password"], told)
            ui.navigate.reload()

    with ui.element("div").classes("buttons begin"):
        act("Let it in", make, main=True)


PAGE = Page(
    path="/joining", title="How things get in", build=build, nav="hidden", least="admin", under="/security"
)
