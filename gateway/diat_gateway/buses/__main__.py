"""``python -m diat_gateway.buses FILE… --broker mqtt://host``: local buses beside any platform."""

from __future__ import annotations

import logging
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from diat.adapters.brokers.address import parse_broker_url
from diat.kernel.errors import DiatError
from diat.settings import parse_network
from diat_gateway.buses.networks import HOME, Networks
from diat_gateway.buses.runner import Buses


def run(
    things: Annotated[
        list[Path], typer.Argument(help="Thing Descriptions, or directories of them.", exists=True)
    ],
    broker: Annotated[
        str, typer.Option(help="Where the platform's broker is.", envvar="DIAT_BROKER")
    ] = "mqtt://127.0.0.1:1883",
    data: Annotated[
        Path | None,
        typer.Option(help="Directory in which to remember commands.", envvar="DIAT_DATA", file_okay=False),
    ] = None,
    name: Annotated[str, typer.Option(help="Client id at the broker, one for each of these.")] = "",
    bus_allow: Annotated[
        list[str] | None, typer.Option(help="A network that devices may be in, besides private ones.")
    ] = None,
) -> None:
    """Read and drive the things that these files describe, for a platform that is anywhere.

    Example: python -m diat_gateway.buses boiler.json --broker mqtt://192.168.1.5
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    try:
        address = parse_broker_url(broker)
        allowed = [parse_network(each, "--bus-allow") for each in bus_allow or ()]
    except DiatError as error:
        typer.echo(f"diat: {error}", err=True)
        raise typer.Exit(2) from None
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    buses = Buses(Networks([*HOME, *allowed]))
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    buses.start(address, name or f"{socket.gethostname()}-buses"[:64], files=things, data=data)
    signal.sigwait(ends)
    buses.stop()


if __name__ == "__main__":
    typer.run(run)
