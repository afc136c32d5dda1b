"""How a daemon is told to run: frozen settings, from flags and ``DIAT_*`` environment variables."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field

from diat.adapters.lake.retention import Retention
from diat.cvol.steps.base import GREENWICH, Site
from diat.kernel.errors import Invalid
from diat.security.limits import Limits

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"


class Listen(Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of one daemon.

    Attributes:
        data: directory that everything durable lies in.
        http: where REST is served.
        mqtt: where the daemon's own broker listens; unused with a broker of somebody else's.
        broker: ``embedded``, ``mosquitto``, or the ``mqtt://`` address of a broker that runs already.
        filters: what to subscribe to.
        retention: how long history is kept, and where.
        admission: what a thing is that announces itself for the first time.
        mirror: whether bare values of properties are published on MQTT, for WoT clients.
        announce: whether what listens beyond loopback is announced by mDNS.
        stale_after: seconds of silence after which a thing counts as stale.
        site: where the platform is, for the sun and the time of day.
        lan: whether it is open beyond loopback; credentials are asked everywhere then.
        push_down: seconds in which things send one value at least where services need less than everything;
            0: they are not told that less will do.
        placement: whether steps of services are moved to gateways where less travels then.
        gateways: where gateways come in, each with a certificate; None for nowhere.
        plain: whether it serves plain text although it is open beyond loopback.
        tls_cert: PEM file of a certificate that a person brings; None to make one where one is needed.
        tls_key: PEM file of its key.
        names: host names that it goes by beyond loopback, besides those of the machine.
        limits: how much one may ask over REST.
        webhooks_allow: networks that web hooks may reach though they are private.
        backups: directory of the backups that the platform makes; None for one below ``data``.
        backup_passphrase: encrypts them; empty to leave them as they are.
        fixed: names of settings (``diat.operation.preferences``) that a flag says, to that flag.
    """

    data: Path
    http: Listen = Listen(LOOPBACK, 8000)
    mqtt: Listen = Listen(LOOPBACK, 1883)
    broker: str = "embedded"
    filters: tuple[str, ...] = ("#",)
    stale_after: float = 3600.0
    retention: Retention = Retention()
    admission: Literal["accepted", "pending"] = "accepted"
    mirror: bool = True
    announce: bool = True
    site: Site = GREENWICH
    lan: bool = False
    push_down: float = 300.0
    placement: bool = True
    gateways: Listen | None = None
    plain: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    names: tuple[str, ...] = ()
    limits: Limits = Limits()
    webhooks_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    backups: Path | None = None
    backup_passphrase: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Settings({str(self.data)!r})"

    def told(self) -> dict[str, str]:
        """How the daemon was told to run, as text, without its secrets."""
        hidden = ("backup_passphrase", "broker")
        told = {name: str(getattr(self, name)) for name in self.__struct_fields__ if name not in hidden}
        # Of somebody else's broker the address may hold a password.
        return told | {"broker": self.broker.rpartition("@")[2], "sealed": str(bool(self.backup_passphrase))}

    @property
    def encrypted(self) -> bool:
        """Whether HTTP and MQTT are served over TLS only."""
        return not self.plain and (self.lan or self.tls_cert is not None)


def parse_listen(text: str, flag: str, *, lan: bool = False) -> Listen:
    """Read ``port`` or ``host:port``; beyond loopback only if it is open there, which is the default then.

    Raises:
        Invalid: it is neither, or it is beyond loopback; the message names the flag.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or (EVERYWHERE if lan else LOOPBACK)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Invalid(f"{flag} takes a port (1 to 65535) or host:port, not {text!r}", flag)
    if host == "localhost":
        host = LOOPBACK
    if not lan and not _is_loopback(host):
        raise Invalid(
            f"{flag} {text}: only loopback is served without credentials: use {LOOPBACK}:{port}, or --lan",
            flag,
        )
    return Listen(host, int(port))


def parse_network(text: str, flag: str) -> IPv4Network | IPv6Network:
    """Read a network, ``192.168.1.0/24``, or an address.

    Raises:
        Invalid: it is neither; the message names the flag.
    """
    try:
        return ip_network(text)
    except ValueError:
        raise Invalid(
            f"{flag} takes a network like 192.168.1.0/24 or an address, not {text!r}", flag
        ) from None


def parse_site(place: str | None, zone: str | None) -> Site:
    """Read where the platform is.

    Args:
        place: ``latitude,longitude`` in degrees north and east; None if nobody said.
        zone: a time zone, ``Europe/Berlin``; None for that of the machine.

    Raises:
        Invalid: one of them is none; the message names the flag.
    """
    try:
        found = ZoneInfo(zone) if zone else _zone_of_machine()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"--zone takes a time zone like Europe/Berlin, not {zone!r}", "--zone") from None
    if place is None:
        return Site(zone=found)
    latitude, _, longitude = place.partition(",")
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        north = east = math.nan
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        raise Invalid(f"--site takes latitude,longitude in degrees like 52.5,13.4, not {place!r}", "--site")
    return Site(north, east, found)


def _zone_of_machine() -> tzinfo:
    """The time zone that this machine's clocks show; UTC if it does not say."""
    said = (
        os.environ.get("TZ", "").lstrip(":")
        or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    )
    try:
        return ZoneInfo(said) if said else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
