"""Tasmota: its two announcements in, affordances out, values and commands both ways."""

import json

import pytest

from diat.vol.dialects.port import Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.tasmota import Tasmota

T = Tasmota()
MAC = "3C71BF295AB4"
CONFIG = {
    "dn": "Plug", "fn": ["Lamp", None], "hn": "plug-1", "mac": MAC, "md": "Basic", "sw": "13.1",
    "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"],
    "t": "plug", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
    "rl": [0, 0], "swc": [-1], "btn": [0], "so": {"4": 0, "68": 0, "82": 0}, "lk": 1, "lt_st": 0, "ver": 1,
}  # fmt: skip
OWN = {"mqtt_connects", "uptime", "wifi_connects", "wifi_quality", "wifi_signal"}


def hear(about, said):
    return T.hear(f"tasmota/discovery/{MAC}/{about}", json.dumps(said).encode())


def describe(sensors=None, **changes):
    parts = [hear("config", CONFIG | changes)]
    if sensors is not None:
        parts.append(hear("sensors", {"sn": sensors, "ver": 1}))
    return T.describe(parts)


def names(described):
    return sorted({*described.td.get("properties", {}), *described.td.get("actions", {})} - OWN)


def prop(described, name):
    return {k: v for k, v in described.td["properties"][name].items() if k != "title"}


def read(described, topic, said):
    payload = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    found = [inlet.read(payload) for inlet in described.inlets if inlet.topic == topic]
    assert all(uptake.notes == () for uptake in found)
    return {name: value for uptake in found for name, value in uptake.values.items()}


def test_parts_share_the_address_in_both_spellings():
    for about, said in (("config", CONFIG), ("sensors", {"sn": {}})):
        part = hear(about, said)
        assert isinstance(part, Part)
        assert part.identifiers == (MAC, "mac:3c71bf295ab4")


def test_what_is_known_of_the_device_is_told():
    described = describe()
    assert {k: v for k, v in described.td.items() if k != "properties"} == {
        "title": "Plug",
        "diat:identifiers": [MAC],
        "diat:model": "Basic",
        "version": {"instance": "13.1"},
    }
    assert described.notes == ()
    assert read(described, "tele/plug/STATE", {"Wifi": {"RSSI": 100, "Signal": -49}, "UptimeSec": 60}) == {
        "wifi_quality": 100, "wifi_signal": -49, "uptime": 60,
    }  # fmt: skip


def test_without_its_configuration_nothing_is_known():
    described = T.describe([hear("sensors", {"sn": {"A": {"Temperature": 1}}})])
    assert described.td == {"title": MAC, "diat:identifiers": [MAC]}
    assert described.notes == (f"its configuration (tasmota/discovery/{MAC}/config) is not announced yet",)


@pytest.mark.parametrize(
    ("full", "command", "result"),
    [
        ("%prefix%/%topic%/", "cmnd/plug/POWER1", "stat/plug/RESULT"),
        ("%topic%/%prefix%/", "plug/cmnd/POWER1", "plug/stat/RESULT"),
        ("home/%hostname%/%id%/%prefix%", f"home/plug-1/{MAC}/cmnd/POWER1", f"home/plug-1/{MAC}/stat/RESULT"),
        # the firmware adds the prefix to commands where it is missing
        ("%topic%/blah/", "plug/blah/cmnd/POWER1", "plug/blah/RESULT"),
    ],
)
def test_topics(full, command, result):
    described = describe(ft=full, rl=[1])
    assert described.outlets["power"].write(True) == Outgoing(command, b"ON")
    assert read(described, result, {"POWER": "ON"}) == {"power": True}


@pytest.mark.parametrize(
    ("topic", "said", "values"),
    [
        ("stat/plug/RESULT", {"POWER1": "ON"}, {"power1": True}),
        ("stat/plug/RESULT", {"POWER": "OFF"}, {"power1": False}),
        ("stat/plug/POWER2", "ON", {"power2": True}),
        ("stat/plug/POWER2", {"POWER2": "OFF"}, {"power2": False}),
        ("stat/plug/POWER", "ON", {"power1": True}),
        ("tele/plug/STATE", {"POWER1": "ON", "POWER2": "OFF"}, {"power1": True, "power2": False}),
        ("stat/plug/STATUS11", {"StatusSTS": {"POWER2": "ON"}}, {"power2": True}),
    ],
)
def test_relays(topic, said, values):
    described = describe(rl=[1, 1])
    assert names(described) == ["power1", "power2"]
    assert [described.td["properties"][n]["title"] for n in names(described)] == ["Lamp", "Relay 2"]
    assert read(described, topic, said) == values
    assert described.outlets["power2"].write(False) == Outgoing("cmnd/plug/POWER2", b"OFF")
    assert described.outlets["power2"].confirmed_by == "power2"


