"""Has peers do the services that need what they have: a thread that asks them, and tells the writer.

What is decided is ``diat.service.delegation``'s; here is when to ask whom, and what an answer means.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from diat.adapters.peers.asking import Answer, PeerClient, Unreachable
from diat.kernel.clock import Clock
from diat.service.delegation import Delegation, Delegations, outdated
from diat.service.layer import ServiceLayer
from diat.service.peers import Peer, Peers
from diat.service.service import Service

_LOG = logging.getLogger("diat.peers")
Submit = Callable[[Callable[[], Any]], "Future[Any]"]
StateOf = Callable[[Service], str]
EVERY = 1.0
"""Seconds between two looks."""
WAITED = 2.0
"""Seconds that a service has to wait for something that is not here before peers are asked."""
AGAIN = (4.0, 60.0)
"""Seconds until peers are asked once more for a service that none of them can do: at first, and at most."""
LOST = 15.0
"""Seconds that a service may wait at a peer for what is not there any more, until another place is sought."""
AT_ONCE = 8
"""Services about which something is done at one time."""
LOOKED_AFTER = 30.0
"""Seconds after which a peer that was not asked anything is asked whether it is there."""
SPARED = 5.0
"""Seconds for which a peer that gave no answer is not asked what else it could do."""
GONE = (404, 410)
_AT_WORK = ("running", "degraded")


class Delegator:
    """Places services at peers, follows them there, and ends them; from ``start`` to ``stop``.

    Attributes:
        reached: by name of each peer that was asked: whether it answered the last time, and if not why.
    """

    def __init__(
        self,
        name: str,
        peers: Peers,
        services: ServiceLayer,
        state_of: StateOf,
        client: PeerClient,
        submit: Submit,
        clock: Clock,
    ) -> None:
        """A delegator that is not started.

        Args:
            name: of this daemon; it makes the keys of requests its own.
            peers: who is trusted.
            services: the services of this daemon, and who does them.
            state_of: tells the committed state of a service's composite.
            client: asks peers.
            submit: runs a change in the writer.
            clock: Unix milliseconds.
        """
        self._name = name
        self._peers = peers
        self._services = services
        self._delegations: Delegations = services.delegations
        self._state_of = state_of
        self._client = client
        self._submit = submit
        self._clock = clock
        self.reached: dict[str, str | None] = {}
        self._asked: dict[str, float] = {}
        self._stopping = threading.Event()
        self._waiting: dict[str, float] = {}
        self._tries: dict[str, tuple[int, float]] = {}
        self._lost: dict[str, float] = {}
        self._busy: dict[str, threading.Thread] = {}
        self._thread = threading.Thread(target=self._run, name="diat-delegator")

    def start(self) -> None:
        """Begin; what was under way in an earlier life goes on."""
        self._thread.start()

    def stop(self) -> None:
        """End; services go on where they are."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        for each in list(self._busy.values()):
            each.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - the next look may do
                _LOG.exception("looking for what peers could do failed")

    def _look(self) -> None:
        for delegation in self._delegations.everything():
            self._once(delegation.service, lambda each=delegation: self._pursue(each))  # type: ignore[misc]
        now = time.monotonic()
        for peer in self._peers.everything():
            if now - self._asked.get(peer.name, -LOOKED_AFTER) >= LOOKED_AFTER:
                self._once(peer.name, lambda it=peer: self._ask(it, "GET", "/peers/me"))  # type: ignore[misc]
        here = {each.id: each for each in self._services.everything() if self._may_go(each)}
        self._waiting = {service: self._waiting.get(service, now) for service in here}
        self._tries = {service: told for service, told in self._tries.items() if service in here}
        if self._peers.everything():
            for service, each in here.items():
                if now >= max(self._waiting[service] + WAITED, self._tries.get(service, (0, 0.0))[1]):
                    self._once(service, lambda it=each: self._seek(it))  # type: ignore[misc]

    def _may_go(self, each: Service) -> bool:
        """Whether a service waits here for what might be elsewhere; one of a peer's goes no further."""
        return (
            not each.paused
            and not each.creator.startswith("daemon:")
            and self._delegations.get(each.id) is None
            and self._state_of(each) == "waiting"
        )

    def _once(self, service: str, do: Callable[[], Any]) -> None:
        """Do something about a service, unless something is being done about it."""
        if service in self._busy or len(self._busy) >= AT_ONCE:
            return

        def work() -> None:
            try:
                do()
            except Unreachable as error:
                _LOG.debug("%s", error)
            except Exception:  # noqa: BLE001 - one service's fault must not stop the others
                _LOG.exception("a service could not be delegated")
            finally:
                self._busy.pop(service, None)

        self._busy[service] = threading.Thread(target=work, name="diat-delegating")
        self._busy[service].start()

    # --- where to ---

    def _seek(self, service: Service) -> None:
        """Ask all peers whether they could do it, and have the first that can do it."""
        body = {"title": service.title, "template": service.template, "parameters": service.parameters}
        able: list[tuple[int, str]] = []
        for peer in self._peers.everything():
            if self._stopping.is_set():
                return
            if self.reached.get(peer.name) is not None and time.monotonic() - self._asked[peer.name] < SPARED:
                continue
            try:
                answer = self._ask(peer, "POST", "/services/plan", body=body)
            except Unreachable:
                continue
            state = answer.body.get("state") if answer.fine and isinstance(answer.body, dict) else None
            if state in _AT_WORK:
                able.append((_AT_WORK.index(state), peer.name))
        if able:
            _, name = min(able)
            key = f"{self._name}:{service.id}:{service.revision}"
            self._submit(lambda: self._place(service, name, key)).result()
            return
        tries = self._tries.get(service.id, (0, 0.0))[0]
        pause = min(AGAIN[1], AGAIN[0] * 2.0 ** min(tries, 8)) * random.uniform(0.5, 1.0)
        self._tries[service.id] = (tries + 1, time.monotonic() + pause)

    def _place(self, service: Service, peer: str, key: str) -> None:
        """Within the writer: unless the service has changed, or has found here what it needs."""
        known = self._services.seen(service.id)
        if known is not None and known.revision == service.revision and self._may_go(known):
            self._delegations.place(known, peer, key)

    # --- what is there ---

    def _pursue(self, each: Delegation) -> None:
        peer = self._peers.find(each.peer)
        if peer is None:
            self._over(each)
            return
        service = (self._services.known(each.service) and self._services.get(each.service)) or None
        if each.state != "ending" and outdated(each, service):
            self._submit(lambda: self._delegations.end(each.service)).result()
        elif each.state == "placing":
            self._ask_to_do(peer, each)
        elif each.state == "placed":
            self._follow(peer, each, paused=service is not None and service.paused)
        else:
            self._ask_to_end(peer, each)

    def _ask_to_do(self, peer: Peer, each: Delegation) -> None:
        answer = self._ask(peer, "POST", "/services", body=each.body, key=each.key)
        if answer.fine and isinstance(answer.body, dict):
            self._placed(each, answer)
        elif 400 <= answer.status < 500 and answer.status not in (401, 408, 425, 429):
            _LOG.info("%s does not do %s: %s", peer.name, each.service, answer.detail)
            self._over(each)

    def _follow(self, peer: Peer, each: Delegation, *, paused: bool) -> None:
        answer = self._ask(peer, "GET", f"/services/{each.remote}")
        if answer.status in GONE:
            self._over(each)
            return
        if not answer.fine or not isinstance(answer.body, dict):
            return
        state = str(answer.body.get("state"))
        if paused != (state == "paused"):
            answer = self._ask(peer, "POST", f"/services/{each.remote}/{'pause' if paused else 'resume'}")
            if not answer.fine:
                return
            state = str(answer.body.get("state"))
        if state != each.told or self._clock() - each.heard > 10_000:
            self._placed(each, answer)
        self._is_it_lost(each, state)

    def _is_it_lost(self, each: Delegation, state: str) -> None:
        """What a service needs may have gone from there: then it is ended there, and sought anew."""
        if state not in ("waiting", "failed"):
            self._lost.pop(each.service, None)
        elif time.monotonic() - self._lost.setdefault(each.service, time.monotonic()) > LOST:
            self._lost.pop(each.service, None)
            self._submit(lambda: self._delegations.end(each.service)).result()

    def _ask_to_end(self, peer: Peer, each: Delegation) -> None:
        remote = each.remote
        if not remote:
            # Whether it was ever asked to, nobody knows: asked again it tells under which id it does it.
            answer = self._ask(peer, "POST", "/services", body=each.body, key=each.key)
            if not answer.fine:
                if 400 <= answer.status < 500 and answer.status not in (401, 408, 425, 429):
                    self._over(each)
                return
            self._placed(each, answer)
            remote = str(answer.body["id"])
        answer = self._ask(peer, "DELETE", f"/services/{remote}")
        if answer.fine or answer.status in GONE:
            self._over(each)

    def _placed(self, each: Delegation, answer: Answer) -> None:
        remote, state = str(answer.body["id"]), str(answer.body["state"])
        self._submit(lambda: self._delegations.placed(each.key, each.service, remote, state)).result()

    def _over(self, each: Delegation) -> None:
        self._submit(lambda: self._delegations.over(each.key, each.service)).result()

    def _ask(self, peer: Peer, method: str, path: str, **more: Any) -> Answer:
        self._asked[peer.name] = time.monotonic()
        try:
            answer = self._client.ask(peer, method, path, **more)
        except Unreachable as error:
            self.reached[peer.name] = str(error)
            raise
        self.reached[peer.name] = None if answer.status != 401 else "it does not know us any more"
        return answer
