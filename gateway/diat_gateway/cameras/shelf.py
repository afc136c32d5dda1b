"""Clips and snapshots of a gateway as files: bounded, kept until there is no room, promised ones for longer.

Each is one file, ``ID.mp4`` or ``ID.jpg``, with what is known of it beside it in ``ID.json``, written last:
what has none is a piece of a crash and is taken away at the start. When there is no room the oldest that
nobody was promised goes; if all are promised, or the disk has none left, new ones are refused and it says
so.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from diat.kernel.errors import NotFound

Kind = Literal["clip", "snapshot"]
_ENDINGS: dict[Kind, str] = {"clip": ".mp4", "snapshot": ".jpg"}


class Kept(Struct, frozen=True):
    """What is known of one file.

    Attributes:
        id: its name.
        camera: who took it.
        kind: ``clip`` or ``snapshot``.
        start: Unix ms of its first picture.
        end: Unix ms of its last.
        bytes: how long the file is.
        promised: whether somebody was told that it stays.
    """

    id: str
    camera: str
    kind: Kind
    start: int
    end: int
    bytes: int
    promised: bool = False


class Full(Exception):
    """There is no room, and nothing that may go."""


class Shelf:
    """The files of one gateway.

    Args:
        directory: where they lie.
        most: bytes of all together.
        reserve: bytes that stay free on the disk.
    """

    def __init__(self, directory: Path, most: int = 2 << 30, reserve: int = 256 << 20) -> None:
        self._directory = directory
        self._most, self._reserve = most, reserve
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, Kept] = {}
        self._load()

    def put(self, kept: Kept, content: bytes) -> Kept:
        """Keep a file.

        Raises:
            Full: there is no room for it.
        """
        kept = msgspec.structs.replace(kept, bytes=len(content))
        with self._lock:
            self._make_room(len(content))
            path = self._path(kept)
            try:
                path.write_bytes(content)
                self._note(kept)
            except OSError as error:
                path.unlink(missing_ok=True)
                raise Full(f"the disk takes no more: {error.strerror}") from error
            self._kept[kept.id] = kept
        return kept

    def promise(self, name: str) -> None:
        """This one stays until it is taken away by name.

        Raises:
            NotFound: it is not here.
        """
        with self._lock:
            kept = msgspec.structs.replace(self._get(name), promised=True)
            self._note(kept)
            self._kept[name] = kept

    def drop(self, name: str) -> None:
        """Take one away, unless it was promised; nothing if it is not here."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and not kept.promised:
                self._remove(kept)

    def file(self, name: str) -> tuple[Kept, Path]:
        """One of them.

        Raises:
            NotFound: it is not here, or no more.
        """
        with self._lock:
            kept = self._get(name)
            return kept, self._path(kept)

    @property
    def kept(self) -> list[Kept]:
        """All of them, oldest first."""
        with self._lock:
            return sorted(self._kept.values(), key=lambda each: each.start)

    def _get(self, name: str) -> Kept:
        if name not in self._kept:
            raise NotFound(f"the clip {name!r} is not kept here any more")
        return self._kept[name]

    def _make_room(self, size: int) -> None:
        used = sum(each.bytes for each in self._kept.values())
        free = [
            each for each in sorted(self._kept.values(), key=lambda each: each.start) if not each.promised
        ]
        while used + size > self._most or shutil.disk_usage(self._directory).free - size < self._reserve:
            if not free:
                raise Full("no room: all that is kept was promised, or the disk is full")
            oldest = free.pop(0)
            self._remove(oldest)
            used -= oldest.bytes

    def _remove(self, kept: Kept) -> None:
        (self._directory / f"{kept.id}.json").unlink(missing_ok=True)
        self._path(kept).unlink(missing_ok=True)
        self._kept.pop(kept.id, None)

    def _note(self, kept: Kept) -> None:
        aside = self._directory / f"{kept.id}.part"
        aside.write_bytes(msgspec.json.encode(kept))
        aside.replace(self._directory / f"{kept.id}.json")

    def _path(self, kept: Kept) -> Path:
        return self._directory / f"{kept.id}{_ENDINGS[kept.kind]}"

    def _load(self) -> None:
        for note in self._directory.glob("*.json"):
            try:
                kept = msgspec.json.decode(note.read_bytes(), type=Kept)
            except msgspec.MsgspecError:
                note.unlink()
                continue
            if kept.id == note.stem and self._path(kept).exists():
                self._kept[kept.id] = kept
        for path in self._directory.iterdir():
            if path.suffix in (".mp4", ".jpg", ".part") and path.stem not in self._kept:
                path.unlink()