def test_words_of_its_own():
    described = describe(rl=[1], state=["aus", "an", "um", "halt"])
    assert read(described, "stat/plug/RESULT", {"POWER": "an"}) == {"power": True}
    assert described.outlets["power"].write(False).payload == b"aus"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"lt_st": 0}, ["power"]),
        ({"lt_st": 1}, ["dimmer", "power", "scheme"]),
        ({"lt_st": 2}, ["color_temp", "dimmer", "power", "scheme"]),
        ({"lt_st": 3}, ["color", "dimmer", "power", "scheme"]),
        ({"lt_st": 4}, ["color", "dimmer", "power", "scheme", "white"]),
        ({"lt_st": 5}, ["color", "color_temp", "dimmer", "power", "scheme", "white"]),
        ({"lt_st": 5, "lk": 0, "rl": [2, 2]},
         ["color1", "color_temp2", "dimmer1", "dimmer2", "power1", "power2", "scheme1"]),
        ({"lt_st": 4, "so": {"68": 1}, "rl": [2, 2]}, ["dimmer1", "dimmer2", "power1", "power2"]),
        ({"if": 1, "rl": [2]}, ["fan", "fan_speed", "power"]),
        ({"rl": [1], "so": {"30": 1}}, ["power"]),
    ],
)  # fmt: skip
def test_kinds_of_lights(changes, found):
    assert names(describe(**({"rl": [2]} | changes))) == found


def test_a_light_is_read_and_driven():
    described = describe(rl=[2], lt_st=5)
    state = {"POWER": "ON", "Dimmer": 50, "HSBColor": "30,100,50", "CT": 300, "White": 0, "Scheme": 3}
    assert read(described, "tele/plug/STATE", state) == {
        "power": True, "dimmer": 50, "color": {"h": 30, "s": 100}, "color_temp": 300, "white": 0,
        "scheme": "Cycle down",
    }  # fmt: skip
    commands = {
        "dimmer": (40, "cmnd/plug/Dimmer", b"40"),
        "color": ({"h": 20, "s": 70}, "cmnd/plug/Backlog", b"HsbColor1 20;HsbColor2 70"),
        "color_temp": (200, "cmnd/plug/CT", b"200"),
        "white": (10, "cmnd/plug/White", b"10"),
        "scheme": ("Random", "cmnd/plug/Scheme", b"4"),
    }
    for name, (value, topic, payload) in commands.items():
        assert described.outlets[name].write(value) == Outgoing(topic, payload)
        assert described.outlets[name].confirmed_by == name
    assert isinstance(described.outlets["scheme"].write("Disco"), Refusal)


def test_special_lights():
    assert describe(rl=[2], lt_st=1, ty=1).outlets["dimmer"].write(5).topic == "cmnd/plug/Dimmer3"
    channels = describe(rl=[2, 2], so={"68": 1})
    assert channels.outlets["dimmer2"].write(5).topic == "cmnd/plug/Channel2"
    assert read(channels, "stat/plug/RESULT", {"Channel2": 5}) == {"dimmer2": 5}
    split = describe(rl=[2, 2], lt_st=4, lk=0)
    assert split.outlets["dimmer2"].write(5).topic == "cmnd/plug/Dimmer2"
    reduced = describe(rl=[2], lt_st=2, so={"82": 1})
    assert prop(reduced, "color_temp")["minimum"] == 200


def test_answers_by_the_name_of_the_command():
    described = describe(rl=[2], lt_st=3, so={"4": 1})
    assert read(described, "stat/plug/DIMMER", {"Dimmer": 7}) == {"dimmer": 7}
    assert read(described, "stat/plug/HSBCOLOR2", {"HSBColor": "1,2,3"}) == {"color": {"h": 1, "s": 2}}


def test_a_shutter():
    described = describe(rl=[3, 3], sht=[[-90, 90, 24]])
    assert names(described) == [
        "shutter_close", "shutter_direction", "shutter_open", "shutter_position", "shutter_stop",
        "shutter_tilt",
    ]  # fmt: skip
    told = {"Shutter1": {"Position": 54, "Direction": -1, "Tilt": 30}}
    values = {"shutter_position": 54, "shutter_direction": "closing", "shutter_tilt": 30}
    assert read(described, "stat/plug/RESULT", told) == values
    assert read(described, "tele/plug/SENSOR", told) == values
    assert read(described, "stat/plug/STATUS10", {"StatusSNS": told}) == values
    assert read(described, "stat/plug/SHUTTER1", "23") == {"shutter_position": 23}
    assert described.outlets["shutter_position"].write(20) == Outgoing("cmnd/plug/ShutterPosition1", b"20")
    assert described.outlets["shutter_open"].write(None) == Outgoing("cmnd/plug/ShutterOpen1", b"")
    assert described.outlets["shutter_open"].confirmed_by is None
    assert described.outlets["shutter_tilt"].write(-45).payload == b"-45"


