"""A plan as a person reads it: what would be bound and why, what was turned down, whom it would fight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from diat.dashboard.parts.markup import Markup, chip, html, link, table
from diat.dashboard.parts.replay import draw
from diat.dashboard.rest import Refused
from diat.dashboard.visit import Visit

_ROWS = 50
Json = Mapping[str, Any]


async def show(visit: Visit, plan: Json) -> None:
    """Make the plan where this is called."""
    html(Markup("<h2>The plan</h2>"))
    html(_verdict(plan))
    html(_bound(plan))
    html(_refused(plan))
    html(_conflicts(plan))
    html(_placement(plan))
    if plan.get("replay"):
        await _replay(visit, plan)


def _verdict(plan: Json) -> Markup:
    missing = Markup().join(Markup("<li>{}</li>").format(each) for each in plan["missing"])
    made = f"from {plan['template']}" + (f", for {plan['chosen']}" if plan.get("chosen") else "")
    shared = Markup("<p>Something that is there does the very same already: it is shared.</p>")
    return Markup("<p>It would be {} <span class='soft'>{}</span></p>{}{}").format(
        chip(plan["state"]),
        made,
        Markup("<p>Missing:</p><ul>{}</ul>").format(missing) if plan["missing"] else "",
        shared if plan["shared_with"] else "",
    )


def _bound(plan: Json) -> Markup:
    rows = [
        [each["role"], link("/thing", each["title"], id=each["thing"]), each["affordance"], each["reason"]]
        for each in plan["bindings"][:_ROWS]
    ]
    if not rows:
        return Markup("<h3>Bound</h3><p class='soft'>Nothing that is here fits.</p>")
    return Markup("<h3>Bound</h3>") + table("Bound", ["Role", "Thing", "Affordance", "Why"], rows)


def _refused(plan: Json) -> Markup:
    rows = [
        [each["role"], link("/thing", each["title"], id=each["thing"]), each["affordance"], each["reason"]]
        for each in plan["refused"][:_ROWS]
    ]
    if not rows:
        return Markup()
    told = table("Turned down", ["Role", "Thing", "Affordance", "Why not"], rows)
    return Markup("<h3>Turned down <small>{}</small></h3>{}").format(len(plan["refused"]), told)


def _conflicts(plan: Json) -> Markup:
    if not plan["conflicts"]:
        sure = "" if plan["conflicts_complete"] else " as far as it was looked"
        return Markup("<h3>Conflicts</h3><p class='soft'>It would fight nobody{}.</p>").format(sure)
    rows = [
        [
            link("/service", each["title"], id=each["service"]),
            each["mine"]["title"],
            each["situation"],
            each["winner"],
        ]
        for each in plan["conflicts"]
    ]
    return Markup("<h3>Conflicts</h3>") + table("Conflicts", ["With", "About", "When", "Who wins"], rows)


def _placement(plan: Json) -> Markup:
    placement = plan["placement"]
    rows = [
        [
            each.get("tier", each.get("daemon", "")),
            ", ".join(each.get("steps", [])),
            f"{each.get('bytes_per_hour', 0):,.0f}",
        ]
        for each in placement.get("tiers", [])
    ]
    note = Markup("<p class='soft'>{}</p>").format(_sentence(placement.get("note", "")))
    told = table("Placement", ["Tier", "Steps", "Bytes an hour"], rows, numbers=(2,))
    return Markup("<h3>Placement</h3>") + told + note


async def _replay(visit: Visit, plan: Json) -> None:
    replay = plan["replay"]
    counts = replay["difference"]["counts"]
    html(
        Markup(
            "<h3>Tried over what was recorded</h3><p>Commands that it would have given over {} messages: {}; "
            "of them really given: {}; given by others besides: {}.</p>"
        ).format(
            f"{replay['messages']:,}", f"{replay['count']:,}", f"{counts['same']:,}", f"{counts['real']:,}"
        )
    )
    if not replay["complete"]:
        html(Markup('<p class="soft">It ended early: {}</p>').format(replay["stopped"]))
    place = ui.element("div").classes("history-place")
    with place:
        try:
            await draw(visit, plan)
        except Refused as refusal:
            html(Markup('<p class="soft">{}</p>').format(refusal.detail))
    html(Markup('<p class="soft">{}</p>').format(_sentence(replay["note"])))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
