"""The stripped limit: the least that takes messages from a broker into a database without losing any.

``python -m benchmarks.limit BROKER DATA PORT MESSAGES`` starts a broker, prints ``ready``, receives with
paho-mqtt (its own network thread, manual acknowledgement), decodes, puts a row a message into SQLite in
batches, each one transaction with ``synchronous=FULL``, and acknowledges after the commit. It prints the time
(``time.monotonic``, which all processes of a machine share) of the commit with which it has that many rows.
No things, no schemas, no twins, no index, no telling of duplicates.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.brokers import own_broker
from diat.adapters.brokers.address import BrokerAddress

DATABASE = "limit.db"
BATCH = 500
"""Messages after which the network thread commits: half of what the broker has under way at most."""
LINGER = 0.02
"""Seconds after which what there is gets committed."""


class Sink:
    """Takes messages of paho's network thread, and commits them there or in the main thread."""

    def __init__(self, database: Path) -> None:
        self._database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("PRAGMA wal_autocheckpoint=4000")
        self._database.execute("CREATE TABLE readings (thing INTEGER, t INTEGER, n INTEGER, payload BLOB)")
        self._decode = msgspec.json.Decoder().decode
        self._waiting: list[paho.MQTTMessage] = []
        self._lock = threading.Lock()
        self._things: dict[str, int] = {}
        self.rows = 0
        self.committed = 0.0

    def on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe("#", 1)

    def on_message(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        with self._lock:
            self._waiting.append(message)
            if len(self._waiting) >= BATCH:
                self._commit(client)

    def flush(self, client: paho.Client) -> None:
        """Commit what there is."""
        with self._lock:
            if self._waiting:
                self._commit(client)

    def _commit(self, client: paho.Client) -> None:
        messages, self._waiting = self._waiting, []
        things, rows = self._things, []
        for message in messages:
            said = self._decode(message.payload)
            thing = things.setdefault(message.topic, len(things))
            rows.append((thing, said["t"], said["n"], message.payload))
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO readings VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")
        self.committed = time.monotonic()
        self.rows += len(rows)
        for message in messages:
            client.ack(message.mid, message.qos)


def receive(address: BrokerAddress, database: Path, messages: int) -> float:
    """Print ``ready``, take that many messages; the time of the last commit."""
    sink = Sink(database)
    subscribed = threading.Event()
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id="bench-limit", clean_session=False, manual_ack=True
    )
    client.username_pw_set(address.username, address.password)
    client.on_connect = sink.on_connect
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = sink.on_message
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        subscribed.wait()
        print("ready", flush=True)
        while sink.rows < messages:
            time.sleep(LINGER)
            sink.flush(client)
        return sink.committed
    finally:
        client.disconnect()
        client.loop_stop()


def main(kind: str, data: str, port: str, messages: str) -> None:
    """Broker and receiver, as the platform is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    directory = Path(data)
    broker = own_broker(kind, directory, int(port))
    broker.start()
    try:
        print(receive(broker.address, directory / DATABASE, int(messages)), flush=True)
        signal.pause()
    finally:
        broker.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
