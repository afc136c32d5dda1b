"""The ``diat`` command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from diat import __version__
from diat.cli import audit, history, node, peer, people, policy, things
from diat.cli.rest import DATA, URL, Rest, TokenOption, UrlOption
from diat.cli.rest import DataOption as PlatformData
from diat.kernel.errors import DiatError, Invalid

ADDED = "diat.commands"
"""Entry points by which other packages add commands."""


class Commands(TyperGroup):
    """Our commands, and those that other packages add, which are loaded when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all of them."""
        return [*super().list_commands(ctx), *sorted({each.name for each in entry_points(group=ADDED)})]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name."""
        for each in entry_points(group=ADDED, name=cmd_name):
            found = typer.main.get_command(each.load())
            found.name = cmd_name
            return found
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="diat",
    cls=Commands,
    help="IoT middleware that composes services from whatever MQTT things are there.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DataOption = Annotated[
    Path, typer.Option("--data", envvar="DIAT_DATA", help="Directory for all durable data.")
]


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(f"diat {__version__}")
        raise typer.Exit


@app.command()
def up(
    ctx: typer.Context,
    data: DataOption = Path("diat-data"),
    http: Annotated[
        str, typer.Option("--http", envvar="DIAT_HTTP", help="Port, or host:port, of REST.")
    ] = "8000",
    mqtt: Annotated[
        str | None,
        typer.Option(
            "--mqtt",
            envvar="DIAT_MQTT",
            help="Port, or host:port, of our own broker.  [default: 1883, with TLS 8883]",
        ),
    ] = None,
    broker: Annotated[
        str,
        typer.Option(
            "--broker",
            envvar="DIAT_BROKER",
            help="embedded, mosquitto (a private one, where it is installed), or mqtt://[user:password@]host[:port].",
        ),
    ] = "embedded",
    subscribe: Annotated[
        list[str] | None,
        typer.Option(
            "--subscribe",
            envvar="DIAT_SUBSCRIBE",
            help="Topic filter to listen to; may be repeated.  [default: #]",
        ),
    ] = None,
    stale_after: Annotated[
        float,
        typer.Option(
            "--stale-after",
            envvar="DIAT_STALE_AFTER",
            min=1,
            help="Seconds of silence until a thing is stale.",
        ),
    ] = 3600.0,
    admission: Annotated[
        Literal["accepted", "pending"],
        typer.Option(
            "--admission", envvar="DIAT_ADMISSION", help="What a thing is that announces itself anew."
        ),
    ] = "accepted",
    hot_days: Annotated[
        int,
        typer.Option(
            "--hot-days", envvar="DIAT_HOT_DAYS", min=1, help="Days until history moves to Parquet files."
        ),
    ] = 7,
    raw_days: Annotated[
        int | None,
        typer.Option(
            "--raw-days",
            envvar="DIAT_RAW_DAYS",
            help="Days that readings are kept as they came.  [default: ever]",
        ),
    ] = None,
    hourly_days: Annotated[
        int | None,
        typer.Option(
            "--hourly-days",
            envvar="DIAT_HOURLY_DAYS",
            help="Days that hourly figures of dropped readings are kept.  [default: ever]",
        ),
    ] = None,
    event_days: Annotated[
        int | None,
        typer.Option(
            "--event-days", envvar="DIAT_EVENT_DAYS", help="Days that events are kept.  [default: ever]"
        ),
    ] = None,
    backups: Annotated[
        Path | None,
        typer.Option(
            "--backups",
            envvar="DIAT_BACKUPS",
            help="Directory of the backups that it makes, better on another disk.  [default: in --data]",
        ),
    ] = None,
    backup_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--backup-passphrase-file",
            envvar="DIAT_BACKUP_PASSPHRASE_FILE",
            help="Its first line seals the backups that it makes; else DIAT_PASSPHRASE does, if that is set.",
        ),
    ] = None,
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
    placement: Annotated[
        bool,
        typer.Option(
            "--placement/--no-placement",
            envvar="DIAT_PLACEMENT",
            help="Whether steps of services are moved to gateways where less travels then.",
        ),
    ] = True,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror/--no-mirror",
            envvar="DIAT_MIRROR",
            help="Whether bare values of all properties are published on MQTT, for WoT clients.",
        ),
    ] = True,
    dashboard: Annotated[
        bool,
        typer.Option(
            "--dashboard/--no-dashboard",
            envvar="DIAT_DASHBOARD",
            help="Whether the pages for people are served, at /ui; loaded when somebody first looks.",
        ),
    ] = True,
    announce: Annotated[
        bool,
        typer.Option(
            "--announce/--no-announce",
            envvar="DIAT_ANNOUNCE",
            help="Whether what listens beyond loopback is announced by mDNS.",
        ),
    ] = True,
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            envvar="DIAT_SITE",
            help="Where this is, as latitude,longitude in degrees, for the sun.  [default: not said]",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            envvar="DIAT_ZONE",
            help="Time zone of schedules, like Europe/Berlin.  [default: that of the machine]",
        ),
    ] = None,
    webhooks_allow: Annotated[
        list[str] | None,
        typer.Option(
            "--webhooks-allow",
            envvar="DIAT_WEBHOOKS_ALLOW",
            help="Private network that web hooks may reach; may be repeated.  [default: none]",
        ),
    ] = None,
    lan: Annotated[
        bool,
        typer.Option(
            "--lan/--no-lan",
            envvar="DIAT_LAN",
            help="Open REST and MQTT beyond this machine, with TLS; whoever comes needs a credential then.",
        ),
    ] = False,
    gateways: Annotated[
        str | None,
        typer.Option(
            "--gateways",
            envvar="DIAT_GATEWAYS",
            help="With --lan: port, or host:port, where gateways come in by certificate.  [default: nowhere]",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", envvar="DIAT_PLAIN", help="With --lan: plain text instead of TLS.")
    ] = False,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert", envvar="DIAT_TLS_CERT", help="Certificate chain, PEM.  [default: one of our own]"
        ),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", envvar="DIAT_TLS_KEY", help="Its key, PEM.")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            envvar="DIAT_NAME",
            help="Host name that it goes by with --lan; may be repeated.  [default: the machine's]",
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(
            "--rate", envvar="DIAT_RATE", min=1, help="Requests a second that one principal may make."
        ),
    ] = 200.0,
    streams: Annotated[
        int,
        typer.Option(
            "--streams", envvar="DIAT_STREAMS", min=1, help="Streams that one principal may read at once."
        ),
    ] = 64,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Run the platform on this machine: broker, database and REST, on loopback unless --lan is given.

    Example: diat up --http 8080 --data ~/house
    """
    from diat.cli.backup import passphrase_of
    from diat.cli.up import run

    run(
        data=data,
        http=http,
        mqtt=mqtt,
        broker=broker,
        filters=tuple(subscribe or ("#",)),
        stale_after=stale_after,
        admission=admission,
        mirror=mirror,
        placement=placement,
        push_down=push_down,
        announce=announce,
        dashboard=dashboard,
        site=site,
        zone=zone,
        retention=(hot_days, raw_days, hourly_days, event_days),
        backups=backups,
        passphrase=passphrase_of(backup_passphrase_file),
        fixed=_fixed(ctx),
        webhooks_allow=tuple(webhooks_allow or ()),
        verbose=verbose,
        lan=lan,
        names=tuple(name or ()),
        rate=rate,
        streams=streams,
        plain=plain,
        gateways=gateways,
        tls=(tls_cert, tls_key),
    )


_SETTING_OF = {
    "hot_days": "--hot-days",
    "raw_days": "--raw-days",
    "hourly_days": "--hourly-days",
    "event_days": "--event-days",
    "stale_after": "--stale-after",
    "admission": "--admission",
    "site": "--site",
    "zone": "--zone",
}


def _fixed(ctx: typer.Context) -> dict[str, str]:
    """Names of settings that a flag or its environment variable says, to that flag."""
    said = {name for name in _SETTING_OF if str(ctx.get_parameter_source(name)) not in _NOT_SAID}
    other = {"site": "location", "zone": "schedule_zone"}
    return {other.get(name, name): flag for name, flag in _SETTING_OF.items() if name in said}


_NOT_SAID = ("ParameterSource.DEFAULT", "None")
app.add_typer(history.app, name="history")
app.add_typer(peer.app, name="peer")
app.add_typer(people.users, name="user")
app.add_typer(people.tokens, name="token")
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.add_typer(things.app, name="thing")
app.add_typer(node.app, name="node")


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="A request for POST /services, JSON or YAML; - for stdin.")],
    url: UrlOption = URL,
    since: Annotated[
        str | None, typer.Option("--from", help="Replay from this time on, RFC 3339 or Unix ms.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Until this time.  [default: now]")] = None,
    instead: Annotated[
        str | None, typer.Option("--instead", help="Id of the service in whose place it would be put.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    token: TokenOption = None,
    data: PlatformData = DATA,
) -> None:
    """Ask a running platform what a service would come to; nothing happens.

    Ends with 0 if it would run, 1 if something that it needs is missing, 3 if it would be in conflict with
    another service, 2 on bad input.

    Example: diat plan warm.yaml --from 2026-01-01T00:00:00Z
    """
    from diat.cli.plan import run

    raise typer.Exit(run(file, Rest(url, token, data), since, until, instead, as_json=as_json))


PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        envvar="DIAT_PASSPHRASE_FILE",
        help="Its first line seals the backup; else the environment's DIAT_PASSPHRASE does, if it is set.",
    ),
]


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    data: DataOption = Path("diat-data"),
    passphrase_file: PassphraseOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write all that a platform knows into one file; it may be running or not.

    Example: diat backup house.backup --data ~/house --passphrase-file secret.txt
    """
    from diat.cli.backup import passphrase_of, run_backup

    run_backup(data, file, passphrase_of(passphrase_file), force=force)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup, as diat backup or POST /backups makes it.")],
    data: DataOption = Path("diat-data"),
    passphrase_file: PassphraseOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is in the data directory already.")
    ] = False,
) -> None:
    """Bring a backup back into a data directory that no platform runs on.

    Example: diat restore house.backup --data ~/house --passphrase-file secret.txt
    """
    from diat.cli.backup import passphrase_of, run_restore

    run_restore(data, file, passphrase_of(passphrase_file), force=force)


