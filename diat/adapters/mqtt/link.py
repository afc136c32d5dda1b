"""The link to the broker: paho-mqtt, driven by the writer's own thread.

paho's external loop is used (``loop_read``, ``loop_write``, ``loop_misc``) instead of its network thread:
what a batch costs is then spent in one thread that never waits for another, and the socket is read until it
is empty before anything is committed (docs/decisions/0002 has the figures).

Acknowledgements belong to a connection: a packet id means nothing on the next one, so what came by an
earlier connection is never acknowledged; the broker sends it again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.mqtt.copies import Copies, SessionNote
from diat.kernel.clock import Clock
from diat.vol.dialects.port import Outgoing
from diat.vol.interaction import Command
from diat.wire import topics
from diat.wire.envelope import Message

_LOG = logging.getLogger("diat.mqtt")
KEEPALIVE = 30
_PUBACK = b"\x40\x02"
"""An acknowledgement's first bytes (MQTT 3.1.1, 3.4); the packet id follows."""
_PUBACK_LENGTH = 4
IN_FLIGHT = 1000
"""Outgoing messages that the broker may owe us an acknowledgement for."""
UNHEARD = 25.0
"""Seconds after which a session on which nothing came is no longer believed to be subscribed: the platform
says the time on ``diat/clock`` every ten."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds between two attempts to connect; the pause doubles and is jittered."""