def test_an_inverted_shutter():
    described = describe(rl=[3, 3], sho=[1])
    told = {"Shutter1": {"Position": 99, "Direction": 1}}
    values = {"shutter_position": 1, "shutter_direction": "closing"}
    assert read(described, "tele/plug/SENSOR", told) == values
    assert described.outlets["shutter_position"].write(20).payload == b"80"


def test_half_a_shutter_is_noted():
    described = describe(rl=[3, 3, 3, 1])
    assert names(described) == [
        "power4", "shutter_close", "shutter_direction", "shutter_open", "shutter_position", "shutter_stop",
    ]  # fmt: skip
    assert described.notes == ("output 3 is half of a shutter, and output 4 is not the other",)


def test_a_fan():
    described = describe(**{"if": 1, "rl": [1]})
    assert read(described, "stat/plug/RESULT", {"FanSpeed": 2}) == {"fan": True, "fan_speed": 2}
    assert read(described, "tele/plug/STATE", {"FanSpeed": 0}) == {"fan": False, "fan_speed": 0}
    assert described.outlets["fan"].write(True) == Outgoing("cmnd/plug/FanSpeed", b"2")
    assert described.outlets["fan"].write(False) == Outgoing("cmnd/plug/FanSpeed", b"0")
    assert described.outlets["fan_speed"].write(3) == Outgoing("cmnd/plug/FanSpeed", b"3")
    assert isinstance(described.outlets["fan_speed"].write(4), Refusal)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("stat/plug/RESULT", {"Switch1": {"Action": "ON"}}),
        ("tele/plug/SENSOR", {"Switch1": "ON"}),
        ("stat/plug/STATUS10", {"StatusSNS": {"Switch1": "ON"}}),
    ],
)
def test_a_switch_input(topic, said):
    assert read(describe(swc=[1]), topic, said) == {"switch1": True}


def events(described, topic, said):
    found = [i.read(json.dumps(said).encode()) for i in described.inlets if i.topic == topic]
    assert all(uptake.notes == () for uptake in found)
    return [each for uptake in found for each in uptake.events]


def test_a_switch_with_a_name_and_presses():
    described = describe(swc=[5], swn=["Hall way"], state=["AUS", "AN", "UM", "HALT"])
    assert names(described) == ["hall_way"]
    assert described.notes == ()
    assert described.td["events"] == {
        "hall_way_press": {"title": "Hall way pressed", "data": {"type": "string", "enum": ["UM", "HALT"]}}
    }
    assert read(described, "stat/plug/RESULT", {"Hall way": {"Action": "HALT"}}) == {}
    assert read(described, "stat/plug/RESULT", {"Hall way": {"Action": "AN"}}) == {"hall_way": True}
    assert events(described, "stat/plug/RESULT", {"Hall way": {"Action": "HALT"}}) == [
        ("hall_way_press", "HALT")
    ]
    assert events(described, "stat/plug/RESULT", {"Hall way": {"Action": "AN"}}) == []


def test_what_only_tells_presses_is_no_property():
    described = describe(swc=[0, 13], btn=[1, 0], so={"73": 1, "4": 1})
    assert names(described) == ["switch2"]
    assert sorted(described.td["events"]) == ["button1_press", "switch1_press"]
    assert described.notes == ("switch 2: it tells when it goes on, never when it goes off",)
    for topic in ("stat/plug/RESULT", "stat/plug/BUTTON1"):
        assert events(described, topic, {"Button1": {"Action": "DOUBLE"}}) == [("button1_press", "DOUBLE")]
    assert "events" not in describe(btn=[1, 0], so={"73": 0}).td


def test_a_button_that_answers_at_once_knows_one_press():
    (button,) = describe(btn=[1], so={"73": 1, "13": 1}).td["events"].values()
    assert button["data"]["enum"] == ["SINGLE"]


def test_a_tag_that_is_read_is_an_event():
    described = describe({"Time": "", "PN532": {"UID": "", "DATA": ""}})
    data = described.td["events"]["pn532_tag"]["data"]
    assert data == {"type": "object", "properties": {"UID": {"type": "string"}, "DATA": {"type": "string"}}}
    told = {"UID": "94D8FC5F", "DATA": "ILOVETASMOTA"}
    assert events(described, "tele/plug/SENSOR", {"Time": "", "PN532": told}) == [("pn532_tag", told)]


