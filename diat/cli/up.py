"""``diat up``: the daemon with its REST application, until somebody ends it."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import typer
import uvicorn

from diat import __version__
from diat.adapters.brokers.address import PLAIN_PORT, TLS_PORT
from diat.adapters.lake.retention import Retention
from diat.api.app import make_app
from diat.cli.credentials import ADDRESS, OWNER_TOKEN, keep
from diat.daemon import Daemon
from diat.kernel.clock import system_clock
from diat.kernel.errors import Invalid, SetupError
from diat.security.limits import Limits
from diat.security.logs import keep_secrets_out_of_logs
from diat.settings import LOOPBACK, Listen, Settings, parse_listen, parse_network, parse_site

PAGES = "/ui"
"""Where the dashboard is (``diat.dashboard.mount.PATH``, which would load all of it)."""
GRACE = 3
"""Seconds in which open requests may end."""


def run(
    *,
    data: Path,
    http: str,
    mqtt: str | None,
    broker: str,
    filters: tuple[str, ...],
    stale_after: float,
    admission: Literal["accepted", "pending"],
    mirror: bool,
    placement: bool,
    push_down: float,
    announce: bool,
    dashboard: bool,
    site: str | None,
    zone: str | None,
    retention: tuple[int, int | None, int | None, int | None],
    backups: Path | None,
    passphrase: str,
    fixed: dict[str, str],
    webhooks_allow: tuple[str, ...],
    verbose: bool,
    lan: bool,
    names: tuple[str, ...],
    rate: float,
    streams: int,
    plain: bool,
    gateways: str | None,
    tls: tuple[Path | None, Path | None],
) -> None:
    """Run until SIGTERM or SIGINT, then stop in order.

    Raises:
        SetupError: something is in the way; the message names the way out.
        Invalid: a setting is wrong.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    keep_secrets_out_of_logs()
    # Each set-up step of the migrations is no news for a person.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Pages ask REST from within: each of those requests is none either.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if (tls[0] is None) != (tls[1] is None):
        raise Invalid("--tls-cert and --tls-key belong together", "--tls-key")
    settings = Settings(
        data=data.expanduser().absolute(),
        http=parse_listen(http, "--http", lan=lan),
        mqtt=parse_listen(mqtt or _usual_port(lan=lan, plain=plain), "--mqtt", lan=lan),
        broker=broker,
        filters=filters,
        stale_after=stale_after,
        admission=admission,
        mirror=mirror,
        placement=placement,
        push_down=push_down,
        announce=announce,
        site=parse_site(site, zone),
        webhooks_allow=tuple(parse_network(each, "--webhooks-allow") for each in webhooks_allow),
        lan=lan,
        names=names,
        plain=plain,
        gateways=parse_listen(gateways, "--gateways", lan=lan) if gateways is not None else None,
        tls_cert=tls[0],
        tls_key=tls[1],
        limits=Limits(rate=rate, burst=2 * rate, streams=streams),
        retention=Retention(
            hot_days=retention[0], raw_days=retention[1], hourly_days=retention[2], event_days=retention[3]
        ),
        backups=backups.expanduser().absolute() if backups is not None else None,
        backup_passphrase=passphrase,
        fixed=fixed,
    )
    run_daemon(settings, partial(Daemon, settings, system_clock), verbose=verbose, dashboard=dashboard)


