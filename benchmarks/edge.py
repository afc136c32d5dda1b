"""What goes over a gateway's uplink: with everything in the core, with placement, pushed down into things.

Three platforms side by side, each with a gateway beside the demo house and one beside generated things; real
processes all of them. The same readings come to all three, second by second, and the services have to answer
the same.
"""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import edge_gateway, edge_house, edge_things
from benchmarks.edge_system import HOUSES, MODES, System
from benchmarks.processes import BenchmarkFailed

SETTLES = 180.0
"""Seconds within which services have to be where they had better be."""
STANDS = 25.0
"""Seconds for which nothing has to have moved then."""
KNOWN = 100.0
"""Seconds after which the platform knows enough of its services to move them."""


class Run(msgspec.Struct):
    """What one mode came to at one house.

    Attributes:
        up: bytes in an hour over the line upward, as measured, with all that is of no service.
        services: of the services alone.
        predicted: of the services, as the platform said.
        above: of the services, had everything been in the core and things said everything.
        things: bytes in an hour that the things sent to the gateway; those that speak natively.
        answers: what to what was said and done, in order.
        moved: how many services had steps at the gateway, of how many.
    """

    mode: str
    house: str
    up: float
    services: float
    predicted: float
    above: float
    things: float
    answers: dict[str, list[Any]]
    moved: tuple[int, int]


