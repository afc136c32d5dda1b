"""``kill -9`` at every boundary of every batch: afterwards everything is as if nothing had happened.

Not at random: one run without a kill counts the boundaries that a scripted scenario crosses (before and after
each message, each evaluation of a composite, each command, each SQL statement, the transaction, the swap of
memory, each sending, each acknowledgement); then there is one run for each of them that dies exactly there
and is started again. Whatever was asked and not answered is asked again, as people and brokers do. In the
end twins, states of composites, claims, history, commands and what the heater did are compared.

All of them take three minutes of two cores, so a run of the suite takes each fourth, others each day;
``DIAT_SWEEP_EVERY=1`` takes all, ``DIAT_SWEEP_FROM`` says where to begin, as a failed run has printed it.

The broker is a real one that lives on; the things are real clients; the database is a real file.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diat.adapters.sql.database import open_database
from diat.nodes.native import NativeNode
from diat.simulation.link import Address

pytestmark = [
    pytest.mark.timeout(600),
    # paho closes the pair of sockets by which it wakes its thread only when the collector finds its client.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. .socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]
PATIENCE = 30.0
AT_ONCE = 6
"""Runs at the same time; most of each is waiting."""
EVERY = int(os.environ.get("DIAT_SWEEP_EVERY", "4"))
"""Every how-manieth boundary is killed at."""
FROM = int(os.environ.get("DIAT_SWEEP_FROM", str(date.today().toordinal()))) % EVERY  # noqa: DTZ011
"""Which is the first."""

METER = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
HEATING = {"quantity": "Temperature", "direction": "increase"}
BAND = {"quantity": "Temperature", "place": "lab", "low": 20, "high": 24, "unit": "Cel"}
MEAN = {"quantity": "Temperature", "place": "lab", "unit": "Cel"}


class Gone(Exception):
    """The platform was killed before it answered."""


class Run:
    """The scenario, once; killed at one boundary or at none."""

    def __init__(self, directory: Path, lives: Path, fresh: Path, broker: Any, doomed: Any) -> None:
        self.data, self._lives, self._doomed = directory / "data", lives, doomed
        self.data.mkdir(parents=True)
        shutil.copy(fresh, self.data / "diat.db")
        self._broker = broker
        self.done: list[Any] = []
        self.deaths = 0
        self._connection: Any = None
        self._lines: Any = None
        address = Address("127.0.0.1", broker.port)
        self.meter = NativeNode(
            address, "meter", {"title": "M", "diat:place": "lab", "properties": {"t": METER}}, boot=1
        )
        on = {"type": "boolean", "diat:affects": HEATING}
        td = {"title": "H", "diat:place": "lab", "properties": {"on": on}}
        self.heater = NativeNode(address, "heater", td, setters={"on": self._switch}, boot=1)

    def _switch(self, value: Any) -> Any:
        self.done.append(value)
        return value

    # --- lives ---

    def _begin(self, doomed: Any) -> None:
        # A process that was killed lets go of its lock a moment after its connections have broken.
        self._until(lambda: self._starts(doomed))

    def _starts(self, doomed: Any) -> bool:
        self._hang_up()
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(self._lives))
        self._connection.settimeout(PATIENCE)
        self._lines = self._connection.makefile("r")
        self._say({"data": str(self.data), "broker": self._broker.url, "doomed": doomed})
        try:
            self._until(lambda: self._ask_once({"do": "ready"}))
        except Gone:
            return False
        return True

    def _say(self, said: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(said).encode() + b"\n")

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._lines.close()
            self._connection.close()

    def _ask_once(self, said: dict[str, Any]) -> Any:
        try:
            self._say(said)
            line = self._lines.readline()
        except OSError:
            line = ""
        if not line:
            raise Gone
        return json.loads(line)

    def ask(self, **said: Any) -> Any:
        """Ask until there is an answer, as somebody does whose request was cut off."""
        while True:
            try:
                return self._ask_once(said)
            except Gone:
                self.deaths += 1
                assert self._doomed is not None
                assert self.deaths == 1, "it died where it was not killed"
                self._begin(None)

    def _until(self, wanted: Any, explain: Any = lambda: "") -> None:
        deadline = time.monotonic() + PATIENCE
        while not wanted():
            assert time.monotonic() < deadline, explain()
            time.sleep(0.004)

    # --- the scenario ---

    def _measure(self, value: float, *done: Any) -> None:
        self._sent = self.meter.report({"t": value})
        self._settle(*done)

    def _settle(self, *done: Any) -> None:
        """Wait until the heater did all this, and the platform knows."""
        self._expected += done
        self._until(
            lambda: self._calm() and self.done == self._expected,
            lambda: f"{self._doomed}: {self.done} {self._expected} {self.ask(do='state')}",
        )

    def _calm(self, heater: int = 1) -> bool:
        state = self.ask(do="calm")
        return bool(
            state["open"] == 0
            and state["marks"].get("urn:dev:meter", 0) == self._sent
            and state["marks"].get("urn:dev:heater", 0) == len(self.done) + heater
        )

    def play(self) -> tuple[dict[str, Any], dict[str, int]]:
        """From the first reading to the last command; the state then, and how often what was crossed."""
        self._expected: list[Any] = []
        self._begin(self._doomed)
        self.meter.start()
        self._sent = self.meter.report({"t": 18.0})
        self._until(lambda: self._calm(0))
        self.heater.start()
        self.heater.report({"on": False})
        self._settle()
        self.ask(do="arm")
        band = {"do": "make", "service": "warm", "template": "keep-within", "parameters": BAND}
        self.ask(**band)
        self._settle(True)
        self._measure(25.0, False)
        self.ask(do="make", service="mean", template="mean-of-place", parameters=MEAN)
        self._measure(17.0, True)
        self.ask(do="write", id="by-hand", thing="urn:dev:heater", name="on", value=False, hold=600_000)
        self._settle(False)
        self.ask(do="give back", thing="urn:dev:heater")
        self._settle(True)
        self.ask(do="pause", service="warm")
        self._settle(False)
        self.ask(do="resume", service="warm")
        self._settle(True)
        self.ask(do="delete", service="warm")
        self._settle(False)
        crossed = self.ask(do="crossed")
        return {**self.ask(do="state"), "heater": self.done}, crossed

    def close(self) -> None:
        """End everything."""
        self.meter.stop()
        self.heater.stop()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._say({"do": "end"})
                self._lines.readline()
        self._hang_up()


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket at which platforms come to life."""
    path = tmp_path_factory.mktemp("lives") / "socket"
    command = [sys.executable, "-W", "ignore", "-m", "tests.system.faults.lives", str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
        process.kill()


@pytest.mark.mosquitto
def test_killed_at_every_boundary_everything_is_as_if_nothing_had_happened(
    lives: Path, start_mosquitto: Any, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh.db"
    open_database(fresh).dispose()
    starting = threading.Lock()
    numbers = iter(range(10_000))

    def once(doomed: Any) -> tuple[dict[str, Any], dict[str, int], int]:
        with starting:
            broker = start_mosquitto()
            number = next(numbers)
        run = Run(tmp_path / str(number), lives, fresh, broker, doomed)
        try:
            state, crossed = run.play()
            deaths = run.deaths
        finally:
            run.close()
            del run
            gc.collect()
            broker.kill()
            shutil.rmtree(tmp_path / str(number))
        return state, crossed, deaths

    def killed(doomed: Any) -> tuple[dict[str, Any], dict[str, int], int]:
        """Batches do not always fall alike: what was not crossed this time may be the next."""
        found = once(doomed)
        for _ in range(2):
            if found[0] != expected or found[2]:
                break
            found = once(doomed)
        return found

    began = time.monotonic()
    expected, crossed, _ = once(None)
    again, _, _ = once(None)
    assert again == expected, "the scenario itself is not always the same"
    points = [(step, at) for step, times in sorted(crossed.items()) for at in range(1, times + 1)]
    points = points[FROM::EVERY]
    print(f"DIAT_SWEEP_EVERY={EVERY} DIAT_SWEEP_FROM={FROM}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(killed, points))
    different = {
        point: {key: (state[key], expected[key]) for key in expected if state[key] != expected[key]}
        for point, (state, _, _) in zip(points, runs, strict=True)
        if state != expected
    }
    assert not different, different
    reached = sum(deaths for _, _, deaths in runs)
    print(f"killed at {reached} of {len(points)} boundaries in {time.monotonic() - began:.0f} s")
    assert reached >= 0.95 * len(points), "the boundaries must have been reached"
