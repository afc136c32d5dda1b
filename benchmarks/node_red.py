"""Node-RED as a child process, on a broker that runs already: headless, with the flow of ``node-red/``.

It is installed by npm, once for each lock file, into a cache directory of the person who measures.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.processes import ROOT, BenchmarkFailed, Child
from diat.adapters.brokers.address import BrokerAddress

SOURCE = ROOT / "benchmarks" / "node-red"
_INSTALLED = 240.0
"""Seconds in which npm must be done."""
_READY = 30.0


class NodeRedMissing(Exception):
    """It is not there and cannot be installed; one line for a person."""


def version() -> str:
    """The version that is pinned."""
    said = msgspec.json.decode((SOURCE / "package.json").read_bytes())
    return str(said["dependencies"]["node-red"])


def installed(*, may_install: bool) -> Path:
    """The script that starts it; installs it if need be.

    Raises:
        NodeRedMissing: there is no node or npm, or npm could not fetch it.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NodeRedMissing("there is no node and npm on PATH")
    lock = (SOURCE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diat"
    home = cache / f"node-red-{hashlib.sha256(lock).hexdigest()[:12]}"
    script = home / "node_modules" / "node-red" / "red.js"
    if script.is_file():
        return script
    if not may_install:
        raise NodeRedMissing("it is not installed yet; a run without --quick installs it")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="node-red-", dir=cache, ignore_cleanup_errors=True) as made:
            _install(Path(made))
            # Put in its place when it is whole; if another run was faster, that one's will do.
            with suppress(OSError):
                Path(made).rename(home)
    except OSError as failure:
        raise NodeRedMissing(f"cannot install it: {failure}") from None
    return script


def _install(into: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, into)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]
    try:
        run = subprocess.run(
            command, cwd=into, capture_output=True, text=True, timeout=_INSTALLED, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeRedMissing(f"npm was not done in {_INSTALLED:.0f} s") from None
    if run.returncode != 0:
        why = [line for line in run.stderr.splitlines() if line.startswith("npm error")]
        raise NodeRedMissing(f"npm could not install it: {(why or ['no reason given'])[0]}"[:200])


class NodeRed:
    """It runs from ``with`` to the end of the block.

    Attributes:
        pid: its process id.
    """

    def __init__(self, script: Path, broker: BrokerAddress, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("flows.json", "settings.js"):
            shutil.copy(SOURCE / name, directory)
        self._child = Child(
            [str(script), "--userDir", str(directory), "--settings", str(directory / "settings.js")],
            directory / "child.log",
            program=(str(shutil.which("node")),),
            environment={"BENCH_HOST": broker.host, "BENCH_PORT": str(broker.port)},
        )
        try:
            self._wait_connected()
        except BaseException:
            self._child.__exit__()
            raise
        self.pid = self._child.pid

    def _wait_connected(self) -> None:
        deadline = time.monotonic() + _READY
        while "Connected to broker" not in self._child.line(_READY):
            if time.monotonic() > deadline:
                raise BenchmarkFailed("Node-RED did not connect to the broker")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()
