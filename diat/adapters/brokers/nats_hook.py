"""The hook of the embedded broker: nats-server asks here for every client that connects.

It runs in a thread of its own, on a connection of its own to the server's system account; the same connection
cuts off clients whose credential was revoked. While it is away, nobody new gets in and who is in stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from diat.adapters.brokers.guarded import Guarded
from diat.adapters.brokers.nats_subjects import user_permissions
from diat.adapters.brokers.nats_tokens import Signer, claims_of
from diat.kernel.lazy import Lazy
from diat.security.joining import JOIN
from diat.vol.access import Entry

if TYPE_CHECKING:
    import nats
    from nats.aio.client import Client as Connection
    from nats.aio.msg import Msg
else:
    nats = Lazy("nats")

_LOG = logging.getLogger("diat.access")
ASKED = "$SYS.REQ.USER.AUTH"
_GONE = "$SYS.ACCOUNT.$G.DISCONNECT"
_READY = 10.0
_KICK = 2.0


class NatsHook:
    """Answers the server's questions about clients, and cuts clients off (a ``Gate``).

    Args:
        url: of the server's own protocol, with a user of its system account.
        signer: signs the answers; the server's configuration names its key.
        guarded: who decides.
    """

    def __init__(self, url: str, signer: Signer, guarded: Guarded) -> None:
        self._url = url
        self._signer = signer
        self._guarded = guarded
        guarded.access.knows_who_joins = True
        self._inside: dict[int, tuple[str, str, str]] = {}
        self._loop = asyncio.new_event_loop()
        self._connection: Connection | None = None
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="diat-broker-hook")

    def prepare(self) -> None:
        """Nothing: the server reads no file of ours but its configuration."""

    def start(self, reload: Callable[[], None]) -> None:
        """Begin, unless it runs; returns when the server can ask. A server that came back is found again."""
        if self._thread.ident is not None:
            return
        self._thread.start()
        if not self._ready.wait(_READY):
            _LOG.error("the broker does not take the hook: nobody gets in")

    def stop(self) -> None:
        """End it: nobody new gets in any more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def changed(self, name: str, *, cut: bool) -> None:
        """Cut off who is in with a credential; what else changed is seen by the next who comes."""
        if cut and self._ready.is_set():
            self._loop.call_soon_threadsafe(self._cut_soon, name)

    # --- in the thread ---

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._connection = connection = await nats.connect(
            self._url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            allow_reconnect=True,
            reconnected_cb=self._anew,
            error_cb=_quiet,
            name="diat-hook",
        )
        await connection.subscribe(ASKED, cb=self._asked)
        await connection.subscribe(_GONE, cb=self._left)
        await connection.flush()
        self._ready.set()
        await self._over.wait()
        # The client cancels its own closing if the server went first.
        with contextlib.suppress(asyncio.CancelledError, nats.errors.Error, OSError):
            await connection.close()

    async def _anew(self) -> None:
        """The server was started again: nobody who was in is in."""
        for name, client, _ in self._inside.values():
            self._guarded.access.left(name, client)
        self._inside.clear()

    async def _asked(self, message: Msg) -> None:
        try:
            asked = claims_of(message.data)["nats"]
            answer = self._answer(asked)
        except Exception:  # noqa: BLE001 - whatever a client sends, the next one is answered
            _LOG.exception("a client could not be decided on, and is refused")
            return
        await message.respond(answer.encode())

    def _answer(self, asked: dict[str, Any]) -> str:
        client, given = asked["client_info"], asked["connect_opts"]
        entry = self._decide(client, given, through_tls=bool(asked.get("client_tls")))
        said: dict[str, Any]
        if isinstance(entry, str):
            _LOG.info("a client at %s was refused: %s", client.get("host"), entry)
            said = {"error": "refused"}
        else:
            self._inside[client["id"]] = (entry.name, client.get("mqtt_id", ""), asked["server_id"]["id"])
            self._guarded.came(entry.name, client.get("mqtt_id", ""), entry.newest)
            user = {
                "sub": asked["user_nkey"],
                "name": entry.name,
                "aud": "$G",
                "nats": {
                    "type": "user",
                    "version": 2,
                    "subs": -1,
                    "data": -1,
                    "payload": -1,
                    **user_permissions(entry.permissions),
                },
            }
            said = {"jwt": self._signer.token(user)}
        return self._signer.token(
            {
                "sub": asked["user_nkey"],
                "aud": asked["server_id"]["id"],
                "nats": {"type": "authorization_response", "version": 2, **said},
            }
        )

    def _decide(self, client: dict[str, Any], given: dict[str, Any], *, through_tls: bool) -> Entry | str:
        if client.get("type") != "mqtt":
            return "it does not speak MQTT"
        user, password = str(given.get("user") or ""), str(given.get("pass") or "")
        entry = self._guarded.access.decide(user, password, str(client.get("mqtt_id") or ""))
        # The server tells of TLS at the things' door, which is never without it where there are gateways; of
        # theirs, over WebSocket, it tells nothing.
        by_gateways_door = self._guarded.gateways is not None and not through_tls
        if isinstance(entry, Entry) and entry.certified != by_gateways_door:
            return f"{user} came by the wrong door"
        return entry

    async def _left(self, message: Msg) -> None:
        try:
            gone = json.loads(message.data)["client"]["id"]
        except (ValueError, LookupError, TypeError):
            return
        known = self._inside.pop(gone, None)
        if known is not None and not any(each[:2] == known[:2] for each in self._inside.values()):
            self._guarded.access.left(known[0], known[1])

    def _cut_soon(self, name: str) -> None:
        for number, (inside, client, server) in list(self._inside.items()):
            if inside == name or (inside == JOIN and client == name):
                self._loop.create_task(self._kick(server, number))

    async def _kick(self, server: str, number: int) -> None:
        if self._connection is None:
            return
        try:
            asked = json.dumps({"cid": number}).encode()
            await self._connection.request(f"$SYS.REQ.SERVER.{server}.KICK", asked, timeout=_KICK)
        except (nats.errors.Error, TimeoutError) as error:
            _LOG.warning("a client could not be cut off: %s", error)


async def _quiet(error: Exception) -> None:
    """A server that is started again is no news; the watch says so."""
