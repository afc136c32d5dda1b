"""Tiers: who does work, on which tier, over which links, and what that saves."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from diat.dashboard.parts.fragment import Fragment
from diat.dashboard.parts.markup import Markup, age, chip, html, link, table
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit

_TITLES = {"platform": "Core", "core": "Core", "gateway": "Gateways", "edge": "Gateways", "thing": "Things"}
_ORDER = ("Core", "Gateways", "Things")
_EVERY = 10.0
"""Seconds between two looks."""
_KNOWN = {
    "id",
    "tier",
    "title",
    "report",
    "needs",
    "links",
    "steps",
    "bytes_per_hour",
    "bytes_per_hour_before",
}


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Tiers</h1><p class='lead'>Where steps run: in the core, on gateways, in things.</p>"))
    shown = Fragment(lambda: _tiers(visit), "services", "statuses", "things")
    await shown.show()
    ui.timer(_EVERY, shown.refresh)


async def _tiers(visit: Visit) -> Markup:
    daemons = await visit.rest.get("/daemons")
    found: dict[str, list[dict[str, Any]]] = {}
    for each in daemons:
        found.setdefault(_TITLES.get(each["tier"], str(each["tier"]).capitalize()), []).append(each)
    tiers = sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    parts = [_tier(name, found[name]) for name in tiers]
    if "Things" not in found:
        parts.append(
            Markup(
                "<h2>Things</h2><p class='empty'>No thing does steps itself. Those that can are told by "
                "themselves what services need of them; then they send less.</p>"
            )
        )
    return Markup().join(parts)


def _tier(name: str, daemons: list[dict[str, Any]]) -> Markup:
    cards = Markup().join(_daemon(each) for each in daemons)
    return Markup('<h2>{} <small>{}</small></h2><div class="cards">{}</div>').format(
        name, len(daemons), cards
    )


def _daemon(each: dict[str, Any]) -> Markup:
    title = each.get("title") or ("This platform" if each["tier"] == "core" else each["id"])
    named = link("/thing", title, id=each["id"]) if each["tier"] == "thing" else Markup("{}").format(title)
    now, before = each.get("bytes_per_hour"), each.get("bytes_per_hour_before")
    saved = f"{_bytes(before - now)} saved an hour" if now is not None and before and before > now else ""
    more = [
        Markup("<dt>{}</dt><dd>{}</dd>").format(key.replace("_", " "), _plain(value))
        for key, value in each.items()
        if key not in _KNOWN and value not in (None, "", [], {})
    ]
    if each["tier"] == "gateway":
        return _gateway(each)
    steps = ", ".join(each.get("steps") or each.get("report") or ())
    if steps:
        more.insert(0, Markup("<dt>steps</dt><dd>{}</dd>").format(steps))
    return Markup(
        '<section class="card"><h3>{}</h3><div class="figure">{}</div><p class="label">an hour{}</p>'
        '<dl class="facts small">{}</dl>{}</section>'
    ).format(
        named,
        _bytes(now) if now is not None else Markup("&ndash;"),
        f", {saved}" if saved else "",
        Markup().join(more),
        _links(each.get("links")),
    )


def _gateway(each: dict[str, Any]) -> Markup:
    """A gateway, the line to it, and what runs there for which service."""
    line = each.get("link") or {}
    spool = each["spool"]
    up, down = line.get("up", {}), line.get("down", {})
    facts: list[tuple[str, Any]] = [
        ("things", f"{each['things']:,}"),
        ("waits to go up", f"{_messages(spool['messages'] or 0)}, {_bytes(spool['bytes'] or 0)}"),
        ("up an hour", _bytes(up.get("bytes_per_hour", 0))),
        ("down an hour", _bytes(down.get("bytes_per_hour", 0))),
        ("processor", f"{100 * each['cpu']:.0f} %" if isinstance(each["cpu"], int | float) else ""),
        ("memory", f"{each['memory']:.0f} MiB" if isinstance(each["memory"], int | float) else ""),
    ]
    services = line.get("services", [])
    rows = [
        [
            link("/service", one["title"], id=one["service"]),
            ", ".join(one["steps_here"]) or "none",
            _bytes(one["bytes"]),
            _bytes(one["saved"]),
        ]
        for one in services
    ]
    heads = ["Service", "Steps here", "Over the line", "Saved"]
    return Markup(
        '<section class="card wide"><h3>{} {} <small>since {}</small></h3>'
        '<div class="figure">{}</div><p class="label">saved an hour, against all steps in the core</p>'
        '<dl class="facts small">{}</dl>{}</section>'
    ).format(
        link("/thing", each["title"], id=each["thing"]),
        chip("online" if each["connected"] else "offline", "" if each["connected"] else "cut off"),
        age(each["since"]),
        _bytes(line.get("saved_bytes_per_hour", 0)),
        Markup().join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts if fact[1]),
        table("Services", heads, rows, numbers=(2, 3)) if rows else Markup(),
    )


def _links(links: Any) -> Markup:
    if not isinstance(links, list) or not links or not all(isinstance(one, dict) for one in links):
        return Markup()
    heads = list(dict.fromkeys(key for one in links for key in one))[:5]
    rows = [[_plain(one.get(key)) for key in heads] for one in links]
    return table("Links", [key.replace("_", " ") for key in heads], rows)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return chip("online" if value else "offline", "yes" if value else "no")
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(str(_plain(one)) for one in value)
    return f"{value:,}" if isinstance(value, int | float) else "" if value is None else str(value)


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


PAGE = Page(path="/tiers", title="Tiers", icon="tiers", nav="more", build=build)
