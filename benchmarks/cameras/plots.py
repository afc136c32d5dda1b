"""Plots as SVG, drawn by hand: bars by case, and curves over how often something moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cameras.model import Rates

if TYPE_CHECKING:
    from benchmarks.cameras.cases import Measured

_COLOURS = ("#1b6ca8", "#e08e0b", "#3c8d40", "#9aa5b1")
_W, _H, _LEFT, _TOP, _BOTTOM = 720, 360, 78, 46, 56


def draw(
    directory: Path,
    measured: Mapping[int, Measured],
    rates: Rates,
    points: Sequence[tuple[float, float, float, float]],
) -> None:
    """Write ``cases-bytes.svg``, ``cases-cpu.svg``, ``cases-error.svg`` and ``cases-crossover.svg``."""
    directory.mkdir(parents=True, exist_ok=True)
    links = {
        "sensor > aggregator": [m.link1 for m in measured.values()],
        "the model": [rates.links(n)[0] for n in measured],
        "aggregator > cloud": [m.link2 for m in measured.values()],
        " the model": [rates.links(n)[1] for n in measured],
    }
    names = [f"case {n}" for n in measured]
    (directory / "cases-bytes.svg").write_text(
        _bars("Bytes on each link, measured and by the model", names, links, log=True)
    )
    cpu = {t: [m.cpu[t] for m in measured.values()] for t in ("sensors", "aggregators", "cloud")}
    (directory / "cases-cpu.svg").write_text(_bars("CPU of each tier, s", names, cpu))
    error = {
        "median error": [m.error for m in measured.values()],
        "recall": [m.found.recall for m in measured.values()],
    }
    (directory / "cases-error.svg").write_text(_bars("Median position error (m) and recall", names, error))
    (directory / "cases-crossover.svg").write_text(_curves(points, rates))


def _frame(title: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_W} {_H}" '
        'font-family="sans-serif" font-size="12">'
        f'<title>{_text(title)}</title><rect width="{_W}" height="{_H}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="22" font-size="15">{_text(title)}</text>{body}</svg>\n'
    )


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _scale(most: float, least: float, log: bool) -> tuple[list[float], float, float]:
    """Ticks, and the ends of the axis."""
    if log:
        low, high = math.floor(math.log10(max(least, 1.0))), math.ceil(math.log10(max(most, 10.0)))
        return [10.0**e for e in range(low, high + 1)], float(low), float(high)
    step = 10.0 ** math.floor(math.log10(max(most, 1e-6)))
    step = step / 2 if most / step < 3 else step
    count = math.ceil(most / step)
    return [round(i * step, 6) for i in range(count + 1)], 0.0, count * step


def _axis(ticks: Sequence[float], low: float, high: float, log: bool) -> str:
    out = ""
    for tick in ticks:
        y = _y(tick, low, high, log)
        out += f'<line x1="{_LEFT}" x2="{_W - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e7eb"/>'
        out += f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>'
    return out


def _y(value: float, low: float, high: float, log: bool) -> float:
    at = math.log10(max(value, 1.0)) if log else value
    return _H - _BOTTOM - (at - low) / (high - low) * (_H - _TOP - _BOTTOM)


def _bars(
    title: str, names: Sequence[str], series: Mapping[str, Sequence[float]], *, log: bool = False
) -> str:
    values = [0.0 if math.isnan(v) else v for each in series.values() for v in each]
    ticks, low, high = _scale(max(values), min(values), log)
    body, floor = _axis(ticks, low, high, log), _H - _BOTTOM
    room = (_W - 20 - _LEFT) / len(names)
    wide = room * 0.8 / len(series)
    for s, (label, each) in enumerate(series.items()):
        colour = _COLOURS[s // 2] if "model" in label else _COLOURS[s if len(series) < 4 else s // 2]
        faint = ' fill-opacity="0.4"' if "model" in label else ""
        for i, value in enumerate(each):
            y = _y(0.0 if math.isnan(value) else value, low, high, log)
            x = _LEFT + i * room + room * 0.1 + s * wide
            body += (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide - 1:.1f}" height="{max(0.0, floor - y):.1f}" '
            )
            body += f'fill="{colour}"{faint}/>'
        body += _legend(_LEFT + s * 155, f'fill="{colour}"{faint}', label)
    for i, name in enumerate(names):
        body += (
            f'<text x="{_LEFT + (i + 0.5) * room:.1f}" y="{floor + 18}" text-anchor="middle">{name}</text>'
        )
    return _frame(title, body)


def _legend(x: float, fill: str, label: str) -> str:
    box = f'<rect x="{x}" y="{_H - 18}" width="10" height="10" {fill}/>'
    return f'{box}<text x="{x + 15}" y="{_H - 9}">{_text(label)}</text>'


def _dashes(x1: float, y1: float, x2: float, y2: float, stroke: str, dashes: str) -> str:
    ends = f'x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-dasharray="{dashes}"/>'


def _curves(points: Sequence[tuple[float, float, float, float]], rates: Rates) -> str:
    values = [v for point in points for v in point[1:]]
    least = rates.reports * rates.report_bytes
    ticks, low, high = _scale(max(values), min(*values, least), True)
    body = _axis(ticks, low, high, True)

    def at(p: float) -> float:
        return _LEFT + p * (_W - 20 - _LEFT)

    for i, name in enumerate(("low", "middle", "high")):
        spots = sorted((p[0], p[i + 1]) for p in points)
        line = " ".join(f"{at(p):.1f},{_y(v, low, high, True):.1f}" for p, v in spots)
        body += f'<polyline points="{line}" fill="none" stroke="{_COLOURS[i]}" stroke-width="2"/>'
        for p, v in spots:
            body += f'<circle cx="{at(p):.1f}" cy="{_y(v, low, high, True):.1f}" r="4" fill="{_COLOURS[i]}"/>'
        body += _legend(_LEFT + i * 110, f'fill="{_COLOURS[i]}"', name)
    video = points[-1][1]
    model = " ".join(
        f"{at(p / 50):.1f},{_y(max(p / 50 * video, 1.0), low, high, True):.1f}" for p in range(51)
    )
    flat = _y(least, low, high, True)
    body += f'<polyline points="{model}" fill="none" stroke="{_COLOURS[1]}" stroke-dasharray="5 4"/>'
    body += _dashes(_LEFT, flat, _W - 20, flat, _COLOURS[2], "5 4")
    cross = min(1.0, least / video)
    body += _dashes(at(cross), _TOP, at(cross), _H - _BOTTOM, "#b00", "2 3")
    said = f"crossover by the model at {cross:.2%} on air"
    body += f'<text x="{at(cross) + 6:.1f}" y="{_TOP + 8}" fill="#b00">{said}</text>'
    for p in (0, 25, 50, 75, 100):
        body += f'<text x="{at(p / 100):.1f}" y="{_H - _BOTTOM + 16}" text-anchor="middle">{p} %</text>'
    return _frame("Bytes a second of one camera, by share of the time on air (dashed: the model)", body)
