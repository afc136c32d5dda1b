"""Zigbee2MQTT devices: a light, a radiator valve, a lock, a blind, a strip, a water valve, a siren, a fan."""

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


def _zigbee(ieee, name, model, exposes, state, about=""):
    def make(address):
        device = ExposedDevice(ieee, name, model, exposes, state, about=about)
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
    affects={"state": "+Illuminance"},
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
    properties={"lock_state": "string - - r", "unlocked": "boolean - Lock rw"},
    writes={
        "unlocked": Write(good=False, bad="LOCK", done=lambda lock: lock.state["lock_state"] == "locked")
    },
    affects={"unlocked": "+Lock"},
    events={
        "action": ("string - -", lambda bridge, lock: bridge.press(lock, "manual_unlock"), "manual_unlock")
    },
)
ZIGBEE_BLIND = Device(
    title="blind",
    dialect="zigbee2mqtt",
    make=_zigbee(
        "0x0017880104e45504", "blind", "E1757", _BLIND,
        {"state": "CLOSE", "position": 0, "battery": 70}, about="FYRTUR roller blind, block-out",
    ),
    properties={
        "battery": "number % StateOfCharge r",
        "position": "number % Shade rw",
        "state": "string - - r",
    },
    writes={"position": Write(good=40, bad=101, done=lambda blind: blind.state["position"] == 40)},
    actions={"close": "- - -", "open": "- - -", "stop": "- - -"},
    affects={"close": "-Shade", "open": "+Shade", "position": "=Shade"},
    calls={
        "close": Call(done=lambda blind: blind.state["position"] == 0),
        "open": Call(done=lambda blind: blind.state["position"] == 100),
        "stop": Call(done=lambda blind: ("cover", "STOP") in blind.performed),
    },
)  # fmt: skip


def _socket(endpoint):
    state = _binary("state", 7) | {"property": f"state_{endpoint}", "endpoint": endpoint}
    return {"type": "switch", "endpoint": endpoint, "features": [state]}


_WARNING = _feature(
    "composite",
    "warning",
    2,
    features=[_enum("mode", 2, "stop", "burglar", "emergency"), _numeric("duration", 2, unit="s")],
)
ZIGBEE_STRIP = Device(
    title="strip",
    dialect="zigbee2mqtt",
    make=_zigbee(
        *("0x0017880104e45505", "strip", "TS011F", [_socket("l1"), _socket("l2")]),
        {"state_l1": "OFF", "state_l2": "OFF"},
        about="Smart plug with 2 sockets",
    ),
    properties={"state_l1": "boolean - - rw", "state_l2": "boolean - - rw"},
    writes={
        "state_l1": Write(good=True, bad="ON", done=lambda strip: strip.state["state_l1"] == "ON"),
        "state_l2": Write(good=True, bad="ON", done=lambda strip: strip.state["state_l2"] == "ON"),
    },
    affects={"state_l1": "+Power", "state_l2": "+Power"},
)
ZIGBEE_WATER = Device(
    title="garden",
    dialect="zigbee2mqtt",
    make=_zigbee(
        *("0x0017880104e45506", "garden", "SWV", [{"type": "switch", "features": [_binary("state", 7)]}]),
        {"state": "OFF"},
        about="Zigbee smart water valve",
    ),
    properties={"state": "boolean - WaterSupply rw"},
    writes={"state": Write(good=True, bad="ON", done=lambda valve: valve.state["state"] == "ON")},
    affects={"state": "+WaterSupply"},
)
ZIGBEE_SIREN = Device(
    title="siren",
    dialect="zigbee2mqtt",
    make=_zigbee(
        *("0x0017880104e45507", "siren", "HS2WD-E", [_binary("alarm", 7), _WARNING]),
        {"alarm": "OFF"},
        about="Smart siren",
    ),
    properties={"alarm": "boolean - - rw"},
    writes={"alarm": Write(good=True, bad="ON", done=lambda siren: siren.state["alarm"] == "ON")},
    actions={"warning": "object - -", "warning_start": "- - -", "warning_stop": "- - -"},
    calls={
        "warning": Call(
            good={"mode": "burglar"},
            bad={"mode": "whistle"},
            done=lambda siren: ("warning", {"mode": "burglar"}) in siren.performed,
        ),
        "warning_start": Call(
            done=lambda siren: ("warning", {"mode": "emergency", "duration": 1800}) in siren.performed
        ),
        "warning_stop": Call(done=lambda siren: ("warning", {"mode": "stop"}) in siren.performed),
    },
    affects={
        "alarm": "+SoundPressureLevel",
        "warning_start": "+SoundPressureLevel",
        "warning_stop": "-SoundPressureLevel",
    },
)
ZIGBEE_FAN = Device(
    title="purifier",
    dialect="zigbee2mqtt",
    make=_zigbee(
        *("0x0017880104e45508", "purifier", "E2007"),
        [{"type": "fan", "features": [_binary("state", 7) | {"property": "fan_state"}]}],
        {"fan_state": "OFF"},
        about="STARKVIND air purifier",
    ),
    properties={"fan_state": "boolean - Ventilation rw"},
    writes={"fan_state": Write(good=True, bad="ON", done=lambda fan: fan.state["fan_state"] == "ON")},
    affects={"fan_state": "+Ventilation"},
)
