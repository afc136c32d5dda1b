"""Devices of every dialect, as their firmware behaves, with what must be seen of them over REST.

An affordance is written in one line: type, unit, quantity kind and access (``r``, ``w``, ``rw``), with ``-``
for what it does not say. An action's input and an event's data likewise, without the access.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diat.simulation.homie import HomieDevice, Node, Property
from diat.simulation.tasmota_discovery import DiscoveredNode
from diat.simulation.zigbee_exposed import ExposedBridge, ExposedDevice

NOTHING = object()
"""There is no input that would be wrong."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """How a property is driven.

    Attributes:
        good: a value that it takes, and another that it had not before.
        bad: one that it must refuse.
        done: what the device shows by itself afterwards.
    """

    good: Any
    bad: Any
    done: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Call:
    """How an action is invoked; as ``Write``, with ``NOTHING`` where no input is refused."""

    good: Any = None
    bad: Any = NOTHING
    done: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device and what is to be seen of it.

    Attributes:
        title: the title of its thing.
        make: makes it, for the address of a broker; gives what is started and what is looked at.
        events: for each event its summary, what makes it happen, and the data that comes.
    """

    title: str
    dialect: str
    make: Callable[[Any], tuple[Any, Any]]
    properties: Mapping[str, str]
    writes: Mapping[str, Write] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)
    events: Mapping[str, tuple[str, Callable[[Any, Any], None], Any]] = field(default_factory=dict)


# --- Zigbee2MQTT ---


def _feature(kind, name, access, **more):
    return {"type": kind, "name": name, "property": name, "label": name, "access": access, **more}


def _numeric(name, access, low=None, high=None, unit=None, **more):
    said = {"value_min": low, "value_max": high, "unit": unit, **more}
    return _feature("numeric", name, access, **{k: v for k, v in said.items() if v is not None})


def _binary(name, access, on="ON", off="OFF", **more):
    return _feature("binary", name, access, value_on=on, value_off=off, **more)


def _enum(name, access, *values, **more):
    return _feature("enum", name, access, values=list(values), **more)


def _colour():
    axes = [_numeric("x", 7), _numeric("y", 7)]
    return {**_feature("composite", "color_xy", 7, features=axes), "property": "color"}


_LIGHT = [
    {
        "type": "light",
        "features": [
            _binary("state", 7, value_toggle="TOGGLE"),
            _numeric("brightness", 7, 0, 254),
            _numeric("color_temp", 7, 153, 500, "mired"),
            _colour(),
        ],
    },
    _enum("effect", 2, "blink", "breathe", "stop_effect"),
    _enum("power_on_behavior", 7, "off", "on", "previous"),
    _enum("identify", 2, "identify"),
    _enum("action", 1, "on", "off", "hold"),
    _numeric("linkquality", 1, 0, 255, "lqi"),
]
_VALVE = [
    {
        "type": "climate",
        "features": [
            _numeric("occupied_heating_setpoint", 7, 5, 30, "°C", value_step=0.5),
            _numeric("local_temperature", 5, unit="°C"),
            _enum("system_mode", 7, "off", "auto", "heat"),
            _enum("running_state", 5, "idle", "heat"),
            _numeric("local_temperature_calibration", 7, -12.7, 12.7, "°C", value_step=0.1),
        ],
    },
    _binary("child_lock", 7, "LOCK", "UNLOCK"),
    _binary("window_open", 5, on=True, off=False),
    _numeric("battery", 1, 0, 100, "%"),
    _feature(
        "composite",
        "schedule",
        3,
        features=[_numeric("hour", 3, 0, 23), _numeric("temperature", 3, unit="°C")],
    ),
    _feature("list", "holidays", 3, item_type={"type": "text", "name": "day", "access": 3}),
    _feature("text", "note", 3),
]
_LOCK = [
    {
        "type": "lock",
        "features": [
            _binary("state", 7, "LOCK", "UNLOCK"),
            _enum("lock_state", 1, "not_fully_locked", "locked", "unlocked"),
        ],
    },
    _enum("action", 1, "manual_lock", "manual_unlock"),
]
_BLIND = [
    {
        "type": "cover",
        "features": [_enum("state", 3, "OPEN", "CLOSE", "STOP"), _numeric("position", 7, 0, 100, "%")],
    },
    _numeric("battery", 1, 0, 100, "%"),
]


