"""Foreign dialects announce themselves in the form that their originals emit."""

from random import Random

import pytest

from diat.kernel.errors import Invalid
from diat.simulation.link import Address, Backoff
from diat.simulation.tasmota import shortened
from diat.simulation.zigbee2mqtt import bridge_config, discovery
from diat.simulation.zigbee_devices import ZigbeePlug

COORDINATOR = "0x00124b00120144ae"


def test_a_zigbee_switch_as_zigbee2mqtt_announces_it():
    plug = ZigbeePlug("0x001788ad53fab144", "kitchen_plug", "home/kitchen", load=5)
    topic, body = discovery(plug, plug.entities()[0], "zigbee2mqtt", COORDINATOR)
    assert topic == "homeassistant/switch/0x001788ad53fab144/switch/config"
    assert body == {
        "availability": [
            {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
            {"topic": "zigbee2mqtt/kitchen_plug/availability", "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "command_topic": "zigbee2mqtt/kitchen_plug/set",
        "default_entity_id": "switch.kitchen_plug",
        "device": {
            "hw_version": 1,
            "identifiers": ["zigbee2mqtt_0x001788ad53fab144"],
            "manufacturer": "IKEA",
            "model": "INSPELNING smart plug",
            "model_id": "E2206",
            "name": "kitchen_plug",
            "suggested_area": "home/kitchen",
            "sw_version": "1.0.4",
            "via_device": f"zigbee2mqtt_bridge_{COORDINATOR}",
        },
        "name": None,
        "object_id": "kitchen_plug",
        "origin": {"name": "Zigbee2MQTT", "sw": "2.14.1", "url": "https://www.zigbee2mqtt.io"},
        "payload_off": "OFF",
        "payload_on": "ON",
        "state_topic": "zigbee2mqtt/kitchen_plug",
        "unique_id": "0x001788ad53fab144_switch_zigbee2mqtt",
        "value_template": '{{ value_json["state"] }}',
    }


def test_the_bridge_spells_its_base_topic_in_numbers():
    topic, _ = bridge_config("zigbee2mqtt", COORDINATOR)
    assert topic == (
        f"homeassistant/binary_sensor/1221051039810110150109113116116_{COORDINATOR}/connection_state/config"
    )


@pytest.mark.parametrize(
    ("said", "on"), [("ON", True), ("on", True), ("TOGGLE", True), ("OFF", False), ("?", False)]
)
def test_a_plug_takes_states_in_any_case(said, on):
    plug = ZigbeePlug("0x0", "plug", "home", load=5)
    plug.set({"state": said})
    assert plug.on is on
    assert plug.state()["power"] == (5 if on else 0)


def test_tasmota_shortens_what_all_topics_share():
    config = {"name": "x", "stat_t": "tele/node/SENSOR", "avty_t": "tele/node/LWT", "uniq_id": "tele/node/"}
    assert shortened(config) == {
        "name": "x",
        "stat_t": "~SENSOR",
        "avty_t": "~LWT",
        "uniq_id": "tele/node/",
        "~": "tele/node/",
    }


def test_tasmota_leaves_topics_that_share_nothing():
    config = {"stat_t": "tele/node/STATE", "cmd_t": "cmnd/node/POWER"}
    assert shortened(config) == config


def test_waits_grow_to_a_cap_and_are_spread():
    backoff = Backoff(Random(1), first=0.2, cap=3.0)
    waits = [backoff.wait() for _ in range(50)]
    assert 0.1 <= waits[0] <= 0.2
    assert all(1.5 <= wait <= 3.0 for wait in waits[4:])
    assert len(set(waits)) == 50
    backoff.reset()
    assert backoff.wait() <= 0.2


def test_reads_broker_addresses():
    assert Address.parse("mqtt://127.0.0.1") == Address("127.0.0.1", 1883)
    assert Address.parse("mqtt://me:secret@[::1]:1884") == Address("::1", 1884, "me", "secret")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:1883", "http://127.0.0.1", "mqtt://", "mqtt://h:port", "mqtt://h:99999"]
)
def test_refuses_other_addresses(url):
    with pytest.raises(Invalid) as refusal:
        Address.parse(url)
    assert refusal.value.field == "broker"
