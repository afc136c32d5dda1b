"""Zigbee2MQTT devices: a light, a radiator valve, a lock, a blind."""

from diat.simulation.zigbee_exposed import ExposedBridge, ExposedDevice
from tests.system.devices.device import Call, Device, Write


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
