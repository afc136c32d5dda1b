"""The platform as a process: started, killed, and started again on the same data and ports.

Fixtures:
    make_platform: makes platforms in directories of their own, and ends all that is left of them.
    platform: one of them with the embedded broker, running.
"""

import contextlib
import os
import random
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.births import Born

READY_WITHIN = 20.0
"""Seconds that the platform has to be ready; the machine is shared."""
GONE_WITHIN = 10.0
POLL = 0.02


def _free_port():
    """Below the range that the kernel hands out, so that no outgoing connection takes it meanwhile."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return probe.getsockname()[1]


class Platform:
    """``diat up`` as a process; its ports and its data outlive it.

    Attributes:
        http: port of REST.
        mqtt: port of its own broker.
        data: directory of its data.
        rest: an HTTP client for it.
    """

    def __init__(self, directory, broker="embedded"):
        self.http, self.mqtt = _free_port(), _free_port()
        self.data = directory / "data"
        self.broker = broker
        self.rest = httpx.Client(base_url=f"http://127.0.0.1:{self.http}", timeout=10.0)
        self._log = directory / "diat.log"
        self._process = None

    @property
    def broker_port(self):
        """Where its things connect."""
        return int(self.broker.rpartition(":")[2]) if "://" in self.broker else self.mqtt

    @property
    def output(self):
        """Everything that it said so far, in all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def broker_pid(self):
        """Process id of its own broker; 0 while it is being started anew."""
        return int((self.data / "broker" / "pid").read_text() or 0)

    def command(self, **flags):
        """What follows ``diat`` on the command line; flags may be replaced."""
        flags = {"http": self.http, "mqtt": self.mqtt, "data": self.data, "broker": self.broker, **flags}
        options = [part for flag, value in flags.items() for part in (f"--{flag}", str(value))]
        return ["up", *options]

    def start(self, *, wait=True):
        self._process = Born(self.command(), self._log)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        """Return when it takes messages."""
        eventually(self.is_ready, READY_WITHIN, lambda: f"not ready:\n{self.output[-4000:]}")

    def is_ready(self):
        code = self._process.poll()
        assert code is None, f"it ended with {code}:\n{self.output[-4000:]}"
        try:
            return self.rest.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self):
        """SIGKILL to the platform's process alone."""
        self._process.kill()
        self._process.wait()

    def kill_broker(self):
        """SIGKILL to its broker alone; return when that is gone."""
        pid = self.broker_pid
        with _watched(pid) as ended:
            os.kill(pid, signal.SIGKILL)
            assert ended(GONE_WITHIN)

    def kill_everything(self):
        """SIGKILL to the platform and its broker in the same moment."""
        pid = self.broker_pid
        with _watched(pid) as ended:
            self._process.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._process.wait()
            assert ended(GONE_WITHIN)

    def terminate(self):
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(GONE_WITHIN)

    def children(self):
        """Process ids of its children."""
        path = Path(f"/proc/{self._process.pid}/task")
        return [int(pid) for task in path.iterdir() for pid in (task / "children").read_text().split()]

    def close(self):
        """End what is left of it, whatever state that is in."""
        self.rest.close()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GONE_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Its broker ends with it; should it not, the next line does what the next start would do.
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = self.broker_pid
            if pid and str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                with _watched(pid) as ended:
                    if not ended(GONE_WITHIN):
                        os.kill(pid, signal.SIGKILL)

    # --- what is asked over REST, by people who try again when nobody is there ---

    def get(self, path, **parameters):
        """JSON from a path."""
        answer = self.rest.get(path, params=parameters)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def pages(self, path, **parameters):
        """All items of a list, page by page, as the Link header leads."""
        answer = self.rest.get(path, params=parameters)
        while True:
            assert answer.status_code == httpx.codes.OK, answer.text
            yield from answer.json()
            if "next" not in answer.links:
                return
            answer = self.rest.get(answer.links["next"]["url"])

    def insist(self, method, path, **more):
        """Ask until there is an answer other than that it is not there just now."""
        deadline = time.monotonic() + READY_WITHIN
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = self.rest.request(method, path, **more)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer
            assert time.monotonic() < deadline, f"{method} {path}: no answer"
            time.sleep(POLL)


@contextlib.contextmanager
def _watched(pid):
    """``ended(seconds)``: whether this process, and no other of the same id, ends in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield lambda seconds: True
        return
    try:
        yield lambda seconds: bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def eventually(wanted, seconds, explain=lambda: ""):
    """What ``wanted`` answers, once that is true; asked again and again until the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < deadline, explain()
        time.sleep(POLL)
    return found


@pytest.fixture(name="eventually")
def _eventually():
    return eventually


@pytest.fixture
def make_platform(tmp_path_factory):
    """``make_platform(broker)``: a platform that is not started yet."""
    made = []

    def make(broker="embedded"):
        made.append(Platform(tmp_path_factory.mktemp("diat"), broker))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def platform(make_platform):
    """A running platform with the embedded broker."""
    each = make_platform()
    each.start()
    return each
