"""The past of a property as a chart that can be zoomed, and as a table for those who do not see charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from diat.dashboard.likes import preferred, written
from diat.dashboard.parts.acts import attempt
from diat.dashboard.parts.markup import Markup, html, moment, table
from diat.dashboard.rest import at
from diat.dashboard.visit import Visit
from diat.kernel.clock import parse_time, rfc3339
from diat.vol.thing import Property

SPANS = {"1h": "hour", "24h": "day", "7d": "week", "30d": "month"}
_SECONDS = {"1h": 3600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}
_POINTS = 600
"""Points that a chart has at most."""
_ROWS = 30
"""The newest of them that stand in the table."""

_PAUSE = 0.4
"""Seconds of rest after which what was zoomed to is fetched."""
Point = list[Any]
"""Unix milliseconds and the value."""
_FIRST = ("Temperature", "RelativeHumidity", "CarbonDioxide", "Power", "Energy")
_SCALE: dict[str, Any] = {"min": None, "max": None, "interval": None}
_SWITCH: dict[str, Any] = {"min": 0, "max": 1, "interval": 1}


class History:
    """One chart with the choice of property and span."""

    def __init__(self, visit: Visit, thing: str, properties: Sequence[Property]) -> None:
        self._visit = visit
        self._thing = thing
        self._properties = {each.name: each for each in properties}
        self._span = "1h"
        self._name = next(iter(self._properties))
        with ui.element("div").classes("row-wrap"):
            if len(self._properties) > 1:
                ui.select(
                    list(self._properties), label="Property", value=self._name, on_change=self._named
                ).props("outlined dense options-dense").classes("field")
            ui.select(SPANS, label="The last", value=self._span, on_change=self._spanned).props(
                "outlined dense options-dense"
            ).classes("field")
        self._chart = (
            ui.echart(chart_options(), renderer="svg").classes("history").props('aria-hidden="true"')
        )
        self._chart.on(
            "chart:datazoom",
            lambda event: attempt(lambda: self._zoomed(event.args)),
            args=["start", "end", "batch"],
            throttle=_PAUSE,
            leading_events=False,
        )
        self._points: list[Point] = []
        self._whole = (0, 0)
        self._finest = 0.0
        self._less = ui.label().classes("soft")
        with ui.expansion("As a table").classes("more-settings"):
            self._table = html(Markup())

    async def show(self) -> None:
        """Fetch and draw it."""
        await attempt(self._draw)

    async def _named(self, event: Any) -> None:
        self._name = event.value
        await self.show()

    async def _spanned(self, event: Any) -> None:
        self._span = event.value
        await self.show()

    async def _draw(self) -> None:
        prop = self._properties[self._name]
        scale = preferred(prop, self._visit.units)
        now = self._visit.platform.clock()
        readings = await self._past(now - _SECONDS[self._span] * 1000, None, _SECONDS[self._span])
        points = _drawn_points(readings)
        self._points, self._finest = points, _every(_SECONDS[self._span])
        self._whole = points[0][0] if points else now - _SECONDS[self._span] * 1000, now
        self._chart.options["series"][0]["data"] = points
        self._chart.options["series"][0]["step"] = None if prop.numeric else "end"
        self._chart.options["series"][0]["name"] = self._name
        self._chart.options["yAxis"]["name"] = written(scale.unit)
        self._chart.options["yAxis"] |= _SCALE if prop.numeric else _SWITCH
        self._chart.options["xAxis"]["min"], self._chart.options["xAxis"]["max"] = self._whole
        self._chart.update()
        told = await self._visit.rest.get(at("things", self._thing, "config"))
        self._less.set_text(_less(told, self._name))
        rows = [[moment(each["observed"]), _said(each["value"])] for each in reversed(readings[-_ROWS:])]
        told = table(self._name, ["Time", f"{self._name} {written(scale.unit)}"], rows, numbers=(1,))
        self._table.set_content(str(told if rows else Markup('<p class="soft">Nothing in this time.</p>')))

    async def _zoomed(self, to: Mapping[str, Any]) -> None:
        """Draw what is on screen as fine as it can be drawn; the rest stays as it is."""
        start, end = _part(to)
        begin, over = self._whole
        first, last = (round(begin + (over - begin) * share / 100) for share in (start, end))
        seconds = max(1.0, (last - first) / 1000)
        if _every(seconds) >= self._finest:
            finer = self._points
        else:
            readings = await self._past(first, last, seconds)
            before = [point for point in self._points if point[0] < first]
            finer = before + _drawn_points(readings) + [point for point in self._points if point[0] > last]
        self._chart.options["series"][0]["data"] = finer
        self._chart.update()

    async def _past(self, first: int, last: int | None, seconds: float) -> list[dict[str, Any]]:
        """Readings from a time to another (None: now), as many as a chart shows over so many seconds."""
        prop = self._properties[self._name]
        scale = preferred(prop, self._visit.units)
        found: list[dict[str, Any]] = await self._visit.rest.get(
            at("things", self._thing, "properties", self._name, "history"),
            **{"from": rfc3339(first), "to": None if last is None else rfc3339(last)},
            every=f"{_every(seconds)}s",
            aggregate="mean" if prop.numeric else "last",
            unit=scale.unit if prop.numeric and scale.convert is not None else None,
        )
        return found


def drawn(properties: Sequence[Property]) -> list[Property]:
    """Those properties whose past can be drawn."""
    found = [each for each in properties if each.readable and (each.numeric or each.type == "boolean")]
    return sorted(found, key=lambda each: (each.category is not None, _rank(each)))


def _rank(each: Property) -> int:
    return _FIRST.index(each.quantity) if each.quantity in _FIRST else len(_FIRST)


def _less(told: dict[str, Any], name: str) -> str:
    """That a property says less than it measures, if so: between two points then nothing is known."""
    rule = told.get("report", {}).get(name)
    if not rule:
        return ""
    limits = [f"{rule[step]:.6g}" for step in ("below", "above") if step in rule]
    what = [f"when it passes {' or '.join(limits)}"] if limits else []
    if "delta" in rule and "every" not in rule:
        what += [f"when it changes by {rule['delta']:.6g}" if rule["delta"] else "when it changes"]
    times = [rule[step] for step in ("every", "silence", "mean", "min", "max") if step in rule]
    seconds = min(times, default=0)
    what += [f"every {seconds:.6g} s"] if seconds else []
    since = f" since {told['since'][:16].replace('T', ' ')}" if told.get("since") else ""
    return f"Not every sample is sent{since}: {', and '.join(what)}. Services need no more." if what else ""


def _every(seconds: float) -> int:
    """Seconds between two points of a chart over so many."""
    return max(1, int(seconds // _POINTS))


def _part(to: Mapping[str, Any]) -> tuple[float, float]:
    """What part of the whole a chart was zoomed to, in per cent."""
    said = to["batch"][0] if to.get("batch") else to
    start, end = said.get("start"), said.get("end")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return 0.0, 100.0
    return max(0.0, min(start, 100.0)), max(0.0, min(end, 100.0))


def _drawn_points(readings: Sequence[dict[str, Any]]) -> list[Point]:
    return [[parse_time(each["observed"]), _drawn(each["value"])] for each in readings]


def _drawn(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value if isinstance(value, int | float) else None


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else {True: "yes", False: "no"}.get(value, str(value))


def chart_options() -> dict[str, Any]:
    """Colours are those of the style sheet: drawn as SVG, they follow light and dark."""
    soft = {"color": "var(--soft)"}
    faint = {"lineStyle": {"color": "var(--line)"}}
    return {
        "animation": False,
        "grid": {"left": 8, "right": 12, "top": 28, "bottom": 56, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "time",
            "axisLabel": soft | {"showMinLabel": False, "hideOverlap": True},
            "axisLine": faint,
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": soft,
            "nameTextStyle": soft,
            "splitLine": faint,
        },
        "dataZoom": [
            {"type": "inside"},
            {
                "type": "slider",
                "height": 20,
                "bottom": 8,
                "borderColor": "var(--line)",
                "fillerColor": "var(--accent-soft)",
                "handleStyle": {"color": "var(--card)", "borderColor": "var(--accent)"},
                "moveHandleStyle": {"color": "var(--line)", "opacity": 1},
                "dataBackground": {"lineStyle": {"opacity": 0}, "areaStyle": {"opacity": 0}},
                "selectedDataBackground": {"lineStyle": {"opacity": 0}, "areaStyle": {"opacity": 0}},
                "textStyle": soft,
            },
        ],
        "series": [
            {
                "type": "line",
                "showSymbol": False,
                # A line under the pointer would be drawn lighter, which no colour by name can be.
                "emphasis": {"disabled": True},
                "data": [],
                "lineStyle": {"width": 1.5, "color": "var(--accent)"},
                "itemStyle": {"color": "var(--accent)"},
            }
        ],
    }
