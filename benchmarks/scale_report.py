"""What was measured with many things, as tables; growth is cost a thing beside that of the fewest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rich.console import Console

from benchmarks.report import table
from benchmarks.scale import Scale, Start

LINEAR = 1.2
"""Growth of the cost of a thing that is still linear, within what machines vary."""


def print_scales(console: Console, scales: Sequence[Scale], empty: Start, few: Scale) -> None:
    """Costs by number of things, searches, growth, and the line that is watched over time.

    Args:
        scales: by number of things.
        empty: a start with nothing known.
        few: the run with a hundred things, beside which readings are compared.
    """
    costs = table("Things", "", *(f"{scale.things:,}" for scale in scales))
    for name, figure in _figures(few):
        costs.add_row(name, *(figure(scale) for scale in scales))
    console.print(costs)
    for scale in scales:
        _print_searches(console, scale)
    growth = table("Growth of the cost of a thing", "", *(f"{scale.things:,}" for scale in scales))
    for name, cost in _costs(empty).items():
        growth.add_row(name, *(f"{cost(scale) / cost(scales[0]):.2f}" for scale in scales))
    console.print(growth)
    console.print(
        f"\nGrowth of 1 is linear, up to {LINEAR} within noise. Admission: from the first announcement\n"
        "until each thing was admitted and had spoken. Memory: resident, less that of the empty platform.\n"
        "Starts: until ready, all things known and a reading taken; in growth less the start of an empty\n"
        f"platform ({empty.seconds:.1f} s, CPU {empty.cpu:.1f} s). Searches: p50 / p99, and CPU.\n"
        f"CPU seconds are what counts on a machine with others on it: load average {_load()}."
    )


def worst_growth(scales: Sequence[Scale], empty: Start) -> float:
    """The largest growth of the cost of a thing, of whatever cost."""
    costs = _costs(empty).values()
    return max((cost(scale) / cost(scales[0]) for cost in costs for scale in scales[1:]), default=1.0)


def summary(scales: Sequence[Scale], empty: Start) -> str:
    """The line that is watched over time, for the most things."""
    most = scales[-1]
    slowest = max(outside.slowest for outside, _ in most.searches.values())
    return (
        f"things {most.things}: {most.things / most.admission:.0f} admitted/s, {most.memory:.1f} KiB each, "
        f"start {max(most.clean.seconds, most.killed.seconds):.1f} s, search p99 {1000 * slowest:.1f} ms, "
        f"growth {worst_growth(scales, empty):.2f}"
    )


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


def _figures(few: Scale) -> list[tuple[str, Callable[[Scale], str]]]:
    return [
        ("announcements", lambda s: f"{s.announcements:,}"),
        ("admitted, s", lambda s: f"{s.admission:.1f}"),
        ("admitted, things/s", lambda s: f"{s.things / s.admission:,.0f}"),
        ("  CPU of the platform, s", lambda s: f"{s.cpu:.1f}"),
        ("memory a thing, KiB", lambda s: f"{s.memory:.1f}"),
        ("  after a start, KiB", lambda s: f"{(s.clean.resident - s.empty) / s.things:.1f}"),
        ("  of the broker, KiB", lambda s: f"{s.broker_memory:.1f}"),
        ("start, s", lambda s: f"{s.clean.seconds:.1f}"),
        ("start after SIGKILL, s", lambda s: f"{s.killed.seconds:.1f}"),
        ("  CPU of the platform, s", lambda s: f"{s.clean.cpu:.1f}"),
        ("readings/s, of ten things", lambda s: f"{s.rate:,.0f}"),
        (f"  beside {few.things} things known", lambda s: f"{s.rate / few.rate:.2f}"),
        ("  CPU a reading, us", lambda s: f"{1e6 * s.reading:.0f}"),
        (f"  beside {few.things} things known", lambda s: f"{s.reading / few.reading:.2f}"),
        ("readings/s, of every tenth", lambda s: f"{s.crowd:,.0f}"),
    ]


def _costs(empty: Start) -> dict[str, Callable[[Scale], float]]:
    return {
        "admission, CPU": lambda s: s.cpu / s.things,
        "memory": lambda s: s.memory,
        "memory of the broker": lambda s: s.broker_memory,
        "start, CPU": lambda s: (s.clean.cpu - empty.cpu) / s.things,
        "start after SIGKILL, CPU": lambda s: (s.killed.cpu - empty.cpu) / s.things,
    }


def _print_searches(console: Console, scale: Scale) -> None:
    searches = table(f"Searches among {scale.things:,}, ms", "", "found", "REST", "CPU", "inside", "CPU")
    for name, (outside, inside) in scale.searches.items():
        shown = [str(outside.found)]
        for each in (outside, inside):
            shown += [f"{1000 * each.median:.2f} / {1000 * each.slowest:.2f}", f"{1000 * each.cpu:.2f}"]
        searches.add_row(name, *shown)
    console.print(searches)