def run_daemon(
    settings: Settings,
    make: Callable[[Callable[[], None], Callable[[], None]], Daemon],
    *,
    verbose: bool,
    dashboard: bool,
    said: Sequence[str] = (),
) -> None:
    """Run a daemon with its REST application until SIGTERM or SIGINT, then stop in order.

    Args:
        settings: of the daemon.
        make: makes the daemon, given what it is to call when it cannot go on, and to be started again.
        verbose: whether every request is logged.
        dashboard: whether its pages are served; they take memory.
        said: lines to greet with besides.

    Raises:
        SetupError: something is in the way; the message names the way out.
    """
    # uvicorn raises the signal that ended it once more when it is done: it must unwind, not kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    listening = _listen(settings.http)
    # A daemon that stores nothing any more must end, so that whoever watches it starts it again.
    again = threading.Event()

    def end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def restart() -> None:
        again.set()
        end()

    daemon = make(end, restart)
    # What is loaded now stays: to look through it again and again took a third of the start.
    gc.disable()
    try:
        with daemon:
            app = make_app(daemon, __version__)
            if dashboard:
                # Loaded only where it is wanted: the pages take more memory than all else together.
                from diat.dashboard.mount import serve

                serve(app, daemon)
            _settle_memory()
            _greet(daemon, said, dashboard=dashboard)
            owner = settings.data / OWNER_TOKEN
            keep(owner, daemon.submit(daemon.people.owner_token).result())
            here = settings.data / ADDRESS
            keep(here, _from_here(daemon))
            if settings.lan:
                _let_the_first_one_in(daemon)
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    log_level="info" if verbose else "warning",
                    access_log=verbose,
                    # Its lines go where all others go: to standard error, and into the recent log.
                    log_config=None,
                    timeout_graceful_shutdown=GRACE,
                    server_header=False,
                    lifespan="off",
                    ssl_certfile=daemon.tls.certificate if daemon.tls is not None else None,
                    ssl_keyfile=daemon.tls.key if daemon.tls is not None else None,
                )
            )
            try:
                server.run(sockets=[listening])
            finally:
                owner.unlink(missing_ok=True)
                here.unlink(missing_ok=True)
    except SystemExit:
        if daemon.crashed:
            raise SystemExit(1) from None
        if again.is_set():
            # The same process with the same flags: whoever watches over it sees no end.
            sys.stdout.flush()
            os.execv(sys.executable, [sys.executable, "-m", "diat", *sys.argv[1:]])
        raise
    finally:
        listening.close()


def _settle_memory() -> None:
    """Keep the garbage collector from walking through everything that is there for good.

    A full collection over what is imported and loaded at the start took 60 to 130 ms, in which no message is
    taken and no command sent: it was the whole of the slowest hundredth. What comes later is still collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()


def _end(number: int, frame: object) -> None:
    """Unwind, once: while things are being stopped a second signal changes nothing."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def _listen(address: Listen) -> socket.socket:
    """Take the port before anything is started, so that a taken one gives its line at once."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then: without it each answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host, address.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SetupError(
            f"port {address.port} cannot be used ({error.strerror}): choose another with --http"
        ) from None
    listening.set_inheritable(False)
    return listening


def _let_the_first_one_in(daemon: Daemon) -> None:
    """Print a link as long as there is nobody who can log in and change users."""
    invitation = daemon.submit(lambda: daemon.people.first_admin("admin")).result()
    if invitation is not None:
        http = daemon.settings.http
        host = socket.gethostname() if http.host in ("0.0.0.0", "::") else http.host
        typer.echo("Nobody can log in yet. This link, good once and for a day, sets the password of admin:")
        scheme = "https" if daemon.tls is not None else "http"
        typer.echo(f"  {scheme}://{Listen(host, http.port)}/login#{invitation}")


def _usual_port(*, lan: bool, plain: bool) -> str:
    return str(TLS_PORT if lan and not plain else PLAIN_PORT)


def _from_here(daemon: Daemon) -> str:
    """Where REST is reached from this machine."""
    listen = daemon.settings.http
    anywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}
    host = anywhere.get(listen.host, listen.host)
    return f"http{'s' if daemon.tls is not None else ''}://{Listen(host, listen.port)}"


def _greet(daemon: Daemon, said: Sequence[str], *, dashboard: bool) -> None:
    settings, tls = daemon.settings, daemon.tls
    scheme = "s" if tls is not None else ""
    own = settings.broker in ("embedded", "mosquitto")
    broker = f"mqtt{scheme}://{settings.mqtt}" if own else settings.broker
    typer.echo(f"diat {__version__} is up")
    typer.echo(f"  REST    http{scheme}://{settings.http}   (try /docs)")
    if dashboard:
        typer.echo(f"  pages   http{scheme}://{settings.http}{PAGES}/")
    typer.echo(f"  broker  {broker.rpartition('@')[2] if '@' in broker else broker}")
    typer.echo(f"  data    {settings.data}")
    if tls is not None and tls.authority is not None:
        typer.echo(
            f"  CA      {tls.authority}: give it to browsers and things that are to trust this platform"
        )
    if settings.lan:
        typer.echo("  things  join with the key that `diat thing join-key` shows")
    for line in said:
        typer.echo(f"  {line}")
    typer.echo("Ctrl-C ends it.")
