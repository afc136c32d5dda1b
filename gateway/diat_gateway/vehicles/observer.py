"""A camera as a native thing: it says what it sees in records, and whether it can see."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from diat.kernel.ids import random_id
from diat.wire import topics
from diat.wire.envelope import encode

BACKLOG = 500
"""Messages at most that wait for the broker; what was seen before that is of no use any more."""


class Observer:
    """Tells what one camera sees.

    Args:
        host: of the broker.
        port: of the broker.
        name: of the camera in topics.
        place: where its vehicles are.
        residual: how well its picture is fitted to the ground, metres.
    """

    def __init__(self, host: str, port: int, name: str, place: str, residual: float) -> None:
        self._name = name
        self._boot, self._n = random_id()[:8], 0
        self._description = encode(_description(name, place))
        self._residual = residual
        self._sight: str | None = None
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        client.max_queued_messages_set(BACKLOG)
        client.reconnect_delay_set(1, 10)
        client.will_set(topics.status(name), b"offline", 1, True)
        client.on_connect = lambda *_: self._greet()
        self._client = client
        client.connect_async(host, port, keepalive=30)
        client.loop_start()

    def tell(self, records: list[dict[str, Any]], at: int, impaired: str | None) -> int:
        """Say what is seen; gives the bytes of the message as MQTT carries it.

        Args:
            records: one for each vehicle.
            at: Unix milliseconds.
            impaired: why it cannot see; None if it can.
        """
        said: dict[str, Any] = {"records": records}
        if self._sight != (sight := impaired or "clear"):
            self._sight = said["sight"] = sight
        return self._report(said, at)

    def close(self) -> None:
        """Say good-bye."""
        done = self._client.publish(topics.status(self._name), b"offline", 1, True)
        with suppress(RuntimeError, ValueError):
            done.wait_for_publish(2.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _greet(self) -> None:
        self._client.publish(topics.announcement(self._name), self._description, 1, True)
        self._client.publish(topics.status(self._name), b"online", 1, True)
        self._report({"residual": round(self._residual, 3)}, None)

    def _report(self, values: dict[str, Any], at: int | None) -> int:
        self._n += 1
        said = encode({"b": self._boot, "n": self._n, "v": values} | ({} if at is None else {"t": at}))
        topic = topics.properties(self._name)
        self._client.publish(topic, said, 1)
        # Kind and length (2 or 3), length of the topic (2), packet id (2).
        return len(said) + len(topic) + 4 + (2 if len(said) + len(topic) + 4 < 128 else 3)


def _description(name: str, place: str) -> dict[str, Any]:
    record = {
        "type": "object",
        "required": ["id", "x", "y"],
        "properties": {
            "id": {"type": "integer"},
            "x": {"type": "number", "unit": "m"},
            "y": {"type": "number", "unit": "m"},
            "within": {"type": "number", "unit": "m"},
            "colour": {"type": "string", "maxLength": 6},
        },
    }
    return {
        "id": f"urn:dev:{name}",
        "title": f"Camera {name}",
        "diat:place": place,
        "properties": {
            "records": {
                "title": "Vehicles that it sees",
                "type": "array",
                "maxItems": 32,
                "items": record,
                "@type": "quantitykind:Detections",
                "readOnly": True,
            },
            "sight": {"title": "Whether it can see, or why not", "type": "string", "readOnly": True,
                      "diat:entityCategory": "diagnostic"},
            "residual": {"title": "How well its picture fits the ground", "type": "number", "unit": "m",
                         "readOnly": True, "diat:entityCategory": "diagnostic"},
        },
    }  # fmt: skip
