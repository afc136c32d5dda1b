"""``/templates``: what services can be made from."""

from __future__ import annotations

import itertools
import json

import jsonschema_rs
import pytest
import yaml

_NUMBERS = itertools.count(1)
YAML = {"content-type": "application/yaml"}

FROST = """
name: {name}
title: Frost guard
parameters:
  type: object
  properties:
    place: {{type: string}}
    low: {{type: number, default: 5}}
  required: [place]
roles:
  sensor: {{capability: read, quantity: Temperature, place: "{{{{place}}}}", unit: Cel}}
  warmer: {{capability: increase, quantity: Temperature, place: "{{{{place}}}}"}}
steps:
  - {{id: level, do: latest, role: sensor}}
  - {{id: cold, do: hysteresis, input: level, on: below, low: "{{{{low}}}}", high: 8}}
  - {{id: heat, do: drive, role: warmer, input: cold, otherwise: false}}
"""


@pytest.fixture
def frost():
    return FROST.format(name=f"frost-{next(_NUMBERS)}")


def test_the_shipped_ones_are_there_with_the_schema_of_their_parameters(house):
    shipped = {each["name"]: each for each in house.get("/templates") if each["shipped"]}
    assert shipped.keys() >= {"keep-within", "mean-of-place"}
    for template in shipped.values():
        jsonschema_rs.meta.validate(template["parameters"])
    keep = shipped["keep-within"]["parameters"]
    assert set(keep["required"]) == {"quantity", "place", "low", "high", "unit"}
    assert keep["additionalProperties"] is False
    assert house.get("/templates/keep-within") == shipped["keep-within"]


def test_the_list_comes_in_pages(house, rest):
    answer = rest.get("/templates", params={"limit": 1})
    following = answer.headers["link"].partition(">")[0].lstrip("<")
    assert rest.get(following).json() == house.get("/templates")[1:2]


def test_one_of_ones_own_as_yaml(rest, house, frost, sensor, heater, place, until):
    answer = rest.post("/templates", content=frost, headers=YAML)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["shipped"] is False
    assert made["steps"][1]["on"] == "below", "on is a word here, not a truth"
    assert house.get(answer.headers["location"]) == made
    sensor(3.0)
    stove = heater()
    service = house.service(made["name"], place=place)
    assert service["state"] == "running"
    assert service["parameters"] == {"place": place, "low": 5}
    until(lambda: [told["v"] for told in stove.told] == [{"on": True}])


def test_one_of_ones_own_as_json(rest, frost):
    answer = rest.post("/templates", json=yaml.safe_load(frost.replace(" on:", ' "on":')))
    assert answer.status_code == 201, answer.text


def test_a_second_of_the_same_name_is_a_conflict(rest, frost, problem):
    rest.post("/templates", content=frost, headers=YAML)
    problem(rest.post("/templates", content=frost, headers=YAML), 409, "conflict")
    for name in ("keep-within", "mean-of-place"):
        problem(rest.post("/templates", content=FROST.format(name=name)), 409, "conflict")


def test_a_repeat_under_a_key_is_none(rest, frost, problem):
    headers = YAML | {"idempotency-key": "the same"}
    for _ in range(2):
        assert rest.post("/templates", content=frost, headers=headers).status_code == 201
    other = frost.replace("Frost guard", "Other")
    problem(rest.post("/templates", content=other, headers=headers), 409, "conflict")


def test_one_that_is_used_is_not_dropped(rest, house, frost, place, problem):
    name = rest.post("/templates", content=frost, headers=YAML).json()["name"]
    service = house.service(name, place=place)
    assert "a service" in problem(rest.delete(f"/templates/{name}"), 409, "conflict")["detail"]
    rest.delete(f"/services/{service['id']}")
    assert rest.delete(f"/templates/{name}").status_code == 204
    problem(rest.delete(f"/templates/{name}"), 404, "not-found")
    problem(rest.get(f"/templates/{name}"), 404, "not-found")


def test_a_shipped_one_is_not_dropped(rest, problem):
    problem(rest.delete("/templates/keep-within"), 409, "conflict")


