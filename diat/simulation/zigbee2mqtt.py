"""Zigbee2MQTT: one bridge that speaks for its Zigbee devices, announced by Home Assistant discovery.

The form follows Zigbee2MQTT 2.x: retained configs for each entity, one JSON state topic for each device
(not retained, QoS 0), availability of bridge and device, ``…/set`` and ``…/get``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.simulation.zigbee_devices import Entity, ZigbeeDevice
from diat.wire.envelope import encode, read_json

_VERSION = "2.14.1"
_ONLINE = {"state": "online"}
_OFFLINE = {"state": "offline"}


class Bridge:
    """Zigbee2MQTT itself: one MQTT connection for all its devices."""

    def __init__(
        self,
        address: Address,
        devices: Sequence[ZigbeeDevice],
        *,
        base: str = "zigbee2mqtt",
        coordinator: str = "0x00124b0024c8f6e1",
    ) -> None:
        self._base = base
        self._coordinator = coordinator
        self._devices = {device.name: device for device in devices}
        self._link = Link(
            address,
            f"mqttjs_{coordinator[-8:]}",
            will=LastWill(f"{base}/bridge/state", encode(_OFFLINE)),
            subscriptions=(f"{base}/+/set", f"{base}/+/get"),
            on_message=self._arrived,
            on_connected=self._announce,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say that the bridge is gone and leave."""
        if self._link.wait_connected(0):
            self._keep(f"{self._base}/bridge/state", _OFFLINE)
        self._link.close()

    def step(self, now: float) -> None:
        """Publish what is due at ``now``, in seconds of a steady clock."""
        for device in self._devices.values():
            if device.changed(now):
                self._publish_state(device)

    def _announce(self) -> None:
        self._keep(f"{self._base}/bridge/state", _ONLINE)
        self._keep(*bridge_config(self._base, self._coordinator))
        for device in self._devices.values():
            self._keep(f"{self._base}/{device.name}/availability", _ONLINE)
            for entity in (*device.entities(), _LINK_QUALITY):
                self._keep(*discovery(device, entity, self._base, self._coordinator))
            self._publish_state(device)

    def _arrived(self, message: Inbound) -> None:
        name, _, verb = message.topic.removeprefix(f"{self._base}/").rpartition("/")
        device = self._devices.get(name)
        if device is None:
            return
        if verb == "set":
            said = read_json(message.payload)
            # A bare ON is short for {"state": "ON"}: it is what Home Assistant's switch sends.
            device.set(
                said if isinstance(said, dict) else {"state": message.payload.decode(errors="replace")}
            )
        self._publish_state(device)

    def _publish_state(self, device: ZigbeeDevice) -> None:
        self._link.publish(f"{self._base}/{device.name}", encode(device.state()), qos=0)

    def _keep(self, topic: str, body: dict[str, Any]) -> None:
        self._link.publish(topic, msgspec.json.encode(body, order="sorted"), retain=True)


def discovery(
    device: ZigbeeDevice, entity: Entity, base: str, coordinator: str
) -> tuple[str, dict[str, Any]]:
    """Topic and body of the retained config of one entity."""
    switch = entity.component == "switch"
    key = "switch" if switch else entity.key
    object_id = device.name if switch else f"{device.name}_{key}"
    state_topic = f"{base}/{device.name}"
    body: dict[str, Any] = {
        "availability": [
            {"topic": f"{base}/bridge/state", "value_template": "{{ value_json.state }}"},
            {"topic": f"{state_topic}/availability", "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "default_entity_id": f"{entity.component}.{object_id}",
        "device": {
            "hw_version": 1,
            "identifiers": [f"zigbee2mqtt_{device.ieee}"],
            "manufacturer": device.model.manufacturer,
            "model": device.model.model,
            "model_id": device.model.model_id,
            "name": device.name,
            "suggested_area": device.area,
            "sw_version": "1.0.4",
            "via_device": f"zigbee2mqtt_bridge_{coordinator}",
        },
        "object_id": object_id,
        "origin": _ORIGIN,
        "state_topic": state_topic,
        "unique_id": f"{device.ieee}_{key}_zigbee2mqtt",
        "value_template": f'{{{{ value_json["{entity.key}"] }}}}',
        **entity.config,
    }
    if switch:
        body["command_topic"] = f"{state_topic}/set"
    return f"homeassistant/{entity.component}/{device.ieee}/{key}/config", body


def bridge_config(base: str, coordinator: str) -> tuple[str, dict[str, Any]]:
    """Topic and body of the retained config of the bridge's own entity."""
    # The number is how Zigbee2MQTT spells its base topic "zigbee2mqtt" there, each letter as its code.
    spelled = "".join(str(ord(letter)) for letter in base)
    return f"homeassistant/binary_sensor/{spelled}_{coordinator}/connection_state/config", {
        "default_entity_id": "binary_sensor.zigbee2mqtt_bridge_connection_state",
        "device": {
            "hw_version": "EZSP v13 7.4.4",
            "identifiers": [f"zigbee2mqtt_bridge_{coordinator}"],
            "manufacturer": "Zigbee2MQTT",
            "model": "Bridge",
            "name": "Zigbee2MQTT Bridge",
            "sw_version": _VERSION,
        },
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "name": "Connection state",
        "object_id": "zigbee2mqtt_bridge_connection_state",
        "origin": _ORIGIN,
        "payload_off": "offline",
        "payload_on": "online",
        "state_topic": f"{base}/bridge/state",
        "unique_id": f"bridge_{coordinator}_connection_state_zigbee2mqtt",
        "value_template": "{{ value_json.state }}",
    }


_ORIGIN = {"name": "Zigbee2MQTT", "sw": _VERSION, "url": "https://www.zigbee2mqtt.io"}
_LINK_QUALITY = Entity(
    "sensor",
    "linkquality",
    {
        "enabled_by_default": False,
        "entity_category": "diagnostic",
        "icon": "mdi:signal",
        "name": "Linkquality",
        "state_class": "measurement",
        "unit_of_measurement": "lqi",
    },
)
