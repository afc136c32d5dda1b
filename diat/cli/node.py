"""``diat node``: boards with our firmware: put it on, tell it where it belongs, watch it, release updates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diat.cli import rollouts
from diat.cli.rest import DATA, URL, DataOption, Rest, TokenOption, UrlOption
from diat.kernel.errors import Invalid
from diat.wire.topics import is_name

app = typer.Typer(name="node", help="Boards with our firmware.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rollouts.app, name="rollout")

PortOption = Annotated[
    str,
    typer.Option(
        "--port", envvar="DIAT_NODE_PORT", help="Serial port of the board; auto finds the only one."
    ),
]
FirmwareOption = Annotated[
    Path, typer.Option("--firmware", envvar="DIAT_FIRMWARE", help="Folder with the firmware.")
]


@app.command()
def provision(
    thing: Annotated[str, typer.Argument(help="Name of the thing: letters, digits, - and _.")],
    host: Annotated[
        str, typer.Option("--broker", help="The broker as the board sees it: host or host:port.")
    ],
    port: PortOption = "auto",
    wifi: Annotated[
        list[str] | None, typer.Option("--wifi", help="NAME:PASSWORD of a network; may be repeated.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Join key of the platform.")] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="Certificate that the broker's is signed by; then TLS is used."),
    ] = None,
) -> None:
    """Write a board's configuration.

    Example: diat node provision office-1 --broker 192.168.1.10 --wifi 'home:secret' --key ABCD-EFGH
    """
    from diat.cli.boards import configuration, put_configuration

    if not is_name(thing):
        raise Invalid(f"{thing!r} is no name of a thing: 1 to 64 letters, digits, - and _", "thing")
    put_configuration(port, configuration(thing, host, wifi or [], key, ca))
    typer.echo(f"{thing} knows where it belongs; it goes there at its next start")


@app.command()
def flash(port: PortOption = "auto", firmware: FirmwareOption = Path("firmware")) -> None:
    """Compile the firmware and put it on a board that runs MicroPython 1.23 or newer.

    Example: diat node flash --port /dev/ttyUSB0
    """
    from diat.cli.boards import put_firmware

    count, size = put_firmware(port, firmware)
    typer.echo(f"{count} files, {size} bytes, are on the board")


@app.command()
def monitor(port: PortOption = "auto") -> None:
    """Show what a board prints; Ctrl-] ends it.

    Example: diat node monitor --port /dev/ttyUSB0
    """
    from diat.cli.boards import watch

    watch(port)


@app.command()
def release(
    key: Annotated[Path, typer.Argument(help="Private RSA-2048 key, PEM; made if it is not there.")],
    number: Annotated[int, typer.Argument(min=1, help="Number of the release; it must grow.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write, for a web server.")],
    board: Annotated[str, typer.Option("--board", help="Kind of board that it is for.")] = "esp32",
    firmware: FirmwareOption = Path("firmware"),
) -> None:
    """Compile, list and sign the firmware, for updates over the air.

    Example: diat node release release-key.pem 2 -o /srv/www/esp32-2
    """
    from diat.cli.releases import write_release

    modulus = write_release(key, number, board, firmware, output)
    typer.echo(f"release {number} for {board} is in {output}; boards know the key as 0x{modulus:x}")


@app.command()
def upload(
    folder: Annotated[Path, typer.Argument(help="Folder that `diat node release` wrote.")],
    url: UrlOption = URL,
    token: TokenOption = None,
    data: DataOption = DATA,
) -> None:
    """Give a release to a running platform, from which nodes fetch it; it can be rolled out then.

    Example: diat node upload build/esp32-2
    """
    from diat.cli.releases import read_release

    made = Rest(url, token, data).ask("POST", "/releases", read_release(folder))
    typer.echo(f"release {made['id']}: {len(made['files'])} files; diat node rollout start {made['id']}")
