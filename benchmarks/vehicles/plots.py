"""Plots as SVG: bars by case, and bytes by how often something moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from diat_gateway.cameras.scenes.scene import Scene
from diat_gateway.cameras.score import MapScore
from diat_gateway.vehicles.setup import CASES

from benchmarks.vehicles.junction import REACH
from benchmarks.vehicles.model import Camera, Measured, Scenery, crossing, links, rate
from benchmarks.vehicles.sampling import Sample

_COLOURS = ("#1b6ca8", "#e08e0b", "#3c8d40")
_W, _H, _LEFT, _TOP, _BOTTOM = 720, 360, 84, 52, 58
_RIGHT = _W - 20
_FAR = 24.0
"""Metres to each side of the junction's middle that are drawn."""


def draw(
    directory: Path,
    filmed: Scene,
    measured: Mapping[int, Measured],
    camera: Camera,
    scene: Scenery,
    found: Sequence[Sample],
    maps: Mapping[int, MapScore],
) -> list[Path]:
    """Write ``links``, ``cpu``, ``error``, ``crossover`` and one of each case; the files."""
    directory.mkdir(parents=True, exist_ok=True)
    short = {"aggregator": "aggr.", "cloud": "cloud"}
    cases = [f"{number}: {level}, {short[analysis]}" for number, (level, analysis) in CASES.items()]
    bytes_of = {
        "sensors to aggregators": [float(each.first) for each in measured.values()],
        "by the model": [links(camera, scene, number)[0] for number in measured],
        "aggregators to cloud": [float(each.second) for each in measured.values()],
        "by the model ": [links(camera, scene, number)[1] for number in measured],
    }
    cpu = {
        f"{tier}s" if tier != "cloud" else tier: [each.cpu[tier] for each in measured.values()]
        for tier in ("sensor", "aggregator", "cloud")
    }
    error = {"all scenes": [each.error for each in maps.values()],
             "the one with processes": [each.map.error for each in measured.values()]}  # fmt: skip
    seconds = f"{scene.seconds:.0f} s, {scene.cameras} cameras"
    made = {
        "links": bars(f"Bytes on the sockets of each link ({seconds})", cases, bytes_of, log=True),
        "cpu": bars(f"CPU of each tier, s ({seconds})", cases, cpu),
        "error": bars("Median error of places on the map, m", cases, error, limit=0.3),
        "crossover": curves(camera, scene, found),
    }
    made |= {f"case-{number}": above(number, filmed, each) for number, each in measured.items()}
    for name, text in made.items():
        (directory / f"{name}.svg").write_text(text)
    return [directory / f"{name}.svg" for name in made]


def above(case: int, filmed: Scene, measured: Measured) -> str:
    """The junction from above: ways that vehicles took, and where the map of the cloud had them."""
    side = _H - _TOP - 20
    scale = side / (2 * _FAR)

    def at(x: float, y: float) -> tuple[float, float]:
        return 20 + (x + _FAR) * scale, _TOP + (_FAR - y) * scale

    body = _box(20, _TOP, side, side, 'fill="#eef1ea"')
    for across, down in ((8.0, 2 * _FAR), (2 * _FAR, 8.0)):
        left, top = at(-across / 2, down / 2)
        body += _box(left, top, across * scale, down * scale, 'fill="#d5d8dc"')
    x, y = at(0, 0)
    ring = 'fill="none" stroke="#999" stroke-dasharray="3 3"'
    body += f'<circle cx="{x}" cy="{y}" r="{REACH * scale:.1f}" {ring}/>'
    for actor in filmed.actors:
        if actor.kind == "person":
            continue
        ways = [place for tick in range(int(filmed.seconds * 5)) if (place := actor.place(tick / 5))]
        line = " ".join("{:.1f},{:.1f}".format(*at(*p[:2])) for p in ways if max(map(abs, p[:2])) <= _FAR)
        body += f'<polyline points="{line}" fill="none" stroke="#333" stroke-width="1.2"/>'
    for x, y in measured.told:
        if max(abs(x), abs(y)) <= _FAR:
            left, top = at(x, y)
            body += (
                f'<circle cx="{left:.1f}" cy="{top:.1f}" r="1.8" fill="{_COLOURS[0]}" fill-opacity="0.45"/>'
            )
    level, analysis = CASES[case]
    found = measured.map
    told = [
        f"sensors: {level}; the rest: {analysis}",
        "",
        f"sensors to aggregators: {measured.first / 1000:,.1f} kB",
        f"aggregators to cloud: {measured.second / 1000:,.1f} kB",
        "",
        *(f"CPU {tier}: {spent:.1f} s" for tier, spent in measured.cpu.items()),
        "",
        f"recall {found.score.recall:.2f}, precision {found.score.precision:.2f}",
        f"median error {found.error:.2f} m, {found.score.true} places",
        "",
        "black: ways of vehicles; blue: the map;",
        f"dashed: {REACH:.0f} m, within which places are scored",
    ]
    for row, text in enumerate(told):
        body += _word(side + 44, _TOP + 14 + 20 * row, text)
    return _page(f"Case {case}, {filmed.seconds:.0f} s", body)


