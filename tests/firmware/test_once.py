"""Every command is done once, however node, broker and platform die: the whole way, from REST to the deed.

The node dies by SIGKILL at one step after another of all that it does to flash and socket, before it, in its
middle and after it; broker and platform die now and then, at random. ``test_faults.py`` has each step of the
node for itself, ``tests/system/test_sweep.py`` each boundary of the platform.

``COMMANDS=10000 pytest --timeout 7200 tests/firmware/test_once.py`` gives as many; docs/reference/firmware.md
has its figures.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from tests.firmware.cut_node import STEPS, phases
from tests.system.conftest import eventually, make_platform, platform

__all__ = ["make_platform", "platform"]

COMMANDS = int(os.environ.get("COMMANDS", "120"))
AT_A_TIME = 40
"""Commands that are open at a time; more would wait for one another longer than they are good for."""
LOOKED_AT = 8
DOER = "/things/urn:dev:doer"
PERIOD = 60 if COMMANDS > 500 else 35
"""Commands from one kill of broker or platform to the next, about."""
# What comes but once in a life, and the files of the journal as long as there are none, first.
POINTS = [(step, phase) for step in STEPS for phase in phases(step)]
POINTS.sort(key=lambda point: "wb" not in point[0])
TURNS = 8
"""In one round of so many a life waits for the journal to begin a file anew, which takes a minute."""
RARE = ("send CONNECT", "send SUBSCRIBE", "journal open wb")
OFTEN = {"receive": 80, "send PUBLISH": 12} | dict.fromkeys(RARE, 1)
"""How many of a step a life has at most before it dies at one; 6 of others. After the first round, more."""


class Doer:
    """The node as a process that is started again each time it dies, until it is told to rest.

    Attributes:
        deaths: how often it died at each point.
    """

    def __init__(self, port: int, folder, chance: random.Random) -> None:
        self.folder, self._port, self._chance = folder, port, chance
        self.lives = 0
        self.deaths: Counter[tuple[str, str]] = Counter()
        self.resting, self._ended = threading.Event(), False
        self._keeper = threading.Thread(target=self._keep)
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper.start()

    def _keep(self) -> None:
        for turn in itertools.count():
            for step, phase in POINTS:
                if self.resting.is_set():
                    break
                if "wb" not in step or turn % TURNS == 0:
                    most = OFTEN.get(step, 6) * (6 if turn and step not in RARE else 1)
                    self._live(step, phase, self._chance.randint(1, most))
            if self.resting.is_set():
                break
        if not self._ended:
            self._live("receive", "before", 0)

    def _live(self, step: str, phase: str, count: int) -> None:
        self.lives += 1
        command = [sys.executable, "-m", "tests.firmware.doing", str(self._port), str(self.folder / "flash")]
        command += [str(self.folder / "world"), step, phase, str(count)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)
        if self._process.wait() == -9 and not self._ended:
            self.deaths[step, phase] += 1

    def end(self) -> None:
        self._ended = True
        self.resting.set()
        while self._keeper.is_alive():
            if self._process is not None:
                self._process.kill()
            self._keeper.join(0.2)

    @property
    def deeds(self) -> Counter[int]:
        world = self.folder / "world"
        return Counter(int(line) for line in world.read_text().split()) if world.exists() else Counter()


def test_every_command_is_done_once(platform, tmp_path):
    chance = random.Random(10)
    began = time.monotonic()
    doer = Doer(platform.mqtt, tmp_path, random.Random(11))
    kills = Counter()
    victims = itertools.cycle(["both", "broker", "platform"])
    try:
        eventually(
            lambda: platform.rest.get(DOER).status_code == 200, 20, lambda: (tmp_path / "log").read_text()
        )
        given: dict[int, str] = {}
        open_ones: list[int] = []
        ends: dict[int, dict] = {}
        next_kill = PERIOD // 2

        def wanted() -> bool:
            # Until the node has died at every point, there is something to do for it.
            return len(given) < COMMANDS or not doer.deaths.keys() >= set(POINTS)

        while wanted() or open_ones:
            while wanted() and len(open_ones) < AT_A_TIME:
                number = len(given)
                answer = platform.insist(
                    "POST", f"{DOER}/actions/do", json=number, headers={"Idempotency-Key": f"key-{number}"}
                )
                if answer.status_code == 429:
                    break
                assert answer.status_code == 201, answer.text
                given[number] = answer.headers["Location"]
                open_ones.append(number)
            if next_kill < len(given) and wanted():
                next_kill += int(PERIOD * chance.uniform(0.5, 1.5))
                victim = next(victims)
                kills[victim] += 1
                if victim == "broker":
                    platform.kill_broker()
                    eventually(platform.is_ready, 20)
                else:
                    platform.kill() if victim == "platform" else platform.kill_everything()
                    platform.start()
            if not wanted():
                doer.resting.set()
            for number in open_ones[:LOOKED_AT]:
                state = platform.insist("GET", given[number]).json()
                if state["status"] not in {"pending", "running"}:
                    open_ones.remove(number)
                    ends[number] = state
            time.sleep(0.02)
    finally:
        doer.end()
    deeds, states = doer.deeds, Counter(each["status"] for each in ends.values())
    deaths = Counter(f"{phase} {step}" for (step, phase), times in doer.deaths.items() for _ in range(times))
    print(
        f"\n{len(given)} commands: {dict(states)}; deeds {sum(deeds.values())}; the node died "
        f"{doer.deaths.total()} times, {dict(kills)}; {time.monotonic() - began:.0f} s\n{dict(deaths)}"
    )
    assert len(ends) == len(given)
    assert not [number for number, times in deeds.items() if times > 1]
    assert not [number for number, end in ends.items() if end["status"] == "completed" and not deeds[number]]
    assert not [
        number for number, end in ends.items() if end["status"] in {"failed", "expired"} and deeds[number]
    ]
    # Nobody can know only of those that were being done when the power went: one at a time, and only
    # from when it was noted that they begin to when their answer was.
    between = ("after journal write", "before deed", "after deed", "journal open ab", "journal write")
    assert states["in-doubt"] <= sum(n for point, n in deaths.items() if point.endswith(between))
    assert states["completed"] + states["in-doubt"] == len(given)
