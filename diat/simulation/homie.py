"""A Homie device, of version 4 or 5 of the convention: announces itself, tells values, takes ``…/set``.

Values are QoS 1 and retained unless the property says otherwise. A command that does not fit the datatype is
ignored, as the convention has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.wire.envelope import encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """A property as the convention describes one.

    Attributes:
        datatype: ``integer``, ``float``, ``boolean``, ``string``, ``enum``, ``color``, ``datetime``,
            ``duration`` or ``json``.
        format: what restricts its values; empty if nothing does.
        value: what it tells at first; empty if nothing.
    """

    name: str
    datatype: str
    format: str = ""
    unit: str = ""
    settable: bool = False
    retained: bool = True
    value: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A part of a device, with properties by id."""

    name: str
    type: str
    properties: Mapping[str, Property] = field(default_factory=dict)


class HomieDevice:
    """One device; one MQTT connection.

    Attributes:
        values: ``node/property`` to what was told last.
        commands: ``(node/property, payload)`` of the commands that were performed, oldest first.
    """

    def __init__(
        self, address: Address, device: str, name: str, nodes: Mapping[str, Node], *, version: Literal[4, 5]
    ) -> None:
        self._name = name
        self._nodes = nodes
        self._version = version
        self.base = f"homie/5/{device}" if version == 5 else f"homie/{device}"
        self.values = {path: prop.value for path, prop in self._properties() if prop.value}
        self.commands: list[tuple[str, str]] = []
        self._link = Link(
            address,
            f"homie-{device}",
            will=LastWill(f"{self.base}/$state", b"lost"),
            subscriptions=(f"{self.base}/+/+/set",),
            on_message=self._arrived,
            on_connected=self._announce,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say ``disconnected`` and leave."""
        if self._link.wait_connected(0):
            self.turn("disconnected")
        self._link.close()

    def turn(self, state: str) -> None:
        """Tell the state of the device, such as ``ready`` or ``sleeping``."""
        self._keep("$state", state)

    def tell(self, path: str, payload: str) -> None:
        """Tell the value of ``node/property``, or that what is not retained happened."""
        prop = dict(self._properties())[path]
        self.values[path] = payload
        # MQTT would take an empty payload for a deletion.
        self._link.publish(f"{self.base}/{path}", payload or "\0", retain=prop.retained)

    def _announce(self) -> None:
        self.turn("init")
        if self._version == 5:
            self._keep("$description", encode(self._description()).decode())
        else:
            for path, text in self._attributes():
                self._keep(path, text)
        for path, prop in self._properties():
            if prop.retained and path in self.values:
                self.tell(path, self.values[path])
        self.turn("ready")

    def _description(self) -> dict[str, object]:
        nodes = {}
        for node, about in self._nodes.items():
            said = {}
            for prop, each in about.properties.items():
                more = {"format": each.format, "unit": each.unit}
                said[prop] = {
                    "name": each.name,
                    "datatype": each.datatype,
                    "settable": each.settable,
                    "retained": each.retained,
                    **{key: text for key, text in more.items() if text},
                }
            nodes[node] = {"name": about.name, "type": about.type, "properties": said}
        return {"homie": "5.0", "version": 1, "name": self._name, "nodes": nodes}

    def _attributes(self) -> Iterator[tuple[str, str]]:
        yield from (("$homie", "4.0.0"), ("$name", self._name), ("$extensions", ""))
        yield "$nodes", ",".join(self._nodes)
        for node, about in self._nodes.items():
            yield f"{node}/$name", about.name
            yield f"{node}/$type", about.type
            yield f"{node}/$properties", ",".join(about.properties)
        for path, prop in self._properties():
            yield f"{path}/$name", prop.name
            yield f"{path}/$datatype", prop.datatype
            yield f"{path}/$settable", str(prop.settable).lower()
            yield f"{path}/$retained", str(prop.retained).lower()
            yield f"{path}/$format", prop.format
            yield f"{path}/$unit", prop.unit

    def _properties(self) -> Iterator[tuple[str, Property]]:
        for node, about in self._nodes.items():
            for name, prop in about.properties.items():
                yield f"{node}/{name}", prop

    def _arrived(self, message: Inbound) -> None:
        path = message.topic.removeprefix(f"{self.base}/").removesuffix("/set")
        prop = dict(self._properties()).get(path)
        payload = message.payload.decode(errors="replace").removeprefix("\0")
        if message.retained or prop is None or not prop.settable or not fits(prop, payload):
            return
        self.commands.append((path, payload))
        if prop.retained and self._version == 5:
            self._keep(f"{path}/$target", payload or "\0")
        self.tell(path, payload)

    def _keep(self, path: str, text: str) -> None:
        if text:
            self._link.publish(f"{self.base}/{path}", text, retain=True)


_SHAPES = {
    "integer": r"-?\d+",
    "float": r"-?\d+(\.\d+)?([eE]-?\d+)?",
    "boolean": "true|false",
    "color": r"(rgb,|hsv,|xyz,)?[\d.]+(,[\d.]+){1,2}",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*",
    "duration": r"P.*\d[YMWDHS]",
}


def fits(prop: Property, payload: str) -> bool:
    """Whether a payload is a value of the property."""
    if prop.datatype == "enum":
        return payload in prop.format.split(",")
    if prop.datatype == "json":
        try:
            return isinstance(msgspec.json.decode(payload), dict | list)
        except ValueError:
            return False
    shape = _SHAPES.get(prop.datatype)
    if shape is None:
        return True
    if not re.fullmatch(shape, payload):
        return False
    if prop.datatype not in ("integer", "float") or not prop.format:
        return True
    low, high = prop.format.split(":")[:2]
    return (not low or float(low) <= float(payload)) and (not high or float(payload) <= float(high))
