"""Many things of all kinds: how they announce themselves, and what they say first.

The mix is the same for any number. Of sixty things 27 are native (small, large, driven), 12 announce
themselves to Home Assistant as a device and 9 by their single entities, 6 speak Tasmota, 3 Homie 5 and 2
Homie 4, and one is behind a Zigbee2MQTT bridge. Every tenth is a meter of the ingest load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmarks import things
from diat.wire import topics

Said = tuple[str, bytes]
"""Topic and payload."""

MOST = 50_000
"""Things at most: then the bridge has the thousand devices that are taken of one."""
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Thing:
    """One of them.

    Attributes:
        announced: what it has retained at the broker, its description first.
        state: a message that makes one row of history.
        bridged: its entry in the list of the bridge, if that is who announces it.
    """

    announced: tuple[Said, ...]
    state: Said
    bridged: Any = None


def population(count: int) -> tuple[list[Said], list[Said]]:
    """What so many things have retained, and one state of each."""
    everybody = [_KINDS[number % len(_KINDS)](number) for number in range(count)]
    bridge = [thing.bridged for thing in everybody if thing.bridged is not None]
    announced = [said for thing in everybody for said in thing.announced]
    if bridge:
        announced.append(("zigbee2mqtt/bridge/devices", _encode(bridge)))
    return announced, [thing.state for thing in everybody]


def meters(count: int) -> int:
    """How many of so many things are meters of the ingest load, numbered from 0."""
    return sum(_KINDS[number % len(_KINDS)] is _meter for number in range(count))


def room(number: int) -> str:
    """Where a thing is: ten in a room, ten rooms on a floor, ten floors in a building."""
    return f"b{number // 1000}/f{number // 100 % 10}/r{number // 10 % 10}"


def _meter(number: int) -> Thing:
    # One in ten, so its own number counts them: that is how the ingest load names them.
    nth = number // 10
    td = {**things.meter_td(nth), "diat:place": room(number)}
    name = things.meter_name(nth)
    return _native(name, td, {"temperature": 20.5, "relative_humidity": 40})


def _thermometer(number: int) -> Thing:
    td = {"title": f"Thermometer {number}", "diat:place": room(number), "properties": _measured(_CLIMATE[:1])}
    return _native(f"thermometer-{number}", td, {"temperature": 20.5})


def _heater(number: int) -> Thing:
    affects = {"quantity": "Temperature", "direction": "increase"}
    td = {
        "title": f"Heater {number}",
        "diat:place": room(number),
        "properties": {
            **_measured(_CLIMATE[:1]),
            "target": {"type": "number", "unit": "Cel", "minimum": 5, "maximum": 30, "idempotent": True},
            "heating": {"type": "boolean", "idempotent": True, "diat:affects": affects},
        },
        "actions": {"boost": {"input": {"type": "integer", "minimum": 1, "maximum": 120}}},
        "events": {"overheated": {"data": {"type": "number"}}},
    }
    return _native(f"heater-{number}", td, {"heating": True})


def _station(number: int) -> Thing:
    """A large one: what a weather station or an inverter has."""
    numbers = {
        f"channel_{each}": {
            "title": f"Channel {each}",
            "description": f"Energy that channel {each} has delivered since it was put to use",
            "type": "number",
            "@type": "quantitykind:Energy",
            "unit": "kWh",
            "minimum": 0,
            "readOnly": True,
        }
        for each in range(12)
    }
    more = {
        "mode": {"type": "string", "enum": ["off", "eco", "normal", "boost"]},
        "network": {
            "type": "object",
            "properties": {"ssid": {"type": "string"}, "rssi": {"type": "integer", "maximum": 0}},
            "readOnly": True,
        },
    }
    properties = {**_measured(_CLIMATE), **numbers, **more}
    td = {"title": f"Station {number}", "diat:place": room(number), "properties": properties}
    return _native(f"station-{number}", td, {"channel_3": 1234.5, "mode": "eco", "temperature": 9.5})


def _native(name: str, td: dict[str, Any], values: dict[str, Any]) -> Thing:
    described = _encode({"id": f"urn:dev:{name}", **td})
    return Thing(
        announced=((topics.announcement(name), described), (topics.status(name), b"online")),
        state=(topics.properties(name), _encode({"v": values})),
    )


def _entities(number: int) -> Thing:
    """As Zigbee2MQTT announces a device to Home Assistant: one message for each entity."""
    address = f"0x00124b{number:010x}"
    here = f"zigbee2mqtt/sensor_{number}"
    device = {
        "identifiers": [f"zigbee2mqtt_{address}"],
        "manufacturer": "SONOFF",
        "model": "Temperature and humidity sensor with screen",
        "name": f"sensor_{number}",
        "suggested_area": room(number),
        "sw_version": "1.0.4",
    }
    availability = [{"topic": f"{here}/availability", "value_template": "{{ value_json.state }}"}]
    configs = [
        (
            f"homeassistant/sensor/{address}/{key}/config",
            _encode(
                {
                    "availability": availability,
                    "device": device,
                    "object_id": f"sensor_{number}_{key}",
                    "state_topic": here,
                    "unique_id": f"{address}_{key}_zigbee2mqtt",
                    "value_template": f'{{{{ value_json["{key}"] }}}}',
                    "state_class": "measurement",
                    **more,
                }
            ),
        )
        for key, more in _SENSED.items()
    ]
    said = _encode({"temperature": 20.5, "humidity": 40.1, "battery": 97, "linkquality": 132})
    return Thing(announced=(*configs, (f"{here}/availability", b'{"state":"online"}')), state=(here, said))


def _device(number: int) -> Thing:
    """As newer firmware announces itself to Home Assistant: one message for the whole device."""
    name, here = f"plug-{number}", f"plugs/{number}"
    sensors = {
        key: {
            "p": "sensor",
            "unique_id": f"{name}_{key}",
            "state_topic": f"{here}/state",
            "value_template": f"{{{{ value_json.{key} | float }}}}",
            **more,
        }
        for key, more in {**_SENSED, **_ELECTRIC}.items()
    }
    relay = {
        "p": "switch",
        "unique_id": f"{name}_relay",
        "name": None,
        "command_topic": f"{here}/relay/set",
        "state_topic": f"{here}/relay",
    }
    said = {
        "dev": {
            "ids": [name],
            "cns": [["mac", _mac(0x02, number)]],
            "name": f"Plug {number}",
            "mf": "Example",
            "mdl": "Metering plug",
            "suggested_area": room(number),
        },
        "o": {"name": "firmware", "sw": "2.4.1"},
        "avty_t": f"{here}/availability",
        "cmps": {**sensors, "relay": relay},
    }
    state = _encode({"temperature": 20.5, "humidity": 40.1, "battery": 97, "linkquality": 132, "power": 12.5})
    announced = ((f"homeassistant/device/{name}/config", _encode(said)), (f"{here}/availability", b"online"))
    return Thing(announced=announced, state=(f"{here}/state", state))


def _tasmota(number: int) -> Thing:
    mac = _mac(0x06, number)
    chip = mac.replace(":", "")
    name = f"tasmota_{chip[-6:]}"
    config = {
        "ip": "192.168.1.40",
        "dn": f"Relay {number}",
        "fn": [f"Relay {number}", *[None] * 7],
        "hn": name,
        "mac": chip,
        "md": "Sonoff Basic",
        "ty": 0,
        "if": 0,
        "ofln": "Offline",
        "onln": "Online",
        "state": ["OFF", "ON", "TOGGLE", "HOLD"],
        "sw": "14.2.0",
        "t": name,
        "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"],
        "rl": [1, *[0] * 31],
        "swc": [-1] * 8,
        "btn": [0] * 8,
        "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0},
        "lk": 0,
        "lt_st": 0,
        "sho": [0] * 4,
        "ver": 1,
    }
    sensors = {"sn": {"DS18B20": {"Id": chip, "Temperature": 20.5}, "TempUnit": "C"}, "ver": 1}
    here = f"tele/{name}"
    return Thing(
        announced=(
            (f"tasmota/discovery/{chip}/config", _encode(config)),
            (f"tasmota/discovery/{chip}/sensors", _encode(sensors)),
            (f"{here}/LWT", b"Online"),
        ),
        state=(f"{here}/SENSOR", _encode({"DS18B20": {"Id": chip, "Temperature": 20.5}, "TempUnit": "C"})),
    )


def _homie5(number: int) -> Thing:
    here = f"homie/5/homie5-{number}"
    measured = {
        "temperature": {"name": "Temperature", "datatype": "float", "unit": "°C", "format": "-40:60"},
        "humidity": {"name": "Humidity", "datatype": "float", "unit": "%", "format": "0:100"},
    }
    nodes = {
        "outdoor": {"name": "Outdoor", "type": "sensor", "properties": measured},
        "station": {
            "name": "Station",
            "properties": {"label": {"name": "Label", "datatype": "string", "settable": True}},
        },
    }
    said = _encode({"homie": "5.0", "version": 1, "name": f"Garden {number}", "nodes": nodes})
    announced = ((f"{here}/$description", said), (f"{here}/$state", b"ready"))
    return Thing(announced=announced, state=(f"{here}/outdoor/temperature", b"-3.5"))


def _homie4(number: int) -> Thing:
    here = f"homie/homie4-{number}"
    attributes = {
        "$homie": "4.0.0",
        "$name": f"Cellar {number}",
        "$nodes": "status",
        "$extensions": "",
        "status/$name": "Status",
        "status/$type": "status",
        "status/$properties": "temperature",
        "status/temperature/$name": "Temperature",
        "status/temperature/$datatype": "float",
        "status/temperature/$unit": "°C",
        "$state": "ready",
    }
    announced = tuple((f"{here}/{name}", value.encode()) for name, value in attributes.items())
    return Thing(announced=announced, state=(f"{here}/status/temperature", b"12.4"))


def _bridged(number: int) -> Thing:
    address, friendly = f"0x00158d{number:010x}", f"bridged_{number}"
    here = f"zigbee2mqtt/{friendly}"
    exposes = [
        {
            "type": "numeric",
            "name": key,
            "property": key,
            "access": 1,
            "unit": unit,
            "label": key.capitalize(),
        }
        for key, unit in (("temperature", "°C"), ("humidity", "%"), ("battery", "%"), ("linkquality", "lqi"))
    ]
    entry = {
        "ieee_address": address,
        "friendly_name": friendly,
        "type": "EndDevice",
        "supported": True,
        "disabled": False,
        "network_address": number,
        "definition": {
            "model": "WSDCGQ11LM",
            "vendor": "Aqara",
            "description": "Temperature and humidity sensor",
            "exposes": exposes,
        },
    }
    return Thing(
        announced=((f"{here}/availability", b'{"state":"online"}'),),
        state=(here, _encode({"temperature": 20.5, "humidity": 40.1, "battery": 97, "linkquality": 132})),
        bridged=entry,
    )


def _mac(first: int, number: int) -> str:
    return ":".join(f"{byte:02X}" for byte in (first, *number.to_bytes(5, "big")))


def _measured(metered: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        name: {"type": "number", "@type": f"quantitykind:{quantity}", "unit": unit, "readOnly": True}
        for name, quantity, unit in metered
    }


_CLIMATE = [("temperature", "Temperature", "Cel"), ("humidity", "RelativeHumidity", "%")]
_SENSED: dict[str, dict[str, str]] = {
    "temperature": {"device_class": "temperature", "unit_of_measurement": "°C"},
    "humidity": {"device_class": "humidity", "unit_of_measurement": "%"},
    "battery": {"device_class": "battery", "unit_of_measurement": "%", "entity_category": "diagnostic"},
    "linkquality": {"unit_of_measurement": "lqi", "entity_category": "diagnostic"},
}
_ELECTRIC: dict[str, dict[str, str]] = {
    "power": {"device_class": "power", "unit_of_measurement": "W"},
}


def _sixty() -> Iterator[Callable[[int], Thing]]:
    """The kinds of sixty things in a row; meters are each tenth, so that all tens are alike to them."""
    others = (
        [_thermometer] * 12
        + [_heater] * 6
        + [_station] * 3
        + [_device] * 12
        + [_entities] * 9
        + [_tasmota] * 6
        + [_homie5] * 3
        + [_homie4] * 2
        + [_bridged]
    )
    # Strewn evenly: a step that has no divisor in common with their number visits each once.
    strewn = iter([others[at * 23 % len(others)] for at in range(len(others))])
    for at in range(60):
        yield _meter if at % 10 == 0 else next(strewn)


_KINDS = list(_sixty())
