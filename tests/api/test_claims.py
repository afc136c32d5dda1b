"""Who drives a thing, over REST: a person's hold, how long it lasts, and giving it back."""

from __future__ import annotations

import pytest


@pytest.fixture
def warm(house, sensor, heater, place, until):
    """A heater that a service drives; thing and service."""
    sensor(18.0)
    stove = heater()
    service = house.keep(place)
    until(lambda: stove.told, "the service heats")
    return stove, service


def claims(house, thing):
    return [(each["title"], each["drives"]) for each in house.get(f"{thing.path}/claims")]


def test_a_person_holds_it_for_as_long_as_he_says_and_gives_it_back(warm, house, rest, until):
    stove, service = warm
    (mine,) = house.get(f"{stove.path}/claims")
    assert (mine["holder"], mine["affordances"], mine["until"]) == (service["id"], ["on"], None)
    answer = rest.put(f"{stove.path}/properties/on", params={"hold": "PT30M"}, json=False)
    assert answer.status_code == 204
    assert claims(house, stove) == [("a person", True), ("a service", False)]
    held = house.get(f"{stove.path}/claims")[0]
    assert held["since"][:16] != held["until"][:16]
    shown = house.state_of(service, "degraded")
    (lost,) = shown["conflicts"]
    assert (lost["thing"], lost["affordance"], lost["winner"]) == (stove.id, "on", "a person")
    assert rest.delete(f"{stove.path}/claims", params={"affordance": "on"}).status_code == 204
    until(lambda: stove.told[-1]["v"] == {"on": True}, "the service heats again")
    assert house.state_of(service, "running")["conflicts"] == []


def test_none_is_held_that_is_not_wanted(warm, house, rest):
    stove, _ = warm
    assert rest.put(f"{stove.path}/properties/on", params={"hold": "0"}, json=False).status_code == 204
    assert claims(house, stove) == [("a service", True)]


@pytest.mark.parametrize("hold", ["soon", "P40D", "-1", ""])
def test_a_wrong_hold_is_told(warm, rest, problem, hold):
    stove, _ = warm
    problem(
        rest.put(f"{stove.path}/properties/on", params={"hold": hold}, json=False), 422, "invalid", "hold"
    )


def test_of_a_thing_that_is_not_there(rest, problem):
    problem(rest.get("/things/urn:dev:nobody/claims"), 404, "not-found")
    problem(rest.delete("/things/urn:dev:nobody/claims"), 404, "not-found")
