"""Making a backup of a data directory whose platform may be running.

First the database is copied, as it was at one commit. What else belongs to that commit is what was there
then and is there still: files of the lake that speak of no later position, sealed files of the audit, keys
and certificates, and whatever others of the platform keep beside them. Files of ours are never written to
once they have their names, so a link to each is enough to have it as it is.

Not in it is what belongs to one life of the process (lock, owner's token, address), the broker's own
store, and other backups.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec

from diat import __version__
from diat.adapters.lake.catalog import SHELVES, Catalog
from diat.adapters.lake.opening import DATABASE, LAKE, READY, existing
from diat.adapters.sql.audit import KeptHead
from diat.kernel.errors import Busy, Unavailable
from diat.operation.backup.archive import About, packing

LOCK = "backup-lock"
STAGING, OVER = ".restoring", ".restored-over"
"""Where a restore puts what comes until it is whole, and where it goes to be removed."""
REPLACED, SHELF = "replaced", "backups"
"""Where what it replaced goes to; where backups lie."""
OURS = frozenset({"lock", LOCK, STAGING, READY, OVER, REPLACED, SHELF})
"""What stays where it is when a backup comes back."""
_LEFT_OUT = OURS | {"owner-token", "address", "subscribed", "broker", LAKE}
_PAGES = 4_000
"""Pages of the database (4 KiB each) copied at once."""
Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done; may raise to end it."""


def take(
    data: Path, out: BinaryIO, now: int, passphrase: str = "", progress: Progress | None = None
) -> About:
    """Write a backup of a data directory into a file.

    Args:
        data: the directory.
        out: where to; on the disk when this returns.
        now: Unix milliseconds.
        passphrase: seals it; empty to leave it open.
        progress: see ``Progress``.

    Raises:
        SetupError: there is no database.
        Busy: another backup of it is being made.
        Unavailable: the disk is full, or the database is out of order.
    """
    existing(data)
    try:
        with _staging(data) as staging:
            return _take(data, staging, out, now, passphrase, progress or _nobody)
    except sqlite3.Error as error:
        raise Unavailable(f"the database cannot be copied: {error}") from error
    except OSError as error:
        raise Unavailable(f"the backup cannot be written: {error.strerror or error}") from error


def _take(data: Path, staging: Path, out: BinaryIO, now: int, passphrase: str, progress: Progress) -> About:
    size = (data / DATABASE).stat().st_size
    _copy_database(data / DATABASE, staging / DATABASE, lambda done: progress(done * size // 200, size))
    with _opened(staging / DATABASE) as copy:
        schema = str(_one(copy, "SELECT version_num FROM alembic_version"))
        position = int(_one(copy, "SELECT value FROM meta WHERE key = 'position'") or 0)
        last = copy.execute("SELECT no, link FROM audit ORDER BY no DESC LIMIT 1").fetchone()
    files = {DATABASE: staging / DATABASE} | _pinned(data, staging, position)
    if last is not None:
        head = staging / "head.json"
        head.write_bytes(msgspec.json.encode(KeptHead(*last)))
        files["audit/head.json"] = head
    total = sum(path.stat().st_size for path in files.values())
    about = About(
        version=__version__, schema=schema, made=now, position=position, bytes=total, files=len(files)
    )
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        progress(total // 2 + done // 2, total)

    with packing(out, passphrase, told) as packer:
        packer.about(about)
        for name in sorted(files):
            packer.add(name, files[name])
        packer.end()
    out.flush()
    os.fsync(out.fileno())
    return about


def _copy_database(source: Path, target: Path, progress: Callable[[int], None]) -> None:
    """Copy a database as it was at one commit, beside whoever writes it.

    A copy whose source changes meanwhile would begin anew each time. The read transaction that is held here
    lets it see what was there at its begin, all the way.
    """
    with _opened(source) as reading, _opened(target) as copy:
        reading.execute("PRAGMA cache_size=-8000")
        reading.execute("BEGIN")
        reading.execute("SELECT 1 FROM meta LIMIT 1").fetchall()
        began = time.monotonic()

        def told(_: int, left: int, total: int) -> None:
            nonlocal began
            progress(100 * (total - left) // max(total, 1))
            # As much time for others as this took.
            time.sleep(min(1.0, time.monotonic() - began))
            began = time.monotonic()

        reading.backup(copy, pages=_PAGES, progress=told)
        reading.execute("ROLLBACK")
        fault = str(_one(copy, "PRAGMA quick_check(1)"))
        if fault != "ok":
            raise Unavailable(f"the database is damaged: {fault}")


def _pinned(data: Path, staging: Path, position: int) -> dict[str, Path]:
    """Everything but the database, by name, each pinned so that it stays while it is read."""
    pinned: dict[str, Path] = {}
    files = {path.relative_to(data).as_posix(): path for path in _others(data)}
    for name, path in files.items():
        _pin(pinned, name, path, staging)
    while not all(_pin(pinned, name, path, staging) for name, path in _parts(data, position)):
        pass  # one gave way to another file while we looked: that one is there by now
    return pinned


def _pin(pinned: dict[str, Path], name: str, path: Path, staging: Path) -> bool:
    """Link a file; whether it was there."""
    if name in pinned:
        return True
    target = staging / f"{len(pinned)}"
    try:
        try:
            os.link(path, target)
        except FileNotFoundError:
            return False
        except OSError:  # a file system without links
            shutil.copyfile(path, target)
    except FileNotFoundError:
        return False
    pinned[name] = target
    return True


def _parts(data: Path, position: int) -> list[tuple[str, Path]]:
    """The files of the lake that belong to a commit: what others hold is in its database, or came later."""
    holdings = Catalog(data / LAKE).holdings()
    return [
        (part.path.relative_to(data).as_posix(), part.path)
        for shelf in SHELVES
        for parts in holdings.parts[shelf].values()
        for part in parts
        if part.high <= position
    ]


def _others(data: Path) -> Iterator[Path]:
    for top in sorted(data.iterdir()):
        if top.name in _LEFT_OUT or top.name.startswith((DATABASE, ".")):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else [top]:
            draft = path.name.startswith(".") or path.name.endswith(".new")
            head = path.relative_to(data).as_posix() == "audit/head.json"
            if path.is_file() and not (path.is_symlink() or draft or head):
                yield path


@contextmanager
def _staging(data: Path) -> Iterator[Path]:
    """A directory to work in, below the data directory so that files can be linked; nobody else's.

    Raises:
        Busy: another backup is being made.
    """
    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another backup is being made") from None
        staging = data / ".backup"
        shutil.rmtree(staging, ignore_errors=True)  # of one that was killed
        staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"file:{quote(str(path.absolute()))}?mode=rwc"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    try:
        yield connection
    finally:
        with suppress(sqlite3.Error):
            connection.close()


def _one(connection: sqlite3.Connection, query: str) -> Any:
    found = connection.execute(query).fetchone()
    return None if found is None else found[0]


def _nobody(done: int, total: int) -> None:
    """Nobody wants to know."""
