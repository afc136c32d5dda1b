"""Thing Models over REST: kept, listed, extended, dropped, and virtual objects made from them that live."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import pytest

TM = {"Content-Type": "application/tm+json"}
CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
NUMBERS = itertools.count(1)
BASE = {
    "@context": [CONTEXT],
    "@type": "tm:ThingModel",
    "title": "Climate sensor in {{ROOM}}",
    "diat:place": "models/{{ROOM}}",
    "properties": {
        "temperature": {
            "type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True,
            "maximum": "{{MAX}}",
        },
        "humidity": {"type": "number", "unit": "%", "readOnly": True},
    },
    "tm:optional": ["/properties/humidity"],
}  # fmt: skip


@pytest.fixture
def model(rest):
    """``model(body)``: puts a Thing Model under a name of its own; the name."""
    put = []

    def make(body, name=None):
        name = name or f"model-{next(NUMBERS)}"
        answer = rest.put(f"/models/{name}", content=json.dumps(body), headers=TM)
        assert answer.status_code == 201, answer.text
        put.append(name)
        return name

    yield make
    for name in reversed(put):
        rest.delete(f"/models/{name}")


@pytest.fixture
def made(rest):
    """``made(model, **said)``: a thing made from a model; its description."""
    things = []

    def make(model, **said):
        answer = rest.post(f"/models/{model}/things", json=said)
        assert answer.status_code == 201, answer.text
        things.append(answer.headers["location"])
        assert answer.headers["content-type"] == "application/td+json"
        return answer.json()

    yield make
    for thing in things:
        rest.delete(thing)


def test_a_model_is_kept_as_it_was_put(model, rest, house, problem):
    name = model(BASE)
    answer = rest.get(f"/models/{name}")
    assert answer.headers["content-type"] == "application/tm+json"
    assert answer.json() == BASE
    (listed,) = [each for each in house.get("/models") if each["name"] == name]
    assert listed == {
        "name": name,
        "title": "Climate sensor in {{ROOM}}",
        "href": f"/models/{name}",
        "placeholders": ["MAX", "ROOM"],
        "optional": ["/properties/humidity"],
    }
    newer = {**BASE, "title": "Newer"}
    stale = rest.put(f"/models/{name}", json=newer, headers={"If-Match": '"7"'})
    problem(stale, 412, "stale")
    again = rest.put(f"/models/{name}", json=newer, headers={"If-Match": answer.headers["etag"]})
    assert again.status_code == 204
    assert again.headers["etag"] != answer.headers["etag"]
    assert house.get(f"/models/{name}") == newer
    assert rest.delete(f"/models/{name}").status_code == 204
    problem(rest.get(f"/models/{name}"), 404, "not-found")
    problem(rest.delete(f"/models/{name}"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "no model"}, ""),
        ({**BASE, "tm:optional": ["/properties/nothing"]}, "tm:optional.0"),
        ({**BASE, "properties": {"{{X}}": {}}}, "properties"),
        ({**BASE, "links": [{"rel": "tm:extends", "href": "nowhere"}]}, "links.0.href"),
        ({**BASE, "properties": {"a": {"tm:ref": "nowhere#/properties/a"}}, "tm:optional": []},
         "properties.a.tm:ref"),
        ([], ""),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused_with_the_place(rest, problem, body, field):
    told = problem(rest.put("/models/wrong", json=body), 422, "invalid")
    assert told.get("field", "") == field
    problem(rest.get("/models/wrong"), 404, "not-found")


def test_a_name_that_is_none_and_a_body_that_is_no_json_are_refused(rest, problem):
    problem(rest.put("/models/a b", json=BASE), 422, "invalid", "name")
    problem(rest.put("/models/x", content=b"{"), 422, "invalid")
    repeated = json.dumps(BASE)[:-1] + ', "title": "twice"}'
    assert "title" in problem(rest.put("/models/x", content=repeated.encode()), 422, "invalid")["detail"]


def test_a_thing_made_from_a_model_lives(model, made, house, thing, until):
    name = model(BASE)
    td = made(name, values={"ROOM": "attic", "MAX": 60}, place="models/attic/north")
    assert td["title"] == "Climate sensor in attic"
    assert td["diat:place"] == "models/attic/north"
    assert td["properties"]["temperature"]["maximum"] == 60
    assert {"rel": "type", "href": f"/models/{name}", "type": "application/tm+json"} in td["links"]
    (found,) = house.get("/things", quantity="Temperature", place="models/attic", capability="read")
    assert found["id"] == td["id"]

    spoken = td["id"].rpartition(":")[2]
    device = thing(None, name=spoken)
    path = f"/things/{quote(td['id'], safe='')}"
    device.report(temperature=19.5, humidity=40)
    until(lambda: house.get(f"{path}/properties") == {"temperature": 19.5, "humidity": 40})
    device.report(temperature=99)
    until(lambda: any("60" in line["text"] for line in house.get(f"{path}/diagnostics")))


def test_the_device_itself_takes_the_place_of_what_was_made_for_it(model, made, house, thing, until):
    td = made(model(BASE), id="urn:dev:later-on", values={"ROOM": "cellar", "MAX": 60})
    device = thing({"title": "It is me", "properties": {"temperature": {"type": "number"}}}, name="later-on")
    until(lambda: house.get(device.path)["title"] == "It is me")
    assert device.id == td["id"]


def test_models_extend_and_refer_to_models(model, made, rest, problem):
    base = model(BASE)
    better = model(
        {
            "@context": [CONTEXT],
            "@type": "tm:ThingModel",
            "title": "Better",
            "links": [{"rel": "tm:extends", "href": f"./{base}", "type": "application/tm+json"}],
            "properties": {
                "outside": {
                    "tm:ref": f"http://elsewhere/models/{base}#/properties/temperature",
                    "maximum": 50,
                },
                "humidity": {"unit": "1"},
            },
        }
    )
    td = made(better, title="Mine", values={"ROOM": "hall", "MAX": 40})
    assert td["title"] == "Mine"
    assert td["properties"]["outside"]["maximum"] == 50
    assert td["properties"]["temperature"]["maximum"] == 40
    assert td["properties"]["humidity"]["unit"] == "1"
    assert better in problem(rest.delete(f"/models/{base}"), 409, "conflict")["detail"]
    circle = {**BASE, "links": [{"rel": "tm:extends", "href": better}]}
    problem(rest.put(f"/models/{base}", json=circle), 422, "invalid")
    assert rest.get(f"/models/{base}").json() == BASE


def test_what_is_optional_may_be_left_out_and_nothing_else(model, made, rest, problem):
    name = model(BASE)
    values = {"ROOM": "loft", "MAX": 60}
    assert list(made(name, values=values, without=["/properties/humidity"])["properties"]) == ["temperature"]
    said = {"values": values, "without": ["/properties/temperature"]}
    problem(rest.post(f"/models/{name}/things", json=said), 422, "invalid", "without")


@pytest.mark.parametrize(
    ("said", "status", "kind", "field"),
    [
        ({}, 422, "invalid", "placeholders.ROOM"),
        ({"values": {"ROOM": "x", "MAX": 1, "EXTRA": 2}}, 422, "invalid", "placeholders.EXTRA"),
        ({"values": {"ROOM": "x", "MAX": 60}, "id": "urn:dev:not a name"}, 422, "invalid", None),
        ({"values": {"ROOM": "x", "MAX": 60}, "own": {"properties": 7}}, 422, "invalid", "properties"),
        ({"surprise": 1}, 422, "invalid", "surprise"),
    ],
)
def test_what_makes_no_thing_is_refused_with_the_place(model, rest, problem, said, status, kind, field):
    told = problem(rest.post(f"/models/{model(BASE)}/things", json=said), status, kind)
    if field is not None:
        assert told["field"] == field


def test_nobody_is_overwritten_and_a_repeat_makes_one_thing(model, made, sensor, rest, problem):
    name = model(BASE)
    values = {"ROOM": "x", "MAX": 60}
    taken = sensor()
    problem(rest.post(f"/models/{name}/things", json={"id": taken.id, "values": values}), 409, "conflict")
    problem(rest.post("/models/nobody/things", json={"values": values}), 404, "not-found")
    key = {"Idempotency-Key": "once"}
    first = rest.post(f"/models/{name}/things", json={"values": values}, headers=key)
    again = rest.post(f"/models/{name}/things", json={"values": values}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["location"] == again.headers["location"]
    other = {"values": values | {"MAX": 70}}
    problem(rest.post(f"/models/{name}/things", json=other, headers=key), 409, "conflict")
    rest.delete(first.headers["location"])


def test_forms_of_a_model_are_what_the_thing_is_driven_by(model, made, house, thing, until):
    name = model(
        {
            "@context": [CONTEXT],
            "@type": "tm:ThingModel",
            "title": "Pump {{NAME}}",
            "securityDefinitions": {"none": {"scheme": "nosec"}},
            "security": "none",
            "properties": {
                "flow": {
                    "type": "number",
                    "unit": "L/min",
                    "readOnly": True,
                    "forms": [{"href": "mqtt://localhost/pumps/{{NAME}}/flow", "op": "observeproperty"}],
                }
            },
        }
    )
    td = made(name, values={"NAME": "p7"})
    pump = thing(None, name="pump")
    path = f"/things/{quote(td['id'], safe='')}/properties/flow"
    pump.say("pumps/p7/flow", 12.5)
    until(lambda: house.rest.get(path).status_code == 200)
    assert house.get(path) == 12.5
    assert house.get(path, unit="m3/h") == 0.75
