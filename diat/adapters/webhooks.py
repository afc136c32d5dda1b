"""Makes the calls to web hooks that services want: HTTP, with what is private kept out of reach.

An address is looked up by us, checked, and then connected to as it was checked, so that no name can mean one
machine when it is checked and another when it is called. Redirects are not followed and no proxy is used.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from diat.cvol.webhooks import Call, Webhooks
from diat.kernel.clock import Clock
from diat.kernel.errors import Unavailable
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import httpx
else:
    httpx = Lazy("httpx")

_LOG = logging.getLogger("diat.webhooks")
Network = IPv4Network | IPv6Network
Submit = Callable[[Callable[[], Any]], "Future[Any]"]
TIMEOUT = 10.0
"""Seconds that an address has to take a call."""
FIRST_REST = 2_000
LONGEST_REST = 600_000
"""Milliseconds between two tries: at first, and at most."""
AT_ONCE = 4
"""Calls under way at one time, at most one of each service."""
_LATER = (408, 425, 429)
_NAT64 = IPv6Network("64:ff9b::/96")


class _Kept(Exception):
    """The address is one that must not be called."""


class Caller:
    """Sends what is in the outbox, in threads of its own, from ``start`` to ``stop``."""

    def __init__(
        self, webhooks: Webhooks, submit: Submit, clock: Clock, allowed: Sequence[Network] = ()
    ) -> None:
        self._webhooks = webhooks
        self._submit = submit
        self._clock = clock
        self._allowed = allowed
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="diat-webhook")
        self._thread = threading.Thread(target=self._run, name="diat-webhooks")

    def start(self) -> None:
        """Begin; what was left from an earlier life goes first."""
        self._webhooks.news.set()
        self._thread.start()

    def stop(self) -> None:
        """End; calls under way are let finish, the others stay in the outbox."""
        self._stopping.set()
        self._webhooks.news.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown()
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._webhooks.news.wait(self._patience())
            self._webhooks.news.clear()
            now = self._clock()
            for call in self._webhooks.open():
                with self._lock:
                    taken = call.next > now or call.service in self._busy or len(self._busy) >= AT_ONCE
                    if not taken and not self._stopping.is_set():
                        self._busy.add(call.service)
                if not taken and not self._stopping.is_set():
                    self._pool.submit(self._make, call)

    def _patience(self) -> float | None:
        """Seconds until a call is to be tried; None while only news can bring one."""
        with self._lock:
            if len(self._busy) >= AT_ONCE:
                return None  # the end of any of them wakes us
            times = [each.next for each in self._webhooks.open() if each.service not in self._busy]
        return max(0.01, (min(times) - self._clock()) / 1000) if times else None

    def _make(self, call: Call) -> None:
        try:
            self._try(call)
        except Unavailable as stopping:
            _LOG.info("a call waits for the next start: %s", stopping)
        except Exception:  # noqa: BLE001 - one call's fault must not stop the others
            _LOG.exception("a call to a web hook failed")
            self._submit(lambda: self._unanswered(call, "an error of ours: see the log", None))
        finally:
            with self._lock:
                self._busy.discard(call.service)
            self._webhooks.news.set()

    def _try(self, call: Call) -> None:
        # That it is tried is durable before it is: what must be done at most once is not done after a crash.
        trying = self._submit(lambda: self._webhooks.trying(call.id)).result()
        if trying is None:
            self._submit(
                lambda: self._unanswered(call, "the platform stopped while sending it", None)
            ).result()
            return
        rest = min(FIRST_REST * 2 ** min(trying.tries - 1, 20), LONGEST_REST)
        again: int | None = round(rest * random.uniform(0.5, 1.0))
        try:
            status = self._post(trying)
        except _Kept as kept:
            why, again = str(kept), None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as wrong:
            why, again = f"not an address: {wrong}"[:200], None
        except (httpx.HTTPError, OSError) as error:
            why = f"{type(error).__name__}: {error}"[:200]
        else:
            if 200 <= status < 300:
                self._submit(lambda: self._webhooks.answered(call.id)).result()
                return
            why = f"it answered {status}" + (
                ", and redirects are not followed" if 300 <= status < 400 else ""
            )
            if status < 500 and status not in _LATER:
                again = None
        self._submit(lambda: self._unanswered(call, why, again)).result()

    def _unanswered(self, call: Call, why: str, again: int | None) -> None:
        self._webhooks.unanswered(call.id, why, again, self._clock())

    def _post(self, call: Call) -> int:
        url = httpx.URL(call.url)
        *others, last = self._addresses(url)
        for address in others:
            try:
                return self._post_to(url, address, call)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # a name has an address of each family, and not all networks have both
        return self._post_to(url, last, call)

    def _post_to(self, url: httpx.URL, address: str, call: Call) -> int:
        headers = {"Host": url.netloc.decode("ascii"), "Idempotency-Key": call.id, "User-Agent": "diat"}
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            json=call.body,
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        answer = self._client.send(request, stream=True)
        answer.close()  # what it says is nobody's business, and may have no end
        return answer.status_code

    def _addresses(self, url: httpx.URL) -> list[str]:
        """The addresses to connect to, one after the other.

        Raises:
            _Kept: all that the name means is private.
            OSError: the name means nothing.
        """
        port = url.port or (443 if url.scheme == "https" else 80)
        found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        hosts = dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found)
        reached = [host for host in hosts if self._may(ip_address(host))]
        if not reached:
            raise _Kept(f"{url.host} is a private address: the operator allows one with --webhooks-allow")
        return reached

    def _may(self, address: IPv4Address | IPv6Address) -> bool:
        if any(address in network for network in self._allowed):
            return True
        return all(each.is_global and not each.is_multicast for each in _meant(address))


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, and the one that is packed into it."""
    if isinstance(address, IPv4Address):
        return [address]
    packed = address.ipv4_mapped or address.sixtofour
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        packed = IPv4Address(int(address) & 0xFFFFFFFF)
    return [address] if packed is None else [address, packed]
