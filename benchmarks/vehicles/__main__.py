"""``python -m benchmarks.vehicles``: the six cases of who computes what; 1 if what must hold does not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.vehicles import cases
from diat.kernel.errors import DiatError

EXAMPLE = """example:
  python -m benchmarks.vehicles --seconds 40 --seed 9 --plots docs/plots/vehicles
"""


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.vehicles", description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=3, help="of the scene (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of the scene (default %(default)s)")
    parser.add_argument("--events", type=int, default=5, help="who comes by (default %(default)s)")
    parser.add_argument("--width", type=int, default=480, help="of the pictures (default %(default)s)")
    parser.add_argument("--plots", type=Path, help="directory to write four SVG files to")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        return cases.run(console, options.seed, options.seconds, options.events, options.width, options.plots)
    except (DiatError, OSError) as failure:
        console.print(f"benchmark failed: {failure}", markup=False)
        return 1


if __name__ == "__main__":
    sys.exit(main())
