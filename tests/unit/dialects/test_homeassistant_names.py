"""Names of the affordances of things announced to Home Assistant."""

import itertools
import json

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant

HA = HomeAssistant()
DEVICE = {"ids": ["node_1"], "name": "Thermometer"}


def describe(*announced, device=DEVICE):
    """Describe a thing from pairs of ``component/object_id`` and config."""
    parts = []
    for path, config in announced:
        part = HA.hear(f"homeassistant/{path}/config", json.dumps({"dev": device} | config).encode())
        parts.append(part)
    return HA.describe(parts)


def names(described):
    return sorted([*described.td.get("properties", {}), *described.td.get("actions", {})])


JSON_LIGHT = {
    "schema": "json",
    "cmd_t": "l/set",
    "stat_t": "l",
    "brightness": True,
    "bri_scl": 254,
    "sup_clrm": ["xy", "color_temp"],
    "min_mirs": 153,
    "max_mirs": 370,
    "effect": True,
    "fx_list": ["blink", "breathe"],
    "name": None,
}


@pytest.mark.parametrize(
    ("object_id", "device", "name"),
    [
        ("295AB4_DS18S20_Temperature", {"ids": ["295AB4"]}, "ds18s20_temperature"),
        ("garage_temperature", {"ids": "20500de464ec", "name": "GarageDoor1"}, "garage_temperature"),
        ("hall_sensor_temperature", {"ids": ["x"], "name": "Hall sensor"}, "temperature"),
        ("autoTimerOff_1", {"ids": ["x"]}, "autotimeroff_1"),
        ("x_2", {"ids": ["x"]}, "x_2"),  # a number alone says nothing
        ("x", {"ids": ["x"]}, "sensor"),
        ("--", {"ids": ["x"]}, "sensor"),
    ],
)
def test_names_are_readable(object_id, device, name):
    assert names(describe((f"sensor/{object_id}", {"stat_t": "s"}), device=device)) == [name]


def test_names_do_not_depend_on_the_order_of_the_announcements():
    announced = [
        ("sensor/power", {"stat_t": "s"}),
        ("switch/power", {"cmd_t": "c"}),
        ("button/Power", {"cmd_t": "c"}),
        ("sensor/node_1/power", {"stat_t": "s2"}),
        ("light/a", JSON_LIGHT),
        ("light/b", JSON_LIGHT | {"effect": False}),
    ]
    seen = set()
    for order in itertools.permutations(announced):
        described = describe(*order)
        seen.add(json.dumps([described.td, [i.topic for i in described.inlets]], sort_keys=True))
    assert len(seen) == 1
    assert names(describe(*announced)) == sorted(
        [
            *("power_sensor", "power_sensor_2", "power_switch", "power_button"),
            *("a", "a_brightness", "a_color", "a_color_mode", "a_color_temp", "a_effect", "a_turn_on"),
            *("b", "b_brightness", "b_color", "b_color_mode", "b_color_temp", "b_turn_on"),
        ]
    )


def test_what_lies_within_an_entity_gives_way():
    described = describe(
        ("sensor/mode", {"stat_t": "s"}), ("climate/heating", {"mode_cmd_t": "c", "temp_cmd_t": "t"})
    )
    assert names(described) == ["heating_mode", "mode", "target_temperature"]
