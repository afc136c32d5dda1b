"""Things that a person describes in files: a directory in which each ``*.json`` is a Thing Description."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from diat.vol.dialects.described import default_id, last_segment
from diat.wire import topics
from diat.wire.envelope import Garbled, read_json
from diat.wot.td import Json, complete, fault

_LOG = logging.getLogger("diat.buses")
LARGEST = 1024 * 1024
"""Bytes of such a file at most."""


class Files:
    """Thing Descriptions in files, read again when they change.

    Args:
        paths: files, and directories whose ``*.json`` and ``*.jsonld`` are taken.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._read: dict[Path, tuple[tuple[int, int], Json | None]] = {}
        self._said: dict[Path, str] = {}

    def look(self) -> dict[str, Json]:
        """What is described now, by name in topics; what is wrong with a file is said in the log, once."""
        found: dict[str, Json] = {}
        files = self._files()
        self._read = {path: self._read[path] for path in files if path in self._read}
        for path in files:
            td = self._of(path)
            if td is None:
                continue
            name = last_segment(td["id"])
            if name in found:
                self._complain(path, f"{td['id']} is described twice")
            else:
                found[name] = td
        return found

    def faults(self) -> list[str]:
        """What is wrong, a line for each file that is left out; after ``look``."""
        return [f"{path}: {wrong}" for path, wrong in self._said.items()]

    def refuse(self, td: Json, wrong: Sequence[tuple[str, str]]) -> None:
        """Say what is wrong with the forms of a description."""
        for path, (_, known) in self._read.items():
            if known is td:
                self._complain(path, "; ".join(f"{place}: {what}" for place, what in wrong[:10]))

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for path in self._paths:
            inside = sorted([*path.glob("*.json"), *path.glob("*.jsonld")]) if path.is_dir() else [path]
            found += [each for each in inside if each.is_file()]
        return found

    def _of(self, path: Path) -> Json | None:
        try:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            known = self._read.get(path)
            if known is None or known[0] != mark:
                self._said.pop(path, None)
                known = self._read[path] = (mark, self._parse(path, stat.st_size))
        except OSError as error:
            self._complain(path, str(error.strerror))
            return None
        return known[1]

    def _parse(self, path: Path, size: int) -> Json | None:
        if size > LARGEST:
            self._complain(path, f"larger than {LARGEST} bytes")
            return None
        document = path.read_bytes()
        td = read_json(document)
        if isinstance(td, Garbled) or not isinstance(td, dict):
            self._complain(path, td.reason if isinstance(td, Garbled) else "no JSON object")
            return None
        td.setdefault("id", default_id(re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.partition(".")[0])[:64]))
        wrong = fault(complete(td), document=document)
        if wrong is None and not topics.is_name(last_segment(td["id"])):
            wrong = "id: its last segment has to be 1 to 64 of A-Z a-z 0-9 _ -"
        if wrong is not None:
            self._complain(path, wrong)
        return td if wrong is None else None

    def _complain(self, path: Path, wrong: str) -> None:
        if self._said.get(path) != wrong:
            self._said[path] = wrong
            _LOG.warning("%s: %s", path, wrong)
