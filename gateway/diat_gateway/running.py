"""Running a gateway: what its flags said to settings, until somebody ends it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from diat.adapters.brokers.address import PLAIN_PORT, TLS_PORT, BrokerAddress, parse_broker_url
from diat.adapters.lake.retention import Retention
from diat.kernel.clock import system_clock
from diat.kernel.errors import Invalid
from diat.security.credentials import OWN
from diat.security.logs import keep_secrets_out_of_logs
from diat.serving.running import run_daemon
from diat.settings import Settings, parse_listen, parse_network
from diat.wire.topics import is_name
from diat_gateway.buses.networks import Network
from diat_gateway.daemon import Gateway
from diat_gateway.settings import LineSettings


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags of ``diat gateway`` said, as they were read (docs/reference/tiers.md).

    Attributes:
        every: seconds; 0 where every reading goes up.
        budget: bytes a second, as ``spool`` is bytes.
        days: that history is hot, and that readings are kept; None for ever.
        arguments: the command line itself, to be started again by.
    """

    join: str
    name: str
    key: str | None
    ca: str | None
    data: str
    http: str
    mqtt: str | None
    broker: str
    title: str
    every: float
    budget: float
    spool: int
    catch_up: float
    figures: float
    price: float
    push_down: float
    lan: bool
    plain: bool
    days: tuple[int, int | None]
    bus_allow: tuple[str, ...]
    dashboard: bool
    verbose: bool
    arguments: tuple[str, ...]


def line_of(orders: Orders) -> LineSettings:
    """What the line is told.

    Raises:
        Invalid: something of it cannot be; the message names the flag.
    """
    name = orders.name
    if not is_name(name) or name in OWN:
        raise Invalid(f"--name takes 1 to 64 letters, digits, - and _, not {name!r}", "--name")
    return LineSettings(
        above=_above(orders.join, orders.key, Path(orders.ca) if orders.ca is not None else None),
        name=name,
        title=orders.title,
        every=orders.every,
        budget=orders.budget,
        spool=orders.spool,
        catch_up=orders.catch_up,
        figures=orders.figures,
        price=orders.price,
    )


def settings_of(orders: Orders) -> Settings:
    """What the daemon is told.

    Raises:
        Invalid: something of it cannot be; the message names the flag.
    """
    lan, plain = orders.lan, orders.plain
    port = str(TLS_PORT if lan and not plain else PLAIN_PORT)
    return Settings(
        data=Path(orders.data).expanduser().absolute(),
        http=parse_listen(orders.http, "--http", lan=lan),
        mqtt=parse_listen(orders.mqtt or port, "--mqtt", lan=lan),
        broker=orders.broker,
        lan=lan,
        plain=plain,
        push_down=orders.push_down,
        retention=Retention(hot_days=orders.days[0], raw_days=orders.days[1], hourly_days=None),
    )


def networks_of(orders: Orders) -> Sequence[Network]:
    """In which networks, besides private ones, buses may look for devices.

    Raises:
        Invalid: one of them is none.
    """
    return [parse_network(each, "--bus-allow") for each in orders.bus_allow]


def quiet_logs() -> None:
    """Log to standard error, without secrets and without what is no news for a person."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keep_secrets_out_of_logs()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Each poll of a bus is no news, and what is wrong there the diagnostics of the thing tell.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


def run_gateway(orders: Orders) -> None:
    """Run until SIGTERM or SIGINT, then stop in order.

    Raises:
        SetupError: something is in the way; the message names the way out.
        Invalid: a setting is wrong.
    """
    quiet_logs()
    settings, line = settings_of(orders), line_of(orders)
    run_daemon(
        settings,
        partial(Gateway, settings, line, system_clock, allowed=networks_of(orders)),
        verbose=orders.verbose,
        dashboard=orders.dashboard,
        said=(f"line    {line.above}, as {line.name}",),
        arguments=orders.arguments,
        slim=True,
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
