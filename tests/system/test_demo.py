"""``diat demo`` as somebody sees it who types it: the whole way, and every way to end it."""

import contextlib
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(120)

GONE_WITHIN = 10.0


def free_port():
    """Below the range that the kernel hands out, so that no outgoing connection takes it meanwhile."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return probe.getsockname()[1]


class Demo:
    """The demo as a process whose lines are read."""

    def __init__(self, directory, *options):
        # Ports of its own: tests beside this one start platforms too.
        ports = ("--http", str(free_port()), "--mqtt", str(free_port()))
        command = [sys.executable, "-m", "diat", "demo", "--plain", *ports, *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(directory)},
        )
        self.lines = []

    def read_to(self, pattern):
        """Read on to the first line with the pattern."""
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"it never said {pattern!r}:\n{''.join(self.lines)}")

    def read_all(self):
        self.lines += self.process.stdout.readlines()
        self.process.wait(GONE_WITHIN)
        return "".join(self.lines)

    def family(self):
        """All processes that it started, and theirs, by what names one for good (a pidfd)."""
        found, wanted = {}, [self.process.pid]
        while wanted:
            children = Path(f"/proc/{wanted[0]}/task/{wanted.pop(0)}/children").read_text().split()
            wanted += map(int, children)
            found |= {int(pid): os.pidfd_open(int(pid)) for pid in children}
        return found

    def close(self):
        self.process.kill()
        self.process.communicate()


def assert_gone(family):
    assert len(family) >= 4, "the platform and three rooms"
    for pid, handle in family.items():
        assert select.select([handle], [], [], GONE_WITHIN)[0], f"process {pid} outlived the demo"
        os.close(handle)


@pytest.fixture
def demo(tmp_path):
    started = []

    def start(*options):
        started.append(Demo(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            each.close()


def test_a_service_warms_the_living_room(demo):
    running = demo()
    running.read_to("the platform was ready")
    seen = float(running.read_to("thing: ").split()[0])
    commanded = float(running.read_to(r"command: heating = on to Living room heater").split()[0])
    inside = float(running.read_to("Keep the living room warm: .* in its band").split()[0])
    assert seen < 10
    assert commanded < 30
    assert 20 < inside < 60
    family = running.family()
    running.process.send_signal(signal.SIGINT)
    said = running.read_all()
    assert re.search(r"in band after [\d.]+ s\.\n\Z", said)
    assert running.process.returncode == 0
    assert "Traceback" not in said
    assert_gone(family)


def test_says_what_did_not_happen_in_its_time(demo):
    running = demo("--duration", "3")
    assert "It did not happen: in band." in running.read_all()
    assert running.process.returncode == 1


def test_ends_when_told_while_it_starts(demo):
    running = demo()
    running.read_to("starting the platform")
    running.process.terminate()
    assert "Traceback" not in running.read_all()
    assert running.process.returncode == 0


def test_says_so_when_the_platform_dies(demo):
    running = demo()
    running.read_to("thing: ")
    family = running.family()
    (platform,) = (pid for pid in family if b"\0diat\0up\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(platform, signal.SIGKILL)
    said = running.read_all()
    assert "The demo failed: diat up ended with code -9; its last lines:" in said
    assert running.process.returncode == 1
    assert_gone(family)


def test_leaves_nothing_behind_when_killed(demo):
    running = demo()
    running.read_to("command: ")
    family = running.family()
    running.process.kill()
    assert_gone(family)


def test_a_port_that_is_taken_is_told(demo, tmp_path):
    first = demo()
    line = first.read_to("the platform was ready")
    (taken,) = re.findall(r"http://127\.0\.0\.1:(\d+)/docs", line)
    second = demo("--http", taken, "--data", str(tmp_path))
    said = second.read_all()
    assert f"port {taken} cannot be used" in said
    assert second.process.returncode == 1
