"""What policies cost where readings come in: the layers in this process, with a hundred policies and without.

Both worlds are fed the same readings by turns, a portion each; what is told is the median of the ratios of
those pairs, in CPU time. There is neither broker nor database in it, so beside all of an ingest it is less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from rich.console import Console

from benchmarks.report import table
from benchmarks.rule_alone import World
from benchmarks.rule_feed import sensor
from diat.security.cedar import Compiled, statements
from diat.security.decisions import Decisions
from diat.security.policy import read_document

POLICIES = 100
PAIRS = 40
PORTION = 400
"""Readings of one turn."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Ratios of the pairs, with policies to without.

    Attributes:
        plain: of readings that no service reads.
        ruled: of readings that a service decides on.
        formed: of those, rounded by a policy before the service sees them.
    """

    plain: list[float]
    ruled: list[float]
    formed: list[float]

    @property
    def summary(self) -> str:
        """The line that is watched over time."""
        return (
            f"policies: {_percent(self.plain)} on ingest, {_percent(self.ruled)} with a rule, "
            f"{_percent(self.formed)} with a rule that reads another form"
        )


def measure_policies(template: str, pairs: int = PAIRS, portion: int = PORTION) -> Cost:
    """Measure it by turns."""
    bare, governed, formed = (World(template, decider) for decider in (None, _decisions(), _decisions(0.01)))
    plain, ruled = sensor(1, ruled=False), sensor(0, ruled=True)
    turns: dict[str, list[float]] = {"plain": [], "ruled": [], "formed": []}
    sides = (("plain", governed, plain), ("ruled", governed, ruled), ("formed", formed, ruled))
    for _ in range(pairs):
        for name, other, fed in sides:
            without = _seconds(bare, fed, portion)
            turns[name].append(_seconds(other, fed, portion) / without)
    return Cost(**turns)


def print_policies(console: Console, cost: Cost) -> None:
    """The ratios, as a table."""
    shown = table(f"{POLICIES} policies, CPU beside none", "", "median", "first quarter", "last quarter")
    for name, ratios in (
        ("a reading that no service reads", cost.plain),
        ("a reading with a rule", cost.ruled),
        ("the same, rounded by a policy", cost.formed),
    ):
        low, middle, high = statistics.quantiles(ratios, n=4)
        shown.add_row(name, *(f"{ratio:.3f}" for ratio in (middle, low, high)))
    console.print(shown)


def _seconds(layers: World, name: str, count: int) -> float:
    begin = time.process_time()
    layers.feed(name, count)
    return time.process_time() - begin


def _decisions(step: float | None = None) -> Decisions:
    """Decisions by many policies that permit what the service does; one gives readings another form."""
    documents: dict[str, dict[str, Any]] = {
        f"p{n}": {
            "effect": "deny",
            "who": {"users": [f"user-{n}"]},
            "what": {"places": [f"bench/closed-{n}"]},
            "when": {"from": "22:00", "to": "06:00"},
        }
        for n in range(POLICIES - 1)
    }
    if step is not None:
        documents["form"] = {
            "effect": "modify",
            "what": {"quantities": ["Temperature"]},
            "operations": ["observe"],
            "modify": {"round": step},
        }
    decisions = Decisions(UTC)
    decisions.rest_on(Compiled(_all(documents)))
    return decisions


def _all(documents: dict[str, dict[str, Any]]) -> Iterable[Any]:
    return (each for name, said in documents.items() for each in statements(name, read_document(said)))


def _percent(ratios: list[float]) -> str:
    return f"{statistics.median(ratios) - 1:+.1%}"
