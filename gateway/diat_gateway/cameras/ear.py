"""Listens to what others say on the broker: to cameras of other gateways, and for the demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.address import BrokerAddress
from diat.wire.envelope import Garbled, read_json

Hear = Callable[[str, Any], None]
"""Takes the name of a thing and the data of its event; called on the network thread."""


class Ear:
    """Hears events; comes back by itself, and hears nothing where the broker does not let it.

    Args:
        address: of the broker.
        name: by which the broker knows it.
        filters: topics of events.
        hear: takes each event.
    """

    def __init__(self, address: BrokerAddress, name: str, filters: Sequence[str], hear: Hear) -> None:
        self._address, self._filters, self._hear = address, [(each, 1) for each in filters], hear
        self._heard = threading.Event()
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set_context(address.encryption())
        client.reconnect_delay_set(1, 8)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._came

    def open(self) -> None:
        """Begin, now or as soon as there is a broker; returns at once."""
        self._client.connect_async(self._address.host, self._address.port)
        self._client.loop_start()

    def wait(self, timeout: float) -> bool:
        """Whether the broker has answered what it is to hear, within so many seconds."""
        return self._heard.wait(timeout)

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if not reason.is_failure:
            client.subscribe(self._filters)

    def _subscribed(self, *_: Any) -> None:
        self._heard.set()

    def _came(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        told = read_json(bytes(message.payload))
        name = message.topic.split("/")[1]
        for each in told if isinstance(told, list) else (told,):
            if not isinstance(told, Garbled) and isinstance(each, dict) and "data" in each:
                self._hear(name, each["data"])
