"""``python -m benchmarks``: measure, print tables, and end with the line that is watched over time."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import (
    brokers,
    churn_report,
    latency,
    load,
    policy_cost,
    population,
    report,
    rule_alone,
    rule_report,
    rule_turns,
    rules,
    scale,
    scale_report,
    things,
)
from benchmarks.ingest import measure_ingest
from benchmarks.processes import BenchmarkFailed
from benchmarks.sink import load_alone
from diat.kernel.errors import DiatError

EXAMPLES = """\
examples:
  python -m benchmarks                      all of it, two to three minutes
  python -m benchmarks --quick              does it run? (the figures mean little)
  python -m benchmarks --rounds 7           more pairs of runs, for a machine with others on it
  python -m benchmarks --broker mosquitto   on mosquitto instead of the embedded broker
  python -m benchmarks rules                what a rule costs, beside Node-RED
  python -m benchmarks things --help        many things: admission, memory, search, start-up
  python -m benchmarks churn --help         things come, go and move: how fast services re-bind
  make bench ARGS="--rounds 7"              the same by make
"""


def main() -> int:
    """Run it; the exit code."""
    options = _options()
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="diat-bench-", dir=options.data) as directory:
        try:
            options.measure(options, Path(directory).resolve(), console)
        except (BenchmarkFailed, DiatError, OSError) as failure:
            console.print(f"benchmark failed: {failure}", markup=False)
            return 1
        except KeyboardInterrupt:
            console.print("interrupted")
            return 130
    return 0


def _progress(console: Console) -> Callable[[str], None]:
    begin = time.monotonic()
    return lambda text: console.print(f"{time.monotonic() - begin:5.0f} s  {text}", markup=False)


def _measure_things(options: argparse.Namespace, directory: Path, console: Console) -> None:
    say = _progress(console)
    say(report.machine(options.broker))
    empty = scale.measure_empty_start(options.broker, directory / "empty")
    say(f"started with nothing known in {empty.seconds:.1f} s")
    scales = {
        count: scale.measure_scale(options.broker, directory / str(count), count, say)
        for count in sorted({scale.FEW, *options.sizes})
    }
    measured = [scales[count] for count in options.sizes]
    scale_report.print_scales(console, measured, empty, scales[scale.FEW])
    console.print(scale_report.summary(measured, empty))


def _measure_rules(options: argparse.Namespace, directory: Path, console: Console) -> None:
    say = _progress(console)
    say(report.machine(options.broker))
    console.print(_rules(options, directory, console, rule_turns.Plan(), say))


def _rules(
    options: argparse.Namespace,
    directory: Path,
    console: Console,
    plan: rule_turns.Plan,
    say: Callable[[str], None],
) -> str:
    """Measure what a rule costs and print the tables; the line that is watched over time."""
    measured = rules.measure_rules(options.broker, directory, plan, say)
    rule_report.print_rules(console, measured, plan)
    alone = rule_alone.measure_alone(rules.TEMPLATE, 5 * plan.each)
    rule_report.print_alone(console, alone)
    governed = policy_cost.measure_policies(rules.TEMPLATE, *((2, 50) if plan.each < 500 else ()))
    policy_cost.print_policies(console, governed)
    return f"{measured.summary}\n{governed.summary}"


def _measure_churn(options: argparse.Namespace, directory: Path, console: Console) -> None:
    say = _progress(console)
    say(report.machine(options.broker))
    plan = churn_report.Plan(options.rounds, options.events, options.seed)
    runs = [
        churn_report.measure_churn(options.broker, directory / str(things), (things, services), plan, say)
        for things, services in options.sizes
    ]
    churn_report.print_churn(console, runs)


def _measure(options: argparse.Namespace, directory: Path, console: Console) -> None:
    say = _progress(console)
    count, each, rounds = options.things, options.messages // options.things, options.rounds
    plan = latency.Plan(pairs=50, rate=options.rate, warm_up=2, seconds=options.seconds / 2, rounds=2)
    ruling = rule_turns.Plan()
    if options.quick:
        ruling = rule_turns.Plan(each=100, rate=200, seconds=1, rounds=1, may_install=False)
        count, each, rounds = 100, 50, 1
        plan = latency.Plan(pairs=20, rate=200, warm_up=0.5, seconds=1, rounds=1)
    say(report.machine(options.broker))
    say(f"load generator against a sink: {load_alone(directory, count, each):,.0f} messages/s")
    ingest = measure_ingest(options.broker, directory, rounds, count, each, say)
    delays = latency.measure_latency(options.broker, directory, plan, say)
    report.print_ingest(console, ingest)
    report.print_latency(console, delays, plan.rate)
    report.explain(console)
    cost = _rules(options, directory, console, ruling, say)
    console.print(cost)
    console.print(f"ingest ratio to limit: {ingest.ratio:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Throughput and latency of the platform beside its bare building blocks, in one run.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(measure=_measure)
    _broker_and_disk(parser)
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    parser.add_argument("--rounds", type=_positive, default=3, help="pairs of ingest runs  [default: 3]")
    parser.add_argument(
        "--messages", type=_positive, default=100_000, help="messages of an ingest run  [default: 100000]"
    )
    parser.add_argument(
        "--things", type=_positive, default=1000, help="things they come from  [default: 1000]"
    )
    parser.add_argument(
        "--rate", type=_positive, default=500, help="readings a second for the latency  [default: 500]"
    )
    parser.add_argument(
        "--seconds", type=_positive, default=10, help="seconds that the latency is measured  [default: 10]"
    )
    others = parser.add_subparsers(metavar="[things | churn | rules]")
    ruled = others.add_parser("rules", help="what a rule costs, beside Node-RED")
    ruled.set_defaults(measure=_measure_rules)
    _broker_and_disk(ruled)
    churn = others.add_parser("churn", help="things come, go and move: how fast services re-bind")
    churn.set_defaults(measure=_measure_churn)
    _broker_and_disk(churn)
    churn.add_argument(
        "--sizes",
        type=_towns,
        default=_towns("1000/200,10000/1000"),
        help="things/services  [default: 1000/200,10000/1000]",
    )
    churn.add_argument("--rounds", type=_positive, default=30, help="quiet moments  [default: 30]")
    churn.add_argument("--events", type=_positive, default=10, help="between two of them  [default: 10]")
    churn.add_argument("--seed", type=int, default=1, help="of what happens  [default: 1]")
    many = others.add_parser(
        "things", help="what many things cost: admission, memory, search, start-up, readings"
    )
    many.set_defaults(measure=_measure_things)
    _broker_and_disk(many)
    many.add_argument(
        "--sizes", type=_sizes, default=_sizes("1000,10000,50000"), help="  [default: 1000,10000,50000]"
    )
    options = parser.parse_args()
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data {options.data}: there is no such directory")
    if options.messages < options.things:
        parser.error("--messages must be at least --things")
    if not load.CONNECTIONS <= options.things <= things.MOST:
        parser.error(f"--things must be from {load.CONNECTIONS} (one for each connection) to {things.MOST}")
    return options


def _broker_and_disk(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--broker", choices=brokers.KINDS, default="embedded", help="broker it runs on  [default: embedded]"
    )
    parser.add_argument(
        "--data", type=Path, help="directory on the disk to measure  [default: that for temporary files]"
    )


def _sizes(text: str) -> list[int]:
    sizes = sorted({_positive(each) for each in text.split(",")})
    if not scale.FEW <= sizes[0] <= sizes[-1] <= population.MOST:
        raise argparse.ArgumentTypeError(f"numbers of things are from {scale.FEW} to {population.MOST}")
    return sizes


def _towns(text: str) -> list[tuple[int, int]]:
    towns = []
    for each in text.split(","):
        things, _, services = each.partition("/")
        towns.append((_positive(things), _positive(services)))
        if not (towns[-1][0] >= 100 and towns[-1][1] >= 10):
            raise argparse.ArgumentTypeError("at least 100 things and 10 services are wanted")
    return towns


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
