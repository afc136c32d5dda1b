"""Running a gateway from the command line: flags to settings, until somebody ends it."""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec

from diat.adapters.brokers.address import PLAIN_PORT, TLS_PORT, BrokerAddress, parse_broker_url
from diat.adapters.lake.retention import Retention
from diat.cli.up import run_daemon
from diat.kernel.clock import system_clock
from diat.kernel.errors import Invalid
from diat.security.credentials import OWN
from diat.security.logs import keep_secrets_out_of_logs
from diat.settings import Settings, parse_listen, parse_network
from diat.wire.topics import is_name
from diat_gateway.daemon import Gateway
from diat_gateway.settings import LineSettings


def line_settings(
    *,
    join: str,
    key: str | None,
    ca: Path | None,
    name: str,
    title: str,
    every: float,
    budget: float,
    spool: int,
    catch_up: float,
    figures: float,
    price: float,
) -> LineSettings:
    """Read what the line is told.

    Raises:
        Invalid: something of it cannot be; the message names the flag.
    """
    if not is_name(name) or name in OWN:
        raise Invalid(f"--name takes 1 to 64 letters, digits, - and _, not {name!r}", "--name")
    return LineSettings(
        above=_above(join, key, ca),
        name=name,
        title=title,
        every=every,
        budget=budget,
        spool=spool,
        catch_up=catch_up,
        figures=figures,
        price=price,
    )


def _above(join: str, key: str | None, ca: Path | None) -> BrokerAddress:
    try:
        address = parse_broker_url(join if "://" in join else f"mqtt://{join}")
    except Invalid as error:
        raise Invalid(f"--join: {error}", "--join") from None
    if key is not None:
        address = msgspec.structs.replace(address, username="join", password=key)
    if ca is not None:
        if not ca.is_file():
            raise Invalid(f"--ca: there is no file {ca}", "--ca")
        address = msgspec.structs.replace(address, tls=True, pinned=str(ca.absolute()))
    return address


def run_gateway(
    line: LineSettings,
    *,
    data: Path,
    http: str,
    mqtt: str | None,
    broker: str,
    lan: bool,
    plain: bool,
    days: tuple[int, int | None],
    verbose: bool,
    dashboard: bool,
    push_down: float = 300.0,
    bus_allow: tuple[str, ...] = (),
) -> None:
    """Run until SIGTERM or SIGINT, then stop in order.

    Raises:
        SetupError: something is in the way; the message names the way out.
        Invalid: a setting is wrong.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keep_secrets_out_of_logs()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Each poll of a bus is no news, and what is wrong there the diagnostics of the thing tell.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    allowed = [parse_network(each, "--bus-allow") for each in bus_allow]
    port = str(TLS_PORT if lan and not plain else PLAIN_PORT)
    settings = Settings(
        data=data.expanduser().absolute(),
        http=parse_listen(http, "--http", lan=lan),
        mqtt=parse_listen(mqtt or port, "--mqtt", lan=lan),
        broker=broker,
        lan=lan,
        plain=plain,
        push_down=push_down,
        retention=Retention(hot_days=days[0], raw_days=days[1], hourly_days=None),
    )
    _prepare(settings.data)
    run_daemon(
        settings,
        partial(Gateway, settings, line, system_clock, allowed=allowed),
        verbose=verbose,
        dashboard=dashboard,
        said=(f"line    {line.above}, as {line.name}",),
    )


def _prepare(data: Path) -> None:
    """Make, or renew, the database in a process of its own: what that loads would stay in memory for good."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    code = "import sys; from pathlib import Path; from diat.adapters.sql.database import open_database as o; "
    command = [sys.executable, "-c", code + "o(Path(sys.argv[1])).dispose()", str(data / "diat.db")]
    # What is wrong is found, and said, by the daemon.
    subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
