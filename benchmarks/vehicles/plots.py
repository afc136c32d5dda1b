"""Plots as SVG: bars by case, and bytes by how often something moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.vehicles.model import Measured, Rates

_COLOURS = ("#1b6ca8", "#e08e0b", "#3c8d40")
_W, _H, _LEFT, _TOP, _BOTTOM = 720, 360, 84, 44, 58
_RIGHT = _W - 20
Point = tuple[float, float, float, float]
"""Share of the time on air; bytes a second of a low, a middle and a high camera."""


def draw(
    directory: Path, measured: Mapping[int, Measured], rates: Rates, points: Sequence[Point]
) -> list[Path]:
    """Write ``links``, ``cpu``, ``error`` and ``crossover``; the files."""
    directory.mkdir(parents=True, exist_ok=True)
    cases = [f"case {number}" for number in measured]
    links = {
        "sensors to aggregators": [float(each.first) for each in measured.values()],
        "by the model": [rates.links(number)[0] for number in measured],
        "aggregators to cloud": [float(each.second) for each in measured.values()],
        "by the model ": [rates.links(number)[1] for number in measured],
    }
    cpu = {tier: [each.cpu[tier] for each in measured.values()] for tier in ("sensor", "aggregator", "cloud")}
    error = {"median error": [each.map.error for each in measured.values()]}
    made = {
        "links": bars("Bytes on the sockets of each link", cases, links, log=True),
        "cpu": bars("CPU of each tier, s", cases, cpu),
        "error": bars("Median error of places on the map, m", cases, error),
        "crossover": curves(rates, points),
    }
    for name, text in made.items():
        (directory / f"{name}.svg").write_text(text)
    return [directory / f"{name}.svg" for name in made]


def bars(
    title: str, names: Sequence[str], series: Mapping[str, Sequence[float]], *, log: bool = False
) -> str:
    """Groups of bars; faint ones are the model's."""
    axis = _Axis([0.0 if math.isnan(v) else v for each in series.values() for v in each], log=log)
    body, floor, room = axis.lines(), _H - _BOTTOM, (_RIGHT - _LEFT) / len(names)
    wide = room * 0.8 / len(series)
    for place, (label, values) in enumerate(series.items()):
        model = "model" in label
        paint = f'fill="{_COLOURS[place // 2 if len(series) > 3 else place]}"' + (
            ' fill-opacity="0.4"' if model else ""
        )
        for group, value in enumerate(values):
            top = axis.at(0.0 if math.isnan(value) else value)
            left = _LEFT + group * room + room * 0.1 + place * wide
            body += _box(left, top, wide - 1, max(0.0, floor - top), paint)
        body += _key(place, label, paint)
    for group, name in enumerate(names):
        body += _word(_LEFT + (group + 0.5) * room, floor + 18, name, 'text-anchor="middle"')
    return _page(title, body)


def curves(rates: Rates, points: Sequence[Point]) -> str:
    """Bytes of each level by the share of the time on air, measured, and dashed by the model."""
    floor = max(1.0, min([rates.reports * rates.report, *(v for p in points for v in p[1:] if v > 0)]))
    axis = _Axis([*(v for p in points for v in p[1:]), floor], log=True)
    body = axis.lines()

    def across(p: float) -> float:
        return _LEFT + p * (_RIGHT - _LEFT)

    for place, name in enumerate(("low", "middle", "high")):
        paint = _COLOURS[place]
        spots = [(across(p[0]), axis.at(p[place + 1])) for p in sorted(points)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        body += f'<polyline points="{line}" fill="none" stroke="{paint}" stroke-width="2"/>'
        body += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{paint}"/>' for x, y in spots)
        body += _key(place, name, f'fill="{paint}"')
    model = " ".join(f"{across(i / 200):.1f},{axis.at(i / 200 * rates.video):.1f}" for i in range(201))
    flat, cross = axis.at(rates.reports * rates.report), across(min(1.0, rates.crossing))
    body += f'<polyline points="{model}" fill="none" stroke="{_COLOURS[1]}" stroke-dasharray="5 4"/>'
    body += _line(_LEFT, flat, _RIGHT, flat, f'stroke="{_COLOURS[2]}" stroke-dasharray="5 4"')
    body += _line(cross, _TOP, cross, _H - _BOTTOM, 'stroke="#b00" stroke-dasharray="2 3"')
    said = f"by the model records win from {rates.crossing:.1%} on"
    body += _word(cross + 6, _TOP + 10, said, 'fill="#b00"')
    for share in (0, 25, 50, 75, 100):
        body += _word(across(share / 100), _H - _BOTTOM + 18, f"{share} %", 'text-anchor="middle"')
    return _page("Bytes a second of one camera, by share of the time on air (dashed: the model)", body)


class _Axis:
    """The vertical one."""

    def __init__(self, values: Sequence[float], *, log: bool) -> None:
        most, least = max(values), min(values)
        self._log = log
        if log:
            self._low = math.floor(math.log10(max(least, 1.0)))
            self._high = max(self._low + 1, math.ceil(math.log10(max(most, 10.0))))
            self._ticks = [10.0**e for e in range(self._low, self._high + 1)]
        else:
            step = 10.0 ** math.floor(math.log10(max(most, 1e-6)))
            step = step / 2 if most / step < 3 else step
            self._low, self._high = 0, math.ceil(most / step) * step  # type: ignore[assignment]
            self._ticks = [round(i * step, 6) for i in range(math.ceil(most / step) + 1)]

    def at(self, value: float) -> float:
        """How far down a value stands."""
        shown = math.log10(max(value, 1.0)) if self._log else value
        part = (shown - self._low) / (self._high - self._low)
        return _H - _BOTTOM - max(0.0, part) * (_H - _TOP - _BOTTOM)

    def lines(self) -> str:
        """A line and a number for each tick."""
        return "".join(
            _line(_LEFT, self.at(tick), _RIGHT, self.at(tick), 'stroke="#e3e7eb"')
            + _word(_LEFT - 8, self.at(tick) + 4, f"{tick:,.10g}", 'text-anchor="end"')
            for tick in self._ticks
        )


def _box(x: float, y: float, wide: float, high: float, paint: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" {paint}/>'


def _line(x: float, y: float, to_x: float, to_y: float, paint: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" {paint}/>'


def _word(x: float, y: float, text: str, how: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{text}</text>'


def _key(place: int, label: str, paint: str) -> str:
    x = _LEFT + place * 158
    return _box(x, _H - 20, 10, 10, paint) + _word(x + 15, _H - 11, label.strip())


def _page(title: str, body: str) -> str:
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_W} {_H}" font-family="sans-serif"'
    return (
        f'<svg {head} font-size="12"><title>{title}</title>{_box(0, 0, _W, _H, _WHITE)}'
        f"{_word(_LEFT, 24, title, _LARGE)}{body}</svg>\n"
    )


_WHITE, _LARGE = 'fill="#fff"', 'font-size="15"'
