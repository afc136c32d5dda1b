"""Tasmota with its own discovery (the default of its firmware): ``tasmota/discovery/{mac}/config``.

Topics follow the default full topic ``%prefix%/%topic%/``; each command is answered on ``stat/…/RESULT``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.wire.envelope import encode

Json = dict[str, Any]
_TIME = "2026-11-21T10:00:00"
_RELAY, _LIGHT, _SHUTTER = 1, 2, 3
_KEYS = {"DIMMER": "Dimmer", "WHITE": "White", "FANSPEED": "FanSpeed", "SCHEME": "Scheme"}
_COMMAND = re.compile(r"([A-Za-z]+)(\d*)")


class DiscoveredNode:
    """One Tasmota device; one MQTT connection.

    Args:
        mac: twelve hexadecimal digits.
        config: what its announcement says beyond the usual (``rl``, ``lt_st``, ``swc``, ``so``, …).
        sensors: what its sensors tell.

    Attributes:
        state: ``POWER1``, ``Dimmer``, … as ``tele/…/STATE`` tells them.
        shutters: position of each shutter.
        commands: ``(command, payload)`` of what was performed, oldest first.
    """

    def __init__(
        self,
        address: Address,
        mac: str,
        name: str,
        config: Mapping[str, Any],
        *,
        sensors: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._mac = mac
        self._topic = f"tasmota_{mac[-6:]}"
        self._config = {**_USUAL, "dn": name, "fn": [name], "mac": mac, "t": self._topic, **config}
        outputs = [index for index, kind in enumerate(self._config["rl"]) if kind in (_RELAY, _LIGHT)]
        single = len([kind for kind in self._config["rl"] if kind]) == 1
        self._powers = {index + 1: "POWER" if single else f"POWER{index + 1}" for index in outputs}
        self.state: Json = {**dict.fromkeys(self._powers.values(), "OFF"), **(state or {})}
        self.shutters = [0] * (self._config["rl"].count(_SHUTTER) // 2)
        self.sensors = dict(sensors or {})
        self.commands: list[tuple[str, str]] = []
        self._link = Link(
            address,
            f"DVES_{mac[-6:]}",
            will=LastWill(self._of("tele", "LWT"), b"Offline"),
            subscriptions=(self._of("cmnd", "#"),),
            on_message=self._arrived,
            on_connected=self._announce,
        )

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say ``Offline`` and leave."""
        if self._link.wait_connected(0):
            self._link.publish(self._of("tele", "LWT"), b"Offline", retain=True)
        self._link.close()

    def press(self, what: str, action: str) -> None:
        """Somebody pressed ``Button1``, or moved ``Switch1``."""
        self._tell("stat", "RESULT", {what: {"Action": action}})

    def telemetry(self) -> None:
        """Tell what is told every telemetry period."""
        wifi = {"AP": 1, "SSId": "house", "RSSI": 78, "Signal": -61, "LinkCount": 1}
        self._tell(
            "tele", "STATE", {"Time": _TIME, "UptimeSec": 60, "MqttCount": 1, "Wifi": wifi, **self.state}
        )
        shown = {f"Shutter{n}": _shutter(position) for n, position in enumerate(self.shutters, 1)}
        self._tell("tele", "SENSOR", {"Time": _TIME, **self.sensors, **shown})

    def read_tag(self, reader: str, said: Mapping[str, Any]) -> None:
        """A tag was held before a reader."""
        self._tell("tele", "SENSOR", {"Time": _TIME, reader: dict(said)})

    def _announce(self) -> None:
        self._link.publish(self._of("tele", "LWT"), b"Online", retain=True)
        here = f"tasmota/discovery/{self._mac}"
        self._link.publish(f"{here}/config", encode(self._config), retain=True)
        shown = {f"Shutter{n}": _shutter(position) for n, position in enumerate(self.shutters, 1)}
        report = {"sn": {"Time": _TIME, **self.sensors, **shown}, "ver": 1}
        self._link.publish(f"{here}/sensors", encode(report), retain=True)
        self.telemetry()

    def _arrived(self, message: Inbound) -> None:
        self._perform(message.topic.removeprefix(self._of("cmnd", "")), message.payload.decode().strip())

    def _perform(self, command: str, payload: str) -> None:
        found = _COMMAND.fullmatch(command)
        if found is None:
            return
        verb, number = found[1].upper(), int(found[2] or 1)
        if verb == "BACKLOG":
            for each in payload.split(";"):
                name, _, argument = each.strip().partition(" ")
                self._perform(name, argument)
            return
        said = self._do(verb, number, payload)
        if said is not None:
            self.commands.append((command, payload))
            self._tell("stat", "RESULT", said)

    def _do(self, verb: str, number: int, payload: str) -> Json | None:
        """Perform a command; what is answered, None if it does not know it."""
        if verb == "POWER" and number in self._powers:
            key = self._powers[number]
            self.state[key] = {"TOGGLE": "OFF" if self.state[key] == "ON" else "ON"}.get(payload, payload)
            self._link.publish(self._of("stat", key), self.state[key], qos=0)
            return {key: self.state[key]}
        if verb in {"CT", "CHANNEL", *_KEYS}:
            key = {"DIMMER": "Dimmer", "WHITE": "White", "FANSPEED": "FanSpeed", "SCHEME": "Scheme"}.get(
                verb, verb
            )
            key = f"Channel{number}" if verb == "CHANNEL" else key
            return self._change({key: int(payload)}, lit=verb not in ("FANSPEED", "SCHEME"))
        if verb == "HSBCOLOR":
            levels = self.state["HSBColor"].split(",")
            levels[number - 1] = payload
            return self._change({"HSBColor": ",".join(levels)}, lit=True)
        if verb.startswith("SHUTTER") and number <= len(self.shutters):
            return self._shade(verb, number, payload)
        return None

    def _change(self, values: Json, *, lit: bool) -> Json:
        on = dict.fromkeys(self._powers.values(), "ON") if lit else {}
        self.state |= on | values
        return {**on, **values}

    def _shade(self, verb: str, number: int, payload: str) -> Json:
        """A shutter tells that it begins to move, and where it stands in the end."""
        before = self.shutters[number - 1]
        aim = {"SHUTTEROPEN": 100, "SHUTTERCLOSE": 0, "SHUTTERSTOP": before}.get(verb, before)
        if verb == "SHUTTERPOSITION":
            aim = int(payload)
        moving = _shutter(before) | {"Direction": (aim > before) - (aim < before), "Target": aim}
        self._tell("stat", "RESULT", {f"Shutter{number}": moving})
        self.shutters[number - 1] = aim
        return {f"Shutter{number}": _shutter(aim)}

    def _tell(self, prefix: str, last: str, body: Mapping[str, Any]) -> None:
        self._link.publish(self._of(prefix, last), encode(dict(body)), qos=0)

    def _of(self, prefix: str, last: str) -> str:
        return f"{prefix}/{self._topic}/{last}"


def _shutter(position: int) -> Json:
    return {"Position": position, "Direction": 0, "Target": position, "Tilt": 0}


_USUAL: Json = {
    "ip": "192.168.15.10",
    "hn": "tasmota",
    "md": "Generic",
    "ty": 0,
    "if": 0,
    "ofln": "Offline",
    "onln": "Online",
    "state": ["OFF", "ON", "TOGGLE", "HOLD"],
    "sw": "14.3.0",
    "ft": "%prefix%/%topic%/",
    "tp": ["cmnd", "stat", "tele"],
    "rl": [0, 0, 0, 0],
    "swc": [-1, -1],
    "swn": [None, None],
    "btn": [0, 0],
    "so": {"4": 0, "11": 0, "13": 0, "17": 1, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0},
    "lk": 1,
    "lt_st": 0,
    "bat": 0,
    "dslp": 0,
    "sho": [0, 0],
    "sht": [[0, 0, 0], [0, 0, 0]],
    "ver": 1,
}
