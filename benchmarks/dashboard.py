"""``python -m benchmarks.dashboard``: what it costs to be looked at, and how soon pages are there.

A fresh ``diat up`` with many things, of which meters speak at a steady rate. Turns without anybody looking
and turns with one real browser and plain clients take each other's place; what counts is the ratio of the
platform's CPU time for a message.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from benchmarks import mqtt, report, things
from benchmarks.population import meters, population
from benchmarks.processes import ROOT, BenchmarkFailed, cpu_seconds, resident
from benchmarks.subjects import Platform
from diat.wire import topics

PAGES = ("/", "/things", "/thing", "/places", "/services", "/service-new", "/tiers", "/start")
_SETTLE = 4.0
"""Seconds after clients came or went in which nothing is measured."""
_TOOK = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  return [page.responseStart, performance.getEntriesByName("first-contentful-paint")[0].startTime,
    performance.getEntriesByName("whole")[0]?.startTime ?? page.domContentLoadedEventEnd];
}"""
_SLICES = 50
"""Portions in a second in which readings are sent."""


class Turn(NamedTuple):
    """CPU seconds of the platform, and the messages that it took for them."""

    cpu: float
    messages: float

    @property
    def cost(self) -> float:
        """Microseconds a message."""
        return self.cpu / self.messages * 1e6


class Painted(NamedTuple):
    """How soon a page is there, seconds: its first byte, its first contentful paint, all of it at work."""

    byte: float
    first: float
    whole: float


def main() -> int:
    """Run it; the exit code."""
    options = _options()
    console = Console(highlight=False, soft_wrap=True)
    begin = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - begin:5.0f} s  {text}", markup=False)

    say(report.machine("embedded"))
    with tempfile.TemporaryDirectory(prefix="diat-bench-") as directory:
        try:
            _measure(options, Path(directory), say)
        except (BenchmarkFailed, OSError) as failure:
            console.print(f"benchmark failed: {failure}", markup=False)
            return 1
    return 0


def _measure(options: argparse.Namespace, data: Path, say: Callable[[str], None]) -> None:
    with Platform("embedded", data) as platform, sync_playwright() as playwright:
        _people(platform, options.things, say)
        process, _ = platform.pids
        unseen = resident(process)
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        with _speaking(platform, meters(options.things), options.rate):
            url = str(platform.client().base_url).rstrip("/")
            thing = platform.client().get("/overview/things", params={"limit": 1}).json()[0]["id"]
            # What a page of a few lines takes here says how much of it is the machine's.
            plain = _painted(browser, url, "/login")
            say(f"first paint of a page of a few lines: {plain.first * 1000:.0f} ms")
            paints = {
                path: _painted(browser, url, f"/ui{path}{f'?id={thing}' if path == '/thing' else ''}")
                for path in PAGES
            }
            seen = resident(process)
            for path, took in paints.items():
                byte, first, whole = (f"{seconds * 1000:5.0f} ms" for seconds in took)
                say(f"{path:13} first byte {byte}, first paint {first}, at work {whole}")
            turns: dict[bool, list[Turn]] = {False: [], True: []}
            for _ in range(options.rounds):
                turns[False].append(_turn(platform, process, options.seconds))
                with _watched(browser, url, options.clients, data):
                    turns[True].append(_turn(platform, process, options.seconds))
                alone, looked = turns[False][-1].cost, turns[True][-1].cost
                say(f"{alone:.0f} us a message alone, {looked:.0f} us with {options.clients + 1} looking")
        browser.close()
    totals = [
        Turn(sum(each.cpu for each in turns[looked]), sum(each.messages for each in turns[looked]))
        for looked in (False, True)
    ]
    slowest = max(each.first for each in paints.values())
    say(f"memory: {unseen / 1024:.0f} MiB before anybody looked, {seen / 1024:.0f} MiB after")
    print(
        f"dashboard: {totals[0].cost:.0f} us a message alone, {totals[1].cost:.0f} us watched, ratio "
        f"{totals[1].cost / totals[0].cost:.2f}; slowest first paint {slowest:.2f} s"
    )


