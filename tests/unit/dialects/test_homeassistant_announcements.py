"""Announcements of Home Assistant discovery: which topics are its own, and what is refused and why."""

import json

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.port import Part, Refusal, Withdrawal

HA = HomeAssistant()


def hear(topic, config):
    return HA.hear(topic, config if isinstance(config, bytes) else json.dumps(config).encode())


def config_of(part, index=0):
    return part.body["components"][index]["config"]


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/status",
        "homeassistant/config",
        "homeassistant/sensor/a/state",
        "homeassistantx/sensor/a/config",
        "zigbee2mqtt/bridge/devices",
        "",
    ],
)
def test_other_topics_are_not_its_own(topic):
    assert HA.hear(topic, b"{}") is None


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("homeassistant/sensor/config", "object id"),
        ("homeassistant/sensor/a/b/c/config", "a component, a node id if there is one, and an object id"),
        ("homeassistant/sensor/küche/temp/config", "node id 'küche'"),
        ("homeassistant/sensor/node/te mp/config", "object id 'te mp'"),
        ("homeassistant/sensor/node//config", "object id ''"),
        ("homeassistant/sen sor/temp/config", "component 'sen sor'"),
        ("homeassistant/sensor/a\nb/config", r"object id 'a\nb'"),
    ],
)
def test_an_illegal_discovery_topic_is_refused_saying_what_is_illegal(topic, says):
    refusal = HA.hear(topic, b'{"state_topic": "a"}')
    assert isinstance(refusal, Refusal)
    assert says in refusal.reason
    assert "\n" not in refusal.reason


def test_an_empty_payload_withdraws():
    assert HA.hear("homeassistant/sensor/a/config", b"") == Withdrawal("homeassistant/sensor/a/config")


def test_a_migration_mark_withdraws():
    assert hear("homeassistant/sensor/a/config", {"migr_discvry": True}) == Withdrawal(
        "homeassistant/sensor/a/config"
    )


