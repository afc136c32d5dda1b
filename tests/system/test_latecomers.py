"""Who comes late to a topic: what the broker had retained there was delivered before anybody asked for it."""

import json
from urllib.parse import quote

import httpx
import pytest

from diat.simulation.link import Address, Link

SECONDS = 10.0
STATE = "shed/sensor/state"


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def house(request, make_platform, needed):
    """A running platform with each kind of broker that it can start."""
    if request.param == "mosquitto":
        needed("mosquitto", "mosquitto")
    platform = make_platform(request.param)
    platform.start()
    return platform


@pytest.fixture
def things(house):
    """An MQTT client that speaks for things."""
    link = Link(Address("127.0.0.1", house.mqtt), "things")
    link.open()
    assert link.wait_connected(SECONDS)
    yield link
    link.close()


def _announce(link, entity, device, key, unit="°C", state=STATE):
    config = {
        "name": entity,
        "uniq_id": f"{device}-{entity}",
        "stat_t": state,
        "val_tpl": f"{{{{ value_json.{key} }}}}",
        "unit_of_meas": unit,
        "dev": {"ids": [device], "name": device},
    }
    link.publish(f"homeassistant/sensor/{device}/{entity}/config", json.dumps(config), retain=True)
    assert link.drain(SECONDS)


def _tell(link, topic=STATE, *, retain=True, **values):
    link.publish(topic, json.dumps(values), retain=retain)
    assert link.drain(SECONDS)


def _readings(house, device):
    answer = house.rest.get(f"/things/{quote(f'urn:diat:homeassistant:{device}', safe='')}/readings")
    return answer.json() if answer.status_code == httpx.codes.OK else {}


def _value(house, device, name):
    return _readings(house, device).get(name, {}).get("value")


def _history(house, device, name):
    thing = quote(f"urn:diat:homeassistant:{device}", safe="")
    return [each["value"] for each in house.get(f"/things/{thing}/properties/{name}/history")]


def test_a_second_thing_on_a_topic_knows_what_was_retained_there(house, things, eventually):
    _announce(things, "warmth", "shed", "t")
    _tell(things, t=17.5, h=60)
    eventually(lambda: _value(house, "shed", "warmth") == 17.5, SECONDS)
    _announce(things, "damp", "greenhouse", "h", "%")
    eventually(lambda: _value(house, "greenhouse", "damp") == 60, SECONDS)
    # Nobody knows when it was so, and the first thing was not told it twice.
    assert _readings(house, "greenhouse")["damp"]["quality"] == "uncertain"
    assert _history(house, "greenhouse", "damp") == []
    assert _history(house, "shed", "warmth") == [17.5]


def test_a_description_that_gains_a_property_knows_its_value(house, things, eventually):
    _announce(things, "warmth", "shed", "t")
    _tell(things, t=17.5, h=60)
    eventually(lambda: _value(house, "shed", "warmth") == 17.5, SECONDS)
    _announce(things, "damp", "shed", "h", "%")
    eventually(lambda: _value(house, "shed", "damp") == 60, SECONDS)
    assert _history(house, "shed", "warmth") == [17.5]


def test_so_it_is_after_a_restart(house, things, eventually):
    _announce(things, "warmth", "shed", "t")
    _tell(things, t=17.5, h=60)
    eventually(lambda: _value(house, "shed", "warmth") == 17.5, SECONDS)
    assert house.terminate() == 0
    house.start()
    assert things.drain(SECONDS)
    _announce(things, "damp", "greenhouse", "h", "%")
    eventually(lambda: _value(house, "greenhouse", "damp") == 60, SECONDS)


def test_hardware_that_is_swapped_in_brings_along_what_it_said(house, things, eventually):
    _announce(things, "warmth", "old", "t", state="old/state")
    _tell(things, "old/state", t=5)
    _announce(things, "warmth", "new", "t", state="new/state")
    _tell(things, "new/state", t=21)
    eventually(lambda: _value(house, "new", "warmth") == 21, SECONDS)
    path = f"/things/{quote('urn:diat:homeassistant:old', safe='')}/hardware"
    answer = house.rest.put(path, json={"thing": "urn:diat:homeassistant:new"})
    assert answer.status_code == httpx.codes.OK, answer.text
    assert _value(house, "old", "warmth") == 21
    _tell(things, "new/state", t=22)
    eventually(lambda: _value(house, "old", "warmth") == 22, SECONDS)
    assert _history(house, "old", "warmth") == [5, 22]


def test_an_event_does_not_happen_again_for_those_who_come_late(house, things, eventually):
    base = "zigbee2mqtt"
    action = {"type": "enum", "name": "action", "property": "action", "access": 1, "values": ["hold"]}
    level = {"type": "numeric", "name": "battery", "property": "battery", "access": 1, "unit": "%"}

    def listed(*exposes):
        entry = {
            "ieee_address": "0x0017880104e45599",
            "friendly_name": "knob",
            "definition": {"model": "K", "vendor": "K", "description": "K", "exposes": list(exposes)},
        }
        things.publish(f"{base}/bridge/devices", json.dumps([entry]), retain=True)
        assert things.drain(SECONDS)

    thing = f"/things/{quote('urn:diat:zigbee2mqtt:0x0017880104e45599', safe='')}"
    listed(action)
    eventually(lambda: house.rest.get(thing).status_code == httpx.codes.OK, SECONDS)
    with house.rest.stream("GET", f"{thing}/events/action", timeout=SECONDS) as stream:
        lines = stream.iter_lines()
        _tell(things, f"{base}/knob", retain=False, action="hold", battery=90)
        assert next(line for line in lines if line.startswith("data")) == 'data: "hold"'
        listed(action, level)
        eventually(
            lambda: house.get(f"{thing}/properties") == {"battery": 90},
            SECONDS,
            lambda: house.get(f"{thing}/properties"),
        )
        _tell(things, f"{base}/knob", retain=False, action="hold")
        assert next(line for line in lines if line.startswith("data")) == 'data: "hold"'
    with house.rest.stream("GET", f"{thing}/events/action", headers={"Last-Event-ID": "0"}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data"))
        _tell(things, f"{base}/knob", retain=False, action="last")
        assert [next(lines), next(lines), next(lines)] == ['data: "hold"', 'data: "hold"', 'data: "last"']