class MqttLink:
    """A persistent MQTT session; see ``diat.kernel.writer.Link`` for what the writer asks of it.

    Attributes:
        up: whether the broker has answered our CONNECT and our SUBSCRIBE.
        refusal: why the broker does not let us in, None if it does.
        handed_over: references of commands that the broker has not acknowledged.
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        filters: Sequence[str],
        clock: Clock,
        farewell: Outgoing | None = None,
        note: SessionNote | None = None,
    ) -> None:
        """A link that is not up yet.

        Args:
            address: of the broker.
            client_id: by which the broker knows our session.
            filters: what to subscribe to.
            clock: for the time at which messages are received.
            farewell: published when it ends, however it ends.
            note: remembers that the session is subscribed; without it that is done at each connection.
        """
        self._address = address
        self._farewell = farewell
        self._filters = [(each, 1) for each in filters]
        self._note = note
        self._copies = Copies(
            lambda: _client(address, f"{client_id}-retained", session=False), filters, self.wake
        )
        self._unheard_since: float | None = None
        self._clock = clock
        self._client = _client(address, client_id)
        if farewell is not None:
            self._client.will_set(farewell.topic, farewell.payload, farewell.qos, farewell.retain)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_socket_open = _no_delay
        # With these two set, paho leaves writing to our calls of loop_write.
        self._client.on_socket_register_write = _nothing
        self._client.on_socket_unregister_write = _nothing
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ring, False)
        self._arrived: list[Message] = []
        self._packets = 0
        self._connection = 0
        self._references: dict[int, str] = {}
        self._receipts: list[str] = []
        self._anew = False
        self._attempt: threading.Thread | None = None
        self._next_attempt = 0.0
        self._pause = SHORTEST_PAUSE
        self._last_misc = 0.0
        self.handed_over: set[str] = set()
        self.up = False
        self.refusal: str | None = None
        self.unreadable = 0
        """Messages whose topic is no UTF-8; acknowledged and left."""

    # --- what the writer asks ---

    def wait(self, timeout: float) -> None:
        """Return when something may be there, ``wake`` was called, or after ``timeout`` seconds."""
        if self._arrived or self._receipts or self._anew or self._copies.waiting:
            timeout = 0.0
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        current = self._socket()
        if current is None:
            self._connect()
            timeout = min(timeout, 0.02 if self._attempt is not None else 0.1)
        else:
            want = select.POLLIN | (select.POLLOUT if self._client.want_write() else 0)
            poll.register(current, want)
        ready = poll.poll(timeout * 1000)
        for descriptor, events in ready:
            if descriptor == self._bell:
                self._silence()
            elif events & select.POLLOUT:
                self._client.loop_write()
        now = time.monotonic()
        if current is not None and now - self._last_misc > 1.0:
            self._last_misc = now
            self._client.loop_misc()
            self._subscribe_if_need_be(now)

    def wake(self) -> None:
        """Make ``wait`` return; any thread may call it."""
        # Full: it rings already. Closed: nobody waits any more.
        with contextlib.suppress(OSError):
            os.write(self._ring, b"!")

    def take(self, limit: int) -> list[Message]:
        """Read what has arrived, at most about ``limit`` messages, oldest first."""
        arrived = self._arrived
        client = self._client
        if self._socket() is not None:
            before = -1
            while self._packets != before and len(arrived) < limit:
                before = self._packets
                client.loop_read()
                if self._arrived is not arrived:  # the connection broke meanwhile
                    break
        taken, self._arrived = self._arrived[:limit], self._arrived[limit:]
        if len(taken) < limit:
            now = self._clock()
            copies = self._copies.take(limit - len(taken))
            taken += [Message(topic, payload, now, True) for topic, payload in copies]
        return taken

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages of the present connection."""
        connection = self._connection
        mids = [each.mid for each in messages if each.qos and each.connection == connection]
        self._client.loop_write()
        for mid in self._acknowledge_at_once(mids):
            self._client.ack(mid, 1)
        self._client.loop_write()

    def _acknowledge_at_once(self, mids: list[int]) -> list[int]:
        """Send acknowledgements in one piece; those that were not sent.

        paho sends each by a call of its own, which under load is a sixth of all that the writer does. Its own
        queue is empty here, so the pieces of two packets cannot mix; should the socket take only a part, the
        packet that was cut is finished before anything else is sent.
        """
        connected = self._socket()
        if len(mids) < 2 or self._client.want_write() or not isinstance(connected, socket.socket):
            return mids
        if isinstance(connected, ssl.SSLSocket):
            return mids
        try:
            sent = connected.send(b"".join(_PUBACK + mid.to_bytes(2, "big") for mid in mids))
            whole, cut = divmod(sent, _PUBACK_LENGTH)
            if cut:
                connected.settimeout(KEEPALIVE)
                connected.sendall((_PUBACK + mids[whole].to_bytes(2, "big"))[cut:])
                connected.setblocking(False)
                whole += 1
        except BlockingIOError:
            return mids
        except OSError:
            # What was not acknowledged comes again, by the next connection: on this one a packet may be cut.
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            return []
        return mids[whole:]

    def send(self, outgoing: Sequence[Command]) -> None:
        """Publish messages; a command is dropped while there is no connection (the outbox has it)."""
        for command in outgoing:
            message = command.message
            if not self.up and (command.reference or message.qos == 0):
                continue
            try:
                info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
            except ValueError as error:
                _LOG.warning("cannot publish on %r: %s", message.topic, error)
                continue
            if command.reference and message.qos:
                self._references[info.mid] = command.reference
                self.handed_over.add(command.reference)
            elif command.reference:
                self._receipts.append(command.reference)
        self._client.loop_write()

    def receipts(self) -> list[str]:
        """References of commands that the broker has acknowledged since the last call."""
        receipts, self._receipts = self._receipts, []
        self.handed_over.difference_update(receipts)
        return receipts

    def fresh(self) -> bool:
        """Whether the connection was made anew since the last call."""
        anew, self._anew = self._anew, False
        return anew

    def hears(self, topic: str) -> bool:
        """Whether what is said on the topic reaches us."""
        return any(paho.topic_matches_sub(each, topic) for each, _ in self._filters)

    def go_silently(self) -> None:
        """Publish nothing when it ends; a broken connection from the next one on."""
        self._farewell = None
        self._client.will_clear()

    def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        self._copies.end()
        attempt = self._attempt
        if attempt is not None:
            attempt.join()
        if self.up and self._farewell is not None:
            self.send([Command(self._farewell)])
        self.up = False
        if self._socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        os.close(self._bell)
        os.close(self._ring)

    # --- connecting ---

    def _socket(self) -> Any:
        """The socket, unless an attempt to connect is under way in its own thread."""
        if self._attempt is not None:
            if self._attempt.is_alive():
                return None
            self._attempt = None
        return self._client.socket()

    def _connect(self) -> None:
        if self._attempt is not None or time.monotonic() < self._next_attempt:
            return
        # Name look-up and connecting may block for seconds; the writer has other things to do.
        self._attempt = threading.Thread(target=self._try_to_connect, name="diat-connect", daemon=True)
        self._attempt.start()
        self._next_attempt = time.monotonic() + self._pause * random.uniform(0.5, 1.0)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _try_to_connect(self) -> None:
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            self.refusal = f"cannot reach the broker {self._address.host}:{self._address.port}: {error}"
        self.wake()

    def _silence(self) -> None:
        try:
            while os.read(self._bell, 4096):
                pass
        except BlockingIOError:
            pass

    # --- what paho tells ---

    def _on_connect(self, _: Any, __: Any, flags: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self.refusal = f"the broker refuses us: {reason}"
            _LOG.error(self.refusal)
            # Refused credentials do not become right by trying faster.
            self._pause = LONGEST_PAUSE
            return
        self._connection += 1
        if flags.session_present and self._note is not None and self._note.stands:
            self._unheard_since = time.monotonic()
            self._copies.begin()
            self._is_up()
        else:
            self._subscribe()

    def _subscribe(self) -> None:
        self._unheard_since = None
        if self._note is not None:
            self._note.take_back()
        self._client.subscribe(self._filters)

    def _subscribe_if_need_be(self, now: float) -> None:
        """Do not trust a note on which nothing comes, nor go without what is retained."""
        unheard = self._unheard_since is not None and now - self._unheard_since > UNHEARD
        if unheard or self._copies.failed is not None:
            _LOG.warning("subscribing anew: %s", self._copies.failed or "nothing was heard")
            self._copies.failed = None
            self._subscribe()

    def _is_up(self) -> None:
        self.up, self._anew, self.refusal = True, True, None
        self._pause = SHORTEST_PAUSE

    def _on_subscribe(self, _: Any, __: Any, ___: Any, reasons: Sequence[Any], ____: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self.refusal = "the broker does not let us subscribe"
            _LOG.error(self.refusal)
            return
        # Only what the session hears of itself shows that the note is right.
        if self._note is not None and self.hears(topics.CLOCK):
            self._note.make()
        self._is_up()

    def _on_disconnect(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if self.up:
            _LOG.warning("the broker is gone: %s", reason)
        self.up = False
        self._unheard_since = None
        self._copies.end()
        self._connection += 1
        # What was not committed comes again by the next connection; QoS 0 would not.
        self._arrived = [message for message in self._arrived if message.qos == 0]

    def _on_message(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        self._packets += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.unreadable += 1
            client.ack(message.mid, message.qos)
            return
        payload = bytes(message.payload)
        self._unheard_since = None
        self._copies.came(topic)
        self._arrived.append(
            Message(topic, payload, self._clock(), message.retain, message.qos, message.mid, self._connection)
        )

    def _on_publish(self, _: Any, __: Any, mid: int, ___: Any, ____: Any) -> None:
        self._packets += 1
        reference = self._references.pop(mid, None)
        if reference is not None:
            self._receipts.append(reference)


def _client(address: BrokerAddress, client_id: str, *, session: bool = True) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=not session,
        protocol=paho.MQTTv311,
        manual_ack=session,
    )
    client.max_inflight_messages_set(IN_FLIGHT)
    client.max_queued_messages_set(0)
    client.connect_timeout = 5.0
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(address.encryption())
    client.connect_async(address.host, address.port, KEEPALIVE)
    return client


def _no_delay(client: paho.Client, _: Any, sock: Any) -> None:
    # Nagle together with delayed acknowledgements costs 2 to 40 ms a command.
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(client: paho.Client, _: Any, sock: Any) -> None:
    """Stands where paho asks an external loop to watch for writability: ``want_write`` is asked instead."""
