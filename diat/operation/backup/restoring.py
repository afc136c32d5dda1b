"""Bringing a backup back into a data directory: as a whole, or not at all.

What comes is written beside what is there, held to its manifest, and made ready: what must not be as it was.
The renaming of its directory is the moment that counts. From then on it is moved into place, by whoever
comes next if this process ends: another restore, or the platform at its start.

What must not be as it was:

- commands that were open have ended by now: none is given again, and what became of them is in doubt;
- positions that may have been given out after the backup are not given out again, so that who reads a stream
  on behind one misses nothing;
- sessions and invitations are over;
- the audit tells of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from diat.adapters.lake.opening import DATABASE, READY
from diat.adapters.sql import rows
from diat.adapters.sql.audit import KeptHead
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Conflict, Invalid, SetupError
from diat.operation.backup.archive import About, unpack
from diat.operation.backup.taking import OURS, OVER, REPLACED, STAGING, Progress
from diat.security.audit import FIRST, Entry, Head, body_of, link_of

_NAMES, _FILES = "names.json", "files"
_PER_MS = 50
"""Ingest positions that a platform gives out in a millisecond at most."""
_MOST_BEHIND = 1 << 36
"""Positions left out at most, by whatever the clock says."""


def stage(
    data: Path, source: BinaryIO, now: int, passphrase: str = "", progress: Progress | None = None
) -> About:
    """Make a backup ready to be put in place by ``finish``; the platform may be running meanwhile.

    Raises:
        Invalid: it is no backup, it is damaged, or the passphrase is another one.
        SetupError: it was made by a newer version, or there is no room for it.
    """
    staging = data / STAGING
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(staging, ignore_errors=True)
    files = staging / _FILES
    total, done = 1, 0

    def agree(about: About) -> None:
        nonlocal total
        total = max(about.bytes, 1)
        _must_know(about)
        free = shutil.disk_usage(data).free
        if free < total * 1.1:
            raise SetupError(f"there is no room: it takes {total:,} bytes, and {free:,} are free")

    def told(count: int) -> None:
        nonlocal done
        done += count
        if done > total:
            raise Invalid("the backup is damaged: it holds more than it says")
        if progress is not None:
            progress(done, total)

    try:
        files.mkdir(mode=0o700, parents=True)
        about = unpack(source, passphrase, files, agree, told)
        _make_ready(files, about, now)
        names = sorted(each.name for each in files.iterdir())
        (staging / _NAMES).write_text(json.dumps(names), "utf-8")
        os.sync()  # nothing of it may come to the disk after the renaming
        _discard(data)
        staging.rename(data / READY)
        _sync(data)
    except OSError as error:
        raise SetupError(f"it cannot be written in {data}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return about


def finish(data: Path) -> bool:
    """Put in place what was made ready; whether there was anything. For whoever has the directory's lock.

    What it replaces goes to ``replaced``, in the place of what an earlier one replaced. It may be ended at
    any moment, and goes on where it was.

    Raises:
        SetupError: something cannot be moved, another file system within the directory perhaps.
    """
    try:
        return _finish(data)
    except OSError as error:
        raise SetupError(f"a restore cannot be ended in {data}: {error}") from error


def _finish(data: Path) -> bool:
    ready, replaced = data / READY, data / REPLACED
    if not ready.exists():
        return False
    names: list[str] = json.loads((ready / _NAMES).read_text("utf-8"))
    begun = ready / "begun"
    if not begun.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        begun.touch()
    replaced.mkdir(mode=0o700, exist_ok=True)
    for old in list(data.iterdir()):
        # What has the name of one that came, and that one has not been moved yet, is an old one.
        if old.name not in OURS and (old.name not in names or (ready / _FILES / old.name).exists()):
            old.rename(replaced / old.name)
    for name in names:
        if (ready / _FILES / name).exists():
            (ready / _FILES / name).rename(data / name)
    _sync(data)
    if not any(replaced.iterdir()):
        replaced.rmdir()
    _discard(data)
    return True


def restore(
    data: Path,
    source: BinaryIO,
    now: int,
    passphrase: str = "",
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> About:
    """Bring a backup back into a directory that no platform runs on.

    Args:
        data: the directory; made if it is not there.
        source: the backup.
        now: Unix milliseconds.
        passphrase: what it was sealed with.
        force: whether what is there may be replaced.
        progress: told how far it is.

    Raises:
        Conflict: something is there already.
        Invalid: see ``stage``.
        SetupError: see ``stage``; or a platform runs on the directory.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot write in {data}: {error.strerror}") from None
    with _alone(data):
        finish(data)
        if not force and any(each.name not in OURS for each in data.iterdir()):
            raise Conflict(f"{data} is not empty: --force replaces what is there")
        about = stage(data, source, now, passphrase, progress)
        finish(data)
    return about


def _must_know(about: About) -> None:
    # Loaded only here: it takes 10 MiB.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    migrations = Path(rows.__file__).with_name("migrations")
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if about.schema not in known:
        raise SetupError(
            f"the backup was made by a newer version ({about.version}, schema {about.schema[:40]}): "
            "bring it back with that one"
        )


def _make_ready(files: Path, about: About, now: int) -> None:
    path = files / DATABASE
    if not path.is_file():
        raise Invalid("the backup is damaged: there is no database in it")
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            _renew(connection, files, about, now)
        finally:
            connection.close()
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise Invalid(f"the backup is damaged: its database: {error}") from None


def _renew(connection: sqlite3.Connection, files: Path, about: About, now: int) -> None:
    fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if fault != "ok" or schema != (about.schema,):
        raise Invalid(f"the backup is damaged: its database: {fault}, schema {schema}")
    connection.execute("BEGIN")
    opened = connection.execute("SELECT id, body FROM actuations WHERE state = 'pending'").fetchall()
    for key, body in opened:
        known = rows.read_actuation(body)
        over = msgspec.structs.replace(known, expires=min(known.expires, known.created))
        connection.execute("UPDATE actuations SET body = ? WHERE id = ?", (rows.text(over), key))
    later = min(max(0, now - about.made) * _PER_MS, _MOST_BEHIND)
    connection.execute("UPDATE meta SET value = value + ? WHERE key = 'position'", (later,))
    connection.execute("DELETE FROM tokens WHERE body ->> '$.kind' IN ('session', 'invitation')")
    last = connection.execute("SELECT no, link FROM audit ORDER BY no DESC LIMIT 1").fetchone()
    no, link = last or (0, FIRST)
    did = f"brought a backup of {rfc3339(about.made)} back; what came after it is not there"
    body = body_of(no + 1, Entry(at=now, who="daemon:", did=did, outcome="noted"))
    head = Head(no + 1, link_of(link, body))
    connection.execute("INSERT INTO audit (no, body, link) VALUES (?, ?, ?)", (head.no, body, head.link))
    connection.execute("COMMIT")
    (files / "audit").mkdir(mode=0o700, exist_ok=True)
    (files / "audit" / "head.json").write_bytes(msgspec.json.encode(KeptHead(head.no, head.link)))


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the lock of a data directory.

    Raises:
        SetupError: a platform runs on it.
    """
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"{data} is in use by a running diat: end it first") from None
        yield
    finally:
        os.close(lock)


def _discard(data: Path) -> None:
    """Take away what was made ready, so that nobody ever finds half of it."""
    shutil.rmtree(data / OVER, ignore_errors=True)
    if (data / READY).exists():
        (data / READY).rename(data / OVER)
        shutil.rmtree(data / OVER, ignore_errors=True)


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
