"""``diat backup`` and ``diat restore``: a whole platform into one file, and back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from diat.operation.backup.archive import About

LONGEST = 1000
_TICK = 0.2
"""Seconds between two looks at how far it is."""


def run_backup(data: Path, file: Path, passphrase: str, *, force: bool) -> None:
    """Write a backup; the file is there as a whole or not at all.

    Raises:
        Invalid: the file is there already, or cannot be written.
        SetupError: there is no platform in the data directory.
        Unavailable: it cannot be done just now.
    """
    from diat.kernel.clock import system_clock
    from diat.kernel.errors import Invalid
    from diat.operation.backup.taking import take

    if file.exists() and not force:
        raise Invalid(f"{file} is there already: --force replaces it", "FILE")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            about = take(data.expanduser(), out, system_clock(), passphrase, _shown("backup"))
        draft.replace(file)
    except OSError as error:
        raise Invalid(f"cannot write {file}: {error.strerror}", "FILE") from None
    finally:
        draft.unlink(missing_ok=True)
    sealed = "sealed" if passphrase else "not sealed: whoever reads it has all secrets of the platform"
    typer.echo(f"{file}: {_told(about)}; {file.stat().st_size:,} bytes, {sealed}")


def run_restore(data: Path, file: Path, passphrase: str, *, force: bool) -> None:
    """Bring a backup back.

    Raises:
        Invalid: the file is no backup, is damaged, or another passphrase is needed.
        Conflict: something is in the data directory already.
        SetupError: a platform runs on it, the backup is of a newer version, or there is no room.
    """
    from diat.kernel.clock import system_clock
    from diat.kernel.errors import Invalid
    from diat.operation.backup.restoring import restore
    from diat.operation.backup.taking import REPLACED

    data = data.expanduser().absolute()
    try:
        with file.open("rb") as source:
            about = restore(data, source, system_clock(), passphrase, force=force, progress=_shown("restore"))
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}", "FILE") from None
    typer.echo(f"{data}: {_told(about)}")
    if (data / REPLACED).exists():
        typer.echo(f"What was there is in {data / REPLACED}, to be removed by you.")
    typer.echo("Users, tokens and policies are those of the backup: revoke again what was revoked since.")


def passphrase_of(file: Path | None) -> str:
    """The passphrase: the first line of a file, else that of the environment, else none.

    Raises:
        Invalid: the file cannot be read, or is empty.
    """
    from diat.kernel.errors import Invalid

    if file is None:
        return os.environ.get("DIAT_PASSPHRASE", "")
    try:
        found = file.expanduser().read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {file}: {error}", "--passphrase-file") from None
    if not found or len(found) > LONGEST:
        raise Invalid(f"{file} has no passphrase in its first line", "--passphrase-file")
    return found


def _told(about: About) -> str:
    from diat.kernel.clock import rfc3339

    return f"{about.files} files, {about.bytes:,} bytes, as of {rfc3339(about.made)}, diat {about.version}"


def _shown(what: str) -> Callable[[int, int], None]:
    """Shows how far it is, where a person looks."""
    last = 0.0

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if sys.stderr.isatty() and (now - last > _TICK or done >= total):
            last = now
            end = "\n" if done >= total else ""
            typer.echo(f"\r{what}: {100 * done // max(total, 1):3d} %{end}", nl=False, err=True)

    return show
