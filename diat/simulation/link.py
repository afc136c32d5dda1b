"""One MQTT connection of one thing: comes back by itself, keeps what the broker has not acknowledged.

paho does the protocol; its network thread calls ``on_message`` and ``on_connected``. A QoS 1 message that
was published while the broker was away, or was not acknowledged before the connection broke, is sent (again)
after the next connect, in order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from diat.kernel.errors import Invalid

_LOG = logging.getLogger(__name__)

# paho would hold back what is over its window of 20, and then a command would be acknowledged before its
# result left; this is more than anything here ever leaves open.
_WINDOW = 60_000

_KEEPALIVE = 15


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and as whom to connect."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str, port: int = 1883) -> Address:
        """Read ``mqtt://[user[:password]@]host[:port]``, with a port for where none is given.

        Raises:
            Invalid: it is something else.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or port
        except ValueError as error:
            raise Invalid(f"broker {url!r}: {error}", "broker") from error
        if parts.scheme != "mqtt" or not parts.hostname:
            raise Invalid(f"broker {url!r} is not mqtt://host[:port]", "broker")
        return cls(parts.hostname, port, parts.username, parts.password)


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that came; ``retained`` if the broker had kept it."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class LastWill:
    """What the broker says for a thing that vanished; always retained, QoS 1."""

    topic: str
    payload: bytes


class Backoff:
    """Seconds to wait before the next attempt: doubling to a cap, each shortened at random by up to half."""

    def __init__(self, random: Random, *, first: float = 0.2, cap: float = 3.0) -> None:
        self._random = random
        self._first = first
        self._cap = cap
        self._attempts = 0

    def reset(self) -> None:
        """Start again from the first wait."""
        self._attempts = 0

    def wait(self) -> float:
        """The next wait, s."""
        step = min(self._cap, self._first * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        return step * self._random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message on its way: at QoS 0 until it is written, at QoS 1 until it is acknowledged."""

    qos: int
    on_acknowledged: Callable[[], None] | None


class Link:
    """One MQTT connection.

    Args:
        address: the broker.
        client_id: with ``persistent`` the name under which the broker keeps what comes meanwhile.
        subscriptions: filters, subscribed at QoS 1 after every connect.
        on_message: called on the network thread; QoS 1 is acknowledged when it returns.
        on_connected: called on the network thread after every connect, subscriptions sent.
        persistent: whether the broker keeps the session while the thing is away.
    """

    def __init__(
        self,
        address: Address,
        client_id: str,
        *,
        will: LastWill | None = None,
        subscriptions: Sequence[str] = (),
        on_message: Callable[[Inbound], None] | None = None,
        on_connected: Callable[[], None] | None = None,
        persistent: bool = False,
    ) -> None:
        self._address = address
        self._subscriptions = tuple(subscriptions)
        self._on_message = on_message
        self._on_connected = on_connected
        # Not seeded: many things that lost one broker together must not come back in step.
        self._backoff = Backoff(Random())
        self._connected = threading.Event()
        self._settled = threading.Condition()
        self._open: dict[int, _Sent] = {}
        self._early: set[int] = set()
        self._client = self._make_client(client_id, will, persistent)

    def _make_client(self, client_id: str, will: LastWill | None, persistent: bool) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=not persistent)
        client.max_inflight_messages = _WINDOW
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._connect_answered
        client.on_connect_fail = self._connect_failed
        client.on_disconnect = self._disconnected
        client.on_publish = self._acknowledged
        client.on_message = self._arrived
        return client

    def open(self) -> None:
        """Start connecting, for ever until closed; returns at once."""
        self._plan_next_attempt()
        self._client.connect_async(self._address.host, self._address.port, _KEEPALIVE)
        self._client.loop_start()

    def close(self, timeout: float = 1.0) -> None:
        """Leave in order: wait at most ``timeout`` seconds for acknowledgements, then disconnect."""
        connected = self._connected.is_set()
        if connected:
            self.drain(timeout)
        self._client.disconnect()
        if connected:
            self._client.loop_stop()

    def wait_connected(self, timeout: float) -> bool:
        """Whether the broker accepted the connection within so many seconds."""
        return self._connected.wait(timeout)

    @property
    def unacknowledged(self) -> int:
        """How many messages are on their way: the broker has not acknowledged them yet."""
        return len(self._open)

    def drain(self, timeout: float) -> bool:
        """Whether everything was acknowledged within so many seconds."""
        with self._settled:
            return self._settled.wait_for(lambda: not self._open, timeout)

    def publish(
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        on_acknowledged: Callable[[], None] | None = None,
    ) -> None:
        """Send it, now or after the next connect (QoS 0 only if connected).

        ``on_acknowledged`` is called once, usually on the network thread; it must neither block nor publish.
        """
        told = self._client.publish(topic, payload, qos=qos, retain=retain)
        if qos == 0 and told.rc != mqtt.MQTT_ERR_SUCCESS:
            return
        # The acknowledgement may have come before we got to know the message's number. No lock of ours is
        # held while paho is called: paho calls back under locks of its own.
        with self._settled:
            if told.mid not in self._early:
                self._open[told.mid] = _Sent(qos, on_acknowledged)
                return
            self._early.remove(told.mid)
        if on_acknowledged is not None:
            on_acknowledged()

    def _acknowledged(
        self, _client: mqtt.Client, _userdata: Any, mid: int, _reason: ReasonCode, _properties: Properties
    ) -> None:
        with self._settled:
            sent = self._open.pop(mid, None)
            if sent is None:
                self._early.add(mid)
            else:
                self._settled.notify_all()
        if sent is not None and sent.on_acknowledged is not None:
            sent.on_acknowledged()

    def _arrived(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if self._on_message is not None:
            self._on_message(Inbound(message.topic, bytes(message.payload), message.retain))

    def _connect_answered(
        self,
        client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            _LOG.warning("the broker at %s:%d refused us: %s", self._address.host, self._address.port, reason)
            return
        self._backoff.reset()
        if self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        if self._on_connected is not None:
            self._on_connected()
        self._connected.set()

    def _connect_failed(self, _client: mqtt.Client, _userdata: Any) -> None:
        self._plan_next_attempt()

    def _disconnected(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._connected.clear()
        with (
            self._settled
        ):  # what was sent at QoS 0 and is not written yet is lost; the rest paho sends again
            self._open = {mid: sent for mid, sent in self._open.items() if sent.qos > 0}
        self._plan_next_attempt()

    def _plan_next_attempt(self) -> None:
        # paho's own waits are whole seconds without jitter; setting both ends makes it wait exactly this.
        wait = self._backoff.wait()
        self._client.reconnect_delay_set(wait, wait)  # type: ignore[arg-type]
