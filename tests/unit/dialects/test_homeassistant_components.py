"""Every component announced with all that it can have: what it has, what that means, how it is driven."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.homeassistant.components import COMPONENTS
from diat.vol.dialects.port import Outgoing, Refusal

HA = HomeAssistant()
TABLE = Path(__file__).parents[3] / "docs" / "reference" / "dialects.md"


def both(*keys):
    """A topic to be told on and one to command on, for each of these keys."""
    return {f"{key}{kind}_topic": f"{key or 'main_'}{kind}" for key in keys for kind in ("state", "command")}


FULL = {
    "alarm_control_panel": both("") | {"code": 1234},
    "binary_sensor": {"stat_t": "s", "off_dly": 5},
    "button": {"cmd_t": "c"},
    "camera": {"topic": "t"},
    "climate": {
        **both("temperature_", "temperature_low_", "temperature_high_", "target_humidity_", "mode_", "aux_"),
        **both("preset_mode_", "fan_mode_", "swing_mode_", "swing_horizontal_mode_"),
        "curr_temp_t": "s",
        "curr_hum_t": "s",
        "act_t": "s",
        "pow_cmd_t": "c",
        "pr_modes": ["eco"],
    },
    "cover": both("")
    | {"pos_t": "p", "set_pos_t": "sp", "tilt_cmd_t": "tc", "tilt_status_t": "ts", "pl_stop_tilt": "halt"},
    "date": both(""),
    "datetime": both(""),
    "device_automation": {"topic": "t", "atype": "trigger", "type": "press", "stype": "left", "pl": "hit"},
    "device_tracker": {"stat_t": "s", "json_attr_t": "a"},
    "event": {"stat_t": "s", "event_types": ["press"]},
    "fan": both("", "percentage_", "preset_mode_", "oscillation_", "direction_") | {"pr_modes": ["eco"]},
    "humidifier": both("", "target_humidity_", "mode_")
    | {"modes": ["eco"], "act_t": "a", "curr_hum_t": "h", "dev_cla": "dehumidifier"},
    "image": {"img_t": "i", "url_t": "u"},
    "infrared/emitter": {"schema": "emitter", "cmd_t": "c"},
    "infrared/receiver": {"schema": "receiver", "stat_t": "s"},
    "lawn_mower": {
        "act_stat_t": "s",
        "strt_mw_cmd_t": "a",
        "dock_cmd_t": "b",
        "pause_command_topic": "c",
    },
    "light": {
        **both("", "brightness_", "color_temp_", "effect_", "hs_", "xy_", "rgb_", "rgbw_", "rgbww_"),
        "color_mode_state_topic": "m",
        "whit_cmd_t": "w",
        "fx_list": ["rainbow"],
    },
    "light/json": {
        **both(""),
        "schema": "json",
        "effect": True,
        "fx_list": ["rainbow"],
        "sup_clrm": ["color_temp", "hs", "xy", "rgb", "rgbw", "rgbww", "white"],
    },
    "light/template": {
        **both(""),
        "schema": "template",
        "command_off_template": "off",
        "state_template": "{{ value.split(',')[0] }}",
        "command_on_template": "on,{{ brightness | d }},{{ color_temp | d }},{{ red | d }}-{{ green | d }}-"
        "{{ blue | d }},{{ hue | d }}-{{ sat | d }},{{ effect | d }},{{ transition | d }},{{ flash | d }}",
        "brightness_template": "{{ value.split(',')[1] }}",
        "color_temp_template": "{{ value.split(',')[2] }}",
        "red_template": "{{ value.split(',')[3].split('-')[0] }}",
        "green_template": "{{ value.split(',')[3].split('-')[1] }}",
        "blue_template": "{{ value.split(',')[3].split('-')[2] }}",
        "effect_template": "{{ value.split(',')[4] }}",
        "fx_list": ["rainbow"],
    },
    "lock": both("") | {"pl_open": "OPEN", "cod_form": r"^\d{4}$", "cmd_tpl": "{{ value }} {{ code }}"},
    "notify": {"cmd_t": "c"},
    "number": both(""),
    "scene": {"cmd_t": "c"},
    "select": both("") | {"ops": ["a", "b"]},
    "sensor": {"stat_t": "s"},
    "siren": both("") | {"av_tones": ["bell"]},
    "switch": both(""),
    "tag": {"topic": "t"},
    "text": both(""),
    "time": both(""),
    "update": both("") | {"l_ver_t": "l", "pl_inst": "go"},
    "vacuum": {
        **both(""),
        "set_fan_spd_t": "f",
        "send_cmd_t": "sc",
        "fanspd_lst": ["min", "max"],
        "cln_segmnts_cmd_t": "cs",
        "sup_feat": [
            *("start", "stop", "pause", "return_home", "battery", "locate", "clean_spot"),
            *("fan_speed", "send_command"),
        ],
    },
    "valve": both("") | {"pos": True, "pl_stop": "STOP"},
    "water_heater": both("temperature_", "mode_") | {"curr_temp_t": "s", "pow_cmd_t": "c"},
}
# Announced so, each is one of a device: what its affordances are called within it comes to light.
WITHIN = "entity"


def describe(component, **config):
    """A thing with nothing but this component, and what it may not be."""
    said = FULL[component] | config
    topic = f"homeassistant/{component.partition('/')[0]}/{WITHIN}/config"
    described = HA.describe([HA.hear(topic, json.dumps({"name": "It", **said}).encode())])
    assert described.notes == ()
    return described


def affordances(described):
    """``word`` for a property, ``word()`` for an action, ``word!`` for an event; ``*`` is the entity."""
    marks = {"properties": "", "actions": "()", "events": "!"}
    return {
        ("*" if name == WITHIN else name) + mark
        for group, mark in marks.items()
        for name in described.td.get(group, {})
    }


def tell(described, topic, payload):
    """What a message says."""
    told = [inlet.read(payload) for inlet in described.inlets if inlet.topic == topic]
    assert [note for each in told for note in each.notes] == []
    values = {name: value for each in told for name, value in each.values.items()}
    return values, [event for each in told for event in each.events]


def documented():
    """The table of the documentation: component to its affordances."""
    section = TABLE.read_text("utf-8").partition("## Home Assistant")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_/]+)` \| (.*?) \|", section, re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", said)) for name, said in rows}


def test_all_components_are_here():
    assert FULL.keys() == COMPONENTS.keys() == documented().keys()


@pytest.mark.parametrize("component", COMPONENTS)
def test_affordances_are_those_that_are_documented(component):
    assert affordances(describe(component)) == documented()[component]


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_not_known_takes_nothing_away(component):
    more = {"json_attributes_topic": "attributes", "brand_new_key": {"x": [1]}, "ent_cat": "config"}
    described = describe(component, **more)
    assert affordances(described) >= affordances(describe(component))
    assert tell(described, "attributes", b'{"a": {"b": 1}, "latitude": null}')[0] == {
        "attributes": {"a": {"b": 1}, "latitude": None}
    }


def affected(described, name):
    for group in ("properties", "actions"):
        if name in described.td.get(group, {}):
            said = described.td[group][name].get("diat:affects")
            return said and (said["quantity"], said["direction"])
    raise KeyError(name)


@pytest.mark.parametrize(
    ("component", "config", "name", "affects"),
    [
        ("lock", {}, "unlock", ("Lock", "increase")),
        ("lock", {}, "lock", ("Lock", "decrease")),
        ("valve", {}, "close", ("Valve", "decrease")),
        ("valve", {"pos": False}, "open", ("Valve", "increase")),
        ("valve", {}, "position", ("Valve", "switch")),
        ("valve", {"dev_cla": "water"}, "close", ("WaterSupply", "decrease")),
        ("valve", {"dev_cla": "gas"}, "position", ("GasSupply", "switch")),
        ("fan", {}, WITHIN, ("Ventilation", "increase")),
        ("fan", {}, "percentage", ("Ventilation", "increase")),
        ("fan", {}, "oscillation", None),
        ("switch", {"dev_cla": "outlet"}, WITHIN, ("Power", "increase")),
        ("switch", {}, WITHIN, None),
        ("cover", {"dev_cla": "garage"}, "open", ("GarageDoor", "increase")),
        ("cover", {"dev_cla": "blind"}, "close", ("Shade", "decrease")),
        ("cover", {}, "close", ("Opening", "decrease")),
        ("cover", {}, "stop", None),
        ("humidifier", {}, WITHIN, ("RelativeHumidity", "decrease")),
        ("humidifier", {"dev_cla": None}, WITHIN, ("RelativeHumidity", "increase")),
        ("light", {}, WITHIN, ("Illuminance", "increase")),
        ("siren", {}, "turn_on", ("SoundPressureLevel", "increase")),
    ],
)
def test_what_driving_it_does_is_said(component, config, name, affects):
    assert affected(describe(component, **config), name) == affects


@pytest.mark.parametrize(
    ("component", "topic", "payload", "values"),
    [
        ("alarm_control_panel", "main_state", b"armed_home", {WITHIN: "armed_home"}),
        ("cover", "main_state", b"opening", {WITHIN: "opening"}),
        ("cover", "p", b"70", {"position": 70}),
        ("cover", "p", b'{"position": 30, "tilt_position": 50}', {"position": 30, "tilt": 50}),
        ("cover", "p", b"101", {"position": 100}),
        ("cover", "ts", b"12", {"tilt": 12}),
        ("device_tracker", "s", b"not_home", {WITHIN: "not_home"}),
        ("device_tracker", "s", b"Work", {WITHIN: "Work"}),
        ("fan", "percentage_state", b"50", {"percentage": 50}),
        ("fan", "oscillation_state", b"oscillate_on", {"oscillation": True}),
        ("image", "u", b"http://cam/1.jpg", {"url": "http://cam/1.jpg"}),
        ("lawn_mower", "s", b"mowing", {WITHIN: "mowing"}),
        ("light", "hs_state", b"10,55.5", {"color": {"h": 10, "s": 55.5}}),
        ("light", "rgbw_state", b"1,2,3,4", {"color_rgbw": {"r": 1, "g": 2, "b": 3, "w": 4}}),
        ("light", "m", b"hs", {"color_mode": "hs"}),
        (
            "light/template",
            "main_state",
            b"on,9,200,1-2-3,rainbow",
            {
                WITHIN: True,
                "brightness": 9,
                "color_temp": 200,
                "effect": "rainbow",
                "color": {"r": 1, "g": 2, "b": 3},
            },
        ),
        ("lock", "main_state", b"JAMMED", {WITHIN: "jammed"}),
        ("select", "main_state", b"b", {WITHIN: "b"}),
        ("siren", "main_state", b'{"state": "ON", "tone": "bell"}', {WITHIN: True, "tone": "bell"}),
        ("text", "main_state", b"", {WITHIN: ""}),
        ("update", "main_state", b"1.9", {"installed_version": "1.9"}),
        (
            "update",
            "main_state",
            b'{"installed_version": 1, "latest_version": 2, "in_progress": true, "update_percentage": 7.5}',
            {"installed_version": "1", "latest_version": "2", "in_progress": True, "update_percentage": 7.5},
        ),
        (
            "vacuum",
            "main_state",
            b'{"state": "docked", "battery_level": 61, "fan_speed": "min", "segments": {"1": "Hall"}}',
            {WITHIN: "docked", "battery_level": 61, "fan_speed": "min", "segments": {"1": "Hall"}},
        ),
        ("valve", "main_state", b"40", {WITHIN: "open", "position": 40}),
        ("valve", "main_state", b"0", {WITHIN: "closed", "position": 0}),
        ("valve", "main_state", b'{"state": "closing", "position": 3}', {WITHIN: "closing", "position": 3}),
        ("valve", "main_state", b"opening", {WITHIN: "opening"}),
    ],
)
def test_states(component, topic, payload, values):
    assert tell(describe(component), topic, payload)[0] == values


@pytest.mark.parametrize(
    ("component", "topic", "payload", "data"),
    [
        ("event", "s", b'{"event_type": "press", "n": 2}', [{"event_type": "press", "n": 2}]),
        ("event", "s", b"", []),
        ("tag", "t", b"E9F35959", ["E9F35959"]),
        ("device_automation", "t", b"hit", ["hit"]),
        ("device_automation", "t", b"other", []),
        ("infrared/receiver", "s", b'{"timings": [9, -4]}', [{"timings": [9, -4]}]),
        ("infrared/receiver", "s", b"null", []),
    ],
)
def test_events(component, topic, payload, data):
    values, events = tell(describe(component), topic, payload)
    assert values == {}
    assert [said for _, said in events] == data


def test_a_trigger_without_a_payload_fires_on_any_message():
    described = describe("device_automation", pl=None)
    assert [tell(described, "t", payload)[1][0][1] for payload in (b"x", b"")] == ["x", ""]


@pytest.mark.parametrize(
    ("component", "name", "value", "sent"),
    [
        ("cover", "open", None, ("main_command", b"OPEN")),
        ("cover", "position", 55, ("sp", b"55")),
        ("cover", "tilt", 20, ("tc", b"20")),
        ("cover", "open_tilt", None, ("tc", b"100")),
        ("cover", "stop_tilt", None, ("tc", b"halt")),
        ("fan", "percentage", 33, ("percentage_command", b"33")),
        ("fan", "direction", "reverse", ("direction_command", b"reverse")),
        ("humidifier", "target_humidity", 40, ("target_humidity_command", b"40")),
        (
            "infrared/emitter",
            WITHIN,
            {"timings": [1, -2]},
            ("c", b'{"timings":[1,-2],"modulation":38000,"repeat_count":0}'),
        ),
        ("lawn_mower", "start_mowing", None, ("a", b"start_mowing")),
        ("light", "white", 7, ("w", b"7")),
        ("light", "color_xy", {"x": 0.3, "y": 0.5}, ("xy_command", b"0.3,0.5")),
        ("light/template", WITHIN, True, ("main_command", b"on,,,--,-,,,")),
        ("light/template", WITHIN, False, ("main_command", b"off")),
        (
            "light/template",
            "color",
            {"r": 255, "g": 0, "b": 0},
            ("main_command", b"on,,,255-0-0,0.0-100.0,,,"),
        ),
        (
            "light/template",
            "turn_on",
            {"brightness": 9, "transition": 2},
            ("main_command", b"on,9,,--,-,,2,"),
        ),
        ("notify", WITHIN, "hello", ("c", b"hello")),
        ("scene", WITHIN, None, ("c", b"ON")),
        ("siren", WITHIN, False, ("main_command", b'{"state":"OFF"}')),
        ("siren", "turn_on", {"tone": "bell"}, ("main_command", b'{"state":"ON","tone":"bell"}')),
        ("update", "install", None, ("main_command", b"go")),
        ("vacuum", "return_to_base", None, ("main_command", b"return_to_base")),
        ("vacuum", "fan_speed", "max", ("f", b"max")),
        ("vacuum", "send_command", {"command": "dance"}, ("sc", b"dance")),
        (
            "vacuum",
            "send_command",
            {"command": "go", "params": {"x": 1}},
            ("sc", b'{"command":"go","x":1}'),
        ),
        ("vacuum", "clean_segments", ["1", "2"], ("cs", b'["1","2"]')),
        ("valve", "position", 25, ("main_command", b"25")),
        ("valve", "close", None, ("main_command", b"0")),
        ("valve", "stop", None, ("main_command", b"STOP")),
        ("water_heater", "mode", "eco", ("mode_command", b"eco")),
        ("date", WITHIN, "2026-11-21", ("main_command", b"2026-11-21")),
    ],
)
def test_commands(component, name, value, sent):
    assert describe(component).outlets[name].write(value) == Outgoing(*sent)


@pytest.mark.parametrize(
    ("component", "name", "value"),
    [
        ("lock", "unlock", None),
        ("lock", "unlock", {"code": 1234}),
        ("siren", "turn_on", {"colour": "red"}),
        ("vacuum", "fan_speed", "warp"),
        ("vacuum", "clean_segments", []),
        ("infrared/emitter", WITHIN, {"timings": ["x"]}),
        ("light/json", "turn_on", {"flash": "forever"}),
        ("cover", "position", "half"),
        ("notify", WITHIN, 5),
    ],
)
def test_what_cannot_be_sent_is_refused(component, name, value):
    assert isinstance(describe(component).outlets[name].write(value), Refusal)


@pytest.mark.parametrize(
    ("config", "raw", "percent", "sent"),
    [
        ({"pos_open": 90, "pos_clsd": 10}, b"50", 50, b"50"),
        ({"pos_open": 0, "pos_clsd": 100}, b"25", 75, b"25"),
        ({"pos_open": 10, "pos_clsd": 0}, b"5", 50, b"5"),
        ({"set_pos_tpl": "{{ position }}/{{ position_open }}"}, b"50", 50, b"50/100"),
    ],
)
def test_positions_are_per_cent_whatever_the_range(config, raw, percent, sent):
    described = describe("cover", **config)
    assert tell(described, "p", raw)[0] == {"position": percent}
    assert described.outlets["position"].write(percent).payload == sent
    # Where several per cent are one number of the device, it does not tell back what was set.
    coarse = config.get("pos_open") in (10, 90)
    assert described.outlets["position"].confirmed_by == (None if coarse else "position")


def test_speeds_of_a_fan():
    described = describe("fan", spd_rng_min=1, spd_rng_max=3)
    assert tell(described, "percentage_state", b"2")[0] == {"percentage": 67}
    assert [described.outlets["percentage"].write(p).payload for p in (0, 33, 66, 100)] == [
        b"0",
        b"1",
        b"2",
        b"3",
    ]


def test_the_code_of_an_alarm_is_checked_and_never_told():
    described = describe("alarm_control_panel", cmd_tpl='{"do": "{{ action }}", "code": "{{ code }}"}')
    disarm = described.outlets["disarm"]
    assert disarm.write({"code": "1234"}).payload == b'{"do": "DISARM", "code": "1234"}'
    assert disarm.write({"code": "1235"}) == Refusal("the code is wrong")
    assert disarm.write(None) == Refusal("it needs a code")
    assert "1234" not in json.dumps(described.td)
    assert described.td["actions"]["disarm"]["input"]["required"] == ["code"]
    free = describe("alarm_control_panel", cod_arm_req=False, sup_feat=["arm_away"])
    assert free.outlets["arm_away"].write(None).payload == b"ARM_AWAY"
    assert affordances(free) == {"*", "disarm()", "arm_away()"}
    remote = describe("alarm_control_panel", code="REMOTE_CODE", cmd_tpl="{{ action }}{{ code }}")
    assert remote.outlets["disarm"].write({"code": "77"}).payload == b"DISARM77"


def test_a_lock_takes_the_code_along():
    unlock = describe("lock").outlets["unlock"]
    assert unlock.write({"code": "0042"}).payload == b"UNLOCK 0042"
    assert (unlock.idempotent, unlock.confirmed_by) == (True, None)


def test_which_actions_may_be_repeated():
    for component, once in (("button", True), ("scene", False), ("update", True)):
        (name,) = describe(component).td["actions"]
        assert describe(component).outlets[name].idempotent is not once
        assert ("idempotent" in describe(component).td["actions"][name]) is not once


def test_a_light_that_goes_on_by_its_brightness():
    light = describe(
        "light", on_cmd_type="brightness", bri_scl=100, brightness_command_template="{{ value }}%"
    )
    assert light.outlets[WITHIN].write(True) == Outgoing("brightness_command", b"100%")
    assert light.outlets[WITHIN].write(False) == Outgoing("main_command", b"OFF")


def test_all_of_a_json_light_at_once():
    light = describe("light/json", flsh_tlng=15).outlets["turn_on"]
    said = {"brightness": 5, "color": {"h": 10, "s": 20}, "transition": 2, "flash": "long"}
    assert json.loads(light.write(said).payload) == {"state": "ON", **said, "flash": 15}
    assert json.loads(light.write({"white": 9}).payload) == {"state": "ON", "white": 9}


JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


@pytest.mark.parametrize(
    ("config", "payload", "kind"),
    [
        ({}, JPEG, "image/jpeg"),
        ({"img_e": "b64"}, base64.b64encode(JPEG), "image/jpeg"),
        ({"content_type": "image/x-own"}, b"\x00\x01", "image/x-own"),
    ],
)
def test_a_picture_is_told_by_kind_size_and_digest(config, payload, kind):
    raw = JPEG if kind == "image/jpeg" else payload
    values, _ = tell(describe("image", **config), "i", payload)
    assert list(values.values()) == [
        {"contentType": kind, "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    ]


def test_raw_bytes_go_through_templates():
    described = describe("sensor", e="", val_tpl="{{ value | unpack('>h') }}", unit_of_meas="W")
    assert tell(described, "s", b"\x01\x00")[0] == {WITHIN: 256}
    described = describe("sensor", e="")
    assert tell(described, "s", b"text")[0] == {WITHIN: "text"}


def test_attributes_that_all_entities_of_a_device_share_are_there_once():
    def part(name):
        config = {"dev": {"ids": "d"}, "stat_t": "s", "json_attr_t": "a", "name": name}
        return HA.hear(f"homeassistant/sensor/{name}/config", json.dumps(config).encode())

    described = HA.describe([part("one"), part("two")])
    assert set(described.td["properties"]) == {"one", "two", "attributes"}


def test_what_goes_off_by_itself():
    (prop,) = describe("binary_sensor").td["properties"].values()
    assert prop["diat:offDelay"] == 5


def test_what_only_takes_commands_is_write_only():
    described = describe("switch", state_topic=None)
    (prop,) = described.td["properties"].values()
    assert prop["writeOnly"] is True
    assert described.outlets[WITHIN].confirmed_by is None
