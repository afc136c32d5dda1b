"""Policies: all there are, in words."""

from __future__ import annotations

from typing import Any

from diat.dashboard.parts.markup import Markup, chip, html, link, moment, table
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit

Json = dict[str, Any]
_TONES = {"deny": "rejected", "permit": "accepted", "modify": "pending", "delay": "pending"}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Policies</h1>"))
    sections("Security", SECURITY, "/policies")
    html(
        Markup(
            "<p>Who may do what with which data, when and in which form. Roles decide first; a policy takes "
            "away, gives, or changes the form. {}</p>"
            '<p><a class="button" href="/ui/policy">A new policy</a></p>'
        ).format(link("/why", "Ask who may what"))
    )
    found = await visit.rest.get("/policies")
    if not found:
        html(Markup('<p class="empty">None yet: roles alone decide.</p>'))
        return
    rows: list[list[Any]] = [
        [
            link("/policy", each.get("title") or each["id"], id=each["id"]),
            _effect(each),
            said(each),
            moment(each["modified"]),
        ]
        for each in found
    ]
    html(table("Policies", ["Policy", "Says", "About", "Changed"], rows))


def _effect(each: Json) -> Markup:
    effect = each.get("effect", "")
    return chip(_TONES.get(effect, "sleeping"), effect or "Cedar")


def said(each: Json) -> str:
    """What a policy is about, in a line."""
    if "cedar" in each:
        return "as its text says"
    who = [name for names in each.get("who", {}).values() for name in names]
    what = [name for names in each.get("what", {}).values() for name in names]
    when = each.get("when", {})
    parts = [
        ", ".join(who) or "anybody",
        ", ".join(each.get("operations", [])) or "does anything",
        f"with {', '.join(what)}" if what else "",
        f"from {when['from']} to {when['to']}" if "from" in when else "",
        "while a situation holds" if "situation" in when else "",
        "but for a situation" if "unless" in when else "",
    ]
    return "; ".join(part for part in parts if part)


PAGE = Page(path="/policies", title="Policies", build=build, nav="hidden", least="admin", under="/security")