def _demo_of(name: str) -> Any:
    """A demo that another package brings; Invalid if what it needs is not installed."""
    for each in entry_points(group="diat.demos", name=name):
        try:
            return each.load()
        except ImportError as missing:
            raise Invalid(f"this demo needs {missing.name}: pip install 'diat[{name}]'", name) from missing
    raise Invalid(f"this demo comes with the extra: pip install 'diat[{name}]'", name)


@app.command()
def demo(
    http: Annotated[
        int | None, typer.Option("--http", envvar="DIAT_HTTP", help="Port of REST.  [default: a free one]")
    ] = None,
    mqtt: Annotated[
        int | None,
        typer.Option("--mqtt", envvar="DIAT_MQTT", help="Port of the broker.  [default: a free one]"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="DIAT_DATA", help="Keep the data here.  [default: nowhere]"),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=1, help="End by itself after so many seconds.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines of progress instead of a live table.")
    ] = False,
    cameras: Annotated[
        bool, typer.Option("--cameras", help="Cameras over a junction instead of the house.")
    ] = False,
) -> None:
    """Run the platform with a small living house of real MQTT clients to look at. Ctrl-C ends all of it.

    Example: diat demo --duration 60
    """
    from diat.cli.demo import run_demo

    run = _demo_of("cameras") if cameras else run_demo
    raise typer.Exit(run(http_port=http, mqtt_port=mqtt, data=data, duration=duration, plain=plain))