def bars(
    title: str,
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    log: bool = False,
    limit: float | None = None,
) -> str:
    """Groups of bars; faint ones are the model's, a dashed line the limit."""
    shown = [0.0 if math.isnan(v) else v for each in series.values() for v in each]
    axis = _Axis([*shown, *([limit] if limit is not None else [])], log=log)
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
    if limit is not None:
        body += _line(_LEFT, axis.at(limit), _RIGHT, axis.at(limit), 'stroke="#b00" stroke-dasharray="5 4"')
        body += _word(_RIGHT, _TOP - 8, f"dashed: at most {limit:g}", 'text-anchor="end" fill="#b00"')
    for group, name in enumerate(names):
        body += _word(_LEFT + (group + 0.5) * room, floor + 18, name, 'text-anchor="middle"')
    return _page(title, body)


def curves(camera: Camera, scene: Scenery, found: Sequence[Sample]) -> str:
    """Bytes of each level by the share of the time on air: measured as dots, by the model as lines."""
    floor, least = _H - _BOTTOM, 1e-3
    there = rate(camera, scene, "high") / max(scene.duty, 1e-9)

    def across(p: float) -> float:
        return _LEFT + (math.log10(max(p, least)) / 3 + 1) * (_RIGHT - _LEFT)

    def model(level: str, p: float) -> float:
        if level == "low":
            return camera.idle + p * camera.moving
        return p * camera.gated if level == "middle" else 0.2 * camera.head * (1 - p) + p * there

    shares = [10 ** (-3 + i / 40) for i in range(121)]
    measured = {
        "low": [(each.duty, each.low) for each in found],
        "middle": [(each.duty, each.middle) for each in found],
        "high": [(each.duty, each.high) for each in found],
    }
    values = [model(level, p) for level in measured for p in shares]
    axis = _Axis([*values, *(v for each in measured.values() for _, v in each if v > 0)], log=True)
    body = axis.lines()
    for place, (level, spots) in enumerate(measured.items()):
        paint = _COLOURS[place]
        line = " ".join(f"{across(p):.1f},{axis.at(model(level, p)):.1f}" for p in shares)
        body += f'<polyline points="{line}" fill="none" stroke="{paint}" stroke-width="1.6"/>'
        for share, value in spots:
            if value <= 0:
                continue
            body += f'<circle cx="{across(share):.1f}" cy="{axis.at(value):.1f}" r="4" fill="{paint}"/>'
        body += _key(place, level, f'fill="{paint}"')
    cross = crossing(camera, scene)
    body += _line(across(cross), _TOP, across(cross), floor, 'stroke="#b00" stroke-dasharray="2 3"')
    said = f"records are least from {cross:.2%} on"
    body += _word(across(cross) + 6, _TOP + 10, said, 'fill="#b00"')
    for share, name in ((0.001, "0.1 % or less"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %")):
        body += _word(across(share), floor + 18, name, 'text-anchor="middle"')
    return _page("Bytes a second of one camera, by share of the time on air (lines: the model)", body)


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
