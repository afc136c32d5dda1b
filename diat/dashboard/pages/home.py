"""Home: what needs a person now, first; then what is going on."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.markup import Markup, age, chip, html, link, live
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit

_LINES = 8
"""Lines of one kind that are shown."""
_KINDS = {
    "service-failed": ("bad", "Failed services"),
    "service-degraded": ("warn", "Degraded services"),
    "service-waiting": ("warn", "Services that wait"),
    "conflict": ("warn", "Conflicts"),
    "gateway-cut-off": ("bad", "Gateways cut off"),
    "update-failed": ("bad", "Failed updates"),
    "thing-pending": ("warn", "Things that want to join"),
    "battery-low": ("warn", "Low batteries"),
    "thing-offline": ("plain", "Things that are offline"),
}
_FIGURES = Markup(
    '<diat-figures><div class="cards">'
    '<section class="card"><h3 class="label">Messages a second</h3>'
    '<div class="figure" data-figure="rate.messages">&ndash;</div><div data-spark="messages"></div></section>'
    '<section class="card"><h3 class="label">Commands a second</h3>'
    '<div class="figure" data-figure="rate.commands">&ndash;</div><div data-spark="commands"></div></section>'
    '<section class="card"><h3 class="label">Bytes saved an hour</h3>'
    '<div class="figure" data-bytes data-figure="count.bytes_saved_per_hour">&ndash;</div>'
    '<p class="label"><span data-bytes data-figure="count.bytes_per_hour"></span> an hour still sent by '
    "things that do steps themselves</p></section>"
    '<section class="card"><h3 class="label">Things and services</h3><div class="figure">'
    '<span class="pair"><span data-figure="count.things">&ndash;</span> <small>things</small></span> '
    '<span class="pair"><span data-figure="count.services">&ndash;</span> <small>services</small></span>'
    "</div>"
    '<p class="label"><span data-figure="count.commands"></span> commands, '
    '<span data-figure="count.messages"></span> messages since the start</p></section></div></diat-figures>'
)


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Home</h1>"))
    needed = Fragment(lambda: _needed(visit), "things", "services", "statuses", "rollouts")
    await needed.show()
    html(Markup("<h2>Going on</h2>"))
    try:
        await visit.rest.get("/overview/figures")
        html(_FIGURES)
    except Refused as refusal:
        html(Markup('<p class="soft">{}</p>').format(refusal.detail))
    html(Markup("<h2>Services</h2>"))
    await Fragment(lambda: _services(visit), "services").show()
    ui.timer(30.0, needed.refresh)


async def _needed(visit: Visit) -> Markup:
    lines = await visit.rest.get("/overview/attention")
    if not lines:
        if not await visit.rest.get("/overview/things", limit=1):
            return Markup(
                '<div class="empty"><h2>Nothing is here yet</h2><p>Connect a first thing, and ask for a '
                'first service: <a href="/ui/start">a short guide leads through it</a>.</p></div>'
            )
        return Markup('<p class="well">{} Nothing needs you now.</p>').format(chip("running", "all well"))
    kinds = [kind for kind in _KINDS if any(each["kind"] == kind for each in lines)]
    return Markup('<div class="needs">{}</div>').format(
        Markup().join(_kind(kind, [each for each in lines if each["kind"] == kind]) for kind in kinds)
    )


def _kind(kind: str, lines: list[dict[str, Any]]) -> Markup:
    tone, title = _KINDS[kind]
    rows = [_line(each) for each in lines[:_LINES]]
    if len(lines) > _LINES:
        state = "pending" if kind == "thing-pending" else "offline" if kind == "thing-offline" else ""
        rows.append(
            Markup("<li>{}</li>").format(link("/things", f"and {len(lines) - _LINES} more", state=state))
        )
    return Markup('<section class="need {}"><h2>{} <small>{}</small></h2><ul>{}</ul></section>').format(
        tone, title, f"{len(lines):,}", Markup().join(rows)
    )


def _line(each: dict[str, Any]) -> Markup:
    to = (
        link("/service", each["title"], id=each["service"])
        if "service" in each
        else link("/thing", each["title"], id=each["thing"])
        if "thing" in each
        else link("/tiers", each["title"])
    )
    since = Markup(" {}").format(age(each["since"])) if each.get("since") else ""
    return Markup('<li>{} <span class="soft">{}{}</span></li>').format(to, each["text"], since)


async def _services(visit: Visit) -> Markup:
    services = await visit.rest.get("/services", limit=12)
    if not services:
        return Markup(
            '<p class="empty">No service yet. <a href="/ui/service-new">Say what you want</a>, and what is '
            "there is put together for it.</p>"
        )
    return Markup('<div class="cards">{}</div>').format(
        Markup().join(_service(visit, each) for each in services)
    )


def _own(visit: Visit, thing: str | None) -> Markup:
    """The value that a service makes itself."""
    made = visit.platform.things.registry.objects.committed.get(thing or "")
    names = [prop.name for prop in made.properties.values() if prop.readable] if made is not None else []
    return live(made.id, names[0]) if made is not None and names else Markup()


def _service(visit: Visit, each: dict[str, Any]) -> Markup:
    known = each["bindings"]
    reads = [one for one in known if one["unit"]] if not each["thing"] else []
    value = live(reads[0]["thing"], reads[0]["affordance"]) if reads else _own(visit, each["thing"])
    return Markup('<section class="card"><h3>{}</h3>{}<div class="figure">{}</div></section>').format(
        link("/service", each["title"], id=each["id"]), chip(each["state"]), value
    )


PAGE = Page(path="/", title="Home", icon="home", build=build)