@app.command()
def simulate(
    broker: Annotated[
        str,
        typer.Option("--broker", envvar="DIAT_BROKER", help="mqtt://[user:password@]host[:port]."),
    ] = "mqtt://127.0.0.1:1883",
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=5000, help="How many nodes.")] = 10,
    name: Annotated[str, typer.Option("--name", help="How their names begin; -1, -2 … follows.")] = "sim",
    sensor: Annotated[
        list[str] | None,
        typer.Option(
            "--sensor",
            help="NAME or NAME=QUANTITY:UNIT:LOW..HIGH; may be repeated.  [default: a temperature]",
        ),
    ] = None,
    switch: Annotated[
        list[str] | None, typer.Option("--switch", help="Boolean that can be set; may be repeated.")
    ] = None,
    action: Annotated[
        list[str] | None, typer.Option("--action", help="Action that counts itself; may be repeated.")
    ] = None,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="Event that is told now and then; may be repeated.")
    ] = None,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between samples.")] = 10.0,
    place: Annotated[str, typer.Option("--place", help="Where they are, such as hq/2.")] = "",
    key: Annotated[
        str | None, typer.Option("--key", envvar="DIAT_JOIN_KEY", help="Join key of the platform.")
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="Certificate that the broker's is signed by; then TLS is used."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where each keeps its flash.  [default: nowhere]")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same values.")] = 1,
    duration: Annotated[
        float | None, typer.Option("--duration", min=1, help="End by itself after so many seconds.")
    ] = None,
) -> None:
    """Run nodes on this computer, with the very code that runs on boards. Ctrl-C ends them.

    Ends with 1 if in the end not all of them were on line.

    Example: diat simulate -n 50 --sensor 'temperature=Temperature:Cel:18..24' --switch heating --place hq/2
    """
    from diat.cli.simulate import config_of, kind_of, run

    kind = kind_of(sensor or [], switch or [], action or [], event or [], every, place)
    config = config_of(key, ca)
    raise typer.Exit(
        run(broker, kind, config, count=count, prefix=name, folder=folder, seed=seed, duration=duration)
    )


def main() -> None:
    """Entry of the ``diat`` command: an error of ours is one line, not a traceback."""
    try:
        app()
    except DiatError as error:
        typer.echo(f"diat: {error}", err=True)
        sys.exit(2)
