"""Every command is done once, however node, broker and platform die: the whole way, from REST to the deed.

``COMMANDS=10000 pytest --timeout 3000 tests/firmware/test_once.py`` gives as many; docs/reference/firmware.md
has its figures.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from tests.system.conftest import eventually, make_platform, platform

__all__ = ["make_platform", "platform"]

COMMANDS = int(os.environ.get("COMMANDS", "300"))
AT_A_TIME = 40
"""Commands that are open at a time; more would wait for one another longer than they are good for."""
DOER = "/things/urn:dev:doer"
PERIOD = 60
"""Commands from one kill of broker or platform to the next, about."""


class Doer:
    """The node as a process that is started again each time it dies, until it is told to rest."""

    def __init__(self, port: int, folder, chance: random.Random) -> None:
        self.folder, self._port, self._chance = folder, port, chance
        self.lives = 0
        self.resting = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper.start()

    def _keep(self) -> None:
        while not self.resting.is_set():
            self._live(self._chance.randrange(30, 400))
        self._live(0)

    def _live(self, cut: int) -> None:
        self.lives += 1
        world = str(self.folder / "world")
        command = [
            sys.executable,
            "-m",
            "tests.firmware.doing",
            str(self._port),
            str(self.folder / "flash"),
            world,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, str(cut)], stderr=log)
        self._process.wait()

    def end(self) -> None:
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
    try:
        eventually(
            lambda: platform.rest.get(DOER).status_code == 200, 20, lambda: (tmp_path / "log").read_text()
        )
        given: dict[int, str] = {}
        open_ones: list[int] = []
        ends: dict[int, dict] = {}
        next_kill = PERIOD // 2

        def look() -> None:
            for number in list(open_ones):
                state = platform.insist("GET", given[number]).json()
                if state["status"] not in {"pending", "running"}:
                    open_ones.remove(number)
                    ends[number] = state

        while len(given) < COMMANDS or open_ones:
            while len(given) < COMMANDS and len(open_ones) < AT_A_TIME:
                number = len(given)
                answer = platform.insist(
                    "POST", f"{DOER}/actions/do", json=number, headers={"Idempotency-Key": f"key-{number}"}
                )
                if answer.status_code == 429:
                    break
                assert answer.status_code == 201, answer.text
                given[number] = answer.headers["Location"]
                open_ones.append(number)
            if next_kill < len(given) < COMMANDS:
                next_kill += int(PERIOD * chance.uniform(0.5, 1.5))
                victim = chance.choice(["broker", "platform", "both"])
                kills[victim] += 1
                if victim == "broker":
                    platform.kill_broker()
                    eventually(platform.is_ready, 20)
                else:
                    platform.kill() if victim == "platform" else platform.kill_everything()
                    platform.start()
            if len(given) == COMMANDS:
                doer.resting.set()
            look()
            time.sleep(0.02)
    finally:
        doer.end()
    deeds, states = doer.deeds, Counter(each["status"] for each in ends.values())
    print(
        f"\n{COMMANDS} commands: {dict(states)}; deeds {sum(deeds.values())}; the node died "
        f"{doer.lives - 1} times, {dict(kills)}; {time.monotonic() - began:.0f} s"
    )
    assert len(ends) == COMMANDS
    assert not [number for number, times in deeds.items() if times > 1]
    assert not [number for number, end in ends.items() if end["status"] == "completed" and not deeds[number]]
    assert not [
        number for number, end in ends.items() if end["status"] in {"failed", "expired"} and deeds[number]
    ]
    # Nobody can know only of those that were being done when the power went: one at a time.
    assert states["in-doubt"] <= doer.lives
    assert states["completed"] + states["in-doubt"] == COMMANDS
