"""A winter evening in the hall: somebody comes home, and the sun is long gone."""

from __future__ import annotations

import pytest


@pytest.fixture
def hall(house):
    """Eyes, a light sensor, a lamp behind a Tasmota relay and one of our own."""
    house.watcher("eyes", "Motion", False, place="home/hall")
    house.watcher("daylight", "Illuminance", 400, unit="lx", place="home/hall")
    house.driven("lamp", "Illuminance", False, place="home/hall")
    house.light = house.service("light-follows-presence", place="home/hall")
    return house


def test_the_lamp_is_lit_in_the_dark_and_its_own_light_does_not_put_it_out(hall):
    hall.until("12:10")
    hall.sees("eyes", True, "eyes", False)
    assert hall.heard() == [], "it is bright"
    hall.until("17:00")
    hall.sees("daylight", 12)
    hall.sees("eyes", True)
    hall.sees("daylight", 180)  # that is the lamp
    hall.until("17:20")
    assert hall.heard() == ["17:00:00 lamp on true"]
    hall.sees("eyes", False)
    hall.restart(away=60)
    hall.until("17:30")
    assert hall.heard() == ["17:25:00 lamp on false"], "five minutes after the last sight, restart or not"
    hall.decides_again(hall.light)


def test_it_grows_dark_while_somebody_is_there(hall):
    hall.sees("eyes", True)
    hall.until("14:00")
    hall.sees("daylight", 300)
    hall.until("15:59")
    hall.sees("daylight", 120)
    hall.until("16:30")
    hall.sees("daylight", 30)
    assert hall.heard() == ["16:30:00 lamp on true"]
    hall.decides_again(hall.light)


def test_whoever_puts_it_out_by_hand_has_the_dark_for_an_hour(hall):
    hall.sees("daylight", 5, "eyes", True)
    hall.until("12:30")
    hall.sees("daylight", 5)
    hall.by_hand("lamp", False)
    hall.until("13:00")
    hall.sees("eyes", False, "eyes", True)
    assert hall.heard() == ["12:00:00 lamp on true", "12:30:00 lamp on false"]
    hall.until("13:40")
    assert hall.heard() == ["13:30:00 lamp on true"]
    hall.decides_again(hall.light)


def test_nobody_is_left_in_the_dark_by_dead_eyes(hall):
    hall.sees("daylight", 5, "eyes", True)
    assert hall.heard() == ["12:00:00 lamp on true"]
    hall.status("eyes", "offline")
    hall.until("15:00")
    assert hall.state(hall.light).state == "waiting"
    assert hall.heard() == []
    hall.status("eyes", "online")
    hall.sees("eyes", False)
    hall.until("15:10")
    assert hall.heard() == ["15:05:00 lamp on false"], "the eyes are back, and nobody is there"
    hall.decides_again(hall.light)


def test_without_a_light_sensor_it_is_dark_from_sunset_on(hall):
    """The sensor dies at dusk; nobody said where we are, so it is always dark."""
    hall.status("daylight", "offline")
    assert "always" in hall.state(hall.light).missing[0]
    hall.until("14:00")
    hall.sees("eyes", True)
    assert hall.heard() == ["14:00:00 lamp on true"]
    hall.decides_again(hall.light)


def test_a_lamp_at_a_tasmota_relay(hall):
    mac = "3C71BF295AB4"
    config = {
        "dn": "Ceiling", "fn": ["Ceiling"], "hn": "ceiling", "mac": mac, "md": "Basic", "sw": "13.1",
        "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "t": "ceiling",
        "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1], "swc": [-1], "btn": [0],
        "so": {}, "lk": 1, "lt_st": 0, "ver": 1,
    }  # fmt: skip
    hall.feed(f"tasmota/discovery/{mac}/config", config)
    (thing,) = [each for each in hall.things.registry.objects.committed if "3c71" in each.lower()]
    name = next(n for n, p in hall.things.registry.seen(thing).properties.items() if p.affects)
    lamp = {"diat:affects": {"quantity": "Illuminance", "direction": "switch"}}
    hall.batch(lambda: hall.things.patch(thing, {"diat:place": "home/hall", "properties": {name: lamp}}))
    hall.feed("tele/ceiling/LWT", b"Online")
    hall.feed("stat/ceiling/RESULT", {"POWER": "OFF"})
    hall.heard()
    hall.sees("daylight", 5, "eyes", True)
    assert sorted(hall.heard()) == ["12:00:00 cmnd/ceiling/POWER1 ON", "12:00:00 lamp on true"]
    hall.decides_again(hall.light)
