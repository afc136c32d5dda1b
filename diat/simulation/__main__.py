"""``python -m diat.simulation ROOM --broker mqtt://…``: one room of the house."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from diat.kernel.errors import DiatError
from diat.simulation.link import Address
from diat.simulation.process import Ending, live
from diat.simulation.rooms import ROOMS, Setting


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one room until it is told to end; answers with the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m diat.simulation",
        description="One room of the simulated house, with its things.",
        epilog="example: python -m diat.simulation living --broker mqtt://127.0.0.1:1883",
    )
    parser.add_argument("room", choices=sorted(ROOMS))
    parser.add_argument("--broker", default="mqtt://127.0.0.1:1883", help="mqtt://host[:port]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same noise")
    parser.add_argument("--factor", type=float, default=60.0, help="simulated seconds in a second")
    parser.add_argument("--memory", type=Path, help="folder where native things remember their commands")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        address = Address.parse(given.broker)
    except DiatError as error:
        print(f"diat.simulation: {error}", file=sys.stderr)
        return 2
    if given.memory is not None:
        given.memory.mkdir(parents=True, exist_ok=True)
    ending = Ending()
    ending.on_signals()
    if given.with_parent:
        ending.with_parent()
    # Seeded on purpose: a run can be repeated. The room's name keeps rooms from sharing their noise.
    random = Random(f"{given.seed}/{given.room}")
    scene = ROOMS[given.room](Setting(address=address, random=random, memory=given.memory))
    live(scene, ending, factor=given.factor)
    return 0


if __name__ == "__main__":
    sys.exit(main())
