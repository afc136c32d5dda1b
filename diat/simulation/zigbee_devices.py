"""Zigbee devices behind a bridge: what they have, what they say, what can be set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from diat.simulation.cadence import Cadence
from diat.simulation.physics import Room, Thermometer


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What stands on a device's label."""

    manufacturer: str
    model: str
    model_id: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a device in discovery.

    Attributes:
        component: Home Assistant's kind, such as ``sensor``.
        key: its name in the state JSON, and in topics and ids.
        config: what differs from entity to entity.
    """

    component: str
    key: str
    config: dict[str, Any]


class ZigbeeDevice(Protocol):
    """A Zigbee device behind the bridge.

    Attributes:
        ieee: ``0x`` and 16 hexadecimal digits.
        name: friendly name, the last part of its topics.
        area: where it is, as a user wrote it into the bridge's configuration.
    """

    ieee: str
    name: str
    area: str
    model: Model

    def entities(self) -> Sequence[Entity]:
        """What discovery tells of it, but for the link quality, which every device has."""

    def state(self) -> dict[str, Any]:
        """What its state topic carries now."""

    def changed(self, now: float) -> bool:
        """Whether to publish the state at ``now`` (seconds of a steady clock)."""

    def set(self, values: dict[str, Any]) -> None:
        """Take what came on ``…/set``; what it does not understand is ignored."""


class ZigbeeThermometer:
    """A battery thermometer that also shows humidity."""

    model = Model(
        manufacturer="SONOFF", model="Temperature and humidity sensor with screen", model_id="SNZB-02D"
    )

    def __init__(self, ieee: str, name: str, area: str, room: Room, thermometer: Thermometer) -> None:
        self.ieee, self.name, self.area = ieee, name, area
        self._room = room
        self._thermometer = thermometer
        self._temperature = thermometer.measure()
        self._cadence = Cadence(every=1.0, delta=0.03)

    def entities(self) -> Sequence[Entity]:
        """Battery, temperature and humidity."""
        return (
            _sensor("battery", "%", "battery", entity_category="diagnostic"),
            _sensor("temperature", "°C", "temperature"),
            _sensor("humidity", "%", "humidity"),
        )

    def state(self) -> dict[str, Any]:
        """One JSON with all values."""
        return {
            "battery": 97,
            "humidity": round(self._room.humidity, 1),
            "linkquality": 132,
            "temperature": self._temperature,
        }

    def changed(self, now: float) -> bool:
        """Every second, and at once when it moved by 0.03 K."""
        self._temperature = self._thermometer.measure()
        return self._cadence.due(now, self._temperature)

    def set(self, values: dict[str, Any]) -> None:
        """Nothing can be set."""


class ZigbeePlug:
    """A switched socket that measures what it feeds.

    Attributes:
        on: whether it is switched on.
    """

    model = Model(manufacturer="IKEA", model="INSPELNING smart plug", model_id="E2206")

    def __init__(self, ieee: str, name: str, area: str, *, load: float) -> None:
        self.ieee, self.name, self.area = ieee, name, area
        self.on = False
        self._load = load
        self._cadence = Cadence(every=5.0, delta=0.5)

    def entities(self) -> Sequence[Entity]:
        """The switch and the power in W."""
        switch: dict[str, Any] = {"name": None, "payload_off": "OFF", "payload_on": "ON"}
        return (Entity("switch", "state", switch), _sensor("power", "W", "power"))

    def state(self) -> dict[str, Any]:
        """One JSON with all values."""
        return {
            "linkquality": 180,
            "power": self._load if self.on else 0,
            "state": "ON" if self.on else "OFF",
        }

    def changed(self, now: float) -> bool:
        """Every five seconds, and when it was switched."""
        return self._cadence.due(now, float(self.on))

    def set(self, values: dict[str, Any]) -> None:
        """Take ``{"state": "ON" | "OFF" | "TOGGLE"}`` in any case."""
        wanted = str(values.get("state", "")).upper()
        if wanted in {"ON", "OFF", "TOGGLE"}:
            self.on = not self.on if wanted == "TOGGLE" else wanted == "ON"


def _sensor(key: str, unit: str, device_class: str, **more: Any) -> Entity:
    config = {
        "device_class": device_class,
        "enabled_by_default": True,
        "state_class": "measurement",
        "unit_of_measurement": unit,
        **more,
    }
    return Entity("sensor", key, config)