@pytest.mark.parametrize(
    ("component", "payload", "says"),
    [
        ("sensor", b"not json", "not JSON"),
        ("sensor", b'{"state_topic": "\xff"}', "not JSON"),
        ("sensor", b"[" * 5000, "not JSON"),
        ("sensor", b"[1]", "not a JSON object"),
        ("sensor", b"{}", "state_topic is missing"),
        ("sensor", b'{"state_topic": "a/+/b"}', "state_topic 'a/+/b' is not a topic"),
        ("sensor", b'{"state_topic": 5}', "state_topic 5 is not a topic"),
        ("binary_sensor", b"{}", "state_topic is missing"),
        ("switch", b'{"state_topic": "a"}', "command_topic is missing"),
        ("light", b'{"schema": "json"}', "command_topic is missing"),
        ("number", b"{}", "command_topic is missing"),
        ("button", b"{}", "command_topic is missing"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(component, payload, says):
    refusal = HA.hear(f"homeassistant/{component}/a/config", payload)
    assert isinstance(refusal, Refusal)
    assert says in refusal.reason
    assert "\n" not in refusal.reason


def test_abbreviations_and_the_base_topic_are_written_out():
    part = hear(
        "homeassistant/sensor/n/a/config",
        {
            "~": "home/a",
            "stat_t": "~/state",
            "json_attr_t": "attributes/~",
            "val_tpl": "~{{ value }}",
            "avty": [{"t": "~/lwt", "pl_avail": "up"}, {"topic": "all/~"}],
            "dev_cla": "temperature",
            "unit_of_meas": "°C",
            "dev": {"ids": ["x"], "mf": "M", "mdl": "T", "sw": "1", "sa": "hall", "cns": [["mac", "AA"]]},
            "o": {"name": "f", "sw": "2"},
        },
    )
    assert config_of(part) == {
        "state_topic": "home/a/state",
        "json_attributes_topic": "attributes/home/a",
        "value_template": "~{{ value }}",
        "availability": [
            {"topic": "home/a/lwt", "payload_available": "up"},
            {"topic": "all/home/a"},
        ],
        "device_class": "temperature",
        "unit_of_measurement": "°C",
    }
    assert part.body["device"] == {
        "identifiers": ["x"],
        "manufacturer": "M",
        "model": "T",
        "sw_version": "1",
        "suggested_area": "hall",
        "connections": [["mac", "AA"]],
    }
    assert part.body["origin"] == {"name": "f", "sw_version": "2"}


def test_a_key_written_out_counts_over_its_abbreviation():
    part = hear("homeassistant/sensor/a/config", {"stat_t": "short", "state_topic": "long"})
    assert config_of(part)["state_topic"] == "long"


@pytest.mark.parametrize(
    ("device", "identifiers"),
    [
        ({"ids": "20500de464ec"}, ("20500de464ec",)),
        ({"ids": ["a", "b"], "cns": [["mac", "3C:71:BF:29:5A:B4"]]}, ("a", "b", "mac:3c71bf295ab4")),
        ({"cns": [["mac", "3C71BF295AB4"]]}, ("mac:3c71bf295ab4",)),
        ({"cns": [["ip", "10.0.0.1"]]}, ("ip:10.0.0.1",)),
        ({"ids": [5, None, "", ["hue", "7"]]}, ("5", "hue:7")),
        ({"ids": [], "cns": "nonsense"}, ("u1",)),
        ({}, ("u1",)),
    ],
)
def test_identifiers_are_those_of_the_device_else_the_unique_id(device, identifiers):
    part = hear("homeassistant/sensor/a/config", {"stat_t": "s", "uniq_id": "u1", "dev": device})
    assert part.identifiers == identifiers
    assert part.claim == "u1"


def test_the_ieee_address_of_a_zigbee_device_names_it_too():
    part = hear(
        "homeassistant/sensor/0x00158d0001e83a31/t/config",
        {"stat_t": "s", "dev": {"ids": ["zigbee2mqtt_0x00158d0001e83a31"]}},
    )
    assert part.identifiers == (
        "zigbee2mqtt_0x00158d0001e83a31",
        "ieee:0x00158d0001e83a31",
        "0x00158d0001e83a31",
    )


def test_what_has_no_id_at_all_is_named_by_its_topic_and_claims_nothing():
    part = hear("homeassistant/sensor/a/config", {"stat_t": "s"})
    assert (part.identifiers, part.claim) == (("homeassistant/sensor/a/config",), None)


def test_a_component_that_is_not_understood_is_kept_whole():
    part = hear("homeassistant/cover/a/config", {"cmd_t": "c", "anything": [1]})
    assert isinstance(part, Part)
    assert config_of(part) == {"command_topic": "c", "anything": [1]}


def test_another_prefix():
    assert HomeAssistant("ha").hear("homeassistant/sensor/a/config", b"") is None
    assert HomeAssistant("ha").hear("ha/sensor/a/config", b"") == Withdrawal("ha/sensor/a/config")


DEVICE = {
    "~": "plug",
    "dev": {"ids": ["p1"], "name": "Plug"},
    "o": {"name": "firmware"},
    "stat_t": "~/state",
    "avty_t": "~/lwt",
    "qos": 2,
    "cmps": {
        "relay": {
            "p": "switch",
            "uniq_id": "p1_relay",
            "cmd_t": "~/set",
            "val_tpl": "{{ value_json.relay }}",
        },
        "power": {
            "p": "sensor",
            "uniq_id": "p1_power",
            "unit_of_meas": "W",
            "val_tpl": "{{ value_json.power }}",
        },
        "gone": {"p": "sensor"},
    },
}


def test_the_device_form_is_one_part_with_several_components():
    part = hear("homeassistant/device/p1/config", DEVICE)
    assert part.identifiers == ("p1",)
    assert [(c["component"], c["object_id"]) for c in part.body["components"]] == [
        ("switch", "relay"),
        ("sensor", "power"),
    ]
    assert config_of(part) == {
        "availability_topic": "plug/lwt",
        "qos": 2,
        "state_topic": "plug/state",
        "unique_id": "p1_relay",
        "command_topic": "plug/set",
        "value_template": "{{ value_json.relay }}",
    }
    described = HA.describe([part])
    assert set(described.td["properties"]) == {"relay", "power"}
    assert [inlet.topic for inlet in described.inlets] == ["plug/state", "plug/lwt"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cmps": {}}, "components"),
        ({"cmps": [1]}, "components"),
        ({"cmps": {"a": 1}}, "component 'a' is not an object"),
        ({"cmps": {"a": {"stat_t": "s"}}}, "component 'a' does not say its platform"),
        ({"dev": None}, "device is missing"),
    ],
)
def test_a_device_form_that_cannot_be_used_is_refused(change, says):
    refusal = hear("homeassistant/device/p1/config", DEVICE | change)
    assert isinstance(refusal, Refusal)
    assert says in refusal.reason
