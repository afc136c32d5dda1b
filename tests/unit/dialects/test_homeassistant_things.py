"""What Home Assistant announcements become: titles, names, schemas, meaning, notes."""

import json
import time

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant

HA = HomeAssistant()
DEVICE = {"ids": ["node_1"], "name": "Thermometer"}
CLASSED = {"diat:meaningFrom": "device-class"}


def describe(*announced, device=DEVICE):
    """Describe a thing from pairs of ``component/object_id`` and config."""
    parts = []
    for path, config in announced:
        part = HA.hear(f"homeassistant/{path}/config", json.dumps({"dev": device} | config).encode())
        parts.append(part)
    return HA.describe(parts)


def prop(component, config):
    described = describe((f"{component}/it", {"stat_t": "s", "cmd_t": "c"} | config))
    assert described.notes == ()
    (found,) = described.td["properties"].values()
    return {key: value for key, value in found.items() if key not in {"title", "readOnly"}}


def names(described):
    return sorted([*described.td.get("properties", {}), *described.td.get("actions", {})])


def test_a_tasmota_sensor():
    described = describe(
        (
            "sensor/295AB4_DS18S20_Temperature",
            {
                "name": "gen-01 DS18S20 Temperature",
                "stat_t": "~SENSOR",
                "avty_t": "~LWT",
                "pl_avail": "Online",
                "pl_not_avail": "Offline",
                "uniq_id": "295AB4_DS18S20_Temperature",
                "~": "gen-01/tele/",
                "unit_of_meas": "°C",
                "val_tpl": "{{value_json['DS18S20'].Temperature}}",
                "dev_cla": "temperature",
            },
        ),
        device={"ids": ["295AB4"], "cns": [["mac", "3C:71:BF:29:5A:B4"]]},
    )
    assert described.td == {
        "title": "gen-01 DS18S20 Temperature",
        "diat:identifiers": ["295AB4", "3C:71:BF:29:5A:B4", "295AB4_DS18S20_Temperature"],
        "properties": {
            "ds18s20_temperature": {
                "title": "gen-01 DS18S20 Temperature",
                "@type": "quantitykind:Temperature",
                **CLASSED,
                "type": "number",
                "unit": "Cel",
                "readOnly": True,
            }
        },
    }


def test_what_is_known_of_the_device_is_told():
    device = {
        "ids": ["zigbee2mqtt_0x00158d0001e83a31"],
        "name": "Kitchen plug",
        "mf": "Maker",
        "mdl": "Plug (P1)",
        "sw": "1.2",
        "sa": "hq/2/kitchen",
        "sn": "SN7",
    }
    td = describe(
        ("switch/0x00158d0001e83a31/switch", {"cmd_t": "c", "uniq_id": "u1", "name": None}), device=device
    ).td
    assert {key: value for key, value in td.items() if key != "properties"} == {
        "title": "Kitchen plug",
        "diat:place": "hq/2/kitchen",
        "diat:manufacturer": "Maker",
        "diat:model": "Plug (P1)",
        "version": {"instance": "1.2"},
        "diat:identifiers": ["zigbee2mqtt_0x00158d0001e83a31", "0x00158d0001e83a31", "SN7", "u1"],
    }
    assert td["properties"]["switch"]["title"] == "Kitchen plug"


@pytest.mark.parametrize(
    ("config", "schema"),
    [
        ({}, {"type": "string"}),
        ({"unit_of_meas": " "}, {"type": "string"}),
        ({"dev_cla": "timestamp"}, {"type": "string"}),
        ({"stat_cla": "measurement"}, {"type": "number"}),
        ({"sug_dsp_prc": 1}, {"type": "number"}),
        ({"unit_of_meas": "W"}, {
            "@type": "quantitykind:Power", "type": "number", "unit": "W",
            "diat:meaningFrom": "unit", "diat:confidence": 0.7,
        }),
        ({"unit_of_meas": "w", "dev_cla": "power"}, {
            "@type": "quantitykind:Power", "type": "number", "unit": "W", **CLASSED,
        }),
        ({"unit_of_meas": "%"}, {"type": "number", "unit": "%"}),
        (
            {"unit_of_meas": "°C", "dev_cla": "temperature"},
            {"@type": "quantitykind:Temperature", "type": "number", "unit": "Cel", **CLASSED},
        ),
        ({"dev_cla": "enum", "ops": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"dev_cla": "battery", "exp_aft": 90, "ent_cat": "diagnostic"}, {
            "@type": "quantitykind:StateOfCharge", "type": "number", **CLASSED,
            "diat:silence": 90, "diat:entityCategory": "diagnostic",
        }),
        ({"en": False}, {"type": "string"}),
    ],
)  # fmt: skip
def test_sensors(config, schema):
    assert prop("sensor", config) == schema


