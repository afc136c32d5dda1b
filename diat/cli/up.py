"""``diat up``: flags to settings, and the daemon that runs by them."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Literal

from diat.adapters.brokers.address import PLAIN_PORT, TLS_PORT
from diat.adapters.lake.retention import Retention
from diat.daemon import Daemon
from diat.kernel.clock import system_clock
from diat.kernel.errors import Invalid
from diat.security.limits import Limits
from diat.security.logs import keep_secrets_out_of_logs
from diat.serving.running import run_daemon
from diat.settings import Settings, parse_listen, parse_network, parse_site


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


def _usual_port(*, lan: bool, plain: bool) -> str:
    return str(TLS_PORT if lan and not plain else PLAIN_PORT)
