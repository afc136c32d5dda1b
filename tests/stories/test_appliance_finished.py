"""Monday is washing day."""

from __future__ import annotations

import pytest


@pytest.fixture
def laundry(house):
    """A plug that measures, and the service that watches it."""
    house.watcher("plug", "Power", 0.8, unit="W", place="home/laundry")
    house.washer = house.service("appliance-finished", place="home/laundry")
    return house


def phase(laundry):
    return laundry.says(laundry.washer, "phase")


def test_it_pauses_and_is_told_of_once_when_it_has_finished(laundry):
    assert phase(laundry) == "off"
    for clock, power, then in (
        ("13:00", 1900.0, "running"),
        ("13:20", 2.0, "pausing"),  # it soaks
        ("13:22", 300.0, "running"),
        ("13:30", 7.0, "running"),
        ("13:50", 1.0, "pausing"),
    ):
        laundry.until(clock)
        laundry.sees("plug", power)
        assert phase(laundry) == then, clock
    laundry.until("13:51")
    laundry.restart(away=30)
    laundry.until("13:52:59")
    assert phase(laundry) == "pausing"
    laundry.until("13:53")
    assert phase(laundry) == "finished"
    laundry.until("14:30")
    laundry.sees("plug", 0.8)
    assert laundry.happened(laundry.washer, "finished") == 1
    laundry.until("15:00")
    laundry.sees("plug", 1900.0)
    assert phase(laundry) == "running", "the second load"
    assert laundry.decides_again(laundry.washer) == [[]], "it drives nothing"


def test_a_plug_that_dies_in_the_middle_is_waited_for(laundry):
    laundry.sees("plug", 1900.0)
    laundry.status("plug", "offline")
    laundry.until("14:00")
    assert laundry.twin(f"urn:diat:composite:{laundry.washer}").status == "offline"
    assert laundry.happened(laundry.washer, "finished") == 0
    laundry.status("plug", "online")
    laundry.sees("plug", 1.0)
    laundry.until("14:03")
    assert (phase(laundry), laundry.happened(laundry.washer, "finished")) == ("finished", 1)


def test_a_plug_of_another_tongue(house):
    """A Zigbee plug measures; nobody had to say what its numbers mean."""
    power = {"type": "numeric", "name": "power", "property": "power", "access": 1, "unit": "W"}
    definition = {"model": "M", "vendor": "V", "description": "Smart plug", "exposes": [power]}
    entry = {
        "ieee_address": "0x0017880104e4cccc",
        "friendly_name": "plug",
        "type": "Router",
        "supported": True,
    }
    house.feed("zigbee2mqtt/bridge/devices", [{**entry, "definition": definition}])
    (thing,) = house.things.registry.objects.committed
    house.batch(lambda: house.things.patch(thing, {"diat:place": "home/laundry"}))
    house.feed("zigbee2mqtt/plug", {"power": 2000})
    washer = house.service("appliance-finished", place="home/laundry")
    house.until("12:40")
    house.feed("zigbee2mqtt/plug", {"power": 0})
    house.until("12:45")
    assert (house.says(washer, "phase"), house.happened(washer, "finished")) == ("finished", 1)