@pytest.mark.parametrize(
    ("component", "config", "schema"),
    [
        (
            "binary_sensor",
            {"dev_cla": "moisture"},
            {"@type": "quantitykind:WaterLeak", "type": "boolean", **CLASSED},
        ),
        ("switch", {"ent_cat": "config"}, {"type": "boolean", "diat:entityCategory": "config"}),
        (
            "number",
            {"min": -5.5, "max": "40", "step": 0.5, "unit_of_meas": "°C", "dev_cla": "temperature"},
            {
                "@type": "quantitykind:Temperature",
                **CLASSED,
                "type": "number",
                "minimum": -5.5,
                "maximum": 40,
                "multipleOf": 0.5,
                "unit": "Cel",
            },
        ),
        # a unit alone does not tell a set-point from a correction
        ("number", {"unit_of_meas": "°C"}, {"type": "number", "minimum": 1, "maximum": 100, "unit": "Cel"}),
    ],
)
def test_booleans_and_numbers(component, config, schema):
    assert prop(component, config) == schema


def test_what_cannot_be_written_is_read_only():
    described = describe(("sensor/a", {"stat_t": "s"}), ("switch/b", {"cmd_t": "c"}))
    assert described.td["properties"]["a"]["readOnly"] is True
    assert "readOnly" not in described.td["properties"]["b"]


def test_a_button_is_an_action():
    described = describe(("button/restart", {"cmd_t": "c", "name": "Restart", "ent_cat": "config"}))
    assert described.td["actions"] == {"restart": {"title": "Restart", "diat:entityCategory": "config"}}
    assert "properties" not in described.td


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


def test_a_json_light_has_what_it_declares():
    described = describe(("light/node_1/light", JSON_LIGHT))
    properties = described.td["properties"]
    assert set(properties) == {"light", "brightness", "color_temp", "color", "color_mode", "effect"}
    assert properties["light"] == {
        "title": "Thermometer",
        "type": "boolean",
        "diat:affects": {"quantity": "Illuminance", "direction": "increase"},
        "diat:channel": "light",
    }
    assert properties["brightness"] == {
        "title": "Thermometer brightness",
        "type": "number",
        "minimum": 0,
        "maximum": 254,
    }
    assert properties["color_temp"]["unit"] == "MK-1"
    assert (properties["color_temp"]["minimum"], properties["color_temp"]["maximum"]) == (153, 370)
    assert set(properties["color"]["properties"]) == {"x", "y"}
    assert properties["effect"]["enum"] == ["blink", "breathe"]


def test_a_light_that_only_goes_on_and_off():
    assert names(describe(("light/led", {"schema": "json", "cmd_t": "c", "sup_clrm": ["onoff"]}))) == ["led"]


def test_a_basic_light():
    described = describe(
        (
            "light/lamp",
            {
                "cmd_t": "c",
                "stat_t": "s",
                "bri_cmd_t": "bc",
                "bri_stat_t": "bs",
                "bri_scl": 100,
                "rgb_cmd_t": "rc",
                "clr_temp_cmd_t": "tc",
                "clr_temp_k": True,
                "fx_cmd_t": "ec",
                "fx_list": ["rainbow"],
            },
        )
    )
    properties = described.td["properties"]
    assert set(properties) == {"lamp", "brightness", "color", "color_temp", "effect"}
    assert properties["brightness"]["maximum"] == 100
    assert set(properties["color"]["properties"]) == {"r", "g", "b"}
    assert properties["color_temp"]["unit"] == "K"


