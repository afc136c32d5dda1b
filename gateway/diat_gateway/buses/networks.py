"""Where buses may lead: the networks of the house, not the world, and not the metadata service of a cloud.

A description names the address that a gateway calls again and again, so whoever may put one could have it
call anything. A name is looked up by us, checked, and connected to as it was checked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

HOME: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Loopback and private networks; 169.254.0.0/16 is left out, because clouds hand out secrets there."""


class Elsewhere(Exception):
    """An address lies in none of the networks."""


class Networks:
    """The networks that buses may reach."""

    def __init__(self, allowed: Iterable[Network] = HOME) -> None:
        self._allowed = tuple(allowed)

    def fault(self, host: str) -> str | None:
        """Why an address may not be reached; None if it may, or is a name, which is looked up each time."""
        try:
            address = ip_address(host)
        except ValueError:
            return None
        return None if self._may(address) else _elsewhere(host)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses behind a name that may be reached, in the order in which to try them.

        Raises:
            Elsewhere: none of them may.
            OSError: the name means nothing.
        """
        try:
            hosts = [str(ip_address(host))]
        except ValueError:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            hosts = list(dict.fromkeys(str(address[0]) for *_, address in found))
        reached = [each for each in hosts if self._may(ip_address(each.partition("%")[0]))]
        if not reached:
            raise Elsewhere(_elsewhere(host))
        return reached

    def _may(self, address: IPv4Address | IPv6Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed)


def _elsewhere(host: str) -> str:
    return f"{host} is in none of the networks that buses may reach: allow it with --bus-allow"
