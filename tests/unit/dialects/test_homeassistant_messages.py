"""State and availability messages of things announced to Home Assistant."""

import json

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.port import Uptake

HA = HomeAssistant()


def describe(*announced):
    return HA.describe(
        [
            HA.hear(f"homeassistant/{path}/config", json.dumps({"dev": {"ids": "d"}} | config).encode())
            for path, config in announced
        ]
    )


def read(described, topic, payload):
    """What all inlets of a topic say, put together."""
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    values, available, notes = {}, None, ()
    for inlet in described.inlets:
        if inlet.topic == topic:
            uptake = inlet.read(payload)
            values |= uptake.values
            available = available if uptake.available is None else uptake.available
            notes += uptake.notes
    return Uptake(values=values, available=available, notes=notes)


def one(component, config, payload):
    described = describe((f"{component}/it", {"stat_t": "s", "cmd_t": "c"} | config))
    assert described.notes == ()
    return read(described, "s", payload)


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"21.50", 21.5), (b"-3", -3), (b" 7 ", 7), (b"+1e3", 1000.0), (b".5", 0.5), (b"0", 0)],
)
def test_numbers(text, value):
    uptake = one("sensor", {"unit_of_meas": "W"}, text)
    assert uptake == Uptake(values={"it": value})
    assert type(uptake.values["it"]) is type(value)


@pytest.mark.parametrize("text", [b"None", b"unknown", b"unavailable", b""])
@pytest.mark.parametrize("config", [{"unit_of_meas": "W"}, {}, {"ops": ["a"]}])
def test_no_value_is_nothing_and_no_note(text, config):
    assert one("sensor", config, text) == Uptake()


@pytest.mark.parametrize(
    "text", [b"warm", b"nan", b"inf", b"1_000", b"1e999", b"0x10", b"9" * 100, "²".encode()]
)
def test_what_is_not_a_number_is_noted(text):
    uptake = one("sensor", {"unit_of_meas": "W"}, text)
    assert uptake.values == {}
    (note,) = uptake.notes
    assert note.startswith("sensor 'it': ")


def test_text_is_kept_as_it_stands():
    assert one("sensor", {}, b'{"a": 1}').values == {"it": '{"a": 1}'}
    assert one("sensor", {"dev_cla": "timestamp"}, b"2026-01-31T12:00:00Z").values == {
        "it": "2026-01-31T12:00:00Z"
    }
    assert one("sensor", {"e": "latin-1"}, "über".encode("latin-1")).values == {"it": "über"}


def test_options():
    assert one("sensor", {"ops": ["low", "unknown"]}, b"unknown").values == {"it": "unknown"}
    assert one("sensor", {"ops": ["low"]}, b"high").notes == ("sensor 'it': 'high' is none of its options",)


@pytest.mark.parametrize(
    ("config", "payload", "value"),
    [
        ({}, b"ON", True),
        ({}, b"OFF", False),
        ({"pl_on": "1", "pl_off": "0"}, b"1", True),
        ({"pl_on": 1, "pl_off": 0}, b"0", False),
        # Zigbee2MQTT: JSON booleans, which Jinja prints as True and False
        ({"pl_on": True, "pl_off": False, "val_tpl": "{{ value_json.x }}"}, {"x": True}, True),
        ({"pl_on": True, "pl_off": False, "val_tpl": "{{ value_json.x }}"}, {"x": False}, False),
        (
            {"pl_on": False, "pl_off": True, "val_tpl": '{{ value_json["contact"] }}'},
            {"contact": True},
            False,
        ),
        ({"pl_on": True, "pl_off": False}, b"true", True),
        ({"val_tpl": "{{ value_json.Leak }}"}, {"Leak": "OFF"}, False),
    ],
)
def test_binary_sensors(config, payload, value):
    assert one("binary_sensor", config, payload) == Uptake(values={"it": value})


def test_a_switch_may_tell_its_state_in_other_words_than_it_is_commanded():
    config = {
        "pl_on": '{"time": 254}',
        "pl_off": '{"time": 0}',
        "stat_on": "true",
        "stat_off": "false",
        "val_tpl": "{{ value_json.permit_join | lower }}",
    }
    assert one("switch", config, {"permit_join": True}).values == {"it": True}
    assert one("switch", {}, b"perhaps").notes == ("switch 'it': 'perhaps' is neither 'ON' nor 'OFF'",)
    assert one("switch", {}, b"None") == Uptake()