def test_a_climate_has_what_it_declares():
    described = describe(
        (
            "climate/climate",
            {
                "curr_temp_t": "s",
                "curr_temp_tpl": "{{ value_json.local }}",
                "temp_cmd_t": "c/t",
                "temp_stat_t": "s",
                "temp_stat_tpl": "{{ value_json.target }}",
                "min_temp": "5",
                "max_temp": "30",
                "temp_step": 0.5,
                "mode_cmd_t": "c/m",
                "modes": ["off", "heat"],
                "act_t": "s",
                "pr_mode_cmd_t": "c/p",
                "pr_modes": ["eco"],
                "fan_mode_stat_t": "s",
            },
        )
    )
    properties = described.td["properties"]
    assert set(properties) == {
        *("current_temperature", "target_temperature", "mode", "action", "preset_mode", "fan_mode"),
    }
    assert properties["target_temperature"] == {
        "title": "Climate target temperature",
        "@type": "quantitykind:Temperature",
        "type": "number",
        "unit": "Cel",
        "minimum": 5,
        "maximum": 30,
        "multipleOf": 0.5,
    }
    assert properties["mode"]["enum"] == ["off", "heat"]
    assert properties["preset_mode"]["enum"] == ["none", "eco"]
    assert properties["fan_mode"] == {
        "title": "Climate fan mode",
        "type": "string",
        "enum": ["auto", "low", "medium", "high"],
        "readOnly": True,
    }
    assert set(described.outlets) == {"target_temperature", "mode", "preset_mode"}


def test_target_temperatures_low_and_high_in_fahrenheit():
    described = describe(
        ("climate/c", {"temp_lo_cmd_t": "lo", "temp_hi_cmd_t": "hi", "temp_unit": "F", "name": None})
    )
    low = described.td["properties"]["target_temperature_low"]
    assert (low["unit"], low["minimum"], low["maximum"]) == ("[degF]", 45, 95)
    assert "target_temperature_high" in described.td["properties"]


def test_what_is_not_understood_is_noted_and_leaves_the_rest_alone():
    described = describe(
        ("sensor/ok", {"stat_t": "s"}),
        ("toaster/t", {"cmd_t": "c"}),
        ("light/old", {"schema": "hexagonal", "cmd_t": "c"}),
        ("cover/blind", {"dev_cla": "blind"}),
        ("sensor/odd", {"stat_t": "s", "unit_of_meas": "smoots"}),
        ("sensor/clock", {"stat_t": "s", "val_tpl": "{{ now() }}"}),
        ("sensor/macro", {"stat_t": "s", "val_tpl": "{% macro m() %}{% endmacro %}"}),
        ("climate/ac", {"mode_cmd_t": "c", "temp_stat_t": "s", "temp_stat_tpl": "{{ value | nosuch }}"}),
        ("number/n", {"cmd_t": "c", "min": 5, "max": 1}),
        ("sensor/raw", {"stat_t": "s", "e": "rot13"}),
        ("sensor/listed", {"stat_t": "s", "ops": 7}),
        ("text/t", {"cmd_t": "c", "min": 5, "max": 1, "ptrn": "(a+)+$"}),
    )
    assert names(described) == ["clock", "mode", "odd", "ok", "t"]
    assert described.notes == (
        "climate 'ac': the template '{{ value | nosuch }}' cannot be used: No filter named 'nosuch'.",
        "cover 'blind': it names nothing that could be told or commanded",
        "light 'old': the schema 'hexagonal' is not understood",
        "number 'n': min 5 is above max 1",
        "sensor 'clock': value_template asks for 'now', which is not known here: where it needs that, "
        "it says nothing",
        "sensor 'listed': options must be a list, not 7",
        "sensor 'macro': the template uses macro, which is not offered",
        "sensor 'odd': the unit 'smoots' is not understood",
        "sensor 'raw': the encoding 'rot13' is not understood",
        "text 't': min 5 is above max 1",
        "text 't': pattern: the pattern '(a+)+$' repeats what already repeats or chooses",
        "toaster 't': no such component is known",
    )


def test_a_component_of_the_device_form_without_its_topic_is_noted():
    part = HA.hear(
        "homeassistant/device/d/config",
        json.dumps({"dev": {"ids": "d"}, "cmps": {"a": {"p": "switch", "name": "A"}}}).encode(),
    )
    described = HA.describe([part])
    assert described.notes == ("switch 'a': command_topic is missing",)
    assert described.td["title"] == "A"


def test_describing_is_quick():
    announced = [
        (
            f"sensor/node_1/value_{n}",
            {"stat_t": "s", "val_tpl": f"{{{{ value_json.v{n} }}}}", "unit_of_meas": "W", "uniq_id": str(n)},
        )
        for n in range(15)
    ]
    describe(*announced)  # compiles the templates
    parts = [
        HA.hear(f"homeassistant/{path}/config", json.dumps({"dev": DEVICE} | config).encode())
        for path, config in announced
    ]
    times = []
    for _ in range(10):
        start = time.perf_counter()
        HA.describe(parts)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005
