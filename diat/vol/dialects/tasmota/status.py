"""What Tasmota tells of itself: whether it is there, its charge, its radio, and how long it is up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from diat.vol.dialects.affordances import Draft
from diat.vol.dialects.inlets import Source
from diat.vol.dialects.meaning import quantity
from diat.vol.dialects.port import Uptake
from diat.vol.dialects.tasmota.config import Config
from diat.vol.dialects.values import At, number
from diat.vol.dialects.words import quoted

_DIAGNOSTICS: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("wifi_signal", "Wi-Fi signal", ("Wifi", "Signal"), {**quantity("SignalStrength"), "unit": "dB[mW]"}),
    ("wifi_quality", "Wi-Fi quality", ("Wifi", "RSSI"), {"unit": "%"}),
    ("wifi_connects", "Wi-Fi connects", ("Wifi", "LinkCount"), {}),
    ("mqtt_connects", "MQTT connects", ("MqttCount",), {}),
    ("uptime", "Uptime", ("UptimeSec",), {**quantity("Time"), "unit": "s"}),
)


class WillInlet(Struct, frozen=True):
    """Reads a device's last will.

    Attributes:
        topic: where it is.
        online: its word for being there.
        offline: its word for not being there.
        sleeper: the device sleeps between measurements, so not being there is how it is most of the time.
    """

    topic: str
    online: str
    offline: str
    sleeper: bool

    def read(self, payload: bytes) -> Uptake:
        """Say whether the device can be reached."""
        word = payload[:256].decode(errors="replace")
        if word == self.online:
            return Uptake(available=True)
        if word == self.offline:
            return Uptake(available="sleeping" if self.sleeper else False)
        notes = (f"LWT: {quoted(payload)} is neither {quoted(self.online)} nor {quoted(self.offline)}",)
        return Uptake(notes=notes if payload else ())


def will(config: Config) -> WillInlet:
    """The inlet for a device's last will."""
    return WillInlet(f"{config.topics.telemetry}LWT", config.online, config.offline, config.sleeper)


def drafts(config: Config) -> Iterator[Draft]:
    """Properties about the device itself."""
    if config.battery:
        schema = {**quantity("StateOfCharge"), "type": "number", "unit": "%"}
        sources = _sources(config, ("BatteryPercentage",))
        yield Draft(key="status battery", name="battery", title="Battery", schema=schema, sources=sources)
    for name, title, path, meaning in _DIAGNOSTICS:
        yield Draft(
            key=f"status {name}",
            name=name,
            title=title,
            schema={"type": "number", **meaning, "diat:entityCategory": "diagnostic"},
            sources=_sources(config, path),
        )


def _sources(config: Config, path: tuple[str, ...]) -> tuple[Source, ...]:
    return (
        Source(f"{config.topics.telemetry}STATE", At(path, number)),
        Source(f"{config.topics.result}STATUS11", At(("StatusSTS", *path), number)),
    )
