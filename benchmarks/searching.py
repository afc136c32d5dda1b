"""Searches by meaning, and how long they take.

``python -m benchmarks.searching DATA`` loads what a stopped platform left in its data directory, and prints
as JSON how long the same searches take inside a process, without HTTP and without writing out the found.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.daemon import DIALECTS
from diat.kernel.clock import system_clock
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.vol import search
from diat.vol.layer import VirtualObjectLayer

QUERIES = {
    "a room": "place=b0/f3/r4",
    "what measures Temperature on a floor": "quantity=Temperature&place=b0/f3&capability=read",
    "what heats in a building": "quantity=Temperature&place=b0&capability=increase",
    "a rare quantity": "quantity=Energy&limit=100",
    "a frequent quantity, first 100": "quantity=Temperature&limit=100",
    "a frequent quantity, whole page": "quantity=Temperature",
}
"""What is looked for: for a person, and as REST takes it."""
TURNS = 200
T = TypeVar("T")


class Times(Struct, frozen=True):
    """Things found; seconds that half and 99 % of the turns did not exceed; CPU seconds of a turn."""

    found: int
    median: float
    slowest: float
    cpu: float


def timed(
    ask: Callable[[], T], count: Callable[[T], int], cpu: Callable[[], float] = time.process_time
) -> Times:
    """Ask many times.

    Args:
        ask: gives an answer.
        count: how many things an answer holds; not timed.
        cpu: CPU seconds that whoever answers has taken.
    """
    answer, taken = ask(), []
    before = cpu()
    for _ in range(TURNS):
        begin = time.perf_counter()
        answer = ask()
        taken.append(time.perf_counter() - begin)
    spent = cpu() - before
    taken.sort()
    return Times(count(answer), taken[TURNS // 2], taken[TURNS * 99 // 100], spent / TURNS)


def main(data: str) -> None:
    """Load, search, print."""
    engine = open_database(Path(data) / "diat.db")
    ledger = Ledger()
    things = VirtualObjectLayer(ledger, DIALECTS, SqlStore(engine).kept(), system_clock, random_id)
    ledger.commit()
    gc.collect()
    gc.freeze()
    print(msgspec.json.encode({name: _search(things, query) for name, query in QUERIES.items()}).decode())


def _search(things: VirtualObjectLayer, query: str) -> Times:
    asked = dict(parse_qsl(query))
    limit = int(asked.pop("limit", 1000))
    wanted = msgspec.convert(asked, search.Query)
    registry = things.registry
    return timed(lambda: registry.some(sorted(search.ids(registry, wanted))[:limit]), len)


if __name__ == "__main__":
    main(sys.argv[1])