def measure(rooms: int, seconds: int, said: Callable[[str], None] = print) -> list[Run]:
    """Run the same in all modes at once; each generated room has five things and two services.

    Raises:
        BenchmarkFailed: something did not come, or services answered differently.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diat-edge-")))
        systems = []
        for mode in MODES:
            (directory / mode).mkdir()
            systems.append(stack.enter_context(System(directory / mode, mode, rooms)))
        with ThreadPoolExecutor(len(systems)) as pool:
            list(pool.map(System.furnish, systems))
            talk = _Talk(systems, rooms)
            stack.callback(talk.end)
            talk.begin()
            list(pool.map(System.serve, systems))
        _settle(systems, said)
        runs = _measured(systems, talk, rooms, seconds)
    for each in runs:
        whole = next(run for run in runs if run.house == each.house)
        for what, answers in whole.answers.items():
            if not _alike(each.answers.get(what, []), answers):
                line = f"{what} in mode {each.mode}: {each.answers.get(what)!r} instead of {answers!r}"
                raise BenchmarkFailed(line[:700])
    return runs


def report(runs: list[Run], said: Callable[[str], None] = print) -> None:
    """Print the figures of runs, side by side."""
    for house in HOUSES:
        here = [each for each in runs if each.house == house]
        said(f"\n{house:12}{'uplink':>11}{'services':>11}{'predicted':>11}{'in core':>11}{'things':>11}")
        for each in here:
            moved, count = each.moved
            said(
                f"{each.mode:12}{each.up:11,.0f}{each.services:11,.0f}{each.predicted:11,.0f}"
                f"{each.above:11,.0f}{each.things:11,.0f}   {moved} of {count} services at the gateway"
            )
        count = sum(len(found) for found in here[0].answers.values())
        said(f"bytes an hour; the services answered the same in all of them: {count} answers each")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; the exit code."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.edge",
        description=__doc__,
        epilog="Example: make bench-edge ARGS='--rooms 5'",
    )
    parser.add_argument("--rooms", type=int, default=20, help="of five generated things each")
    parser.add_argument("--seconds", type=int, default=60, help="that is measured for")
    parser.add_argument("--things", type=int, default=1000, help="beside a gateway alone; 0: not measured")
    given = parser.parse_args(arguments)
    try:
        report(measure(given.rooms, given.seconds))
        if given.things:
            edge_gateway.measure(given.things, 1000.0, 20.0, "asked")
    except BenchmarkFailed as failure:
        print(f"benchmark failed: {failure}")
        return 1
    return 0


class _Talk:
    """Has all things say something each second, by the same formulas for all systems.

    Attributes:
        origin: when the formulas begin, Unix seconds.
    """

    def __init__(self, systems: list[System], rooms: int) -> None:
        self._systems, self._rooms = systems, rooms
        self.origin = math.ceil(time.time() / 10) * 10
        self._last = math.inf
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name=name)
            for name, each in (("rooms", self._say_rooms), ("demo", self._say_demo))
        ]

    def begin(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._over.set()
        for each in self._threads:
            each.join()

    def stand_still(self, moment: int) -> None:
        """From a time on things say the same again and again: so nothing is on its way after a while."""
        self._last = moment

    def _run(self, say: Callable[[float, float], None]) -> None:
        moment = self.origin
        while not self._over.wait(max(0.0, moment - time.time())):
            say(min(moment, self._last) - self.origin, moment)
            moment += 1

    def _say_rooms(self, at: float, moment: float) -> None:
        edge_things.speak([each.rooms for each in self._systems], self._rooms, at, moment)

    def _say_demo(self, at: float, moment: float) -> None:
        edge_house.speak([each.demo for each in self._systems], at, moment)


def _settle(systems: list[System], said: Callable[[str], None]) -> None:
    """Wait until services are where they had better be.

    Raises:
        BenchmarkFailed: they do not come to rest.
    """
    begun = stood = time.time()
    before: list[Any] = []
    while time.time() < begun + SETTLES:
        time.sleep(3.0)
        now = [each.where() for each in systems]
        if now != before:
            before, stood = now, time.time()
        missing = [title for each in systems for title in each.waiting()]
        if time.time() > begun + KNOWN and time.time() > stood + STANDS and not missing:
            said(f"services came to rest after {stood - begun:.0f} s")
            return
    raise BenchmarkFailed(f"services did not come to rest in {SETTLES:.0f} s; not running: {missing}")


def _measured(systems: list[System], talk: _Talk, rooms: int, seconds: int) -> list[Run]:
    base = math.ceil((time.time() + 3) / 10) * 10
    talk.stand_still(base + seconds)
    _wait_for(base)
    sent = [(each.demo.bytes, each.rooms.bytes, time.time()) for each in systems]
    _wait_for(base + seconds)
    links = [each.gateways() for each in systems]
    _wait_for(base + seconds + 6)
    found = []
    for system, (demo, generated, since), shown in zip(systems, sent, links, strict=True):
        hours = (time.time() - since) / 3600
        went = {
            "demo": (system.demo.bytes - demo) / hours,
            "rooms": (system.rooms.bytes - generated) / hours,
        }
        for house in HOUSES:
            link = shown[house]["link"]
            answers = _of_rooms if house == "rooms" else _of_demo
            found.append(
                Run(
                    mode=system.mode,
                    house=house,
                    up=link["up"]["bytes_per_hour"],
                    services=link["services_bytes_per_hour"],
                    predicted=link["predicted_bytes_per_hour"],
                    above=link["everything_above_bytes_per_hour"],
                    things=went[house],
                    answers=answers(system, base, (rooms, base - talk.origin, seconds)),
                    moved=(sum(1 for each in link["services"] if each["steps_here"]), len(link["services"])),
                )
            )
    return found


def _of_rooms(system: System, base: int, what: tuple[int, int, int]) -> dict[str, list[Any]]:
    rooms, first, seconds = what
    # A command of the second before may come only now.
    answers = system.rooms.told_from(base)
    for room in range(rooms):
        said = system.history(f"bench-means {room}", "mean", base)
        wanted = edge_things.means(room, first, seconds)
        rows = [said[at : at + len(wanted)] for at in range(len(said))]
        answers[f"means {room}"] = wanted if wanted in rows else said
    return answers


def _of_demo(system: System, base: int, what: tuple[int, int, int]) -> dict[str, list[Any]]:
    return {
        **{f"heater of {room}": on for room, on in system.demo.switched_from(base).items()},
        "mean of home": system.history("mean of home", "mean", base),
        "bedroom too warm": system.history("bedroom too warm", "holds", base),
    }


def _alike(some: list[Any], others: list[Any]) -> bool:
    """Whether the same was said; at the beginning of the time one may have been a second sooner."""
    count = min(len(some), len(others))
    return abs(len(some) - len(others)) <= 1 and some[len(some) - count :] == others[len(others) - count :]


def _wait_for(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


if __name__ == "__main__":
    raise SystemExit(main())
