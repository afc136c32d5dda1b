"""One daemon for each data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diat.kernel.errors import SetupError


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Make the data directory and keep others from using it at the same time.

    Raises:
        SetupError: it cannot be written, or another daemon uses it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetupError(f"cannot write in {data} ({error.strerror}): choose another with --data") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"{data} is in use by another diat: choose another with --data") from None
        yield
    finally:
        os.close(lock)