@pytest.mark.parametrize(
    ("steps", "field", "says"),
    [
        ("{id: a, do: flash, role: sensor}", "steps.0.do", "unknown step 'flash'"),
        ("{id: a, do: latest}", "steps.0.role", "needs it"),
        ("{id: a, do: latest, role: sensor, speed: 3}", "steps.0.speed", "no such field"),
        ("{id: a, do: latest, role: eye}", "steps.0.role", "no role 'eye'"),
        ("{id: a, do: latest, role: [sensor]}", "steps.0.role", "name"),
        ("{id: a, do: latest, role: warmer}", "steps.0.role", "cannot use"),
        ("{do: latest, role: sensor}", "steps.0.id", "id of its own"),
        ("{id: a, do: hysteresis, input: z, on: below, low: 1, high: 2}", "steps.0.input", "no step 'z'"),
        ("{id: a, do: hysteresis, input: {}, on: below, low: 1, high: 2}", "steps.0.input", "name"),
        ("{id: a, do: hysteresis, input: a, on: below, low: 1, high: 2}", "steps", "cycle: a -> a"),
        ("5", "steps.0", "dictionary"),
    ],
)
def test_a_wrong_step_is_refused_by_its_place(rest, frost, problem, steps, field, says):
    source = frost.partition("steps:")[0] + f"steps:\n  - {steps}\n"
    assert says in problem(rest.post("/templates", content=source), 422, "invalid", field)["detail"]


def test_a_cycle_over_several_steps_is_refused(rest, frost, problem):
    wheel = "".join(
        f"  - {{id: {at}, do: dwell, input: {before}}}\n"
        for at, before in (("a", "c"), ("b", "a"), ("c", "b"))
    )
    answer = rest.post("/templates", content=frost.partition("steps:")[0] + "steps:\n" + wheel)
    assert "cycle" in problem(answer, 422, "invalid", "steps")["detail"]


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("title: Frost guard", "title: ''", "title"),
        ("title: Frost guard", "title: Frost guard\nspeed: 3", "speed"),
        ("name: ", "name: No Name-", "name"),
        ("type: object", "type: array", "parameters"),
        ("type: object", "type: object\n  $ref: http://127.0.0.1:9/x", "parameters"),
        ("low: {type: number, default: 5}", "low: {type: numbre}", "parameters"),
        ("capability: increase", "capability: explode", "roles.warmer.capability"),
        ("unit: Cel", "count: many", "roles.sensor.count"),
        ("unit: Cel", "count: 3..1", "roles.sensor.count"),
        ("unit: Cel", f"count: '{'9' * 5000}'", "roles.sensor.count"),
        ('"{{place}}", unit', '"{{room}}", unit', "parameters"),
    ],
)
def test_anything_else_is_refused_by_its_place(rest, frost, problem, before, after, field):
    assert before in frost
    problem(rest.post("/templates", content=frost.replace(before, after, 1)), 422, "invalid", field)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\xff\xfe",
        b"just a word",
        b"[1, 2]",
        b"a: [",
        b"a: &a [1, 2]\nb: [*a, *a]",
        b"a: !!python/object/apply:os.system ['true']",
        b"{" * 5000,
        b"a: 1\n" * 60_000,
    ],
)
def test_what_is_no_plain_data_is_refused(rest, problem, source):
    problem(rest.post("/templates", content=source), 422, "invalid")


def test_a_literal_that_means_nothing_is_told_when_a_service_is_made(rest, house, frost, place, problem):
    source = frost.replace("quantity: Temperature", "quantity: Happiness", 1)
    name = rest.post("/templates", content=source).json()["name"]
    body = {"title": "x", "template": name, "parameters": {"place": place}}
    detail = problem(rest.post("/services", json=body), 422, "invalid", "template")["detail"]
    assert "Happiness" in detail


def test_a_parameter_of_a_type_that_a_role_cannot_use_is_refused_by_name(rest, frost, place, problem):
    source = frost.replace("unit: Cel", 'freshness: "{{wait}}"').replace(
        "low: {type", "wait: {type: string}\n    low: {type"
    )
    answer = rest.post("/templates", content=source)
    assert answer.status_code == 201, answer.text
    for wait in ("soon", "nan", "inf", "-1", "0"):
        body = {"title": "x", "template": answer.json()["name"], "parameters": {"place": place, "wait": wait}}
        problem(rest.post("/services", json=body), 422, "invalid", "parameters.wait")


def test_what_is_shown_can_be_added_under_another_name(rest, house):
    shown = house.get("/templates/keep-within")
    del shown["shipped"]
    answer = rest.post("/templates", content=json.dumps(shown | {"name": f"copy-{next(_NUMBERS)}"}))
    assert answer.status_code == 201, answer.text
