"""One command, completely explained: who gave it, on what, by which step, and what became of it."""

from __future__ import annotations

import json
from typing import Any

from diat.dashboard.likes import written
from diat.dashboard.parts.markup import Markup, chip, html, link, moment, table
from diat.dashboard.registry import Page
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit


async def build(visit: Visit) -> None:
    """Make the page."""
    each = await visit.rest.get(at("actuations", visit.argument("id")))
    by = each["by"]
    services = [link("/service", one["title"], id=one["id"]) for one in by.get("services", ())]
    html(
        Markup('<h1>{} = {}</h1><p class="facts-line">{} {} <span class="soft">{}</span></p>').format(
            each["affordance"],
            _said(each["input"]),
            chip(each["status"]),
            link("/thing", each["thing"], id=each["thing"]),
            moment(each["created"]),
        )
    )
    binding = f"{each['role']}, for it {each['binding']}" if each.get("binding") else ""
    facts: list[tuple[str, Any]] = [
        ("Given by", Markup(", ").join(services) if services else by["title"]),
        ("Decision", each.get("decision")),
        ("Step", each.get("step")),
        ("Template", each.get("template")),
        ("As", binding),
        ("Priority", (each.get("claim") or {}).get("priority")),
        ("Over", ", ".join(str(one) for one in (each.get("claim") or {}).get("over", []))),
        ("Delivered", each["delivery"]),
        ("Ended", moment(each["resolved"]) if each["resolved"] else "not yet"),
        ("Error", each["error"]),
        ("Held until", moment(by["hold"]) if by.get("hold") else ""),
    ]
    html(
        Markup('<dl class="facts">{}</dl>').format(
            Markup().join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts if fact[1])
        )
    )
    if each.get("readings"):
        html(Markup("<h2>It had read</h2>"))
        rows: list[list[Any]] = [
            [
                link("/thing", one["title"], id=one["thing"]),
                one["affordance"],
                f"{_said(one['value'])} {written(one['unit'])}" if one["kept"] else "not kept any more",
                moment(one.get("observed")),
            ]
            for one in each["readings"]
        ]
        html(table("Readings", ["Thing", "Property", "Value", "Observed"], rows, numbers=(2,)))
    if each.get("values"):
        html(Markup("<h2>What the steps made of it</h2>"))
        html(
            table(
                "Steps", ["Step", "Value"], [[name, _said(value)] for name, value in each["values"].items()]
            )
        )


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:200]


PAGE = Page(path="/command", title="Command", build=build, nav="hidden", under="/services")
