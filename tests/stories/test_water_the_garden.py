"""July in the kitchen garden: beans, two probes, one of them chewed by a mole."""

from __future__ import annotations

import pytest


@pytest.fixture
def garden(house):
    """Two probes and a valve that has two actions, open and shut."""
    house.watcher("beans", "Moisture", 25.0, unit="%", place="home/garden")
    house.watcher("kale", "Moisture", 35.0, unit="%", place="home/garden")
    ways = {"open": "increase", "shut": "decrease"}
    actions = {
        name: {"diat:affects": {"quantity": "WaterSupply", "direction": way}} for name, way in ways.items()
    }
    house.announce("tap", **{"diat:place": "home/garden", "actions": actions})
    house.water = house.service("water-the-garden", place="home/garden", at="0 20 * * *", freshness=86400)
    return house


def test_until_it_is_moist_enough(garden):
    garden.until("20:12")
    assert garden.heard() == ["20:00:00 tap open null"]
    garden.sees("beans", 44.0, "kale", 60.0)
    garden.until("20:15")
    garden.sees("beans", 46.0)
    assert garden.heard() == ["20:15:00 tap shut null"]
    garden.sees("beans", 20.0)
    garden.until("20:40")
    assert garden.heard() == [], "once in an evening"
    garden.until("20:01")
    assert garden.heard() == ["20:00:00 tap open null"], "the next day"
    garden.decides_again(garden.water)


def test_never_longer_than_the_limit_over_a_restart_too(garden):
    garden.until("20:10")
    garden.restart(away=120)
    assert garden.says(garden.water, "watering") is True
    garden.until("21:00")
    assert garden.heard() == ["20:00:00 tap open null", "20:30:00 tap shut null"]
    garden.decides_again(garden.water)


def test_the_platform_is_away_as_it_should_shut(garden):
    garden.until("20:10")
    garden.restart(away=3600)
    garden.later(1)
    assert garden.heard() == ["20:00:00 tap open null", "21:10:00 tap shut null"], "at once, as it is back"
    garden.decides_again(garden.water)


def test_on_doubt_it_is_shut(garden):
    garden.status("kale", "offline")
    assert garden.state(garden.water).state == "degraded"
    garden.until("20:05")
    garden.status("beans", "offline")
    assert garden.heard() == ["20:00:00 tap open null", "20:05:00 tap shut null"]
    assert garden.state(garden.water).state == "waiting"
    garden.until("20:10")
    garden.status("beans", "online")
    garden.sees("beans", 26.0)
    assert garden.heard() == ["20:10:00 tap open null"], "what is left of the half hour"
    garden.until("21:00")
    assert garden.heard() == ["20:30:00 tap shut null"]
    garden.decides_again(garden.water)


def test_moist_soil_is_not_watered(garden):
    garden.sees("beans", 31.0)
    garden.until("21:00")
    assert garden.heard() == []
