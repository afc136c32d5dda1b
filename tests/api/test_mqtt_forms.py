"""MQTT forms of served descriptions: whoever follows one gets bare values, from whatever thing."""

from __future__ import annotations

import json
import queue
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

METER = {
    "title": "Meter",
    "properties": {
        "power": {"type": "number", "unit": "W", "readOnly": True},
        "a/b c%": {"type": "string", "readOnly": True},
        "state": {"type": "object", "readOnly": True},
        "code": {"type": "string", "writeOnly": True},
    },
}


@pytest.fixture
def observe():
    """``observe(form)``: what comes on the topic of a form, as JSON, by a client that knows nothing else."""
    made = []

    def observe(form):
        said = queue.Queue()
        address = urlsplit(form["href"])
        assert address.scheme == "mqtt"
        assert unquote(address.path[1:]) == form["mqv:filter"]
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _, __, message: said.put(message.payload)
        client.on_connect = lambda *_: client.subscribe(form["mqv:filter"], 0)
        client.connect(address.hostname, address.port)
        client.loop_start()
        made.append(client)
        return lambda: json.loads(said.get(timeout=10) or b'"gone"')

    yield observe
    for client in made:
        client.disconnect()
        client.loop_stop()


def mqtt_form(td, name):
    forms = td["properties"][name]["forms"]
    return next((each for each in forms if each["href"].startswith("mqtt:")), None)


def test_of_native_things_carry_bare_values(thing, house, observe):
    meter = thing(METER)
    td = house.get(meter.path)
    assert mqtt_form(td, "code") is None
    values = observe(mqtt_form(td, "power"))
    meter.report(power=1.5, **{"a/b c%": "x"}, state={"n": [1, None]})
    assert values() == 1.5
    meter.report(power=2.5)
    assert values() == 2.5
    # They are retained: who comes later reads the newest at once.
    assert observe(mqtt_form(td, "power"))() == 2.5
    assert observe(mqtt_form(td, "a/b c%"))() == "x"
    assert observe(mqtt_form(td, "state"))() == {"n": [1, None]}


def test_of_composites_too(sensor, house, place, observe):
    sensor(20.0)
    mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
    td = house.get(f"/things/{mean['thing']}")
    (name,) = td["properties"]
    values = observe(mqtt_form(td, name))
    assert values() == 20.0
    house.rest.delete(f"/services/{mean['id']}")
    assert values() == "gone"


def test_a_thing_that_goes_takes_its_values_along(thing, house, rest, observe):
    meter = thing(METER)
    form = mqtt_form(house.get(meter.path), "power")
    meter.has(power=1.0)
    values = observe(form)
    assert values() == 1.0
    rest.delete(meter.path)
    assert values() == "gone"


def test_of_what_is_seldom_said_the_newest_counts(thing, house, observe):
    meter = thing(METER)
    form = mqtt_form(house.get(meter.path), "power")
    values = observe(form)
    reports = [{"b": "burst", "n": n + 1, "v": {"power": float(n)}} for n in range(500)]
    for start in range(0, 500, 10):
        meter.say(f"diat/{meter.name}/properties", reports[start : start + 10])
    seen = []
    while not seen or seen[-1] != 499.0:
        seen.append(values())
    assert seen == sorted(seen)
