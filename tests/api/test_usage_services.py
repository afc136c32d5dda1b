"""Policies on services: what they may bind, in which form they read, and how they are stopped."""

import time

import pytest


@pytest.fixture
def policy(rest):
    made = []

    def put(name, **document):
        answer = rest.put(f"/policies/{name}", json=document)
        assert answer.status_code in (200, 201), answer.text
        made.append(name)

    yield put
    for name in made:
        rest.delete(f"/policies/{name}")


@pytest.fixture
def keeping(house, rest, place):
    made = []

    def make(**more):
        parameters = {"quantity": "Temperature", "place": place, "low": 20, "high": 24, "unit": "Cel"}
        body = {"title": "a service", "template": "keep-within", "parameters": parameters} | more
        made.append(house.post("/services", body))
        return made[-1]

    yield make
    for each in made:
        rest.delete(f"/services/{each['id']}")


def test_a_service_says_for_whom_and_what_for_it_acts(sensor, heater, keeping):
    sensor(21.0)
    heater()
    made = keeping(purpose="comfort")
    assert (made["creator"], made["purpose"], made["state"]) == ("local:loopback", "comfort", "running")


def test_a_role_whose_candidate_is_denied_is_turned_down_with_the_reason(
    sensor, heater, keeping, policy, house, rest
):
    each, _ = sensor(21.0), heater()
    policy("private", title="Private", effect="deny", what={"things": [each.id]}, operations=["bind"])
    made = keeping()
    assert made["state"] == "waiting"
    assert any("policy 'Private' (private) denies it" in line for line in made["missing"])
    parameters = {**made["parameters"]}
    plan = house.post(
        "/services/plan",
        {"title": "a plan", "template": "keep-within", "parameters": parameters},
        status=200,
    )
    assert plan["state"] == "waiting"
    assert any(
        one["thing"] == each.id and "policy 'Private' (private) denies it" in one["reason"]
        for one in plan["refused"]
    )
    rest.delete("/policies/private")
    house.state_of(made, "running")


def test_purpose_decides(sensor, heater, keeping, policy):
    each, _ = sensor(21.0), heater()
    about = {"what": {"things": [each.id]}, "operations": ["observe"]}
    policy("comfort", effect="deny", who={"kinds": ["service"], "purposes": ["billing"]}, **about)
    assert keeping(purpose="billing")["state"] == "waiting"
    assert keeping(purpose="comfort")["state"] == "running"


def test_a_denied_service_degrades_at_once_and_lets_go(sensor, heater, keeping, policy, house, until):
    cold, hot = sensor(18.0), heater()
    made = keeping()
    until(lambda: {"on": True} in [told.get("v") for told in hot.told], "heating")
    policy("stop", title="Stop", effect="deny", what={"things": [cold.id]}, who={"services": [made["id"]]})
    now = house.state_of(made, "waiting")
    assert any("policy 'Stop' (stop) denies it" in line for line in now["missing"])
    until(lambda: hot.told[-1]["v"] == {"on": False}, "let go")


def test_an_actuator_that_must_not_be_driven_is_not(sensor, heater, keeping, policy, house, rest):
    sensor(18.0)
    hot = heater()
    policy("hands-off", effect="deny", what={"things": [hot.id]}, operations=["write"])
    made = keeping()
    assert made["state"] == "waiting"
    assert hot.told == []
    rest.delete("/policies/hands-off")
    house.state_of(made, "running")


def test_a_service_sees_values_in_the_form_that_a_policy_says(sensor, heater, keeping, policy, until, house):
    cold, hot = sensor(21.0), heater()
    made = keeping()
    about = {"who": {"kinds": ["service"]}, "what": {"things": [cold.id]}}
    policy("coarse", effect="modify", modify={"round": 10}, **about)
    until(lambda: house.daemon.composites.states.committed[made["id"]].bindings[0].form, "in another form")
    cold.report(temperature=24.9)
    cold.report(temperature=15.9)  # 20 when rounded: nothing is too cold
    cold.report(temperature=14.0)
    until(lambda: hot.told, "heating")
    command = until(lambda: house.get("/actuations", service=made["id"], limit=1))[0]
    values = house.get(f"/actuations/{command['id']}")["values"]
    assert 10 in [value for value in values.values() if not isinstance(value, bool)]


def test_held_back_values_are_none_for_a_service(sensor, heater, keeping, policy):
    cold, _ = sensor(18.0), heater()
    policy("later", title="Later", effect="delay", what={"things": [cold.id]}, delay="1h")
    made = keeping()
    assert made["state"] == "waiting"
    assert any("a service needs values as they come" in line for line in made["missing"])


def test_a_situation_turns_a_policy_on_and_off(sensor, heater, keeping, policy, house, rest, until):
    cold, _ = sensor(21.0), heater()
    alarm = sensor(20.0, at="elsewhere/alarm")
    made, other = keeping(), keeping(purpose="another")
    situation = house.post(
        "/situations",
        {
            "title": "too hot elsewhere",
            "when": {"thing": alarm.id, "property": "temperature", "above": 50},
            "then": [{"pause": other["id"]}],
            "cooldown": 1,
        },
    )
    about = {"what": {"things": [cold.id]}, "when": {"situation": situation["id"]}}
    policy("emergency", title="Emergency", effect="deny", **about)
    assert house.get(f"/services/{made['id']}")["state"] == "running"
    alarm.report(temperature=60.0)
    house.state_of(made, "waiting")
    alarm.report(temperature=20.0)
    house.state_of(made, "running")
    rest.delete(f"/situations/{situation['id']}")


def test_services_of_other_purposes_are_not_done_by_one_composite(sensor, heater, keeping):
    sensor(21.0)
    heater()
    one, same, other = keeping(purpose="a"), keeping(purpose="a"), keeping(purpose="b")
    assert same["shared_with"] == [one["id"]]
    assert other["shared_with"] == []


def test_a_hundred_revocations_stop_a_service_within_a_second(sensor, heater, keeping, rest, house):
    cold, _ = sensor(21.0), heater()
    made, took = keeping(), []
    states = house.daemon.composites.states.committed
    document = {"effect": "deny", "what": {"things": [cold.id]}, "who": {"services": [made["id"]]}}

    def is_now(state):
        deadline = time.monotonic() + 10
        while states[made["id"]].state != state:
            assert time.monotonic() < deadline, state
            time.sleep(0.0005)

    for _ in range(100):
        asked = time.monotonic()
        rest.put("/policies/stop", json=document)
        is_now("waiting")
        took.append(time.monotonic() - asked)
        rest.delete("/policies/stop")
        is_now("running")
    took.sort()
    print(f"revocation of a service: median {took[50] * 1000:.0f} ms, p99 {took[98] * 1000:.0f} ms")
    assert took[98] < 1.0
