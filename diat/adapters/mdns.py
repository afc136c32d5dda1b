"""DNS-SD over multicast DNS: what listens beyond loopback is found without being told where.

``_mqtt._tcp`` is the daemon's own broker, ``_secure-mqtt._tcp`` where that speaks TLS;
``_directory._sub._wot._tcp`` the Thing Description Directory, as W3C WoT Discovery has it; ``_diat._tcp`` the
daemon itself, for others of its kind.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

import ifaddr
from msgspec import Struct

from diat.adapters.loop_thread import LoopThread
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import zeroconf
    from zeroconf import asyncio as zeroconf_asyncio
else:
    zeroconf, zeroconf_asyncio = Lazy("zeroconf"), Lazy("zeroconf.asyncio")

_LOG = logging.getLogger("diat.mdns")
MQTT = "_mqtt._tcp.local."
MQTT_OVER_TLS = "_secure-mqtt._tcp.local."
WOT = "_wot._tcp.local."
DAEMON = "_diat._tcp.local."
DIRECTORY = f"_directory._sub.{WOT}"
_NAMES = 100
"""Names that are tried before a service is not announced."""
INTRODUCTION = {"td": "/.well-known/wot", "type": "Directory", "scheme": "http"}


class Advert(Struct, frozen=True):
    """A service that is announced.

    Attributes:
        kind: its service type, subtype included.
        addresses: where it is reached.
        port: TCP port there.
        text: its TXT record.
    """

    kind: str
    addresses: tuple[str, ...]
    port: int
    text: dict[str, str] = {}


def directory_advert(host: str, port: int, *, tls: bool = False) -> list[Advert]:
    """The announcement of a directory that listens there; none if that is loopback alone."""
    addresses = reachable(host)
    text = INTRODUCTION | {"scheme": "https" if tls else "http"}
    return [Advert(DIRECTORY, addresses, port, text)] if addresses else []


def broker_advert(host: str, port: int, *, tls: bool = False) -> list[Advert]:
    """The announcement of a broker that listens there; none if that is loopback alone."""
    addresses = reachable(host)
    return [Advert(MQTT_OVER_TLS if tls else MQTT, addresses, port)] if addresses else []


def daemon_advert(host: str, port: int, name: str, *, tls: bool = False) -> list[Advert]:
    """The announcement of a daemon to others; none if it listens on loopback alone."""
    addresses = reachable(host)
    text = {"name": name, "scheme": "https" if tls else "http"}
    return [Advert(DAEMON, addresses, port, text)] if addresses else []


def reachable(host: str) -> tuple[str, ...]:
    """Addresses beyond loopback at which one who listens on this address is reached."""
    address = ip_address(host)
    if not address.is_unspecified:
        return () if address.is_loopback else (host,)
    # IPv6 addresses come as triples with their scope; those of the link are found by its own means.
    mine = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return tuple(sorted({each for each in mine if not ip_address(each).is_loopback}))


class Announcer(LoopThread):
    """Announces services from a thread of its own, until it is stopped.

    Args:
        title: what people read; a number is added where another host uses it already.
        name: what this host is called among others; no other's.
        adverts: what to announce, at least one.
    """

    def __init__(self, title: str, name: str, adverts: Iterable[Advert]) -> None:
        super().__init__("diat-mdns", "nothing is announced by mDNS")
        self._title = title
        self._name = name
        self._adverts = tuple(adverts)

    async def live(self) -> None:
        """Announce, and withdraw everything at the end."""
        addresses = sorted({each for advert in self._adverts for each in advert.addresses})
        six = any(isinstance(ip_address(each), IPv6Address) for each in addresses)
        async with zeroconf_asyncio.AsyncZeroconf(
            interfaces=addresses, ip_version=zeroconf.IPVersion.All if six else zeroconf.IPVersion.V4Only
        ) as net:
            stopped = asyncio.create_task(self.stopped.wait())
            registered = asyncio.create_task(self._register(net))
            await asyncio.wait((stopped, registered), return_when=asyncio.FIRST_COMPLETED)
            await stopped
            registered.cancel()
            await asyncio.gather(registered, return_exceptions=True)

    async def _register(self, net: zeroconf_asyncio.AsyncZeroconf) -> None:
        for advert in self._adverts:
            for number in range(1, _NAMES):
                info = self._info(advert, self._title if number == 1 else f"{self._title} ({number})")
                try:
                    # The library's own change of name would not keep a subtype out of it.
                    await (await net.async_register_service(info))
                except zeroconf.NonUniqueNameException:
                    continue
                _LOG.info("announced as %s", info.name)
                break
            else:
                _LOG.warning("not announced: all names like %r are taken", self._title)

    def _info(self, advert: Advert, title: str) -> zeroconf.ServiceInfo:
        return zeroconf_asyncio.AsyncServiceInfo(
            advert.kind,
            f"{title}.{advert.kind.removeprefix('_directory._sub.')}",
            parsed_addresses=list(advert.addresses),
            port=advert.port,
            properties=advert.text,
            server=f"{self._name}.local.",
        )


def host_title() -> str:
    """What the platform on this machine is called for people."""
    # A dot would begin another label of the name, and a label has 63 bytes at most.
    return f"DIAT on {socket.gethostname().partition('.')[0]}"[:50]
