"""What all tests share: servers that pip cannot bring, how hard hypothesis tries, and no thread left behind.

Fixtures:
    needed: find a program that pip cannot bring, or skip (fail in CI) with a line that names it.
    mosquitto: a private mosquitto on a free loopback port.
    start_mosquitto: the same, with lines of configuration, as many as a test wants.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A machine shared with others is no clock: no deadline. The same examples each time, so that a failure is
# the change's and not the day's; "deep" (HYPOTHESIS_PROFILE=deep) looks for new ones.
settings.register_profile("fast", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=5000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

Needed = Callable[[str, str], Path]
StartMosquitto = Callable[..., "Mosquitto"]

READY_WITHIN = 10.0
"""Seconds that a server has to take its first connection."""

GONE_WITHIN = 2.0
"""Seconds that the threads of a test have to end after it."""

# Threads of the tools: they live as long as the test process does.
_FOREIGN_THREADS = ("pytest_timeout", "pytest-timeout", "execnet", "AnyIO worker thread")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a server, so that ``-m "not mosquitto"`` leaves it out."""
    for item in items:
        if {"mosquitto", "start_mosquitto"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.mosquitto)


@pytest.fixture(scope="session")
def needed() -> Needed:
    """``needed(program, debian_package)``: where a program is that pip cannot bring."""

    def find(program: str, debian_package: str) -> Path:
        # Debian keeps servers out of the PATH of ordinary users.
        found = shutil.which(
            program, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
        )
        if found:
            return Path(found)
        absent = f"{program} is not installed (Debian: apt install {debian_package})"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(absent, pytrace=False)
        pytest.skip(absent)

    return find


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on at this moment.

    It lies below the range that the kernel hands out, so that no outgoing connection takes it meanwhile,
    and is drawn by chance, so that tests at the same time draw different ones.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Mosquitto:
    """A private mosquitto; it can be stopped, killed and started again on its port.

    Attributes:
        port: where it listens, on 127.0.0.1 only.
        directory: its configuration, log and, if configured, persistence.
    """

    def __init__(self, program: Path, directory: Path, *configuration: str) -> None:
        self.port = free_port()
        self.directory = directory
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        lines = (
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            # Started by root it would change to its own user, who may not write in a test's directory.
            f"user {getpass.getuser()}",
            f"persistence_location {directory}/",
            *configuration,
        )
        (directory / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        """Where it is, as ``--broker`` takes it."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "mosquitto.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it takes connections."""
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-v", "-c", self.directory / "mosquitto.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        patience = time.monotonic() + READY_WITHIN
        while self._process.poll() is None and time.monotonic() < patience:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self.kill()
        pytest.fail(f"mosquitto did not start:\n{self.log}", pytrace=False)

    def stop(self) -> None:
        """End it as a service manager does; what it persists is saved."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(READY_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def start_mosquitto(needed: Needed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartMosquitto]:
    """``start_mosquitto(*lines)``: a running mosquitto with these lines added to its configuration."""
    program = needed("mosquitto", "mosquitto")
    started: list[Mosquitto] = []

    def start(*configuration: str) -> Mosquitto:
        broker = Mosquitto(program, tmp_path_factory.mktemp("mosquitto"), *configuration)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def mosquitto(start_mosquitto: StartMosquitto) -> Mosquitto:
    """A running mosquitto that keeps nothing on disk."""
    return start_mosquitto()


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread running, daemon or not: somebody did not end what he started."""
    before = set(threading.enumerate())
    yield
    patience = time.monotonic() + GONE_WITHIN
    extra = [t for t in threading.enumerate() if t not in before and not t.name.startswith(_FOREIGN_THREADS)]
    for thread in extra:
        thread.join(max(0.0, patience - time.monotonic()))
    left = [thread.name for thread in extra if thread.is_alive()]
    assert not left, f"left running: {', '.join(left)}"
