"""A backup that is brought from elsewhere: written beside the others, and one of them once it is whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from diat.kernel.errors import Conflict, Invalid, Unavailable
from diat.operation.backup.archive import is_backup

RESERVE = 1 << 30
"""Bytes of the disk that stay free."""


class Receiving:
    """The file while it comes; what does not come as a whole is taken away. Used by one at a time.

    Args:
        directory: of the backups.
        name: that it has there.
        size: bytes that it is said to have.
    """

    def __init__(self, directory: Path, name: str, size: int) -> None:
        self._path, self._draft = directory / name, directory / f".coming-{name}"
        self._size = size
        self._whole = False

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            Conflict: there is one of that name.
            Unavailable: there is no room for it.
        """
        if self._path.exists():
            raise Conflict(f"there is a backup {self._path.name} already")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._path.parent.glob(".coming-*"):  # of one that was killed
            left.unlink(missing_ok=True)
        free = shutil.disk_usage(self._path.parent).free
        if free < self._size + RESERVE:
            raise Unavailable(f"there is no room: it takes {self._size:,} bytes, and {free:,} are free")
        self._file = os.fdopen(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        return self

    def write(self, piece: bytes) -> None:
        """Take what comes next.

        Raises:
            Invalid: it is more than was said.
        """
        if self._file.tell() + len(piece) > self._size:
            raise Invalid("it is more than its length says")
        self._file.write(piece)

    def finish(self) -> None:
        """All of it came.

        Raises:
            Invalid: it is less than was said, or no backup.
        """
        if self._file.tell() != self._size:
            raise Invalid("it is less than its length says")
        self._file.seek(0)
        if not is_backup(self._file):
            raise Invalid("it is no backup of a platform")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._whole = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: keep it if it is whole."""
        self._file.close()
        if self._whole and kind is None:
            self._draft.rename(self._path)
        else:
            self._draft.unlink(missing_ok=True)
