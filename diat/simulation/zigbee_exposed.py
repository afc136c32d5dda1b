"""Zigbee2MQTT by its own interface: ``bridge/devices`` with what each device exposes, states and commands.

As version 2 has it: the list is retained, a state is one JSON message (not retained, QoS 0) with everything
that is known of the device, ``…/set`` takes any part of it, ``…/get`` tells it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.wire.envelope import encode, read_json

Json = dict[str, Any]
_SETTABLE = 2
_ONLINE, _OFFLINE = {"state": "online"}, {"state": "offline"}


class ExposedDevice:
    """A Zigbee device as the bridge knows it.

    Args:
        about: what the list of models says of its model, if more than its name.

    Attributes:
        name: friendly name.
        state: what its state message says.
        performed: ``(key, value)`` of what was set and is no part of the state, oldest first.
    """

    def __init__(
        self, ieee: str, name: str, model: str, exposes: Sequence[Json], state: Json, *, about: str = ""
    ) -> None:
        self.ieee = ieee
        self.name = name
        self._model = model
        self._about = about or model
        self._exposes = list(exposes)
        self.state = dict(state)
        self.performed: list[tuple[str, Any]] = []
        self._features = dict(_features(self._exposes))

    def entry(self) -> Json:
        """What stands in the list of devices."""
        definition = {
            "model": self._model,
            "vendor": "Maker",
            "description": self._about,
            "exposes": self._exposes,
            "options": [],
        }
        return {
            "ieee_address": self.ieee,
            "friendly_name": self.name,
            "type": "Router",
            "definition": definition,
            "disabled": False,
            "interview_state": "SUCCESSFUL",
            "model_id": self._model,
            "manufacturer": "Maker",
            "software_build_id": "1.0.4",
            "network_address": 6880,
            "supported": True,
        }

    def set(self, values: Json) -> None:
        """Take what came on ``…/set``; what it does not have, or cannot take, is ignored."""
        for key, value in values.items():
            feature, group = self._features.get(key, ({}, ""))
            if not feature.get("access", 0) & _SETTABLE or not _takes(feature, value):
                continue
            if feature["access"] == _SETTABLE:
                self.performed.append((key, value))
            elif group == "cover":
                self._move(value)
            else:
                self.state[key] = value
                self._follow(group, key, value)

    def _move(self, wanted: Any) -> None:
        self.performed.append(("cover", wanted))
        if wanted == "STOP":
            return
        position = {"OPEN": 100, "CLOSE": 0}.get(wanted, wanted) if isinstance(wanted, str) else wanted
        self.state |= {"position": position, "state": "OPEN" if position else "CLOSE"}

    def _follow(self, group: str, key: str, value: Any) -> None:
        """What else changes by it."""
        if group == "light" and key in ("brightness", "color", "color_temp"):
            self.state["state"] = "ON"
            modes = {"color": "xy", "color_temp": "color_temp"}
            self.state["color_mode"] = modes.get(key, self.state.get("color_mode"))
        elif group == "lock":
            self.state["lock_state"] = "locked" if value == "LOCK" else "unlocked"
        elif group == "climate":
            heats = self.state["occupied_heating_setpoint"] > self.state["local_temperature"]
            self.state["running_state"] = "heat" if heats and self.state["system_mode"] != "off" else "idle"


class ExposedBridge:
    """Zigbee2MQTT itself: one MQTT connection for all its devices."""

    def __init__(
        self, address: Address, devices: Sequence[ExposedDevice], *, base: str = "zigbee2mqtt"
    ) -> None:
        self._base = base
        self._devices = {device.name: device for device in devices}
        self._link = Link(
            address,
            "mqttjs_exposed",
            will=LastWill(f"{base}/bridge/state", encode(_OFFLINE)),
            subscriptions=(f"{base}/+/set", f"{base}/+/get", f"{base}/+/+/set", f"{base}/+/+/get"),
            on_message=self._arrived,
            on_connected=self._announce,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say that the bridge is gone and leave."""
        if self._link.wait_connected(0):
            self._keep("bridge/state", _OFFLINE)
        self._link.close()

    def remove(self, name: str) -> None:
        """A device has left the network."""
        del self._devices[name]
        self._list()

    def join(self, device: ExposedDevice) -> None:
        """A device has come to the network."""
        self._devices[device.name] = device
        self._list()
        self._keep(f"{device.name}/availability", _ONLINE)
        self.report(device)

    def press(self, device: ExposedDevice, action: str) -> None:
        """Somebody pressed, turned or shook it: told once, with the state."""
        self._tell(device, {**device.state, "action": action})

    def reach(self, device: ExposedDevice, *, there: bool) -> None:
        """Tell whether it can be reached."""
        self._keep(f"{device.name}/availability", _ONLINE if there else _OFFLINE)

    def report(self, device: ExposedDevice) -> None:
        """Tell the state."""
        self._tell(device, device.state)

    def _announce(self) -> None:
        self._keep("bridge/state", _ONLINE)
        self._list()
        for device in self._devices.values():
            self._keep(f"{device.name}/availability", _ONLINE)
            self.report(device)

    def _list(self) -> None:
        coordinator = {"ieee_address": "0x00124b0024c8f6e1", "type": "Coordinator", "friendly_name": "C"}
        self._keep("bridge/devices", [coordinator, *(each.entry() for each in self._devices.values())])

    def _arrived(self, message: Inbound) -> None:
        name, _, verb = message.topic.removeprefix(f"{self._base}/").rpartition("/")
        device = self._devices.get(name)
        if device is None:
            return
        said = read_json(message.payload)
        if verb == "set" and isinstance(said, dict):
            device.set(said)
        self.report(device)

    def _tell(self, device: ExposedDevice, body: Json) -> None:
        self._link.publish(f"{self._base}/{device.name}", encode(body), qos=0)

    def _keep(self, path: str, body: Any) -> None:
        self._link.publish(f"{self._base}/{path}", encode(body), retain=True)


def _features(exposes: Sequence[Json], group: str = "") -> Iterator[tuple[str, tuple[Json, str]]]:
    for each in exposes:
        if "features" in each and "property" not in each:
            yield from _features(each["features"], each["type"])
        else:
            yield each["property"], (each, group)


def _takes(feature: Json, value: Any) -> bool:
    match feature["type"]:
        case "binary":
            return value in (feature["value_on"], feature["value_off"])
        case "enum":
            return value in feature["values"]
        case "numeric":
            low, high = feature.get("value_min", -1e9), feature.get("value_max", 1e9)
            return isinstance(value, int | float) and low <= value <= high
        case "text":
            return isinstance(value, str)
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
