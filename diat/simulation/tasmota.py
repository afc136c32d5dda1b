"""Tasmota with its Home Assistant discovery (SetOption19): abbreviated configs, ``tele``, ``stat``, ``cmnd``.

Topics follow Tasmota's default full topic ``%prefix%/%topic%/``. Everything is QoS 0 but the last will.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from diat.kernel.clock import Clock, system_clock
from diat.simulation.cadence import Cadence
from diat.simulation.link import Address, Inbound, LastWill, Link
from diat.simulation.physics import Heater, Thermometer
from diat.wire.envelope import encode

_TELE_PERIOD = 2.0
"""Seconds between two telemetries; real nodes take 10 or more, a demo should not."""

_POWER = {"ON": True, "1": True, "TRUE": True, "OFF": False, "0": False, "FALSE": False}


class TasmotaNode:
    """What every Tasmota node does; one MQTT connection.

    Args:
        mac: six pairs of hexadecimal digits; the last three name the node.
        name: friendly name.
    """

    def __init__(self, address: Address, mac: str, name: str, *, clock: Clock = system_clock) -> None:
        self.name = name
        self.chip = mac.replace(":", "")[-6:]
        self.topic = f"tasmota_{self.chip}"
        self._mac = mac
        self._clock = clock
        self._booted = clock()
        self._cadence = Cadence(every=_TELE_PERIOD)
        self._link = Link(
            address,
            f"DVES_{self.chip}",
            will=LastWill(self.of("tele", "LWT"), b"Offline"),
            subscriptions=(self.of("cmnd", "#"),),
            on_message=self._arrived,
            on_connected=self._introduce,
        )

    def of(self, prefix: str, last: str) -> str:
        """The full topic of this node for a prefix (``cmnd``, ``stat``, ``tele``)."""
        return f"{prefix}/{self.topic}/{last}"

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Say ``Offline`` and leave."""
        if self._link.wait_connected(0):
            self._keep(self.of("tele", "LWT"), b"Offline")
        self._link.close()

    def step(self, now: float) -> None:
        """Send the telemetry if it is due at ``now``, in seconds of a steady clock."""
        if self._cadence.due(now):
            self.telemetry()

    def announce(self) -> None:
        """Publish the retained configs."""

    def telemetry(self) -> None:
        """Publish what is sent every telemetry period."""
        self.tell("tele", "STATE", {**self._pulse(), **self.switched()})

    def command(self, verb: str, payload: str) -> None:
        """Perform what came on ``cmnd/…/{verb}``; an unknown verb is ignored."""

    def switched(self) -> dict[str, Any]:
        """The part of ``STATE`` that tells of relays."""
        return {}

    def tell(self, prefix: str, last: str, body: Any) -> None:
        """Publish, JSON unless it is text already."""
        self._link.publish(self.of(prefix, last), body if isinstance(body, str) else encode(body), qos=0)

    def configure(self, component: str, unique_id: str, config: dict[str, Any] | None) -> None:
        """Publish the retained config of one entity; None takes it back."""
        body = b"" if config is None else encode(shortened(config))
        self._keep(f"homeassistant/{component}/{unique_id}/config", body)

    def base(self, name: str, unique_id: str, state_topic: str) -> dict[str, Any]:
        """What every config holds."""
        return {
            "name": name,
            "stat_t": state_topic,
            "avty_t": self.of("tele", "LWT"),
            "pl_avail": "Online",
            "pl_not_avail": "Offline",
            "uniq_id": unique_id,
            "device": {"identifiers": [self.chip], "connections": [["mac", self._mac]]},
        }

    def time(self) -> str:
        """Local time as Tasmota writes it: no offset, whole seconds."""
        return datetime.fromtimestamp(self._clock() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    def _introduce(self) -> None:
        self._keep(self.of("tele", "LWT"), b"Online")
        self.announce()
        self.telemetry()

    def _arrived(self, message: Inbound) -> None:
        verb = message.topic.removeprefix(self.of("cmnd", ""))
        self.command(verb.upper(), message.payload.decode(errors="replace").strip())

    def _keep(self, topic: str, payload: bytes) -> None:
        self._link.publish(topic, payload, retain=True)

    def _pulse(self) -> dict[str, Any]:
        up = (self._clock() - self._booted) // 1000
        days, rest = divmod(up, 86_400)
        clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
        wifi = {"AP": 1, "SSId": "house", "Channel": 6, "RSSI": 78, "Signal": -61, "LinkCount": 1}
        return {"Time": self.time(), "Uptime": f"{days}T{clock}", "UptimeSec": up, "Heap": 25, "Wifi": wifi}


class TasmotaThermometer(TasmotaNode):
    """A node with a DS18B20 on a wire."""

    def __init__(
        self, address: Address, mac: str, name: str, thermometer: Thermometer, *, clock: Clock = system_clock
    ) -> None:
        super().__init__(address, mac, name, clock=clock)
        self._thermometer = thermometer
        self._serial = f"0316{self.chip}FF"

    def announce(self) -> None:
        """Configs of the sensor's serial number and of its temperature."""
        for value, more in (
            ("Id", {"unit_of_meas": " "}),
            ("Temperature", {"unit_of_meas": "°C", "dev_cla": "temperature"}),
        ):
            unique_id = f"{self.chip}_DS18B20_{value}"
            base = self.base(f"{self.name} DS18B20 {value}", unique_id, self.of("tele", "SENSOR"))
            template = f"{{{{value_json['DS18B20'].{value}}}}}"
            self.configure("sensor", unique_id, {**base, **more, "val_tpl": template})

    def telemetry(self) -> None:
        """``STATE`` and ``SENSOR``."""
        super().telemetry()
        # Tasmota shows tenths unless told otherwise; a demo shows hundredths (TempRes 2).
        sensor = {"Id": self._serial, "Temperature": self._thermometer.measure(2)}
        self.tell("tele", "SENSOR", {"Time": self.time(), "DS18B20": sensor, "TempUnit": "C"})


class TasmotaRelay(TasmotaNode):
    """A node with one relay that feeds a heater."""

    def __init__(
        self, address: Address, mac: str, name: str, heater: Heater, *, clock: Clock = system_clock
    ) -> None:
        super().__init__(address, mac, name, clock=clock)
        self._heater = heater
        self._verbs: dict[str, Callable[[str], None]] = {"POWER": self._power, "POWER1": self._power}

    def announce(self) -> None:
        """Config of the switch; the light it might have been before is taken back, as Tasmota does."""
        self.configure("light", f"{self.chip}_LI_1", None)
        unique_id = f"{self.chip}_RL_1"
        relay = {
            "cmd_t": self.of("cmnd", "POWER"),
            "val_tpl": "{{value_json.POWER}}",
            "pl_off": "OFF",
            "pl_on": "ON",
        }
        base = self.base(self.name, unique_id, self.of("tele", "STATE"))
        self.configure("switch", unique_id, {**base, **relay})

    def switched(self) -> dict[str, Any]:
        """``{"POWER": "ON"}``."""
        return {"POWER": "ON" if self._heater.on else "OFF"}

    def command(self, verb: str, payload: str) -> None:
        """Perform ``POWER``."""
        perform = self._verbs.get(verb)
        if perform is not None:
            perform(payload.upper())

    def _power(self, wanted: str) -> None:
        if wanted in {"TOGGLE", "2"}:
            self._heater.on = not self._heater.on
        else:  # an empty or unknown payload asks for the state
            self._heater.on = _POWER.get(wanted, self._heater.on)
        self.tell("stat", "RESULT", self.switched())
        self.tell("stat", "POWER", self.switched()["POWER"])
        self.telemetry()  # SetOption59, which SetOption19 switches on


def shortened(config: dict[str, Any]) -> dict[str, Any]:
    """Replace what all topics of a config begin with by ``~``, if they share anything worth it."""
    names = [key for key in config if key.endswith("_t")]
    shared = posixpath.commonpath([config[key] for key in names])
    if not shared:
        return config
    shared += "/"
    short = {key: value.replace(shared, "~", 1) if key in names else value for key, value in config.items()}
    return {**short, "~": shared}