def test_a_number_may_be_reset():
    assert one("number", {}, b"5").values == {"it": 5}
    assert one("number", {"pl_rst": "gone"}, b"gone") == Uptake()


def test_one_inlet_feeds_all_that_is_on_its_topic():
    described = describe(
        *(
            (f"sensor/v{n}", {"stat_t": "s", "unit_of_meas": "W", "val_tpl": f"{{{{ value_json.v{n} }}}}"})
            for n in range(6)
        ),
        ("sensor/other", {"stat_t": "t"}),
    )
    assert [inlet.topic for inlet in described.inlets] == ["t", "s"]
    assert read(described, "s", {f"v{n}": n for n in range(5)}).values == {f"v{n}": n for n in range(5)}


def test_what_a_message_does_not_speak_of_is_nothing():
    config = {"unit_of_meas": "W", "val_tpl": "{{ value_json['DS18S20'].Temperature }}"}
    assert one("sensor", config, {"Time": "now"}) == Uptake()
    assert one("sensor", {"val_tpl": "{{ value_json.x | is_defined }}"}, {"y": 1}) == Uptake()


def test_a_message_that_is_not_json_is_noted_once():
    described = describe(
        *((f"sensor/v{n}", {"stat_t": "s", "val_tpl": f"{{{{ value_json.v{n} }}}}"}) for n in range(3))
    )
    assert read(described, "s", b"oops") == Uptake(notes=("'oops' is not JSON",))
    assert read(described, "s", b"\xff\xfe") == Uptake(notes=(r"b'\xff\xfe' is not text in utf-8",))


def test_a_template_that_fails_is_a_note():
    config = {"val_tpl": "{{ value_json.a / value_json.b }}", "unit_of_meas": "W"}
    assert one("sensor", config, {"a": 1, "b": 2}).values == {"it": 0.5}
    assert one("sensor", config, {"a": 1, "b": 0}).notes == (
        "sensor 'it': the template fails: division by zero",
    )


def test_a_json_light():
    described = describe(
        (
            "light/light",
            {
                "schema": "json",
                "stat_t": "s",
                "cmd_t": "c",
                "sup_clrm": ["hs", "color_temp"],
                "effect": True,
                "fx_list": ["blink"],
            },
        )
    )
    state = {
        "state": "ON",
        "brightness": 120,
        "color_temp": 300,
        "color": {"h": 10, "s": 20},
        "effect": "blink",
    }
    assert read(described, "s", state).values == {
        "light": True,
        "brightness": 120,
        "color_temp": 300,
        "color": {"h": 10, "s": 20},
        "effect": "blink",
    }
    assert read(described, "s", {"state": "OFF"}).values == {"light": False}
    assert read(described, "s", {"state": None, "color": {"x": 0.1, "y": 0.2}, "effect": "none"}) == Uptake()
    assert read(described, "s", {"color": {"hue": 1, "saturation": 2}}).values == {"color": {"h": 1, "s": 2}}
    uptake = read(described, "s", {"state": "ON", "brightness": "bright", "color": 7, "effect": "melt"})
    assert uptake.values == {"light": True}
    assert uptake.notes == (
        "light 'light' brightness: 'bright' is not a number",
        "light 'light' color: 7 is not a colour",
        "light 'light' effect: its effect 'melt' is not in its list",
    )
    assert read(described, "s", b"[1]").notes == ("'[1]' is not a JSON object",)


def test_a_basic_light():
    described = describe(
        ("light/lamp", {"cmd_t": "c", "stat_t": "s", "bri_stat_t": "b", "rgb_stat_t": "r", "fx_stat_t": "e"})
    )
    assert read(described, "s", b"OFF").values == {"lamp": False}
    assert read(described, "b", b"17").values == {"brightness": 17}
    assert read(described, "r", b"255,0,10").values == {"color": {"r": 255, "g": 0, "b": 10}}
    assert read(described, "r", b"255,0").notes == (
        "light 'lamp' color: '255,0' is not 3 numbers separated by commas",
    )
    assert read(described, "e", b"rainbow").values == {"effect": "rainbow"}


