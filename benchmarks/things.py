"""What the things of the benchmarks say: descriptions, readings of 200 bytes, and the topics of both."""

from __future__ import annotations

import json
from typing import Any

from benchmarks import mqtt
from diat.wire import topics

PAYLOAD = 200
"""Bytes of a reading of the ingest load; all have one length, so that bytes can be counted for messages."""
MOST = 10_000
"""Things at most, for their names have one length too."""

_METERED = {
    "temperature": ("Temperature", "Cel", -40, 125),
    "relative_humidity": ("RelativeHumidity", "%", 0, 100),
    "air_pressure": ("AtmosphericPressure", "hPa", 300, 1100),
    "illuminance": ("Illuminance", "lx", 0, 120_000),
    "battery_voltage": ("Voltage", "V", 0, 5),
    "carbon_dioxide": ("AmountOfSubstanceFraction", "[ppm]", 0, 10_000),
}
"""The six properties of a thing of the ingest load: quantity, unit, lowest and highest value."""


def meter_name(number: int) -> str:
    """The name of a thing of the ingest load."""
    return f"bench-{number:04d}"


def meter_td(number: int) -> dict[str, Any]:
    """Its description: six numbers with a range."""
    return {
        "title": f"Bench meter {number}",
        "diat:place": f"bench/{number // 100}/{number % 100}",
        "properties": {
            name: {
                "type": "number",
                "@type": f"quantitykind:{quantity}",
                "unit": unit,
                "minimum": low,
                "maximum": high,
                "readOnly": True,
            }
            for name, (quantity, unit, low, high) in _METERED.items()
        },
    }


def meter_reading(number: int, n: int, boot: int, t: int) -> bytes:
    """Its ``n``-th message: six values that differ from message to message."""
    turn = (number * 7 + n * 13) % 1000
    body = (
        f'{{"b":{boot},"n":{n},"t":{t},"v":{{"temperature":{15 + turn / 100:.2f},'
        f'"relative_humidity":{30 + turn / 50:.2f},"air_pressure":{990 + turn / 40:.2f},'
        f'"illuminance":{100 + turn / 2:.1f},"battery_voltage":{3 + turn / 5000:.4f},'
        f'"carbon_dioxide":{400 + turn / 4:.2f}'
    )
    return body.ljust(PAYLOAD - 2).encode() + b"}}"


def announcement(name: str, td: dict[str, Any]) -> list[bytes]:
    """The packets by which a native thing makes itself known: its description, and that it is there."""
    described = json.dumps({"id": f"urn:dev:{name}", **td}).encode()
    return [
        mqtt.publish(topics.announcement(name), described, 1, retain=True),
        mqtt.publish(topics.status(name), b"online", 2, retain=True),
    ]


def sensor_td(pair: int) -> dict[str, Any]:
    """A thermometer in a room of its own."""
    return {
        "title": f"Bench thermometer {pair}",
        "diat:place": f"bench/room-{pair}",
        "properties": {
            "temperature": {
                "type": "number",
                "@type": "quantitykind:Temperature",
                "unit": "Cel",
                "readOnly": True,
            }
        },
    }


def heater_td(pair: int) -> dict[str, Any]:
    """The heater in the same room."""
    return {
        "title": f"Bench heater {pair}",
        "diat:place": f"bench/room-{pair}",
        "properties": {
            "heating": {
                "type": "boolean",
                "idempotent": True,
                "diat:affects": {"quantity": "Temperature", "direction": "increase"},
            }
        },
    }


def sensor_name(pair: int) -> str:
    """The name of the thermometer of a pair."""
    return f"bench-sensor-{pair}"


def heater_name(pair: int) -> str:
    """The name of the heater of a pair."""
    return f"bench-heater-{pair}"


def heater_topic(sensor_topic: str) -> str:
    """Where the heater is set that belongs to the thermometer which reports on this topic."""
    name = sensor_topic.split("/")[1]
    return topics.setting(name.replace("sensor", "heater"))
