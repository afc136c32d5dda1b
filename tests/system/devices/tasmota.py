"""Tasmota devices: a plug with sensors, a light, a shutter, a fan."""

from diat.simulation.tasmota_discovery import DiscoveredNode
from tests.system.devices.device import Call, Device, Write

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
    affects={"power": "+Power"},
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
    affects={"dimmer": "+Illuminance", "power": "+Illuminance"},
)
TASMOTA_SHUTTER = Device(
    title="Awning",
    dialect="tasmota",
    make=_tasmota("3C71BF000003", "Awning", {"rl": [3, 3]}),
    properties={
        **_OWN,
        "shutter_direction": "string - - r",
        "shutter_position": "integer % Shade rw",
    },
    writes={"shutter_position": Write(good=40, bad=40.5, done=lambda awning: awning.shutters == [40])},
    actions={"shutter_close": "- - -", "shutter_open": "- - -", "shutter_stop": "- - -"},
    affects={"shutter_close": "-Shade", "shutter_open": "+Shade", "shutter_position": "=Shade"},
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
    properties={
        **_OWN,
        "fan": "boolean - Ventilation rw",
        "fan_speed": "integer - - rw",
        "power": "boolean - - rw",
    },
    affects={"fan": "+Ventilation", "fan_speed": "+Ventilation", "power": "+Illuminance"},
    writes={
        "fan": Write(good=True, bad="ON", done=lambda fan: fan.state["FanSpeed"] == 2),
        "fan_speed": Write(good=3, bad=4, done=lambda fan: fan.state["FanSpeed"] == 3),
        "power": Write(good=True, bad=1, done=lambda fan: fan.state["POWER"] == "ON"),
    },
)
