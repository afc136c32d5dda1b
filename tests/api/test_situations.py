"""``/situations``: services that start and end by themselves, over a real socket and a real broker."""

from __future__ import annotations

import pytest


@pytest.fixture
def radar(thing, place):
    present = {"type": "boolean", "@type": "quantitykind:Occupancy", "readOnly": True}
    return thing({"title": "Radar", "diat:place": place, "properties": {"present": present}})


@pytest.fixture
def body(radar, place):
    keep = {"quantity": "Temperature", "place": place, "between": [20, 24], "unit": "Cel"}
    return {
        "title": "Somebody is in",
        "when": {"thing": radar.id, "property": "present", "is": True},
        "then": [{"start": {"title": "Warm", "goal": {"keep": keep}}}],
        "cooldown": 1,
    }


@pytest.fixture
def make(rest):
    made = []

    def post(body, **headers):
        answer = rest.post("/situations", json=body, headers=headers)
        if answer.status_code == 201:
            made.append(answer.headers["location"])
        return answer

    yield post
    for each in made:
        rest.delete(each)


def started(house, situation):
    return [each for each in house.get("/services") if each["started_by"] == situation["id"]]


def test_a_service_comes_and_goes_with_what_is_watched(make, body, radar, sensor, heater, house, until):
    sensor(18.0)
    stove = heater()
    made = make(body).json()
    assert (made["holds"], made["active"], made["did"]) == (False, False, [])
    radar.report(present=True)
    until(lambda: started(house, made), "the service")
    (service,) = started(house, made)
    assert service["title"] == "Warm"
    until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
    shown = house.get(f"/situations/{made['id']}")
    assert (shown["active"], shown["did"]) == (True, [{"start": service["id"]}])
    radar.report(present=False)
    until(lambda: not started(house, made), "its end")
    until(lambda: [told["v"] for told in stove.told] == [{"on": True}, {"on": False}])


def test_if_it_holds_already_it_acts_at_once(make, body, radar, house, until):
    radar.has(present=True)
    made = make(body).json()
    until(lambda: started(house, made), "the service")


def test_life_cycle(make, body, rest, house, problem):
    answer = make(body)
    made, path = answer.json(), answer.headers["location"]
    assert house.get(path) == made
    assert any(each["id"] == made["id"] for each in house.get("/situations"))
    changed = rest.put(path, json=body | {"title": "Other"}, headers={"if-match": answer.headers["etag"]})
    assert changed.json()["title"] == "Other"
    lost = rest.put(path, json=body, headers={"if-match": answer.headers["etag"]})
    problem(lost, 412, "stale")
    problem(rest.delete(path, headers={"if-match": '"1"'}), 412, "stale")
    assert rest.delete(path).status_code == 204
    problem(rest.get(path), 404, "not-found")
    problem(rest.put(path, json=body), 404, "not-found")


def test_a_repeat_under_the_same_key_is_one(make, body, problem, place):
    key = {"idempotency-key": f"situation-{place}"}
    assert make(body, **key).json()["id"] == make(body, **key).json()["id"]
    problem(make(body | {"title": "Other"}, **key), 409, "conflict")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"when": {"thing": "urn:dev:nobody", "property": "x", "is": 1}}, "when.thing"),
        ({"when": {"thing": "urn:dev:nobody", "property": "x"}}, "when"),
        ({"then": [{"pause": "nobody"}]}, "then.0.pause"),
        ({"then": [{"start": {"title": "x", "template": "none"}}]}, "then.0.start.template"),
        ({"then": [{"start": {"title": "x", "goal": {"keep": {}}}}]}, "then.0.start.goal.keep.quantity"),
        ({"then": [{"jump": 3}]}, "then.0.jump"),
        ({"otherwise": "perhaps"}, "otherwise"),
        ({"cooldown": 0}, "cooldown"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(make, body, problem, change, field):
    problem(make(body | change), 422, "invalid", field)