def _zigbee(ieee, name, model, exposes, state):
    def make(address):
        device = ExposedDevice(ieee, name, model, exposes, state)
        bridge = ExposedBridge(address, [device], base="zigbee2mqtt")
        bridge.device = device
        return bridge, device

    return make


ZIGBEE_LIGHT = Device(
    title="hall/lamp",
    dialect="zigbee2mqtt",
    make=_zigbee(
        "0x0017880104e45501", "hall/lamp", "LCT001", _LIGHT,
        {"state": "OFF", "brightness": 10, "color_temp": 300, "color": {"x": 0.3, "y": 0.3},
         "power_on_behavior": "on", "linkquality": 120},
    ),
    properties={
        "brightness": "number - - rw",
        "color": "object - - rw",
        "color_temp": "number MK-1 CorrelatedColorTemperature rw",
        "linkquality": "number 1 LinkQuality r",
        "power_on_behavior": "string - - rw",
        "state": "boolean - - rw",
    },
    writes={
        "brightness": Write(good=200, bad=255, done=lambda lamp: lamp.state["brightness"] == 200),
        "color": Write(
            good={"x": 0.6, "y": 0.2}, bad="red", done=lambda lamp: lamp.state["color_mode"] == "xy"
        ),
        "color_temp": Write(good=200, bad=100, done=lambda lamp: lamp.state["color_mode"] == "color_temp"),
        "power_on_behavior": Write(
            good="previous", bad="maybe", done=lambda lamp: lamp.state["power_on_behavior"] == "previous"
        ),
        "state": Write(good=False, bad="OFF", done=lambda lamp: lamp.state["state"] == "OFF"),
    },
    actions={"effect": "string - -", "identify": "- - -"},
    calls={
        "effect": Call(good="breathe", bad="melt", done=lambda lamp: ("effect", "breathe") in lamp.performed),
        "identify": Call(done=lambda lamp: ("identify", "identify") in lamp.performed),
    },
    events={"action": ("string - -", lambda bridge, lamp: bridge.press(lamp, "hold"), "hold")},
)  # fmt: skip
ZIGBEE_VALVE = Device(
    title="radiator",
    dialect="zigbee2mqtt",
    make=_zigbee(
        "0x0017880104e45502", "radiator", "TRV", _VALVE,
        {"occupied_heating_setpoint": 18, "local_temperature": 19.5, "system_mode": "off",
         "running_state": "idle", "local_temperature_calibration": 0, "child_lock": "UNLOCK",
         "window_open": False, "battery": 80, "schedule": {"hour": 6, "temperature": 20},
         "holidays": [], "note": ""},
    ),
    properties={
        "battery": "number % StateOfCharge r",
        "child_lock": "boolean - - rw",
        "holidays": "array - - rw",
        "local_temperature": "number Cel Temperature r",
        "local_temperature_calibration": "number Cel TemperatureDifference rw",
        "note": "string - - rw",
        "occupied_heating_setpoint": "number Cel Temperature rw",
        "running_state": "string - - r",
        "schedule": "object - - rw",
        "system_mode": "string - - rw",
        "window_open": "boolean - Window r",
    },
    writes={
        "child_lock": Write(good=True, bad="LOCK", done=lambda valve: valve.state["child_lock"] == "LOCK"),
        "holidays": Write(
            good=["2026-12-24"], bad=[5], done=lambda valve: valve.state["holidays"] == ["2026-12-24"]
        ),
        "local_temperature_calibration": Write(
            good=-1.5, bad=13, done=lambda valve: valve.state["local_temperature_calibration"] == -1.5
        ),
        "note": Write(good="north", bad=7, done=lambda valve: valve.state["note"] == "north"),
        "system_mode": Write(good="heat", bad="dry", done=lambda valve: valve.state["system_mode"] == "heat"),
        "occupied_heating_setpoint": Write(
            good=22.5, bad=31, done=lambda valve: valve.state["running_state"] == "heat"
        ),
        "schedule": Write(
            good={"hour": 7, "temperature": 21},
            bad={"hour": 25},
            done=lambda valve: valve.state["schedule"]["hour"] == 7,
        ),
    },
)  # fmt: skip
ZIGBEE_LOCK = Device(
    title="front_door",
    dialect="zigbee2mqtt",
    make=_zigbee(
        "0x0017880104e45503", "front_door", "WLCKG1", _LOCK, {"state": "UNLOCK", "lock_state": "unlocked"}
    ),
    properties={"lock_state": "string - - r", "locked": "boolean - - rw"},
    writes={"locked": Write(good=True, bad="LOCK", done=lambda lock: lock.state["lock_state"] == "locked")},
    events={
        "action": ("string - -", lambda bridge, lock: bridge.press(lock, "manual_unlock"), "manual_unlock")
    },
)
ZIGBEE_BLIND = Device(
    title="blind",
    dialect="zigbee2mqtt",
    make=_zigbee(
        "0x0017880104e45504", "blind", "E1757", _BLIND, {"state": "CLOSE", "position": 0, "battery": 70}
    ),
    properties={"battery": "number % StateOfCharge r", "position": "number % - rw", "state": "string - - r"},
    writes={"position": Write(good=40, bad=101, done=lambda blind: blind.state["position"] == 40)},
    actions={"close": "- - -", "open": "- - -", "stop": "- - -"},
    calls={
        "close": Call(done=lambda blind: blind.state["position"] == 0),
        "open": Call(done=lambda blind: blind.state["position"] == 100),
        "stop": Call(done=lambda blind: ("cover", "STOP") in blind.performed),
    },
)


