"""As much MQTT 3.1.1 as a measuring client needs, on a plain blocking socket.

A client library would cost more than what is measured here (LIMITS: paho 20 µs a message).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self

from diat.adapters.brokers.address import BrokerAddress

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
PUBACK_SIZE = 4
DISCONNECT = b"\xe0\x00"
PATIENCE = 30.0
"""Seconds after which a silent broker is a failure."""


class Packet(NamedTuple):
    """A packet as it came: its type, and what stands behind the fixed header."""

    kind: int
    body: bytes


class Publication(NamedTuple):
    """A PUBLISH with QoS 1."""

    topic: str
    payload: bytes
    packet_id: bytes


def connect(
    client_id: str,
    username: str | None = None,
    password: str | None = None,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """CONNECT with a clean session and no keep-alive; ``will`` is the topic and payload of a retained one."""
    flags, rest = 0x02, b""
    if will is not None:
        topic, payload = will
        flags, rest = flags | 0x2C, _text(topic) + len(payload).to_bytes(2, "big") + payload
    if username is not None:
        flags, rest = flags | 0x80, rest + _text(username)
    if password is not None:
        flags, rest = flags | 0x40, rest + _text(password)
    return _packet(0x10, _text("MQTT") + bytes([4, flags, 0, 0]) + _text(client_id) + rest)


def subscribe(topic_filter: str) -> bytes:
    """SUBSCRIBE with QoS 1."""
    return _packet(0x82, b"\x00\x01" + _text(topic_filter) + b"\x01")


def publish(topic: str, payload: bytes, packet_id: int, *, retain: bool = False) -> bytes:
    """PUBLISH with QoS 1."""
    return _packet(0x33 if retain else 0x32, _text(topic) + packet_id.to_bytes(2, "big") + payload)


def puback(packet_id: bytes) -> bytes:
    """PUBACK."""
    return b"\x40\x02" + packet_id


def publication(body: bytes) -> Publication:
    """Read the body of a PUBLISH with QoS 1."""
    end = 2 + int.from_bytes(body[:2], "big")
    return Publication(body[2:end].decode(), body[end + 2 :], body[end : end + 2])


class Connection:
    """A connection that is open, and closed on leaving its ``with`` block."""

    def __init__(self, address: BrokerAddress, client_id: str, will: tuple[str, bytes] | None = None) -> None:
        self.socket = socket.create_connection((address.host, address.port), timeout=PATIENCE)
        # Nagle together with delayed acknowledgements would cost 40 ms a message.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self.socket.sendall(connect(client_id, address.username, address.password, will))
        self._await(CONNACK)

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1; returns once that is granted."""
        self.socket.sendall(subscribe(topic_filter))
        self._await(SUBACK)

    def publish_all(self, packets: Sequence[bytes], window: int = 100) -> None:
        """Publish, at most ``window`` at a time; returns once the broker has acknowledged all of them."""
        for start in range(0, len(packets), window):
            some = packets[start : start + window]
            self.socket.sendall(b"".join(some))
            acknowledged = 0
            while acknowledged < len(some):
                acknowledged += sum(packet.kind == PUBACK for packet in self.receive())

    def receive(self) -> list[Packet]:
        """The packets that are complete once something more has come; blocks until it does.

        Raises:
            ConnectionError: the broker closed the connection.
            TimeoutError: it said nothing for a long time.
        """
        came = self.socket.recv(65536)
        if not came:
            raise ConnectionError("the broker closed the connection")
        packets, self._rest = parse(self._rest + came)
        return packets

    def _await(self, kind: int) -> None:
        while not any(packet.kind == kind for packet in self.receive()):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def hang_up(connection: socket.socket) -> None:
    """Close a connection for good, also one that another thread reads from."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def parse(stream: bytes) -> tuple[list[Packet], bytes]:
    """The complete packets at the beginning of a stream, and the bytes behind them."""
    packets: list[Packet] = []
    start, end = 0, len(stream)
    while start + 2 <= end:
        at, length, shift = start + 1, 0, 0
        while at < end:
            byte = stream[at]
            length |= (byte & 0x7F) << shift
            shift += 7
            at += 1
            if byte < 0x80:
                break
        else:
            break
        if at + length > end:
            break
        packets.append(Packet(stream[start] >> 4, stream[at : at + length]))
        start = at + length
    return packets, stream[start:]


def _packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([first]) + bytes(digits) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded
