"""One side's turns in the measuring of a rule: at full speed without it and with it, and at a set rate."""

from __future__ import annotations

import select
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import mqtt
from benchmarks.latency import Delays
from benchmarks.load import Load
from benchmarks.processes import BenchmarkFailed, cpu_seconds
from benchmarks.rule_feed import OF_WINDOW, STEADY, THINGS, Feed, Heaters, heater
from benchmarks.subjects import PATIENCE, Platform

RED = "node-red"
"""How Node-RED's topics begin; the platform does not listen to them."""
_IDLE, _STILL = 0.3, 0.015
"""A process that takes no more CPU seconds than this in so many seconds has done with what it was sent."""
Decisions = dict[str, list[bool]]
"""Heater to what it is to be told, in the order in which that was decided."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured.

    Attributes:
        each: readings of a thermometer at full speed, in each turn.
        rate: readings a second at a set rate, over all thermometers.
        seconds: at that rate, in each turn.
        rounds: how often each side has its turn.
        may_install: whether Node-RED may be installed.
    """

    each: int = 1000
    rate: int = 500
    seconds: float = 4
    rounds: int = 2
    may_install: bool = True


@dataclass(slots=True)
class Side:
    """What was measured of one side, a figure for each turn; CPU time in seconds a reading.

    Attributes:
        plain: at full speed, of readings that it only takes.
        ruled: at full speed, of readings that go through the rule.
        paced: of those, at the set rate.
        pace: readings a second through the rule, at full speed.
        delays: from the reading that completes a window to the command, at the set rate.
        commands: that came, each of which had to.
    """

    plain: list[float] = field(default_factory=list)
    ruled: list[float] = field(default_factory=list)
    paced: list[float] = field(default_factory=list)
    pace: list[float] = field(default_factory=list)
    delays: Delays = field(default_factory=lambda: Delays([]))
    commands: int = 0

    @property
    def cost(self) -> float:
        """CPU seconds of a reading through the rule, the median of the turns."""
        return statistics.median(self.ruled)

    @property
    def rule(self) -> float:
        """What of that the rule adds."""
        pairs = zip(self.ruled, self.plain, strict=True)
        return statistics.median(ruled - plain for ruled, plain in pairs)


class Turns:
    """The turns of one side; ``decided`` tells what it decided of each heater since it was asked before."""

    def __init__(
        self, platform: Platform, heaters: Heaters, root: str, pid: int, decided: Callable[[], Decisions]
    ) -> None:
        self.name = "platform" if root == "diat" else "Node-RED"
        self.side = Side()
        self._platform, self._heaters, self._pid, self._decided = platform, heaters, pid, decided
        roots = ("diat", "diat") if root == "diat" else (f"{RED}/plain", f"{RED}/ruled")
        self._plain, self._ruled = Feed(roots[0], ruled=False), Feed(roots[1], ruled=True)

    def warm_up(self) -> None:
        """Bind, compile, connect: two commands of each heater."""
        for feed in (self._plain, self._ruled):
            self._send(feed, 2 * STEADY * OF_WINDOW)

    def full_speed(self, plan: Plan) -> None:
        """As fast as the broker takes them: without the rule, then with it."""
        count = plan.each * THINGS
        self.side.plain.append(self._send(self._plain, plan.each) / count)
        begin = time.perf_counter()
        self.side.ruled.append(self._send(self._ruled, plan.each) / count)
        # What was sent last has led to a command.
        last = max(at for told in self._heaters.heard.values() for _, at in told)
        self.side.pace.append(count / (last - begin))

    def _send(self, feed: Feed, each: int) -> float:
        """CPU seconds that it took for so many readings of each thermometer."""
        load = Load(self._platform.address, feed.shares(each))
        self._heaters.forget()
        try:
            before = cpu_seconds(self._pid)
            load.run()
            return self._finished(each // (STEADY * OF_WINDOW) if feed.ruled else 0) - before
        finally:
            load.close()

    def paced(self, plan: Plan) -> None:
        """At a set rate, every window with a command."""
        windows = 2 * max(1, round(plan.rate * plan.seconds / THINGS / OF_WINDOW / 2))
        self._heaters.forget()
        before = cpu_seconds(self._pid)
        with mqtt.Connection(self._platform.address, "bench-sensors") as link:
            completed = self._pace(link, windows * OF_WINDOW, plan.rate)
            spent = self._finished(windows) - before
        self.side.paced.append(spent / (windows * OF_WINDOW * THINGS))
        delays = self.side.delays
        for number, sent in enumerate(completed):
            came = [at for _, at in self._heaters.heard[heater(number)]]
            delays.readings += len(sent)
            if len(came) == len(sent):
                delays.seconds += [there - at for there, at in zip(came, sent, strict=True)]
            else:  # a command was overtaken before it was sent: which one came is not known
                delays.skipped += len(sent)

    def _pace(self, link: mqtt.Connection, each: int, rate: int) -> list[list[float]]:
        """Send; when the windows of each thermometer were complete."""
        completed: list[list[float]] = [[] for _ in range(THINGS)]
        start = time.perf_counter()
        for turn in range(each * THINGS):
            ahead, number = turn // THINGS + 1, turn % THINGS
            while (rest := start + turn / rate - time.perf_counter()) > 0:
                if select.select([link.socket], [], [], rest)[0]:
                    link.receive()  # acknowledgements
            packet = self._ruled.packet(number, ahead, 1, turn % 65535 + 1)
            if ahead % OF_WINDOW == 0:
                completed[number].append(time.perf_counter())
            link.socket.sendall(packet)
        self._ruled.n += each
        return completed

    def _finished(self, wanted: int) -> float:
        """Wait until it has done with what was sent; the CPU seconds that it has taken by then.

        Raises:
            BenchmarkFailed: it did not decide so often for each heater, to heat and to stop by turns.
        """
        told: Decisions = {}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            spent = cpu_seconds(self._pid)
            time.sleep(_IDLE)
            if cpu_seconds(self._pid) - spent > _STILL or not self._all_stored():
                continue
            for name, more in self._decided().items() if wanted else ():
                told[name] = told.get(name, []) + more
            if sum(map(len, told.values())) >= wanted * THINGS:
                break
        else:
            raise BenchmarkFailed(f"{self.name} was not done in {PATIENCE:.0f} s: {told}"[:300])
        self.side.commands += wanted * THINGS
        for number in range(THINGS if wanted else 0):
            if (found := told.get(heater(number))) != [True, False] * (wanted // 2):
                raise BenchmarkFailed(f"{self.name}: wrong commands for heater {number}: {found}"[:300])
        return spent

    def _all_stored(self) -> bool:
        """Whether the platform has every reading; Node-RED keeps none to look for."""
        sent = (self._plain.n + self._ruled.n) * THINGS
        return self.name != "platform" or self._platform.readings() >= sent
