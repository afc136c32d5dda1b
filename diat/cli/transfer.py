"""What the ``diat history`` commands do; apart from them, for help needs none of these libraries."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from diat.adapters.lake.exporting import Pick, lines, replacing, write_csv, write_parquet
from diat.adapters.lake.importing import import_file
from diat.adapters.lake.opening import Archive, opened
from diat.kernel.clock import parse_time
from diat.kernel.errors import Invalid, NotFound

SHORT = 1.0
"""Seconds that something takes for which nobody needs a progress bar."""


def run_export(
    *,
    data: Path,
    output: Path,
    form: str | None,
    things: list[str],
    properties: list[str],
    since: str | None,
    until: str | None,
) -> None:
    """Write readings to a file, or to standard output if its name is ``-``.

    Raises:
        SetupError: there is no database in the data directory.
        NotFound: there is no such thing in it.
        Invalid: an option is wrong.
    """
    start, end = _time(since, "--from"), _time(until, "--to")
    chosen = form or ("parquet" if output.suffix.lower() == ".parquet" else "csv")
    standard = str(output) == "-"
    if standard and chosen == "parquet":
        raise Invalid("a Parquet file does not go to standard output: name a file with -o", "--format")
    with opened(data.expanduser(), _warn) as archive:
        picks, total = _picks(archive, things, properties, start, end)
        found = lines(archive.history, picks, start, end)
        with _progress("exporting", total) as bar:
            if standard:
                write_csv(found, sys.stdout, bar.advance)
                return
            with replacing(output) as draft:
                if chosen == "parquet":
                    write_parquet(found, draft, bar.advance)
                else:
                    with draft.open("w", encoding="utf-8", newline="") as file:
                        write_csv(found, file, bar.advance)
    typer.echo(f"{bar.done} readings of {len(picks)} properties are in {output}", err=True)


def run_import(*, data: Path, file: Path) -> None:
    """Bring the readings of a file in; errors as of ``import_file``."""
    with _progress("importing", 0) as bar:
        done = import_file(data.expanduser(), file, bar.reach)
    typer.echo(f"{done.added} of {done.read} readings were new and are in {data}", err=True)


def _picks(
    archive: Archive,
    wanted: list[str],
    properties: list[str],
    start: int | None,
    end: int | None,
) -> tuple[list[Pick], int]:
    """What to export, and how many readings it has."""
    picks: list[Pick] = []
    total = 0
    for thing in wanted or sorted(archive.numbers):
        number = archive.numbers.get(thing)
        if number is None:
            raise NotFound(f"there is no thing {thing!r} in the data directory")
        for name, count in sorted(archive.history.census(number, start, end).items()):
            if not properties or name in properties:
                picks.append(Pick(thing, number, name))
                total += count
    return picks, total


class Bar:
    """A progress bar that shows itself once there was time to look at it.

    Attributes:
        done: how many are done.
    """

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total or None)
        self._began = time.monotonic()
        self.done = 0

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        self._show(None)

    def reach(self, done: int, total: int) -> None:
        """So many of so many are done."""
        self.done = done
        self._show(total)

    def _show(self, total: int | None) -> None:
        self._progress.update(self._task, completed=self.done, total=total)
        if time.monotonic() - self._began > SHORT:
            self._progress.start()


@contextmanager
def _progress(what: str, total: int) -> Iterator[Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    try:
        yield Bar(progress, what, total)
    finally:
        progress.stop()


def _time(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise Invalid(f"{option} takes RFC 3339 or Unix milliseconds, not {text!r}", option) from None


def _warn(line: str) -> None:
    typer.echo(f"diat: {line}", err=True)
