"""What a broker has retained, read by a connection of its own.

A SUBSCRIBE is answered with all that is retained, and with QoS 1 to a session like ours. A broker can have
65,535 such messages under way and no more. For each one beyond that the NATS server searches all the numbers
in vain, 7 ms of it: with 77,000 nothing moved for 76 s, the connection timed out, and the next began again.
So a session that the broker still has is left as it is, and what is retained is read beside it: with QoS 0,
for at the next start it is read once more.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

Copy = tuple[str, bytes]
"""Topic and payload."""
MakeClient = Callable[[], paho.Client]

AHEAD = 5_000
"""Copies that are read before they are taken."""
QUIET = 2.0
"""Seconds without a copy after which there are no more."""
PATIENCE = 120.0
"""Seconds in which a broker has to answer; with 160,000 retained messages the NATS server takes ten."""


class SessionNote:
    """A note that the session at the broker has our subscriptions: the broker does not tell.

    Args:
        path: where it is kept.
        facts: what it holds for: broker, client, filters.
    """

    def __init__(self, path: Path, *facts: str) -> None:
        self._path = path
        self._text = "\n".join(facts)

    @property
    def stands(self) -> bool:
        """Whether it was made, for the same facts."""
        try:
            return self._path.read_text("utf-8") == self._text
        except OSError:
            return False

    def make(self) -> None:
        """Note that it has."""
        self._path.write_text(self._text, "utf-8")

    def take_back(self) -> None:
        """It is not known any more."""
        self._path.unlink(missing_ok=True)


class Copies:
    """Reads what is retained in a thread of its own; everything else is called by the writer's.

    Attributes:
        failed: why they cannot be read, once they cannot; None otherwise.
    """

    def __init__(self, make: MakeClient, filters: Sequence[str], wake: Callable[[], None]) -> None:
        """Nothing is read yet; ``make`` makes a client that connects, ``wake`` is called when copies came."""
        self._make = make
        self._filters = [(each, 0) for each in filters]
        self._wake = wake
        self._came: queue.Queue[Copy] = queue.Queue(AHEAD)
        self._newer: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._granted = self._last = 0.0
        self.failed: str | None = None

    def begin(self) -> None:
        """Read everything that is retained at present."""
        self.end()
        self._came, self._newer, self.failed = queue.Queue(AHEAD), set(), None
        self._stop.clear()
        self._thread = threading.Thread(target=self._read, name="diat-retained", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """Whether there are copies to take."""
        return not self._came.empty()

    def came(self, topic: str) -> None:
        """A message came otherwise while copies are read: it is newer than any of them."""
        if self._thread is not None:
            self._newer.add(topic)

    def take(self, limit: int) -> list[Copy]:
        """At most ``limit`` copies, without those of topics on which something came meanwhile."""
        taken: list[Copy] = []
        while len(taken) < limit:
            try:
                copy = self._came.get_nowait()
            except queue.Empty:
                break
            if copy[0] not in self._newer:
                taken.append(copy)
        if self._thread is not None and not self._thread.is_alive() and self._came.empty():
            self._thread, self._newer = None, set()
        return taken

    def end(self) -> None:
        """Stop reading."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    # --- in its own thread ---

    def _read(self) -> None:
        client = self._make()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._granted = self._last = 0.0
        begin = time.monotonic()
        try:
            client.reconnect()
            while not self._stop.is_set() and not self._over():
                code = client.loop(0.1)
                if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    raise ConnectionError(paho.error_string(code))
                if not self._granted and time.monotonic() - begin > PATIENCE:
                    raise TimeoutError("no answer")
        except (OSError, ValueError) as error:
            self.failed = str(error)
        finally:
            client.disconnect()
            self._wake()

    def _over(self) -> bool:
        return bool(self._granted) and time.monotonic() - max(self._granted, self._last) > QUIET

    def _on_connect(self, client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            raise ConnectionError(f"refused: {reason}")
        client.subscribe(self._filters)

    def _on_subscribe(self, _: Any, __: Any, ___: Any, reasons: Sequence[Any], ____: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            raise ConnectionError("not allowed to subscribe")
        self._granted = time.monotonic()

    def _on_message(self, _: paho.Client, __: Any, message: paho.MQTTMessage) -> None:
        if not message.retain:
            return  # it comes by the session too
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        while not self._stop.is_set():
            try:
                self._came.put((topic, bytes(message.payload)), timeout=0.1)
            except queue.Full:
                continue
            break
        self._last = time.monotonic()
        if self._came.qsize() == 1:
            self._wake()
