"""``diat demo``: the platform, a small living house, two services, and a look at what happens."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console
from rich.live import Live

from diat.cli.demo_platform import Platform, free_port
from diat.cli.demo_rest import Rest, Snapshot
from diat.cli.demo_story import MEAN, WARM, Story
from diat.cli.demo_view import render
from diat.kernel.errors import DiatError
from diat.simulation.house import House
from diat.simulation.rooms import UNPLACED

_READY_WITHIN = 60.0
_FRAME = 0.5
"""Seconds between two looks at the platform."""

_SERVICES = (
    (
        WARM,
        "keep-within",
        {"quantity": "Temperature", "place": "home/living", "low": 20, "high": 22, "unit": "Cel"},
    ),
    (MEAN, "mean-of-place", {"quantity": "Temperature", "place": "home", "unit": "Cel"}),
)


def run_demo(
    *, http_port: int | None, mqtt_port: int | None, data: Path | None, duration: float | None, plain: bool
) -> int:
    """Run the demo until Ctrl-C, SIGTERM or ``duration``; nothing that it started outlives it.

    Args:
        http_port: port of the API; None takes 8000 or another free one.
        mqtt_port: port of the broker; None takes 1883 or another free one.
        data: folder of the platform's data; None takes one that is deleted at the end.
        duration: seconds after which it ends by itself, counted from when the platform is ready.
        plain: print lines instead of the live table, as it also does when the output is no terminal.

    Returns:
        The exit code: 1 if the platform failed, or if ``duration`` passed and not everything happened.
    """
    console = Console(highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        stop = stack.enter_context(_interruption())
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diat-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        platform = Platform(http=http_port or free_port(8000), mqtt=mqtt_port or free_port(1883), data=folder)
        demo = Demo(console, platform, stop, live=console.is_terminal and not plain)
        try:
            demo.run(duration)
        except DiatError as error:
            console.print(f"The demo failed: {error}", markup=False)
            return 1
        return demo.conclude(timed=duration is not None and not stop.is_set())


class Demo:
    """One run of the demo."""

    def __init__(self, console: Console, platform: Platform, stop: threading.Event, *, live: bool) -> None:
        self._console = console
        self._platform = platform
        self._stop = stop
        self._live = live
        self._story = Story()
        self._placed: set[str] = set()
        self._ready_at = time.monotonic()
        self._last = Snapshot()
        self._note = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the platform was ready."""
        return time.monotonic() - self._ready_at

    def run(self, duration: float | None) -> None:
        """Start everything, watch it, end everything.

        Raises:
            SetupError: the platform could not be started, or ended.
        """
        self._say("starting the platform …")
        with self._platform:
            if not self._platform.wait_ready(_READY_WITHIN, self._stop):
                return
            started, self._ready_at = self.elapsed, time.monotonic()
            self._say(f"the platform was ready after {started:.1f} s: {self._urls}")
            with ExitStack() as stack:
                rest = Rest(self._platform.url)
                stack.callback(rest.close)
                house = stack.enter_context(House(self._platform.broker))
                screen = (
                    stack.enter_context(Live(console=self._console, auto_refresh=False))
                    if self._live
                    else None
                )
                self._watch(rest, house, screen, duration)

    def conclude(self, *, timed: bool) -> int:
        """Print the closing line and answer with the exit code; ``timed``: it was to end by itself."""
        milestones = self._story.milestones
        line = f"The demo ended after {self.elapsed:.0f} s: {milestones.reached()}."
        if milestones.missing() and timed:
            self._console.print(f"{line} It did not happen: {milestones.missing()}.", markup=False)
            return 1
        self._console.print(line, markup=False)
        return 0

    @property
    def _urls(self) -> str:
        return f"{self._platform.url}/docs   {self._platform.url}/things   {self._platform.broker}"

    def _watch(self, rest: Rest, house: House, screen: Live | None, duration: float | None) -> None:
        created = False
        while not self._stop.is_set() and (duration is None or self.elapsed < duration):
            self._platform.check()
            house.start()  # a room that fell comes back
            try:
                if not created:
                    for service in _SERVICES:
                        rest.ensure_service(*service)
                    created = True
                self._last = rest.snapshot()
                self._place(rest)
                self._note = ""
            except httpx.HTTPStatusError as error:
                self._note = f"the platform refused: {_in_one_line(error.response)}"
            except httpx.TransportError as error:
                self._note = f"the platform does not answer: {error}"
            self._show(screen)
            self._stop.wait(_FRAME)

    def _place(self, rest: Rest) -> None:
        """Tell, as a person would, what the things of a dialect that has no words for it cannot."""
        for thing in self._last.things.values():
            for chip, (title, place) in UNPLACED.items():
                if chip in thing.identifiers and thing.id not in self._placed:
                    self._placed.add(thing.id)
                    rest.say(thing.id, {"title": title, "diat:place": place})

    def _show(self, screen: Live | None) -> None:
        news = self._story.follow(self._last, self.elapsed)
        if screen is not None:
            frame = render(
                self._last,
                self._story.milestones,
                urls=self._urls,
                elapsed=self.elapsed,
                note=self._note,
                size=self._console.size,
            )
            screen.update(frame, refresh=True)
            return
        for line in [*news, self._note] if self._note else news:
            self._say(line)

    def _say(self, line: str) -> None:
        """Print a line with the time, unless the table shows it all anyway."""
        if not self._live:
            self._console.print(f"{self.elapsed:6.1f} s  {line}", markup=False)
            self._console.file.flush()


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, as long as the context lasts."""
    stop = threading.Event()

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_one_line(response: httpx.Response) -> str:
    return (
        f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:200]}"
    )