def _people(platform: Platform, count: int, say: Callable[[str], None]) -> None:
    """Announce the things, and wait until all are there."""
    announced, states = population(count)
    ids = itertools.cycle(range(1, 65536))
    with mqtt.Connection(platform.address, "bench-announce") as link:
        link.publish_all([mqtt.publish(*said, next(ids), retain=True) for said in announced])
        link.publish_all([mqtt.publish(*said, next(ids)) for said in states])
    patience = 120 + count / 50
    platform.wait(
        lambda: platform.readings() >= count, "did not admit all things", pause=0.5, patience=patience
    )
    say(f"{count:,} things are there")


@contextmanager
def _speaking(platform: Platform, count: int, rate: int) -> Iterator[None]:
    """Readings of the meters at a steady rate, as long as it lasts."""
    stop = threading.Event()
    failed: list[Exception] = []

    def speak() -> None:
        boot, ids = int(time.time()), itertools.cycle(range(1, 65536))
        said = itertools.count()
        portion = rate // _SLICES
        try:
            with mqtt.Connection(platform.address, "bench-steady") as link:
                due = time.monotonic()
                while not stop.is_set():
                    packets = []
                    for _ in range(portion):
                        n, number = divmod(next(said), count)
                        payload = things.meter_reading(number, n + 1, boot, int(time.time() * 1000))
                        topic = topics.properties(things.meter_name(number))
                        packets.append(mqtt.publish(topic, payload, next(ids)))
                    link.publish_all(packets)
                    due += 1 / _SLICES
                    stop.wait(max(0.0, due - time.monotonic()))
        except OSError as error:
            failed.append(error)

    speaker = threading.Thread(target=speak, name="bench-steady")
    speaker.start()
    try:
        yield
    finally:
        stop.set()
        speaker.join()
    if failed:
        raise BenchmarkFailed(f"the readings stopped: {failed[0]}")


def _turn(platform: Platform, process: int, seconds: float) -> Turn:
    time.sleep(_SETTLE)
    messages, cpu = platform.messages(), cpu_seconds(process)
    time.sleep(seconds)
    return Turn(cpu_seconds(process) - cpu, platform.messages() - messages)


def _painted(browser: Browser, url: str, path: str) -> Painted:
    """How soon a page is there, the medians of three times; the browser knows the page's parts already."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    found: list[list[float]] = []
    for _ in range(4):
        page: Page = context.new_page()
        page.goto(f"{url}{path}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        took: list[float] = page.evaluate(_TOOK)
        found.append(took)
        page.close()
    context.close()
    return Painted(*(statistics.median(each) / 1000 for each in zip(*found[1:], strict=True)))


@contextmanager
def _watched(browser: Browser, url: str, clients: int, data: Path) -> Iterator[None]:
    """One real browser on the list of things, and plain clients on all pages."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/ui/things")
    page.get_by_role("heading", level=1).wait_for()
    with (data / "watchers.log").open("wb") as log:
        crowd = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.watchers", url, str(clients)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert crowd.stdout is not None
        assert crowd.stdin is not None
        if crowd.stdout.readline() != b"ready\n":
            raise BenchmarkFailed(f"the clients did not come:\n{(data / 'watchers.log').read_text()[-2000:]}")
        yield
        if crowd.poll() is not None:
            raise BenchmarkFailed("the clients went away")
    finally:
        crowd.terminate()
        crowd.communicate()
        page.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard",
        description="What it costs the platform to be looked at, and how soon pages are there.",
        epilog='example: make bench-dashboard ARGS="--things 1000 --seconds 5"',
    )
    parser.add_argument("--things", type=int, default=10_000, help="things  [default: 10000]")
    parser.add_argument("--rate", type=int, default=1000, help="readings a second  [default: 1000]")
    parser.add_argument("--clients", type=int, default=19, help="besides the browser  [default: 19]")
    parser.add_argument("--seconds", type=float, default=20, help="of each turn  [default: 20]")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of turns  [default: 3]")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="program  [default: found]")
    options = parser.parse_args()
    if options.chromium is None:
        parser.error("chromium is not installed (Debian: apt install chromium)")
    return options


if __name__ == "__main__":
    sys.exit(main())
