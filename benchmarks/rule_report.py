"""What a rule costs, as tables."""

from __future__ import annotations

import statistics

from rich.console import Console

from benchmarks import node_red
from benchmarks.report import table
from benchmarks.rule_alone import Alone
from benchmarks.rule_turns import Plan
from benchmarks.rules import Rules


def print_rules(console: Console, rules: Rules, plan: Plan) -> None:
    """Both sides: CPU time, pace and delays."""
    sides = [("platform", rules.platform)]
    if rules.red is not None:
        sides.append((f"Node-RED {node_red.version()}", rules.red))
    costs = table("Rule, CPU us a reading", "", "plain", "with rule", "rule alone", "at rate", "readings/s")
    delays = table("Rule, ms to the command", "", "p50", "p99", "commands", "overtaken")
    for name, side in sides:
        figures = (statistics.median(side.plain), side.cost, side.rule, statistics.median(side.paced))
        pace = f"{statistics.median(side.pace):,.0f}"
        costs.add_row(name, *(f"{1e6 * figure:.0f}" for figure in figures), pace)
        known = bool(side.delays.seconds)
        shares = (f"{1000 * side.delays.quantile(share):.1f}" if known else "-" for share in (0.5, 0.99))
        delays.add_row(name, *shares, str(side.commands), str(side.delays.skipped))
    console.print(costs)
    console.print(delays)
    console.print(
        f"\nAt rate and ms: {plan.rate} readings/s, of which every tenth leads to a command; the others:\n"
        "at full speed, every fiftieth does. CPU of the process itself, without its broker. Rule alone:\n"
        "what a reading costs more than one that is only taken. All commands were right on both sides.\n"
        "The platform stores each reading and decision before it acknowledges or sends; Node-RED keeps\n"
        "nothing. Overtaken: set-points that gave way to a newer one before they were sent."
    )


def print_alone(console: Console, alone: Alone) -> None:
    """The same rule in this process."""
    shown = table("Rule in process, no broker, no database", "", "CPU us a reading")
    shown.add_row("layers, reading only taken", f"{1e6 * alone.plain:.1f}")
    shown.add_row("layers, reading through the rule", f"{1e6 * alone.ruled:.1f}")
    for kind, seconds in alone.steps.items():
        shown.add_row(f"its five steps alone, window {kind}", f"{1e6 * seconds:.1f}")
    console.print(shown)
