"""A broker that runs as our child: start, watch, start again, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.brokers.child import Child
from diat.adapters.brokers.listening import require_free, taken
from diat.adapters.brokers.ready import await_ready
from diat.adapters.brokers.troubles import Explain, Troubles
from diat.kernel.errors import SetupError

FLAG = "--mqtt"
START = 30.0  # s until a start that made no progress is given up
GRACE = 10.0  # s to end in order

PAYLOAD_LIMIT = 8 << 20
"""Bytes of the largest message a thing may send (docs/reference, topics)."""


class Gate(Protocol):
    """What lets clients in, and cuts them off again, at one broker."""

    def prepare(self) -> None:
        """Make ready what the broker reads at its start."""

    def start(self, reload: Callable[[], None]) -> None:
        """Begin: the broker runs, and ``reload`` makes it read its files again."""

    def stop(self) -> None:
        """End."""

    def changed(self, name: str, *, cut: bool) -> None:
        """A credential was made, renewed or revoked; ``cut``: who is in with it goes. Any thread calls it."""


class Recipe(Struct, frozen=True, kw_only=True):
    """What makes one kind of broker different from another.

    Attributes:
        name: of the program, for messages and file names.
        program: path of the executable, and the arguments before the path of the configuration.
        directory: everything the broker keeps lies in it.
        listen: host and port on which everybody's clients are taken.
        config: the text of its configuration file.
        address: where our own client connects.
        explain: how the lines of its log are read.
        gate: who lets clients in; None where anybody may come.
        version_flag: makes the program tell its version and end.
    """

    name: str
    program: tuple[str, ...]
    directory: Path
    listen: tuple[str, int]
    config: str
    address: BrokerAddress
    explain: Explain
    gate: Gate | None = None
    version_flag: str = "--version"


class OwnBroker:
    """A broker as our child process; it ends when we end, however we end.

    The methods block and may be called from any thread, one at a time.

    Attributes:
        address: where our own client connects; stays the same over a restart.
        gate: who lets clients in; None where anybody may come.
        log: file that its output goes to.
        ask_version: a command that tells its version.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._config = recipe.directory / f"{recipe.name}.conf"
        self.ask_version = (recipe.program[0], recipe.version_flag)
        self.log = log = recipe.directory / f"{recipe.name}.log"
        self._child = Child(recipe.directory, self._config, log)
        self._troubles = Troubles(log, recipe.explain)
        self.address = recipe.address
        self.gate = recipe.gate

    def start(self) -> None:
        """Start it, ending one that an earlier run left behind; return when it serves MQTT clients.

        Raises:
            SetupError: it cannot; the message names the way out.
        """
        if self._child.alive():
            return
        try:
            self._recipe.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._child.claim(GRACE)
        except OSError as error:
            raise SetupError(
                f"cannot write in {self._recipe.directory} ({error.strerror}): choose another with --data"
            ) from None
        try:
            if self.gate is not None:
                self.gate.prepare()
            self._launch()
            if self.gate is not None:
                self.gate.start(self._child.reload)
        except SetupError:
            self._child.end(GRACE)
            raise

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child.alive()

    def stop(self) -> None:
        """End it: ask, wait, then force. Stopping a stopped broker does nothing."""
        if self.gate is not None:
            self.gate.stop()
        self._child.end(GRACE)

    def troubles(self) -> list[str]:
        """What its log said since the last call, in sentences for a person that name the way out.

        Never blocks for long, answers a bounded number of sentences, and does not repeat one within a
        minute. To be called every few seconds: this is also what keeps the log file small.
        """
        return self._troubles.new()

    def _launch(self) -> None:
        host, port = self._recipe.listen
        require_free(host, port, FLAG)
        self._troubles.start_anew()
        _write_private(self._config, self._recipe.config)
        self._child.start((*self._recipe.program, str(self._config)))
        deadline = time.monotonic() + START
        if not await_ready(self.address, lambda: not self._child.alive() or time.monotonic() > deadline):
            raise SetupError(self._why_not())

    def _why_not(self) -> str:
        words = self._troubles.last_words()
        if any("address already in use" in line.lower() for line in words):
            return taken(self._recipe.listen[1], FLAG)
        state = f"did not answer within {START:.0f} s" if self._child.alive() else "ended at its start"
        last = f": {words[-1].strip()}" if words else ""
        return (
            f"{self._recipe.name} {state}{last} (its log: {self._recipe.directory / self._recipe.name}.log)"
        )


def reachable(host: str) -> str:
    """Where a client on this machine connects to a broker that listens on ``host``."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we can read: it holds a secret."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