SENSORS = {
    "Time": "2026-01-01T00:00:00",
    "Switch1": "ON",
    "BME280": {"Temperature": None, "Humidity": 50.1, "Pressure": 1000.2, "DewPoint": 9.9},
    "ENERGY": {"TotalStartTime": "2020", "Total": 0.1, "Power": [0, 1], "Factor": 0.4},
    "ANALOG": {"Temperature1": 20.1, "CTEnergy1": {"Energy": 0.5, "Current": 10}},
    "TX23": {"Speed": {"Act": 14.8}, "Dir": {"Card": "WSW"}},
    "LD2410": {"Energy": 3},
    "PN532": {"UID": "x"},
    "TempUnit": "F",
    "PressureUnit": "mmHg",
    "SpeedUnit": "km/h",
}


def test_sensors():
    described = describe(SENSORS)
    found = {name: prop(described, name) for name in names(described)}
    number = {"type": "number", "readOnly": True}

    def of(kind, unit):
        return {"@type": f"quantitykind:{kind}", "diat:meaningFrom": "report", "unit": unit, **number}

    assert found == {
        "bme280_temperature": of("Temperature", "[degF]"),
        "bme280_humidity": of("RelativeHumidity", "%"),
        "bme280_pressure": of("Pressure", "mm[Hg]"),
        "bme280_dew_point": of("DewPointTemperature", "[degF]"),
        "energy_total_start_time": {"type": "string", "readOnly": True},
        "energy_total": of("Energy", "kW.h"),
        "energy_power_1": of("Power", "W"),
        "energy_power_2": of("Power", "W"),
        "energy_factor": of("PowerFactor", "1"),
        "analog_temperature1": of("Temperature", "[degF]"),
        "analog_ctenergy1_energy": of("Energy", "kW.h"),
        "analog_ctenergy1_current": of("ElectricCurrent", "A"),
        "tx23_speed_act": of("Speed", "km/h"),
        "tx23_dir_card": {"type": "string", "readOnly": True},
        "ld2410_energy": number,
    }
    assert described.notes == ()


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ({"BME280": {"Temperature": 68.5, "Humidity": None}}, {"bme280_temperature": 68.5}),
        ({"ENERGY": {"Power": [5, 6]}}, {"energy_power_1": 5, "energy_power_2": 6}),
        ({"ENERGY": {"Power": [5]}}, {"energy_power_1": 5}),
        ({"ENERGY": {"Power": 2.5}}, {"energy_power_1": 2.5}),
        ({"BME280": 5}, {}),
    ],
)
def test_sensor_reports(said, values):
    described = describe(SENSORS)
    assert read(described, "tele/plug/SENSOR", said) == values
    assert read(described, "stat/plug/STATUS8", {"StatusSNS": said}) == values
    assert read(described, "stat/plug/STATUS10", {"StatusSNS": said}) == values


def test_a_unit_that_is_not_known_leaves_no_quantity():
    described = describe({"X": {"Temperature": 1}, "TempUnit": "R"})
    assert prop(described, "x_temperature") == {"type": "number", "readOnly": True}
    assert described.notes == ("'X Temperature': the unit 'R' is not understood",)


def test_the_last_will():
    def will(**changes):
        (inlet,) = [i for i in describe(**changes).inlets if i.topic == "tele/plug/LWT"]
        return inlet

    assert will().read(b"Online") == Uptake(available=True)
    assert will().read(b"Offline") == Uptake(available=False)
    assert will(onln="da").read(b"da") == Uptake(available=True)
    assert will(dslp=60).read(b"Offline") == Uptake(available="sleeping")
    assert len(will().read(b"?").notes) == 1


def test_the_battery():
    described = describe(bat=1)
    assert prop(described, "battery")["@type"] == "quantitykind:StateOfCharge"
    assert read(described, "tele/plug/STATE", {"BatteryPercentage": 55}) == {"battery": 55}


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        (f"{MAC}/config", b"asd"),
        (f"{MAC}/config", b"[]"),
        (f"{MAC}/config", b"{}"),
        (f"{MAC}/config", json.dumps(CONFIG | {"mac": "000000000001"}).encode()),
        (f"{MAC}/config", json.dumps(CONFIG | {"t": ""}).encode()),
        (f"{MAC}/config", json.dumps(CONFIG | {"ft": "a/+/%prefix%"}).encode()),
        (f"{MAC}/sensors", b'{"sn": 5}'),
        ("not a mac/config", b"{}"),
        (f"{MAC}/other", b"{}"),
    ],
)
def test_what_cannot_be_used_is_refused(path, payload):
    assert isinstance(T.hear(f"tasmota/discovery/{path}", payload), Refusal)


def test_withdrawal_and_strangers():
    topic = f"tasmota/discovery/{MAC}/config"
    assert T.hear(topic, b"") == Withdrawal(topic)
    assert T.hear("tele/plug/STATE", b"{}") is None
    assert isinstance(Tasmota("x").hear(f"x/{MAC}/config", json.dumps(CONFIG).encode()), Part)
