"""Commands to things announced to Home Assistant."""

import json

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.port import Outgoing, Refusal

HA = HomeAssistant()


def outlets(component, config):
    part = HA.hear(f"homeassistant/{component}/it/config", json.dumps({"cmd_t": "c"} | config).encode())
    described = HA.describe([part])
    assert described.notes == ()
    return described.outlets


@pytest.mark.parametrize(
    ("component", "config", "value", "payload"),
    [
        ("switch", {}, True, b"ON"),
        ("switch", {"pl_off": "0"}, False, b"0"),
        ("switch", {"pl_on": True, "pl_off": False}, True, b"true"),
        ("switch", {"pl_on": {"state": 1}}, True, b'{"state":1}'),
        ("switch", {"cmd_tpl": '{"relay": "{{ value }}"}'}, True, b'{"relay": "ON"}'),
        ("number", {}, 21.0, b"21"),
        ("number", {}, 21.5, b"21.5"),
        ("number", {"cmd_tpl": '{"target": {{ value }}}'}, 7, b'{"target": 7}'),
        ("number", {"cmd_tpl": "{{ (value * 10) | int }}"}, 2.5, b"25"),
        ("button", {}, None, b"PRESS"),
        ("button", {"pl_prs": ""}, None, b""),
        ("button", {"pl_prs": "go", "cmd_tpl": '{"do": "{{ value }}"}'}, None, b'{"do": "go"}'),
    ],
)
def test_payloads(component, config, value, payload):
    outlet = outlets(component, config)["it"]
    assert outlet.write(value) == Outgoing("c", payload, 1, False)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, (1, False)),
        ({"qos": 0}, (1, False)),
        ({"qos": 2, "ret": True}, (2, True)),
        ({"qos": "2"}, (1, False)),
    ],
)
def test_quality_of_service_and_retain(said, sent):
    outgoing = outlets("switch", said)["it"].write(True)
    assert (outgoing.qos, outgoing.retain) == sent


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("switch", 1),
        ("switch", "ON"),
        ("number", "7"),
        ("number", True),
        ("number", float("nan")),
        ("number", None),
    ],
)
def test_a_value_that_cannot_be_encoded_is_refused(component, value):
    assert isinstance(outlets(component, {})["it"].write(value), Refusal)


def test_what_confirms_and_what_may_be_repeated():
    told = outlets("switch", {"stat_t": "s"})["it"]
    assert (told.confirmed_by, told.idempotent) == ("it", True)
    assert outlets("switch", {})["it"].confirmed_by is None
    press = outlets("button", {})["it"]
    assert (press.confirmed_by, press.idempotent) == (None, False)


def test_a_json_light():
    light = outlets(
        "light",
        {
            "schema": "json",
            "stat_t": "s",
            "sup_clrm": ["xy", "color_temp"],
            "effect": True,
            "fx_list": ["blink"],
        },
    )
    sent = {
        "it": (True, {"state": "ON"}),
        "brightness": (100.0, {"state": "ON", "brightness": 100}),
        "color_temp": (250, {"state": "ON", "color_temp": 250}),
        "color": ({"x": 0.3, "y": 0.5}, {"state": "ON", "color": {"x": 0.3, "y": 0.5}}),
        "effect": ("blink", {"state": "ON", "effect": "blink"}),
    }
    assert light.keys() == {*sent, "turn_on"}
    for name, (value, payload) in sent.items():
        assert json.loads(light[name].write(value).payload) == payload
        assert light[name].confirmed_by == name
    assert light["it"].write(False).payload == b'{"state":"OFF"}'
    for name, value in (
        ("brightness", "x"),
        ("color", {"x": 1}),
        ("color", {"x": 1, "y": None}),
        ("effect", 5),
    ):
        assert isinstance(light[name].write(value), Refusal)


def test_a_basic_light():
    light = outlets(
        "light",
        {
            "bri_cmd_t": "b",
            "bri_cmd_tpl": "{{ value }}%",
            "hs_cmd_t": "h",
            "fx_cmd_t": "e",
            "clr_temp_cmd_t": "t",
        },
    )
    assert light["it"].write(False) == Outgoing("c", b"OFF")
    assert light["brightness"].write(5) == Outgoing("b", b"5%")
    assert light["color"].write({"h": 10.0, "s": 55.5}) == Outgoing("h", b"10,55.5")
    assert light["effect"].write("x") == Outgoing("e", b"x")
    assert light["color_temp"].write(200) == Outgoing("t", b"200")


def test_a_colour_through_a_template():
    light = outlets(
        "light", {"rgb_cmd_t": "r", "rgb_cmd_tpl": "{{ '%02x%02x%02x' | format(red, green, blue) }}"}
    )
    assert light["color"].write({"r": 255, "g": 0, "b": 16}) == Outgoing("r", b"ff0010")


def test_a_climate():
    climate = outlets(
        "climate",
        {
            "temp_cmd_t": "t",
            "mode_cmd_t": "m",
            "mode_cmd_tpl": "{% set values = { 'auto':'schedule','heat':'manual','off':'pause'} %}"
            '{"operating_mode": "{{ values[value] if value in values.keys() else \'pause\' }}"}',
            "fan_mode_cmd_t": "f",
            "pow_cmd_t": "p",
            "ret": True,
        },
    )
    assert climate["target_temperature"].write(21.5) == Outgoing("t", b"21.5", 1, True)
    assert climate["mode"].write("heat").payload == b'{"operating_mode": "manual"}'
    assert climate["fan_mode"].write("low").payload == b"low"
    assert climate["power"].write(True).payload == b"ON"
    assert isinstance(climate["mode"].write(3), Refusal)
    assert isinstance(climate["fan_mode"].write("\ud800"), Refusal)


def test_a_command_template_that_fails_refuses():
    outlet = outlets("number", {"cmd_tpl": "{{ 1 / value }}"})["it"]
    assert outlet.write(4).payload == b"0.25"
    assert outlet.write(0) == Refusal("the template fails: division by zero")
