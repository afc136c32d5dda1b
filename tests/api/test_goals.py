"""``POST /services`` with a goal alone: the template is found, said why, and equal ones are shared."""

from __future__ import annotations

import pytest


def keep(place, **more):
    return {"keep": {"quantity": "Temperature", "place": place, "between": [20, 24], "unit": "Cel"} | more}


def ask(rest, goal, title="Warm", **headers):
    return rest.post("/services", json={"title": title, "goal": goal}, headers=headers)


def test_a_goal_alone_makes_a_service_that_works(sensor, heater, rest, house, place, until):
    sensor(18.0)
    stove = heater()
    answer = ask(rest, keep(place))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["template"]) == ("running", "keep-within")
    assert made["goal"] == keep(place)
    assert made["chosen"]["reason"]
    assert made["parameters"]["low"] == 20
    until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
    rest.delete(answer.headers["location"])


def test_without_an_actuator_it_waits_and_says_for_what(sensor, rest, place):
    sensor(18.0)
    made = ask(rest, keep(place)).json()
    assert made["state"] == "waiting"
    assert any("warmer or cooler" in line for line in made["missing"])
    assert "waiting" in made["chosen"]["reason"]


def test_equal_requests_are_one_composite_and_end_each_on_its_own(sensor, rest, house, place):
    sensor(21.0)
    goal = {"know": {"quantity": "Temperature", "place": place}}
    one, two = (ask(rest, goal, title).json() for title in ("mine", "yours"))
    assert one["id"] != two["id"]
    assert one["thing"] == two["thing"]
    assert two["shared_with"] == [one["id"]]
    assert house.get(f"/services/{one['id']}")["shared_with"] == [two["id"]]
    paused = rest.post(f"/services/{one['id']}/pause").json()
    assert paused["state"] == "paused"
    assert house.get(f"/services/{two['id']}")["state"] == "running"
    assert rest.delete(f"/services/{one['id']}").status_code == 204
    assert house.get(f"/services/{two['id']}")["shared_with"] == []
    assert house.state_of(two, "running")["thing"] == one["thing"]


def test_a_service_is_replaced_by_a_goal(sensor, rest, place):
    sensor(21.0)
    made = ask(rest, {"know": {"quantity": "Temperature", "place": place}}).json()
    answer = rest.put(f"/services/{made['id']}", json={"title": "Warm", "goal": keep(place)})
    assert (answer.json()["template"], answer.json()["goal"]) == ("keep-within", keep(place))


def test_a_repeat_under_the_same_key_is_one_service(rest, place, problem):
    key = {"idempotency-key": f"goal-{place}"}
    made = [ask(rest, keep(place), **key).json()["id"] for _ in range(2)]
    assert made[0] == made[1]
    problem(ask(rest, keep(place, between=[1, 2]), **key), 409, "conflict")


@pytest.mark.parametrize(
    ("goal", "field"),
    [
        ({}, "goal"),
        (5, "goal"),
        ({"keep": {}}, "goal.keep.quantity"),
        (keep("x") | {"know": {"quantity": "Temperature"}}, "goal"),
        (keep("x", quantity="Happiness"), "goal.keep.quantity"),
        (keep("x", unit="W"), "goal.keep.unit"),
        (keep("x", between=[24, 20]), "goal.keep"),
        (keep("x", between=["a", 20]), "goal.keep.between.0"),
        (keep("x", colour="red"), "goal.keep.colour"),
        ({"maintain": {"quantity": "Temperature", "place": "x", "is": "hot"}}, "goal.maintain"),
    ],
)
def test_what_is_wrong_is_named(rest, problem, goal, field):
    problem(ask(rest, goal), 422, "invalid", field)


def test_a_template_and_a_goal_contradict_and_neither_is_too_little(rest, problem, place):
    body = {"title": "x", "template": "keep-within", "goal": keep(place)}
    problem(rest.post("/services", json=body), 422, "invalid", "goal")
    problem(rest.post("/services", json={"title": "x"}), 422, "invalid", "template")


def test_who_drives_instead_is_shown(sensor, heater, rest, house, place):
    sensor(18.0)
    heater()
    first = ask(rest, keep(place)).json()
    second = ask(rest, keep(place, between=[5, 8])).json()
    shown = house.state_of(second, "degraded")
    assert [(each["winner"], each["priority"]) for each in shown["conflicts"]] == [("Warm", "automation")]
    assert {each["cost"] for each in shown["bindings"]} == {""}
    assert rest.delete(f"/services/{first['id']}").status_code == 204
    assert house.state_of(second, "running")["conflicts"] == []
