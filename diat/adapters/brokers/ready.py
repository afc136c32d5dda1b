"""Finding out when a broker serves its clients, rather than merely accepts their connections."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.address import BrokerAddress

POLL = 0.01  # s
_TOPIC = "$diat/ready"  # a subscription to # does not see topics that begin with $


def await_ready(address: BrokerAddress, gives_up: Callable[[], bool]) -> bool:
    """Wait until a broker on this machine has its retained messages at hand.

    nats-server loads them after it began to accept: measured with 5,000 of them, whoever subscribed first
    after a restart was granted it and got none. It loads in order, so the last one is there when all are: we
    retain one, subscribe until we get it, and take it back.

    Args:
        address: of the broker.
        gives_up: asked between attempts; true ends the waiting.

    Returns:
        False if it gave up.
    """
    if not _accepts(address, gives_up):
        return False
    mark = secrets.token_hex(8)
    seen: list[bytes] = []

    def on_connect(client: Client, *_: Any) -> None:
        client.publish(_TOPIC, mark, retain=True)

    def on_message(client: Client, user: Any, message: MQTTMessage) -> None:
        seen.append(bytes(message.payload))

    client = Client(CallbackAPIVersion.VERSION2, client_id=f"diat-ready-{mark}")
    client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(address.encryption())
    client.on_connect = on_connect
    client.on_message = on_message
    try:
        client.connect(address.host, address.port)
        while mark.encode() not in seen:
            if gives_up():
                return False
            if client.is_connected():
                client.subscribe(_TOPIC)
            client.loop(POLL)
        # With an answer: closing a connection that still has something to read discards what was sent.
        taken_back = client.publish(_TOPIC, b"", qos=1, retain=True)
        while not taken_back.is_published():
            if gives_up():
                return False
            client.loop(POLL)
    except OSError:
        return False
    finally:
        client.disconnect()
    return True


def _accepts(address: BrokerAddress, gives_up: Callable[[], bool]) -> bool:
    while not gives_up():
        try:
            socket.create_connection((address.host, address.port), timeout=1).close()
        except OSError:
            time.sleep(POLL)
        else:
            return True
    return False