# --- Tasmota ---

_COLOUR_LIGHT = {"Dimmer": 30, "CT": 200, "HSBColor": "10,20,30", "Scheme": 0}


_OWN = {
    "mqtt_connects": "number - - r",
    "uptime": "number s Time r",
    "wifi_connects": "number - - r",
    "wifi_quality": "number % - r",
    "wifi_signal": "number dB[mW] SignalStrength r",
}


def _tasmota(mac, name, config, **more):
    def make(address):
        node = DiscoveredNode(address, mac, name, config, **more)
        return node, node

    return make


TASMOTA_PLUG = Device(
    title="Plug",
    dialect="tasmota",
    make=_tasmota(
        "3C71BF000001", "Plug", {"rl": [1], "btn": [1], "swc": [5, 1], "so": {"73": 1, "114": 1}},
        sensors={
            "ENERGY": {"Total": 3.2, "Power": 12, "Voltage": 230, "Current": 0.05},
            "DS18B20": {"Id": "0316", "Temperature": 21.4},
            "PN532": {"UID": "", "DATA": ""},
            "TempUnit": "C",
            "Switch2": "OFF",
        },
    ),
    properties={
        **_OWN,
        "ds18b20_id": "string - - r",
        "ds18b20_temperature": "number Cel Temperature r",
        "energy_current": "number A ElectricCurrent r",
        "energy_power": "number W Power r",
        "energy_total": "number kW.h Energy r",
        "energy_voltage": "number V Voltage r",
        "power": "boolean - - rw",
        "switch1": "boolean - - r",
        "switch2": "boolean - - r",
    },
    writes={"power": Write(good=True, bad="ON", done=lambda plug: plug.state["POWER"] == "ON")},
    events={
        "button1_press": ("string - -", lambda _, plug: plug.press("Button1", "DOUBLE"), "DOUBLE"),
        "pn532_tag": (
            "object - -", lambda _, plug: plug.read_tag("PN532", {"UID": "94D8FC5F"}), {"UID": "94D8FC5F"}
        ),
        "switch1_press": ("string - -", lambda _, plug: plug.press("Switch1", "HOLD"), "HOLD"),
    },
)  # fmt: skip
TASMOTA_LIGHT = Device(
    title="Strip",
    dialect="tasmota",
    make=_tasmota("3C71BF000002", "Strip", {"rl": [2], "lt_st": 5}, state=_COLOUR_LIGHT),
    properties={
        **_OWN,
        "color": "object - - rw",
        "color_temp": "integer MK-1 CorrelatedColorTemperature rw",
        "dimmer": "integer % - rw",
        "power": "boolean - - rw",
        "scheme": "string - - rw",
        "white": "integer % - rw",
    },
    writes={
        "color": Write(
            good={"h": 120, "s": 50},
            bad={"h": 120},
            done=lambda strip: strip.state["HSBColor"] == "120,50,30",
        ),
        "color_temp": Write(good=300, bad=600, done=lambda strip: strip.state["CT"] == 300),
        "dimmer": Write(good=70, bad=101, done=lambda strip: strip.state["Dimmer"] == 70),
        "power": Write(good=False, bad=0, done=lambda strip: strip.state["POWER"] == "OFF"),
        "scheme": Write(good="Random", bad="Stroll", done=lambda strip: strip.state["Scheme"] == 4),
        "white": Write(good=5, bad=-1, done=lambda strip: strip.state["White"] == 5),
    },
)
TASMOTA_SHUTTER = Device(
    title="Awning",
    dialect="tasmota",
    make=_tasmota("3C71BF000003", "Awning", {"rl": [3, 3]}),
    properties={
        **_OWN,
        "shutter_direction": "string - - r",
        "shutter_position": "integer % - rw",
    },
    writes={"shutter_position": Write(good=40, bad=40.5, done=lambda awning: awning.shutters == [40])},
    actions={"shutter_close": "- - -", "shutter_open": "- - -", "shutter_stop": "- - -"},
    calls={
        "shutter_close": Call(done=lambda awning: awning.shutters == [0]),
        "shutter_open": Call(done=lambda awning: awning.shutters == [100]),
        "shutter_stop": Call(done=lambda awning: ("ShutterStop1", "") in awning.commands),
    },
)
TASMOTA_FAN = Device(
    title="Ceiling fan",
    dialect="tasmota",
    make=_tasmota("3C71BF000004", "Ceiling fan", {"rl": [2, 0, 0, 0], "if": 1}, state={"FanSpeed": 0}),
    properties={**_OWN, "fan_speed": "integer - - rw", "power": "boolean - - rw"},
    writes={
        "fan_speed": Write(good=2, bad=4, done=lambda fan: fan.state["FanSpeed"] == 2),
        "power": Write(good=True, bad=1, done=lambda fan: fan.state["POWER"] == "ON"),
    },
)


