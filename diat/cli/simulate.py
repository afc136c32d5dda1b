"""``diat simulate``: nodes of the firmware on this computer, as many as are wanted."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import typer

from diat.kernel.errors import Invalid
from diat.simulation.crowd import Crowd, Kind, Sensor
from diat.simulation.link import Address
from diat.wire.topics import NAME

_EVERY = 5.0
"""Seconds between two lines of how they are."""


def run(
    broker: str,
    kind: Kind,
    config: dict[str, str],
    *,
    count: int,
    prefix: str,
    folder: Path | None,
    seed: int,
    duration: float | None,
) -> int:
    """Run them until Ctrl-C, SIGTERM or ``duration``; 1 if in the end not all of them were on line.

    Raises:
        Invalid: an option is wrong.
    """
    if not NAME.fullmatch(f"{prefix}-{count}"):
        raise Invalid(f"{prefix!r} cannot begin names of things: letters, digits, - and _", "--name")
    address = Address.parse(broker, 8883 if "ca" in config else 1883)
    crowd = Crowd(address, kind, count=count, prefix=prefix, config=config, folder=folder, seed=seed)
    asyncio.run(_live(crowd, duration))
    standing = crowd.standing
    return 0 if standing["online"] == standing["nodes"] else 1


def kind_of(
    sensors: list[str], switches: list[str], actions: list[str], events: list[str], every: float, place: str
) -> Kind:
    """What each node has; errors as in ``Sensor.parse``."""
    found = [Sensor.parse(each) for each in sensors]
    names = [each.name for each in found] + switches + actions + events
    for name in names:
        if not NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name: letters, digits, - and _")
    if not names:
        found = [Sensor("temperature", "Temperature", "Cel", 18.0, 24.0)]
    return Kind(sensors=found, switches=switches, actions=actions, events=events, every=every, place=place)


def config_of(key: str | None, ca: Path | None) -> dict[str, str]:
    """How the nodes come to the broker, as ``diat.json`` says it.

    Raises:
        Invalid: there is no such certificate.
    """
    config = {"key": key} if key else {}
    if ca is not None:
        if not ca.is_file():
            raise Invalid(f"there is no file {ca}", "--ca")
        config["ca"] = ca.read_text("ascii")
    return config


async def _live(crowd: Crowd, duration: float | None) -> None:
    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    if duration is not None:
        loop.call_later(duration, ending.set)
    living = asyncio.create_task(crowd.live(ending))
    while not ending.is_set():
        try:
            await asyncio.wait_for(ending.wait(), _EVERY)
        except TimeoutError:
            _say(crowd)
    _say(crowd)
    await living


def _say(crowd: Crowd) -> None:
    standing = crowd.standing
    line = (
        f"{standing['online']} of {standing['nodes']} on line, {standing['records']} records made, "
        f"{standing['waiting']} waiting"
    )
    refused = f", {standing['refused']} refused" if standing["refused"] else ""
    typer.echo(line + refused)
