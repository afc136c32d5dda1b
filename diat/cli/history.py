"""``diat history``: the past of things to a file and from a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The past of things: to a file, and from a file.", no_args_is_help=True, rich_markup_mode=None
)

DataOption = Annotated[
    Path, typer.Option("--data", envvar="DIAT_DATA", help="Directory for all durable data.")
]


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command("export")
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; - for standard output.")],
    thing: Annotated[
        list[str] | None, typer.Option("--thing", help="Id of a thing; may be repeated.  [default: all]")
    ] = None,
    prop: Annotated[
        list[str] | None, typer.Option("--property", help="A property; may be repeated.  [default: all]")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First time, RFC 3339 or Unix ms, included.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last time, as --from, excluded.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="[default: by the name of the file, else csv]")
    ] = None,
    data: DataOption = Path("diat-data"),
) -> None:
    """Write readings to a CSV or Parquet file; the daemon of the directory may be running or not.

    Example: diat history export --thing urn:dev:lamp --from 2026-01-01 -o lamp.csv
    """
    from diat.cli.transfer import run_export

    run_export(
        data=data,
        output=output,
        form=form,
        things=thing or [],
        properties=prop or [],
        since=since,
        until=until,
    )


@app.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file, as export writes it.")],
    data: DataOption = Path("diat-data"),
) -> None:
    """Bring readings of a file into a data directory whose daemon is stopped; those known are left out.

    Example: diat history import lamp.csv --data ~/house
    """
    from diat.cli.transfer import run_import

    run_import(data=data, file=file)
