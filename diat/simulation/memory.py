"""What a node remembers of the commands it got, so that each is performed once.

The optional file holds one JSON object a line: ``{"begun": id}`` before a command is performed, the outcome
after. It outlives the process, however that ends; it is not synced, so a power cut may take the last lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct


class Outcome(Struct, frozen=True, omit_defaults=True):
    """A node's answer to a command, as it goes out on ``results``."""

    id: str
    status: Literal["completed", "failed", "expired", "in-doubt"]
    output: Any = None
    error: str | None = None


class _Begun(Struct, frozen=True):
    begun: str


_DECODER = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class CommandMemory:
    """Outcomes by command id, the newest ``limit`` of them; not for use by two threads at once.

    Args:
        path: file that outlives the process; None remembers in memory only.
    """

    def __init__(self, path: Path | None = None, *, limit: int = 1000) -> None:
        self._path = path
        self._limit = limit
        self._outcomes: dict[str, Outcome] = {}
        self._lines = 0
        if path is not None:
            self._load(path)
            self._rewrite()

    def outcome(self, command: str) -> Outcome | None:
        """What was answered to this command; None if it is new."""
        return self._outcomes.get(command)

    def begin(self, command: str) -> None:
        """Note, before it is performed, a command that must not be performed twice.

        If no outcome follows, the next start answers it ``in-doubt``.
        """
        self._append(_Begun(command))

    def finish(self, outcome: Outcome) -> None:
        """Note the answer."""
        self._keep(outcome)
        self._append(outcome)

    def _keep(self, outcome: Outcome) -> None:
        self._outcomes[outcome.id] = outcome
        if len(self._outcomes) > self._limit:
            del self._outcomes[next(iter(self._outcomes))]

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        begun: dict[str, None] = {}
        for line in path.read_bytes().splitlines():
            try:
                entry = _DECODER.decode(line)
                if "begun" in entry:
                    begun[entry["begun"]] = None
                else:
                    outcome = msgspec.convert(entry, Outcome)
                    begun.pop(outcome.id, None)
                    self._keep(outcome)
            except msgspec.MsgspecError:
                continue  # torn by the kill that ended us
        for command in begun:
            self._keep(Outcome(command, "in-doubt", error="the node stopped while performing it"))

    def _append(self, entry: Struct) -> None:
        if self._path is None:
            return
        if self._lines >= 4 * self._limit:
            self._rewrite()
        with self._path.open("ab") as file:
            file.write(_encode(entry) + b"\n")
        self._lines += 1

    def _rewrite(self) -> None:
        """Write only what counts, aside and then in place of the old file."""
        if self._path is None:
            return
        aside = self._path.with_name(self._path.name + ".new")
        aside.write_bytes(b"".join(_encode(outcome) + b"\n" for outcome in self._outcomes.values()))
        aside.replace(self._path)
        self._lines = len(self._outcomes)
