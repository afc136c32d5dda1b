"""Things that come through gateways, over REST: which one has a thing, and a person who says otherwise."""

import itertools
import json

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from diat.wire import frame
from tests.api.conftest import path_of, until

_NUMBERS = itertools.count(1)
TD = {"title": "Thermometer", "properties": {"temperature": {"type": "number", "readOnly": True}}}


@pytest.fixture
def gateway(house):
    """``gateway()``: a gateway with a thing: its name, the thing's id, and what passes messages on."""
    made = []

    def make(name=None, thing=None):
        number = next(_NUMBERS)
        name, thing = name or f"gw-{number}", thing or f"behind-{number}"
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.connect("127.0.0.1", house.mqtt_port)
        client.loop_start()
        made.append(client)

        def say(*messages):
            body = frame.frame([(topic, json.dumps(said).encode()) for topic, said in messages])
            client.publish(f"diat/{name}/up", body, 1).wait_for_publish(10)

        td = {"title": name, "@type": "diat:Gateway", "properties": {}}
        client.publish(f"wot/td/{name}", json.dumps(td), 1, True).wait_for_publish(10)
        say((f"wot/td/{thing}", TD))
        return name, thing, say

    yield make
    for each in made:
        each.disconnect()
        each.loop_stop()


def test_the_description_names_the_gateway(house, gateway):
    name, thing, _ = gateway()
    path = path_of(f"urn:dev:{thing}")
    until(lambda: house.rest.get(path).status_code == 200, "the thing")
    assert house.get(path)["diat:gateway"] == name
    assert "diat:gateway" not in house.get(path_of(f"urn:dev:{name}"))


def test_a_person_gives_a_thing_to_another_gateway(house, gateway):
    one, thing, say = gateway()
    path = path_of(f"urn:dev:{thing}")
    until(lambda: house.rest.get(path).status_code == 200, "the thing")
    other, _, also = gateway(thing=thing)
    until(lambda: house.rest.get(path_of(f"urn:dev:{other}")).status_code == 200, "the other")
    answer = house.rest.put(f"{path}/gateway", json={"gateway": other})
    assert (answer.status_code, answer.json()) == (200, {"gateway": other})
    say((f"diat/{thing}/properties", {"b": 1, "n": 1, "v": {"temperature": 1}}))
    also((f"diat/{thing}/properties", {"b": 2, "n": 1, "v": {"temperature": 2}}))
    until(lambda: house.rest.get(f"{path}/properties/temperature").text == "2", "what it says")
    assert [each["value"] for each in house.get(f"{path}/properties/temperature/history")] == [2]
    assert any("belongs to the gateway" in each for each in house.diagnostics(f"urn:dev:{one}"))


def test_what_cannot_be_moved_is_refused(house, thing, problem):
    made = thing(TD)
    path = path_of(f"urn:dev:{made.name}")
    problem(house.rest.put(f"{path}/gateway", json={"gateway": "nowhere"}), 422, "invalid", "gateway")
    problem(house.rest.put(f"{path}/gateway", json={"gate": "x"}), 422, "invalid")
    problem(house.rest.put(f"{path_of('urn:dev:none')}/gateway", json={"gateway": "x"}), 404, "not-found")
