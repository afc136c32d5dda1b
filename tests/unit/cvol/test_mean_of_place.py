"""Stories of ``mean-of-place``: a derived property that is itself a thing."""

from __future__ import annotations

import pytest


@pytest.fixture
def house(world):
    """Three rooms with a thermometer each, one of them in Fahrenheit, one in Kelvin."""
    for name, unit in (("a", "Cel"), ("b", "[degF]"), ("c", "K")):
        world.sensor(name, place=f"hq/{name}", unit=unit)
    world.measure("a", 20.0)
    world.measure("b", 71.6)
    world.measure("c", 297.15)
    return world


def test_the_mean_over_all_in_the_unit_that_was_asked_for(house):
    mean = house.mean("hq")
    assert sorted(house.bound(mean, "sensors")) == ["a", "b", "c"]
    assert house.mean_value(mean) == pytest.approx(22.0)
    fahrenheit = house.mean("hq", unit="[degF]")
    assert house.mean_value(fahrenheit) == pytest.approx(71.6)


def test_it_is_a_thing_like_others(house):
    mean = house.mean("hq")
    thing = house.things.registry.get(f"urn:diat:composite:{mean}")
    assert thing.td["title"] == "Mean of hq"
    assert thing.place == "hq"
    prop = thing.properties["mean"]
    assert (prop.quantity, prop.unit, prop.writable) == ("Temperature", "Cel", False)
    assert house.twin(thing.id).status == "online"


def test_it_follows_each_reading(house):
    mean = house.mean("hq")
    house.later(10)
    house.measure("a", 26.0)
    assert house.mean_value(mean) == pytest.approx(24.0)
    reading = house.twin(f"urn:diat:composite:{mean}").values["mean"]
    assert reading.observed == house.now


def test_a_reading_makes_one_row_of_history(house):
    house.mean("hq")
    before = house.things.intake.counts.readings
    house.later(10)
    house.measure("a", 26.0)
    assert house.things.intake.counts.readings == before + 2, "the reading, and the mean"


def test_only_what_lies_in_the_place_counts(house):
    house.sensor("d", place="hq2/a")
    house.sensor("e", place="")
    house.measure("d", 99.0)
    house.measure("e", 99.0)
    assert house.mean_value(house.mean("hq")) == pytest.approx(22.0)
    assert house.mean_value(house.mean("HQ / a ")) == pytest.approx(20.0), "however people write it"


def test_one_that_joins_is_taken_in_with_its_first_reading(house):
    mean = house.mean("hq")
    house.sensor("d", place="hq/d")
    assert house.mean_value(mean) == pytest.approx(22.0)
    house.measure("d", 42.0)
    assert house.mean_value(mean) == pytest.approx(27.0)


def test_one_that_leaves_is_left_out_at_once(house):
    mean = house.mean("hq")
    house.status("c", "offline")
    assert house.mean_value(mean) == pytest.approx(21.0)
    house.withdraw("b")
    assert house.mean_value(mean) == pytest.approx(20.0)
    house.status("c", "online")
    assert house.mean_value(mean) == pytest.approx(22.0)


def test_one_that_falls_silent_is_left_out_by_the_clock(house):
    mean = house.mean("hq", freshness=600)
    house.later(300)
    house.measure("a", 20.0)
    house.later(301)
    assert house.bound(mean, "sensors") == ["a"]
    assert house.mean_value(mean) == pytest.approx(20.0)
    house.later(300)
    state = house.state(mean)
    assert state.state == "waiting"
    assert state.missing
    assert state.missing[0].startswith("sensors: a property of Temperature at hq")
    assert house.twin(f"urn:diat:composite:{mean}").status == "offline"


def test_a_thing_that_promises_to_speak_more_often_is_held_to_it(world):
    world.sensor("a", **{"diat:silence": 60})
    world.measure("a", 20.0)
    mean = world.mean("hq")
    world.later(61)
    assert world.state(mean).state == "waiting"


def test_it_says_when_it_is_there_again(house):
    """The same readings as before are no news, but that it is there is."""
    mean = house.mean("hq")
    thing = f"urn:diat:composite:{mean}"
    house.pause(mean)
    assert house.twin(thing).status == "offline"
    rows = house.things.intake.counts.readings
    house.resume(mean)
    assert house.state(mean).state == "running"
    assert house.twin(thing).status == "online"
    assert house.things.intake.counts.readings == rows


def test_deleting_it_retires_its_thing(house):
    mean = house.mean("hq")
    house.delete(mean)
    assert house.things.registry.seen(f"urn:diat:composite:{mean}") is None
    house.measure("a", 30.0)
    assert house.composites.states.committed == {}


def test_means_do_not_feed_on_each_other(house):
    one, two = house.mean("hq"), house.mean("hq", freshness=1800)
    for turn in range(5):
        house.later(10)
        house.measure("a", 20.0 + turn)
    assert house.mean_value(one) == house.mean_value(two) == pytest.approx((24 + 22 + 24) / 3)


TOTAL = """
name: {name}
title: A mean that takes composites in as well
parameters: {{type: object}}
place: hq
roles:
  all: {{capability: read, quantity: Temperature, place: hq, unit: Cel, count: "0..", composites: true}}
steps:
  - {{id: average, do: mean, role: all}}
derives:
  mean: {{from: average, quantity: Temperature, unit: Cel}}
"""


def test_composites_that_could_read_each_other_form_no_cycle(house):
    """Whoever was there first is read; the readers of a composite are never read by it."""
    services = []
    for name in ("first", "second", "third"):
        house.template(TOTAL.format(name=name))
        services.append(house.service(name))
    readers = {
        f"urn:diat:composite:{service}": {binding.thing for binding in house.state(service).bindings}
        for service in services
    }
    for start in readers:
        reached, grown = set(readers[start]), True
        while grown:
            more = reached | {thing for one in reached for thing in readers.get(one, ())}
            grown, reached = more != reached, more
        assert start not in reached
    house.later(10)
    house.measure("a", 50.0)
    assert all(house.state(service).state == "running" for service in services)


def test_enormous_values_do_not_end_the_service(world):
    for name in "ab":
        world.sensor(name, unit="[degF]")
        world.measure(name, 1.7e308)
    mean = world.mean("hq")
    assert world.state(mean).error is None
    world.later(10)
    for name in "ab":
        world.measure(name, 68.0)
    assert world.state(mean).state == "running"
    assert world.mean_value(mean) == pytest.approx(20.0)


def test_restarted_it_goes_on_without_a_second_row(kept_world):
    world = kept_world
    world.sensor("a")
    world.measure("a", 20.0)
    mean = world.mean("hq")
    assert world.mean_value(mean) == 20.0
    world.restart(away=5)
    assert world.mean_value(mean) == 20.0
    assert world.state(mean).state == "running"
    assert world.twin(f"urn:diat:composite:{mean}").status == "online"
    assert world.things.intake.counts.readings == 0


def test_a_mean_that_lacks_a_sensor_is_degraded_and_says_which(world):
    world.sensor("one")
    world.sensor("two")
    service = world.mean()
    world.measure("one", 20)
    assert world.state(service).state == "degraded"
    assert world.state(service).missing == ["sensors: two (temperature): it has not reported yet"]
    world.measure("two", 22)
    assert (world.state(service).state, world.state(service).missing) == ("running", [])
    world.status("two", "offline")
    assert world.state(service).state == "degraded"
    assert world.state(service).missing == ["sensors: two (temperature): it is offline"]
    assert world.mean_value(service) == 20
