"""Asking a peer over its REST, and looking things up at all of them at once."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from diat.kernel.errors import DiatError
from diat.kernel.lazy import Lazy
from diat.service.peers import Peer

if TYPE_CHECKING:
    import httpx
else:
    httpx = Lazy("httpx")

TIMEOUT = 5.0
"""Seconds that a peer has to answer."""
LOOKUP = 3.0
"""Seconds that all peers together have to answer a lookup."""
AT_ONCE, LOOKUPS = 16, 4
"""Peers that one lookup asks at one time, and lookups that are under way at one time."""
CACHED, KEPT = 3.0, 256
"""Seconds for which the answers to a lookup are good, and how many lookups are kept."""
LARGEST = 4 * 1024 * 1024
"""Bytes of an answer at most."""


class Unreachable(DiatError):
    """A peer gave no answer: what was asked may have been done, or not."""


class Answer(Struct, frozen=True):
    """What a peer answered.

    Attributes:
        status: of HTTP.
        body: its JSON; None if it is none.
    """

    status: int
    body: Any

    @property
    def fine(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def detail(self) -> str:
        """What it says against it, for a person."""
        said = self.body.get("detail") if isinstance(self.body, dict) else None
        return str(said)[:300] if said else f"it answered {self.status}"


class Found(Struct, frozen=True):
    """What a lookup found.

    Attributes:
        things: of each its ``id``, ``title``, ``place``, ``quantities`` and ``daemon``.
        unanswered: names of peers that did not answer in time, each with why.
    """

    things: tuple[dict[str, Any], ...]
    unanswered: dict[str, str]


class PeerClient:
    """HTTP clients for peers, one for each; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str | None], httpx.Client] = {}

    def ask(
        self,
        peer: Peer,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
        timeout: float = TIMEOUT,
    ) -> Answer:
        """What a peer answers.

        Raises:
            Unreachable: it gives no answer, or one that nobody can use.
        """
        headers = {"Authorization": f"Bearer {peer.token}"} if peer.token else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            with self._client(peer).stream(
                method,
                peer.address + path,
                json=body,
                params=query,
                headers=headers,
                timeout=timeout,
            ) as answer:
                told = bytearray()
                for some in answer.iter_bytes():
                    told += some
                    if len(told) > LARGEST:
                        raise Unreachable(f"{peer.name}: its answer is longer than {LARGEST} bytes")
                kind = answer.headers.get("content-type", "")
                content = httpx.Response(200, content=bytes(told)).json() if told and "json" in kind else None
                return Answer(answer.status_code, content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Unreachable(f"{peer.name}: {type(error).__name__}: {error}"[:300]) from None

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for each in clients:
            each.close()

    def _client(self, peer: Peer) -> httpx.Client:
        with self._lock:
            known = self._clients.get((peer.address, peer.authority))
            if known is None:
                trust: ssl.SSLContext | bool = True
                if peer.authority is not None:
                    trust = ssl.create_default_context(cadata=peer.authority)
                # Redirects are not followed, and no proxy is told what is said between daemons.
                known = httpx.Client(verify=trust, trust_env=False)
                self._clients[peer.address, peer.authority] = known
            return known


class Lookups:
    """Lookups at peers, all at once, within a time; what was found is kept for a moment."""

    def __init__(self, client: PeerClient) -> None:
        self._client = client
        self._turns = threading.BoundedSemaphore(LOOKUPS)
        self._lock = threading.Lock()
        self._kept: dict[Any, tuple[float, Found]] = {}

    def things(
        self, peers: Sequence[Peer], query: Mapping[str, str], *, hops: int, visited: Iterable[str]
    ) -> Found:
        """Things at these peers and, with more ``hops``, at theirs; not at those that were ``visited``."""
        seen = tuple(sorted({*visited, *(each.name for each in peers)}))
        asked = [each for each in peers if each.name not in set(visited)]
        key = (tuple(each.name for each in asked), tuple(sorted(query.items())), hops, seen)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        found = self._ask(asked, {**query, "hops": hops, "visited": list(seen)})
        with self._lock:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (time.monotonic() + CACHED, found)
        return found

    def _ask(self, peers: Sequence[Peer], query: Mapping[str, Any]) -> Found:
        with self._turns:
            pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="diat-peers")
            asking = {
                pool.submit(self._client.ask, peer, "GET", "/peers/things", query=query, timeout=LOOKUP): peer
                for peer in peers
            }
            done, late = wait(asking, LOOKUP)
            pool.shutdown(wait=False, cancel_futures=True)
        things: dict[tuple[str, str], dict[str, Any]] = {}
        unanswered = {asking[each].name: f"no answer within {LOOKUP:g} s" for each in late}
        for each in done:
            try:
                answer = each.result()
            except Unreachable as error:
                unanswered[asking[each].name] = str(error)
                continue
            told = answer.body if answer.fine and isinstance(answer.body, list) else None
            if told is None:
                unanswered[asking[each].name] = answer.detail
                continue
            for thing in told:
                if isinstance(thing, dict) and isinstance(thing.get("id"), str):
                    things.setdefault((str(thing.get("daemon")), thing["id"]), thing)
        return Found(tuple(things.values()), unanswered)
