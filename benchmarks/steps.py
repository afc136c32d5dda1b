"""What a run of each kind of step costs: ``python -m benchmarks.steps`` prints microseconds.

Each kind is run alone, on a story that keeps it busy: a value that changes at each run, a second apart, with
its memory handed on as in a composite. ``through JSON`` is what writing and reading that memory adds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from diat.cvol.steps import SHIPPED, Given, Sample, Site, Step, ground

NOON = 1_767_268_800_000
HERE = Site(latitude=52.52, longitude=13.405)
WASHING = {
    "off": [{"to": "on", "when": "power > 10"}],
    "on": [{"to": "done", "after": 180}, {"to": "off", "when": "power < 5"}],
    "done": [{"to": "off", "when": "power < 5"}],
}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("latest", "", {"role": "r"}),
    ("mean", "", {"role": "r"}),
    ("fuse", "median", {"role": "r", "by": "median"}),
    ("fuse", "weighted", {"role": "r", "by": "weighted"}),
    ("notice", "", {"role": "r"}),
    ("setting", "", {"property": "p"}),
    ("map", "value * 2 + 1", {"input": "x", "expr": "value * 2 + 1"}),
    ("filter", "value > 20 && value < 30", {"input": "x", "expr": "value > 20 && value < 30"}),
    ("window", "tumbling mean", {"role": "r", "kind": "tumbling", "size": 60, "aggregate": "mean"}),
    (
        "window",
        "hopping mean",
        {"role": "r", "kind": "hopping", "size": 60, "every": 10, "aggregate": "mean"},
    ),
    ("window", "sliding mean of 60", {"role": "r", "kind": "sliding", "size": 60, "aggregate": "mean"}),
    ("window", "sliding mean of 1000", {"role": "r", "kind": "sliding", "size": 1000, "aggregate": "mean"}),
    ("window", "session mean", {"role": "r", "kind": "session", "gap": 5, "aggregate": "mean"}),
    ("window", "state mean", {"role": "r", "kind": "state", "while": "x", "aggregate": "mean"}),
    ("window", "count mean", {"role": "r", "kind": "count", "size": 60, "aggregate": "mean"}),
    ("window", "tumbling median", {"role": "r", "kind": "tumbling", "size": 60, "aggregate": "median"}),
    (
        "window",
        "tumbling time-weighted-mean",
        {"role": "r", "kind": "tumbling", "size": 60, "aggregate": "time-weighted-mean"},
    ),
    ("join", "", {"inputs": {"a": "x", "b": "y"}, "within": 60}),
    ("sequence", "", {"first": "x", "then": "y", "within": 60}),
    ("absence", "", {"after": "x", "of": "y", "within": 60}),
    ("machine", "3 states", {"inputs": {"power": "x"}, "initial": "off", "states": WASHING}),
    ("track", "3 observers, 4 cars", {"role": "seen"}),
    ("neighbours", "4 cars", {"input": "map"}),
    ("schedule", "cron", {"cron": "0 7 * * 1-5", "for": 3600}),
    ("schedule", "from to", {"from": "22:00", "to": "06:00"}),
    ("sun", "sunset", {"event": "sunset"}),
    ("every", "", {"seconds": 10}),
    ("hysteresis", "", {"input": "x", "on": "below", "low": 20, "high": 24}),
    ("dwell", "", {"input": "x", "min_on": 5}),
    ("debounce", "", {"input": "x", "seconds": 5}),
    ("hold", "", {"input": "x", "seconds": 5}),
    ("lasting", "", {"input": "x", "seconds": 5}),
    ("rate-limit", "", {"input": "x", "seconds": 5}),
    ("deadband", "", {"input": "x", "width": 2}),
    ("drive", "", {"role": "r", "input": "x"}),
    ("shed", "", {"role": "r", "input": "x", "limit": 20, "step": 5}),
    ("webhook", "", {"input": "x", "url": "https://example.com"}),
]


def measure(step: Step, runs: int) -> tuple[float, float]:
    """Microseconds of a run, and what its memory adds when it goes through JSON; the best of three rounds."""
    story = list(_crossing(runs) if isinstance(step, ground.Track | ground.Neighbours) else _story(runs))
    rounds = [_round(step, story) for _ in range(3)]
    return min(spent for spent, _ in rounds), min(kept for _, kept in rounds)


def _round(step: Step, story: list[Given]) -> tuple[float, float]:
    state: Any = None
    spent, kept = 0.0, 0.0
    for each in story:
        given = msgspec.structs.replace(each, state=state)
        begin = time.perf_counter()
        state = step.run(given).state
        middle = time.perf_counter()
        state = msgspec.json.decode(msgspec.json.encode(state))
        spent, kept = spent + middle - begin, kept + time.perf_counter() - middle
    return spent / len(story) * 1e6, kept / len(story) * 1e6


def _story(runs: int) -> Iterator[Given]:
    """A level that goes up and down by a degree a second, in three places."""
    for turn in range(runs):
        now = NOON + turn * 1000
        level = 15.0 + abs(turn % 40 - 20)
        samples = [Sample(level + n, observed=now, position=turn, accuracy=0.5) for n in range(3)]
        high = level > 25
        yield Given(
            samples=samples,
            arrived=samples[:1],
            value=level,
            values=dict.fromkeys(("a", "b", "first", "after", "while"), high)
            | {"then": not high, "of": not high, "power": level - 15},
            now=now,
            observed=now,
            fresh=frozenset({"input", "a", "b", "first", "then", "after", "of", "while", "power"}),
            bound={"r": ["t1 on", "t2 on"]},
            own={"p": True},
            site=HERE,
        )


def _crossing(runs: int) -> Iterator[Given]:
    """Four cars on a crossing that three observers see in turn, five times a second each."""
    for turn in range(runs):
        now = NOON + turn * 67
        there = [
            {"id": n, "x": (turn * 0.67 + 15 * n) % 60 - 30, "y": 6.0 * n, "within": 0.5, "colour": "a02020"}
            for n in range(4)
        ]
        seen = Sample(there, observed=now, position=turn, thing=f"camera{turn % 3}")
        yield Given(samples=[seen], arrived=[seen], value=there, now=now, observed=now)


def print_steps(console: Console, runs: int = 2000) -> None:
    """Measure all kinds and print a table."""
    table = Table("step", "", "µs a run", "µs through JSON", title="Steps, one at a time")
    for word, how, fields in CASES:
        spent, kept = measure(SHIPPED[word].model_validate({"id": "s", **fields}), runs)
        table.add_row(word, how, f"{spent:.1f}", f"{kept:.1f}")
    console.print(table)


if __name__ == "__main__":
    print_steps(Console(highlight=False, soft_wrap=True))