# --- Homie ---

_HOMIE_NODES = {
    "lamp": Node(
        name="Lamp",
        type="light",
        properties={
            "on": Property(name="Switched on", datatype="boolean", settable=True, value="false"),
            "level": Property(
                name="Level", datatype="integer", format="0:100", unit="%", settable=True, value="10"
            ),
            "mood": Property(name="Mood", datatype="enum", format="calm,bright", settable=True, value="calm"),
            "colour": Property(name="Colour", datatype="color", format="rgb", settable=True, value="1,2,3"),
        },
    ),
    "air": Node(
        name="Air",
        type="climate",
        properties={
            "temperature": Property(name="Temperature", datatype="float", unit="°C", value="20.5"),
            "setpoint": Property(
                name="Setpoint", datatype="float", format="5:30", unit="°C", settable=True, value="19"
            ),
        },
    ),
    "misc": Node(
        name="Misc",
        type="misc",
        properties={
            "label": Property(name="Label", datatype="string", settable=True, value="none"),
            "wake": Property(name="Wake", datatype="datetime", settable=True, value="2026-11-21T06:00:00Z"),
            "lasting": Property(name="Lasting", datatype="duration", settable=True, value="PT1H"),
            "bell": Property(name="Bell", datatype="enum", format="short,long", retained=False),
            "brew": Property(name="Brew", datatype="integer", format="1:4", settable=True, retained=False),
        },
    ),
}
_JSON = {"plan": Property(name="Plan", datatype="json", settable=True, value='{"a":1}')}


