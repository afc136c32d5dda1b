"""Other daemons on this network, found by mDNS (``_diat._tcp``). Being found is not being trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from diat.adapters.loop_thread import LoopThread
from diat.adapters.mdns import DAEMON
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import zeroconf as dns_sd
    from zeroconf import asyncio as dns_sd_asyncio
else:
    dns_sd, dns_sd_asyncio = Lazy("zeroconf"), Lazy("zeroconf.asyncio")

PATIENCE = 3_000
"""Milliseconds in which a daemon that was seen has to say where it is."""
MOST = 200
"""Daemons that are kept in mind."""


class Seen(Struct, frozen=True):
    """A daemon that says it is there.

    Attributes:
        name: as it says; anybody can say anything.
        title: for people.
        address: where its REST is.
    """

    name: str
    title: str
    address: str


class Finder(LoopThread):
    """Listens for daemons, in a thread of its own, until it is stopped.

    Args:
        own: the name of this one, which is left out.
        interfaces: addresses of this machine to listen on.
    """

    def __init__(self, own: str, interfaces: Sequence[str]) -> None:
        super().__init__("diat-finder", "no daemons are looked for by mDNS")
        self._own = own
        self._interfaces = list(interfaces)
        self._seen: dict[str, Seen] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def seen(self) -> list[Seen]:
        """Daemons that are there at this moment, by name; any thread may ask."""
        found = {each.name: each for each in list(self._seen.values())}
        return sorted(found.values(), key=lambda each: each.name)

    async def live(self) -> None:
        """Listen."""
        async with dns_sd_asyncio.AsyncZeroconf(
            interfaces=self._interfaces, ip_version=dns_sd.IPVersion.V4Only
        ) as net:
            browser = dns_sd_asyncio.AsyncServiceBrowser(net.zeroconf, [DAEMON], handlers=[self._changed])
            await self.stopped.wait()
            await browser.async_cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _changed(
        self,
        zeroconf: dns_sd.Zeroconf,
        service_type: str,
        name: str,
        state_change: dns_sd.ServiceStateChange,
    ) -> None:
        if state_change is dns_sd.ServiceStateChange.Removed:
            self._seen.pop(name, None)
        elif name in self._seen or len(self._seen) < MOST:
            task = asyncio.get_running_loop().create_task(self._ask(zeroconf, service_type, name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, zeroconf: dns_sd.Zeroconf, service_type: str, name: str) -> None:
        info = dns_sd_asyncio.AsyncServiceInfo(service_type, name)
        if not await info.async_request(zeroconf, PATIENCE) or not info.port:
            return
        addresses = info.parsed_addresses(dns_sd.IPVersion.V4Only)
        said = {_text(key): _text(value) for key, value in info.properties.items()}
        daemon, scheme = said.get("name", ""), said.get("scheme", "http")
        if not addresses or not daemon or daemon == self._own or scheme not in ("http", "https"):
            return
        title = name.removesuffix(f".{service_type}")
        self._seen[name] = Seen(daemon[:64], title[:100], f"{scheme}://{addresses[0]}:{info.port}")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
