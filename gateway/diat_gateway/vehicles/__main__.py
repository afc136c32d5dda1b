"""``python -m diat_gateway.vehicles``: the parts of vehicle localisation, each a process."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import msgspec
import typer

from diat.kernel.errors import DiatError
from diat_gateway.vehicles.sensor import Sensor
from diat_gateway.vehicles.setup import Setup, read
from diat_gateway.vehicles.switching import make_map, switch
from diat_gateway.vehicles.unit import Unit, serve

app = typer.Typer(help="The parts of vehicle localisation.", rich_markup_mode=None, no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="The setup, YAML.", envvar="DIAT_VEHICLES")]
Broker = Annotated[str, typer.Option("--mqtt", envvar="DIAT_MQTT", help="Broker: host:port.")]


@app.command()
def sensor(
    setup: File,
    camera: Annotated[str, typer.Option("--camera", envvar="DIAT_CAMERA", help="Which camera of the setup.")],
    mqtt: Broker = "127.0.0.1:1883",
    video: Annotated[
        str | None, typer.Option("--video", envvar="DIAT_VIDEO", help="Where video goes: host:port.")
    ] = None,
    start: Annotated[
        float | None, typer.Option("--start", help="Unix s of the first picture.  [default: at once]")
    ] = None,
) -> None:
    """One camera, at the level of the setup; prints what it did, as JSON, when its source ends.

    Example: python -m diat_gateway.vehicles sensor crossing.yaml --camera north --mqtt rsu.local:1883
    """
    known = _setup(setup)
    if camera not in known.cameras:
        _fail(f"the setup has no camera {camera!r}; it has {', '.join(known.cameras)}")
    try:
        to = _address(video) if video is not None else None
        figures = Sensor(known, camera, start or time.time(), _address(mqtt), to).run()
    except (DiatError, OSError) as error:
        _fail(str(error))
    typer.echo(msgspec.json.encode(figures).decode())


@app.command()
def unit(
    setup: File,
    port: Annotated[
        int, typer.Option("--port", envvar="DIAT_PORT", min=1, max=65535, help="Where video comes.")
    ],
    name: Annotated[
        str, typer.Option("--name", envvar="DIAT_NAME", help="What it is called, as its aggregator is.")
    ],
    mqtt: Broker = "127.0.0.1:1883",
    cloud: Annotated[
        str | None,
        typer.Option(
            "--cloud",
            envvar="DIAT_CLOUD",
            help="Where video goes while it is looked at in the cloud: host:port.",
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", envvar="DIAT_HOST", help="Where it listens.")] = "127.0.0.1",
) -> None:
    """Take the video of cameras: look at it and tell the broker what there is, or pass it on. Ctrl-C ends it.

    Example: python -m diat_gateway.vehicles unit crossing.yaml --name rsu --port 9000 --cloud core.local:9000
    """
    known = _setup(setup)
    over = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: over.set())
    taker = Unit(known, name, _address(mqtt), _address(cloud) if cloud else None)
    try:
        inlet = serve(taker, port, host)
    except OSError as error:
        taker.close()
        _fail(f"port {port}: {error.strerror}")
    typer.echo("ready")
    sys.stdout.flush()
    over.wait()
    inlet.close()
    taker.close()


@app.command("switch")
def switch_to(
    setup: File,
    cloud: Annotated[
        str, typer.Option("--cloud", envvar="DIAT_URL", help="REST of the platform.")
    ] = "http://127.0.0.1:8000",
    service: Annotated[
        str | None,
        typer.Option("--service", envvar="DIAT_SERVICE", help="That makes its map.  [default: make one]"),
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", envvar="DIAT_TOKEN", help="To come in.  [default: none]")
    ] = None,
) -> None:
    """Bring what is at work to what the setup says, without a gap; prints the service that makes the map.

    Example: python -m diat_gateway.vehicles switch crossing.yaml --cloud http://core.local:8000
    """
    known = _setup(setup)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=cloud, headers=headers, timeout=20.0) as rest:
        try:
            mine = service or make_map(rest, "cloud", known, known.analysis)
            switch(known, rest, mine)
        except (DiatError, httpx.HTTPError) as error:
            _fail(f"{cloud}: {error}")
    typer.echo(mine)


def _setup(path: Path) -> Setup:
    try:
        return read(path)
    except DiatError as error:
        _fail(str(error))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        _fail(f"{text!r} is no host:port")
    return host, int(port)


def _fail(text: str) -> NoReturn:
    typer.echo(f"diat: {text}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    app()
