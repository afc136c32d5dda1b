"""``diat history``: the past of things to a file and from a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from diat.adapters.lake.exporting import Pick, lines, replacing, write_csv, write_parquet
from diat.adapters.lake.importing import import_file
from diat.adapters.lake.opening import Archive, opened
from diat.kernel.clock import parse_time
from diat.kernel.errors import Invalid, NotFound

app = typer.Typer(
    help="The past of things: to a file, and from a file.", no_args_is_help=True, rich_markup_mode=None
)

SHORT = 1.0
"""Seconds that something takes for which nobody needs a progress bar."""

DataOption = Annotated[
    Path, typer.Option("--data", envvar="DIAT_DATA", help="Directory for all durable data.")
]


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command("export")
def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output (CSV).")
    ],
    thing: Annotated[
        list[str] | None, typer.Option("--thing", help="Id of a thing; may be repeated.  [default: all]")
    ] = None,
    prop: Annotated[
        list[str] | None, typer.Option("--property", help="A property; may be repeated.  [default: all]")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First time, RFC 3339 or Unix ms, included.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Last time, RFC 3339 or Unix ms, excluded.")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="[default: by the name of the file, else csv]")
    ] = None,
    data: DataOption = Path("diat-data"),
) -> None:
    """Write readings to a CSV or Parquet file; the daemon of the directory may be running or not.

    Example: diat history export --thing urn:dev:lamp --from 2026-01-01 -o lamp.csv
    """
    start, end = _time(since, "--from"), _time(until, "--to")
    chosen = form or (Format.PARQUET if output.suffix.lower() == ".parquet" else Format.CSV)
    standard = str(output) == "-"
    if standard and chosen is Format.PARQUET:
        raise Invalid("a Parquet file does not go to standard output: name a file with -o", "--format")
    with opened(data.expanduser(), _warn) as archive:
        picks, total = _picks(archive, thing, prop, start, end)
        found = lines(archive.history, picks, start, end)
        with _progress("exporting", total) as bar:
            if standard:
                write_csv(found, sys.stdout, bar.advance)
                return
            with replacing(output) as draft:
                if chosen is Format.PARQUET:
                    write_parquet(found, draft, bar.advance)
                else:
                    with draft.open("w", encoding="utf-8", newline="") as file:
                        write_csv(found, file, bar.advance)
    typer.echo(f"{bar.done} readings of {len(picks)} properties are in {output}", err=True)


@app.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, as export writes it.")],
    data: DataOption = Path("diat-data"),
) -> None:
    """Bring readings of a file into a data directory whose daemon is stopped; those known are left out.

    Example: diat history import lamp.csv --data ~/house
    """
    with _progress("importing", 0) as bar:
        done = import_file(data.expanduser(), file, bar.reach)
    typer.echo(f"{done.added} of {done.read} readings were new and are in {data}", err=True)


def _picks(
    archive: Archive,
    wanted: list[str] | None,
    properties: list[str] | None,
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
