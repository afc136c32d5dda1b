"""What services need is pushed down into a node of the firmware, and taken back; people are heard first."""

from __future__ import annotations

import time

import pytest

from diat.nodes.native import NativeNode
from diat.simulation.link import Address
from tests.api.conftest import until

RULE = {"above": 24.0, "below": 23.5, "every": 300.0, "delta": 0.0, "silence": 300.0}


@pytest.fixture
def node(house, place):
    """A thermometer that runs the firmware, in a room with something that cools."""
    name = f"node-{place.replace('/', '-')}"
    td = {
        "title": name,
        "diat:place": place,
        "properties": {
            "temperature": {
                "type": "number",
                "unit": "Cel",
                "@type": "quantitykind:Temperature",
                "readOnly": True,
            }
        },
    }
    made = NativeNode(Address("127.0.0.1", house.mqtt_port), name, td)
    made.start()
    until(lambda: house.rest.get(f"/things/urn:dev:{name}").status_code == 200)
    made.report({"temperature": 20.0})
    until(lambda: house.rest.get(f"/things/urn:dev:{name}/properties/temperature").status_code == 200)
    yield made
    made.stop()


def config(house, node):
    return house.get(f"/things/urn:dev:{node.thing}/config")


def rule(node):
    has = node.life.node.properties["temperature"].rule
    return has.rule if has is not None else {}


def history(house, node):
    found = house.get(f"/things/urn:dev:{node.thing}/properties/temperature/history", limit=1000)
    return [each["value"] for each in found]


@pytest.fixture
def fan(place, thing):
    cools = {"quantity": "Temperature", "direction": "decrease"}
    switch = {"type": "boolean", "idempotent": True, "diat:affects": cools}
    return thing({"title": "Fan", "diat:place": place, "properties": {"on": switch}})


@pytest.fixture
def service(house, node, place, fan):
    made = house.service("keep-below", quantity="Temperature", place=place, below=24, unit="Cel")
    until(lambda: rule(node) == RULE)
    yield made, fan
    house.rest.delete(f"/services/{made['id']}")


def test_a_node_sends_what_a_service_needs_and_the_service_does_the_same(house, node, service):
    _, fan = service
    shown = until(lambda: (now := config(house, node))["state"] == "completed" and now)
    assert shown["report"] == {"temperature": RULE}
    assert shown["since"]
    (needs,) = shown["needs"].values()
    assert needs == {"temperature": RULE}
    before, start = node.life.ring.n, round(time.time() * 1000)
    rising, falling = [20.0, 21.5, 23.9, 24.0, 24.1, 25.0], [24.0, 23.6, 23.5, 23.4, 22.0]
    for at, value in enumerate(rising):
        node.report({"temperature": value}, t=start + at)
    until(lambda: fan.told and fan.told[-1]["v"] == {"on": True})
    for at, value in enumerate(falling):
        node.report({"temperature": value}, t=start + 10 + at)
    until(lambda: fan.told[-1]["v"] == {"on": False})
    # The first by a rule, and each crossing of an edge.
    crossings = [20.0, 23.9, 24.1, 24.0, 23.4]
    until(lambda: history(house, node)[-5:] == crossings)
    assert node.life.ring.n - before == len(crossings)
    (line,) = [each for each in house.get("/daemons") if each["id"] == f"urn:dev:{node.thing}"]
    assert line["tier"] == "thing"
    assert line["report"] == {"temperature": RULE}


def test_it_is_taken_back_when_nobody_needs_it_any_more(house, node, service):
    made, _ = service
    assert house.rest.delete(f"/services/{made['id']}").status_code == 204
    until(lambda: rule(node) == {})
    assert config(house, node)["report"] == {}


def test_another_service_that_needs_more_gets_it(house, node, service, place):
    mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
    until(lambda: rule(node) == {"delta": 0.0, "silence": 300.0})
    assert house.rest.delete(f"/services/{mean['id']}").status_code == 204
    until(lambda: rule(node) == RULE)


def test_what_a_person_says_holds(house, node, service):
    path = f"/things/urn:dev:{node.thing}/config"
    assert house.rest.put(path, json={"report": {"temperature": {}}}).json()["report"] == {}
    until(lambda: rule(node) == {})
    assert house.rest.put(path, json={"report": {"temperature": {"every": 60}}}).status_code == 200
    until(lambda: rule(node) == {"every": 60.0})
    house.rest.put(path, json={"report": {}})
    until(lambda: rule(node) == RULE)


def test_who_follows_a_property_has_all_of_it(house, node, service):
    path = f"/things/urn:dev:{node.thing}/properties/temperature/observe"
    with house.rest.stream("GET", path, timeout=20) as stream:
        assert stream.status_code == 200
        until(lambda: rule(node) == {}, within=20)


def test_a_plan_says_what_things_would_keep_to_themselves(house, node, place, fan):
    for at in range(40):
        node.report({"temperature": 20.0 + at % 7}, t=round(time.time() * 1000) - 4000 + 100 * at)
    until(lambda: len(history(house, node)) >= 40)
    said = {"quantity": "Temperature", "place": place, "below": 24, "unit": "Cel"}
    plan = house.post("/services/plan", {"title": "x", "template": "keep-below", "parameters": said}, 200)
    (spared,) = plan["placement"]["things"]
    assert spared["told"] == RULE
    assert 0 < spared["messages_per_hour_told"] < spared["messages_per_hour_everything"]
    assert spared["bytes_per_hour_told"] < spared["bytes_per_hour_everything"]
