"""A replay as a chart: what was measured then, and while what would have been driven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from diat.dashboard.parts.history import chart_options
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit
from diat.kernel.clock import parse_time

_POINTS = 500
_SENSORS = 3
"""Things whose past is drawn at most."""
Json = Mapping[str, Any]


async def draw(visit: Visit, plan: Json) -> None:
    """Make the chart where this is called.

    Raises:
        Refused: what was measured may not be had.
    """
    replay = plan["replay"]
    start, end = parse_time(replay["from"]), parse_time(replay["to"])
    driven = {(each["thing"], each["affordance"]) for each in replay["commands"]}
    measured = [
        each
        for each in plan["bindings"]
        if (each["thing"], each["affordance"]) not in driven and each["unit"]
    ]
    options = chart_options()
    options["series"] = []
    options["color"] = ["var(--accent)", "var(--warn)", "var(--soft)"]
    options["legend"] = {"textStyle": {"color": "var(--soft)"}, "top": 0}
    options["xAxis"] |= {"min": start, "max": end}
    for each in measured[:_SENSORS]:
        readings = await visit.rest.get(
            at("things", each["thing"], "properties", each["affordance"], "history"),
            **{"from": replay["from"], "to": replay["to"]},
            every=f"{max(1, (end - start) // 1000 // _POINTS)}s",
            aggregate="mean",
        )
        options["series"].append(_line(f"{each['title']} {each['affordance']}", readings))
    if options["series"]:
        options["series"][0]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": "var(--accent)", "opacity": 0.12},
            "data": _on(replay["commands"], end),
        }
    ui.echart(options, renderer="svg").classes("history").props('aria-hidden="true"')
    html(Markup('<p class="soft">Shaded: while something would have been switched on.</p>'))


def _line(name: str, readings: list[Json]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "data": [[parse_time(each["observed"]), each["value"]] for each in readings],
        "lineStyle": {"width": 1.5},
    }


def _on(commands: list[Json], end: int) -> list[list[dict[str, int]]]:
    """Spans in which something would have been on."""
    spans: list[list[dict[str, int]]] = []
    since: dict[str, int] = {}
    for each in commands:
        key, moment = f"{each['thing']} {each['affordance']}", parse_time(each["at"])
        if each["input"] and key not in since:
            since[key] = moment
        elif not each["input"] and key in since:
            spans.append([{"xAxis": since.pop(key)}, {"xAxis": moment}])
    return spans + [[{"xAxis": begun}, {"xAxis": end}] for begun in since.values()]
