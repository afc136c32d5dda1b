"""``diat gateway``: a daemon beside its things, joined to a platform."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

gateway = typer.Typer(
    help="Run a gateway: a whole platform beside its things, joined to the one above.", rich_markup_mode=None
)

_KIB = 1024
_MIB = 1024 * 1024


@gateway.command()
def run(
    join: Annotated[
        str,
        typer.Option(
            "--join",
            envvar="DIAT_JOIN",
            help="Broker of the platform above: host[:port], mqtt://… or mqtts://join:KEY@host:port.",
        ),
    ],
    name: Annotated[
        str,
        typer.Option("--name", envvar="DIAT_NAME", help="What it is called: A-Z a-z 0-9 _ -, at most 64."),
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", envvar="DIAT_KEY", help="Join key of the platform above.  [default: none]"),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", envvar="DIAT_CA", help="Authority, PEM, that the platform above is known by."),
    ] = None,
    data: Annotated[
        Path, typer.Option("--data", envvar="DIAT_DATA", help="Directory for all durable data.")
    ] = Path("diat-gateway"),
    http: Annotated[
        str, typer.Option("--http", envvar="DIAT_HTTP", help="Port, or host:port, of REST.")
    ] = "8000",
    mqtt: Annotated[
        str | None,
        typer.Option(
            "--mqtt", envvar="DIAT_MQTT", help="Port, or host:port, of its own broker.  [default: 1883]"
        ),
    ] = None,
    broker: Annotated[
        str,
        typer.Option("--broker", envvar="DIAT_BROKER", help="embedded, mosquitto, or mqtt://host[:port]."),
    ] = "embedded",
    title: Annotated[
        str, typer.Option("--title", envvar="DIAT_TITLE", help="What people call it.  [default: its name]")
    ] = "",
    send: Annotated[
        Literal["asked", "all"],
        typer.Option("--send", envvar="DIAT_SEND", help="What goes up: what is asked for, or every reading."),
    ] = "asked",
    every: Annotated[
        float,
        typer.Option(
            "--every", envvar="DIAT_EVERY", min=1, help="Seconds between two values of what nobody asked for."
        ),
    ] = 900.0,
    budget: Annotated[
        float, typer.Option("--budget", envvar="DIAT_BUDGET", min=1, help="KiB a second that may go up.")
    ] = 128.0,
    spool: Annotated[
        int,
        typer.Option("--spool", envvar="DIAT_SPOOL", min=1, help="MiB on disk that may wait to go up."),
    ] = 256,
    catch_up: Annotated[
        float,
        typer.Option(
            "--catch-up",
            envvar="DIAT_CATCH_UP",
            min=1,
            help="Seconds that catching up may take; readings are thinned for it.",
        ),
    ] = 3600.0,
    figures: Annotated[
        float,
        typer.Option(
            "--figures", envvar="DIAT_FIGURES", min=1, help="Seconds between two of its own reports."
        ),
    ] = 60.0,
    push_down: Annotated[
        float,
        typer.Option(
            "--push-down",
            envvar="DIAT_PUSH_DOWN",
            min=0,
            max=86400,
            help="Where services need less, things send one value in so many seconds; 0: always everything.",
        ),
    ] = 300.0,
    price: Annotated[
        float,
        typer.Option(
            "--price",
            envvar="DIAT_PRICE",
            min=0.001,
            max=1000.0,
            help="What a byte over the line costs, for where steps run; 10 or so if it is metered.",
        ),
    ] = 1.0,
    lan: Annotated[
        bool,
        typer.Option("--lan/--no-lan", envvar="DIAT_LAN", help="Open REST and MQTT beyond this machine."),
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", envvar="DIAT_PLAIN", help="With --lan: plain text instead of TLS.")
    ] = False,
    hot_days: Annotated[
        int,
        typer.Option(
            "--hot-days", envvar="DIAT_HOT_DAYS", min=1, help="Days until history moves to Parquet files."
        ),
    ] = 7,
    raw_days: Annotated[
        int | None,
        typer.Option(
            "--raw-days", envvar="DIAT_RAW_DAYS", help="Days that readings are kept here.  [default: ever]"
        ),
    ] = None,
    bus_allow: Annotated[
        list[str] | None,
        typer.Option(
            "--bus-allow",
            envvar="DIAT_BUS_ALLOW",
            help="Network that devices on buses may be in, besides private ones; may be repeated.",
        ),
    ] = None,
    dashboard: Annotated[
        bool,
        typer.Option(
            "--dashboard/--no-dashboard", envvar="DIAT_DASHBOARD", help="Whether pages are served here too."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Run a gateway beside its things: broker, database, services and REST of its own, joined to a platform.

    It goes on while the line is cut, and catches up when it is back. Ctrl-C ends it.

    Example: diat gateway --join mqtts://join:KEY@house.local:8883 --ca ca.pem --name barn
    """
    from diat_gateway.launching import launch
    from diat_gateway.running import Orders

    launch(
        Orders(
            join=join,
            name=name,
            key=key,
            ca=str(ca) if ca is not None else None,
            data=str(data),
            http=http,
            mqtt=mqtt,
            broker=broker,
            title=title,
            every=0.0 if send == "all" else every,
            budget=budget * _KIB,
            spool=spool * _MIB,
            catch_up=catch_up,
            figures=figures,
            price=price,
            push_down=push_down,
            lan=lan,
            plain=plain,
            days=(hot_days, raw_days),
            bus_allow=tuple(bus_allow or ()),
            dashboard=dashboard,
            verbose=verbose,
            arguments=tuple(sys.argv[1:]),
        )
    )
