"""``diat camera``: cameras as things of the broker beside them."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from diat.kernel.errors import Invalid

camera = typer.Typer(
    help="Run cameras: files, RTSP streams and USB, as things that say what they see.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@camera.callback()
def _camera() -> None:
    """Run cameras: files, RTSP streams and USB, as things that say what they see."""


@camera.command()
def run(
    cameras: Annotated[Path, typer.Argument(help="YAML: cameras: [{name, source, place, level, fps}, …]")],
    broker: Annotated[
        str,
        typer.Option(
            "--broker",
            envvar="DIAT_BROKER",
            help="mqtt://[user[:password]@]host[:port]; with --lan mqtts://join:KEY@host.",
        ),
    ] = "mqtt://127.0.0.1:1883",
    platform: Annotated[
        str,
        typer.Option("--platform", envvar="DIAT_URL", help="REST of the platform, where clips are brought."),
    ] = "http://127.0.0.1:8000",
    ca: Annotated[
        Path | None, typer.Option("--ca", envvar="DIAT_CA", help="Authority of platform and broker, PEM.")
    ] = None,
    data: Annotated[Path, typer.Option("--data", envvar="DIAT_DATA", help="Directory for clips.")] = Path(
        "diat-cameras"
    ),
    room: Annotated[
        int, typer.Option("--room", envvar="DIAT_ROOM", min=1, help="MiB of clips that are kept.")
    ] = 2048,
    video: Annotated[
        str | None,
        typer.Option("--video", envvar="DIAT_VIDEO", help="host:port that takes video of low and middle."),
    ] = None,
) -> None:
    """Run the cameras of a file until Ctrl-C, or until all files ended.

    Example: diat camera run cameras.yaml --broker mqtt://127.0.0.1:1883 --data clips
    """
    try:
        import cv2

        from diat_gateway.cameras.description import read
        from diat_gateway.cameras.gateway import Cameras
    except ImportError as missing:
        raise Invalid(f"cameras need {missing.name}: pip install 'diat[cameras]'", "cameras") from missing
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    cv2.setNumThreads(1)
    host, _, port = (video or "").rpartition(":")
    if video is not None and not (host and port.isdigit()):
        raise Invalid("--video takes host:port", "--video")
    things = Cameras(
        read(cameras),
        broker,
        data,
        platform=platform.rstrip("/"),
        ca=ca,
        room=room << 20,
        video=(host, int(port)) if video is not None else None,
    )
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    things.start()
    try:
        while not ending.wait(0.5) and not things.wait(0.0):
            pass
    finally:
        things.stop()
