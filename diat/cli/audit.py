"""``diat audit``: whether the audit is as it was written, and all of it to take away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diat.cli.history import DataOption

if TYPE_CHECKING:
    from diat.adapters.sql.audit import KeptAudit
    from diat.security.audit import Head, Row

app = typer.Typer(
    help="Who did what: is it as it was written, and all of it.", no_args_is_help=True, rich_markup_mode=None
)
SHOWN = 20


@app.command()
def verify(
    data: DataOption = Path("diat-data"),
    file: Annotated[
        Path | None, typer.Option("--file", help="An export instead of the data directory.")
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", help="Where it must end, as an earlier run printed it: number:link."),
    ] = None,
) -> None:
    """Look for anything that was changed, removed, put in or cut off; the daemon may be running.

    Ends with 0 if all is as it was written, 1 if not. The head that it prints can be kept elsewhere: what
    was cut off behind it is then found even if somebody changed what lies beside the database.

    Example: diat audit verify --data ~/house
    """
    from diat.security.audit import Head, faults

    wanted = None if head is None else _head(head)
    last, passed, wrong = Head(), Head(), list[str]()

    def told(rows: Iterator[Row]) -> Iterator[Row]:
        nonlocal last, passed
        for row in rows:
            last = Head(row[0], row[2])
            if wanted is not None and last.no <= wanted.no:
                passed = last
            yield row

    if file is not None:
        wrong += faults(told(_rows(file)), Head(), None)
    else:
        with _kept(data) as kept:
            wrong += kept.verify(told)[1]
    if wanted is not None:
        wrong += faults((), passed, wanted)
    for line in wrong[:SHOWN]:
        typer.echo(f"diat: {line}", err=True)
    if wrong:
        more = f", of which {SHOWN} are told" if len(wrong) > SHOWN else ""
        typer.echo(f"diat: the audit is not as it was written: {len(wrong)} faults{more}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{last.no} entries, all as they were written; head {last.no}:{last.link}")


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; - for standard output.")],
    data: DataOption = Path("diat-data"),
) -> None:
    """Write all entries, a line each, oldest first; the daemon may be running.

    Example: diat audit export -o audit.jsonl
    """
    from diat.adapters.sql.audit import lines

    with _kept(data) as kept:
        if str(output) == "-":
            sys.stdout.writelines(lines(kept.everything()))
            return
        with output.open("w", encoding="utf-8") as file:
            file.writelines(lines(kept.everything()))


@contextmanager
def _kept(data: Path) -> Iterator[KeptAudit]:
    from diat.adapters.lake.opening import read_only
    from diat.adapters.sql.audit import KeptAudit

    engine = read_only(data)
    try:
        yield KeptAudit(engine, data / "audit")
    finally:
        engine.dispose()


def _rows(file: Path) -> Iterator[Row]:
    from diat.adapters.sql.audit import row_of
    from diat.kernel.errors import Invalid

    try:
        with file.open(encoding="utf-8") as lines:
            for at, line in enumerate(lines, start=1):
                yield row_of(line, f"{file}:{at}")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {file}: {error}", "--file") from None


def _head(text: str) -> Head:
    from diat.kernel.errors import Invalid
    from diat.security.audit import Head

    no, _, link = text.partition(":")
    if not no.isdecimal() or len(link) != len(Head().link):
        raise Invalid(f"a head is number:link, as this command prints it, not {text[:100]!r}", "--head")
    return Head(int(no), link)
