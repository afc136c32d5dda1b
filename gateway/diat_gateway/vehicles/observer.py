"""A camera, or who looks at its video, as a native thing: it says what it sees, and whether it can see."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from diat.adapters.brokers.address import BrokerAddress
from diat.nodes.native import NativeNode
from diat.wire import topics
from diat.wire.envelope import encode
from diat_gateway.cameras.levels import LEVELS

_RING = 262_144
"""Bytes of reports at most that wait for the broker; then the oldest go, and are reported as lost."""


class Observer:
    """Tells what is seen in the pictures of one camera.

    Args:
        mqtt: the broker, host and port.
        name: of the thing in topics.
        place: where its vehicles are.
        residual: how well the picture is fitted to the ground, metres.
        title: for people.
        level: what leaves the camera, and what to do when somebody sets it; None for who only looks.
    """

    def __init__(
        self,
        mqtt: tuple[str, int],
        name: str,
        place: str,
        residual: float,
        title: str = "",
        level: tuple[str, Callable[[str], None]] | None = None,
    ) -> None:
        self._name = name
        self._set = level[1] if level is not None else None
        td = description(place, title or f"Camera {name}", levels=level is not None)
        setters = {"level": self._set_level} if level is not None else {}
        self._node = NativeNode(BrokerAddress(*mqtt), name, td, setters=setters, config={"ring": _RING})
        self._said: dict[str, Any] = {}
        self._node.start()
        self.say(residual=round(residual, 3), **({} if level is None else {"level": level[0]}))

    def tell(self, records: list[dict[str, Any]], at: int, impaired: str | None) -> int:
        """Say what is seen; gives the bytes of the message as MQTT carries it.

        Args:
            records: one for each vehicle.
            at: Unix milliseconds.
            impaired: why it cannot see; None if it can.
        """
        values = {"records": records} | self._changed({"sight": impaired or "clear"})
        n = self._node.report(values, t=at)
        body = len(encode({"b": self._node.boot, "n": n, "t": at, "v": values}))
        size = body + len(topics.properties(self._name)) + 4
        # Kind and length (2 or 3), length of the topic (2), packet id (2).
        return size + (2 if size < 128 else 3)

    def say(self, **values: Any) -> None:
        """Say what is so of the camera itself, as far as that is news."""
        if changed := self._changed(values):
            self._node.report(changed, t=round(time.time() * 1000))

    def close(self) -> None:
        """Say good-bye, once the broker has what was told."""
        self._node.drain(2.0)
        self._node.stop()

    def _changed(self, values: dict[str, Any]) -> dict[str, Any]:
        changed = {name: value for name, value in values.items() if self._said.get(name) != value}
        self._said |= changed
        return changed

    def _set_level(self, value: Any) -> Any:
        if value not in LEVELS:
            raise ValueError(f"level is one of {', '.join(LEVELS)}")
        if self._set is not None:
            self._set(value)
        self._said["level"] = value
        return value


def description(place: str, title: str, *, levels: bool) -> dict[str, Any]:
    """The Thing Description, without forms."""
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
    properties: dict[str, Any] = {
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
    }  # fmt: skip
    if levels:
        properties["stream"] = {
            "title": "Whether pictures come",
            "type": "string",
            "readOnly": True,
            "diat:entityCategory": "diagnostic",
        }
        properties["level"] = {"type": "string", "enum": list(LEVELS), "idempotent": True,
                               "title": "What leaves it"}  # fmt: skip
    return {"title": title, "diat:place": place, "properties": properties}