def test_a_climate():
    described = describe(
        (
            "climate/climate",
            {
                "curr_temp_t": "s",
                "curr_temp_tpl": '{{ value_json["local_temperature"] }}',
                "temp_cmd_t": "c",
                "temp_stat_t": "s",
                "temp_stat_tpl": '{{ value_json["target"] }}',
                "mode_stat_t": "s",
                "mode_stat_tpl": "{% set values = {'schedule':'auto','pause':'off'} %}"
                "{% set value = value_json.operating_mode %}"
                "{{ values[value] if value in values.keys() else 'off' }}",
                "modes": ["off", "auto"],
                "act_t": "s",
                "act_tpl": "{% set values = {None:None,'idle':'idle','heat':'heating'} %}"
                '{{ values[value_json["running_state"]] }}',
            },
        )
    )
    state = {"local_temperature": 20.5, "target": 21, "operating_mode": "schedule", "running_state": "heat"}
    assert read(described, "s", state) == Uptake(
        values={"current_temperature": 20.5, "target_temperature": 21, "mode": "auto", "action": "heating"}
    )
    assert read(described, "s", {"local_temperature": 20.5, "running_state": None}).values == {
        "current_temperature": 20.5,
        "mode": "off",
    }


Z2M = [
    {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
    {"topic": "zigbee2mqtt/plug/availability", "value_template": "{{ value_json.state }}"},
]


def test_availability_is_asked_for_once_by_all_entities():
    described = describe(
        *((f"sensor/v{n}", {"stat_t": "s", "avty": Z2M, "avty_mode": "all"}) for n in range(3)),
    )
    assert [inlet.topic for inlet in described.inlets] == ["s", *(source["topic"] for source in Z2M)]
    assert described.availability == "all"
    assert read(described, "zigbee2mqtt/bridge/state", {"state": "online"}).available is True
    assert read(described, "zigbee2mqtt/bridge/state", {"state": "offline"}).available is False
    assert read(described, "zigbee2mqtt/bridge/state", {"other": 1}) == Uptake()
    assert read(described, "zigbee2mqtt/bridge/state", b"") == Uptake()
    assert read(described, "zigbee2mqtt/bridge/state", b"online").notes == (
        "availability: 'online' is not JSON",
    )


@pytest.mark.parametrize(
    ("config", "payload", "available"),
    [
        ({}, b"online", True),
        ({}, b"offline", False),
        ({"pl_avail": "Online", "pl_not_avail": "Offline"}, b"Offline", False),
        ({"avty_tpl": "{{ value_json.s }}", "pl_avail": True, "pl_not_avail": False}, b'{"s": true}', True),
    ],
)
def test_a_single_availability_topic(config, payload, available):
    described = describe(("sensor/a", {"stat_t": "s", "avty_t": "lwt"} | config))
    assert described.availability == "latest"
    assert read(described, "lwt", payload).available is available


def test_availability_that_is_not_understood():
    described = describe(("sensor/a", {"stat_t": "s", "avty_t": "lwt"}))
    assert read(described, "lwt", b"perhaps") == Uptake(
        notes=("availability: 'perhaps' is neither 'online' nor 'offline'",)
    )
    described = describe(
        ("sensor/a", {"stat_t": "s", "avty": [{"t": "x/#"}, {}, 5, {"t": "ok"}], "avty_mode": "most"}),
    )
    assert described.notes == (
        "availability: topic 'x/#' is not a topic that messages can be on",
        "availability: a source has no topic",
        "the availability mode 'most' is not understood",
    )
    assert [inlet.topic for inlet in described.inlets] == ["s", "ok"]


def test_entities_that_disagree_on_the_mode():
    described = describe(
        ("sensor/a", {"stat_t": "s", "avty_mode": "any"}),
        ("sensor/b", {"stat_t": "s", "avty_mode": "latest"}),
    )
    assert described.availability == "all"
    assert len(described.notes) == 1