def _homie(version):
    nodes = dict(_HOMIE_NODES)
    if version == 5:
        nodes["doc"] = Node(name="Doc", type="doc", properties=_JSON)
        lamp = dict(nodes["lamp"].properties)
        lamp["colour"] = Property(
            name="Colour", datatype="color", format="rgb,hsv", settable=True, value="rgb,1,2,3"
        )
        nodes["lamp"] = Node(name="Lamp", type="light", properties=lamp)

    def make(address):
        device = HomieDevice(address, f"all-{version}", f"Homie {version}", nodes, version=version)
        return device, device

    return make


_HOMIE_PROPERTIES = {
    "air_setpoint": "number Cel Temperature rw",
    "air_temperature": "number Cel Temperature r",
    "lamp_colour": "object - - rw",
    "lamp_level": "integer % - rw",
    "lamp_mood": "string - - rw",
    "lamp_on": "boolean - - rw",
    "misc_label": "string - - rw",
    "misc_lasting": "string - - rw",
    "misc_wake": "string - - rw",
}
_AIMS = {
    "air_setpoint_target": "number Cel - r",
    "doc_plan_target": "- - - r",
    "lamp_colour_target": "object - - r",
    "lamp_level_target": "integer % - r",
    "lamp_mood_target": "string - - r",
    "lamp_on_target": "boolean - - r",
    "misc_label_target": "string - - r",
    "misc_lasting_target": "string - - r",
    "misc_wake_target": "string - - r",
}


def _shows(path, payload):
    return lambda device: device.values[path] == payload


_HOMIE_WRITES = {
    "air_setpoint": Write(good=21.5, bad=31, done=_shows("air/setpoint", "21.5")),
    "lamp_colour": Write(
        good={"r": 10, "g": 20, "b": 30}, bad={"r": 10}, done=_shows("lamp/colour", "10,20,30")
    ),
    "lamp_level": Write(good=55, bad=5.5, done=_shows("lamp/level", "55")),
    "lamp_mood": Write(good="bright", bad="dull", done=_shows("lamp/mood", "bright")),
    "lamp_on": Write(good=True, bad="true", done=_shows("lamp/on", "true")),
    "misc_label": Write(good="", bad=5, done=_shows("misc/label", "")),
    "misc_lasting": Write(good="PT5M30S", bad="5 minutes", done=_shows("misc/lasting", "PT5M30S")),
    "misc_wake": Write(good="2026-11-22T06:30:00Z", bad=6, done=_shows("misc/wake", "2026-11-22T06:30:00Z")),
}
_HOMIE_CALLS = {"misc_brew": Call(good=2, bad=9, done=lambda device: ("misc/brew", "2") in device.commands)}
_HOMIE_EVENTS = {
    "misc_bell": ("string - -", lambda _, device: device.tell("misc/bell", "long"), "long"),
    "misc_brew_event": ("integer - -", lambda _, device: device.tell("misc/brew", "3"), 3),
}

HOMIE_4 = Device(
    title="Homie 4",
    dialect="homie",
    make=_homie(4),
    properties=_HOMIE_PROPERTIES,
    writes=_HOMIE_WRITES,
    actions={"misc_brew": "integer - -"},
    calls=_HOMIE_CALLS,
    events=_HOMIE_EVENTS,
)
HOMIE_5 = Device(
    title="Homie 5",
    dialect="homie",
    make=_homie(5),
    properties=_HOMIE_PROPERTIES | _AIMS | {"doc_plan": "- - - rw"},
    writes=_HOMIE_WRITES
    | {
        "doc_plan": Write(good={"b": [1, 2]}, bad="b", done=_shows("doc/plan", '{"b":[1,2]}')),
        "lamp_colour": Write(
            good={"h": 200, "s": 50, "v": 60}, bad={"h": 200}, done=_shows("lamp/colour", "hsv,200,50,60")
        ),
    },
    actions={"misc_brew": "integer - -"},
    calls=_HOMIE_CALLS,
    events=_HOMIE_EVENTS,
)

ALL = (
    *(ZIGBEE_LIGHT, ZIGBEE_VALVE, ZIGBEE_LOCK, ZIGBEE_BLIND),
    *(TASMOTA_PLUG, TASMOTA_LIGHT, TASMOTA_SHUTTER, TASMOTA_FAN),
    *(HOMIE_4, HOMIE_5),
)
