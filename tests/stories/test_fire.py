"""A pan is forgotten on the stove at a quarter to one."""

from __future__ import annotations

import pytest

from diat.kernel.errors import Conflict


@pytest.fixture
def home(house):
    """Smoke above the stove, carbon monoxide in the cellar; a siren, a door that opens by itself, and gas."""
    house.watcher("smoke", "Smoke", False, place="home/kitchen")
    house.watcher("fumes", "CarbonMonoxideDetected", False, place="home/cellar")
    house.driven("siren", "SoundPressureLevel", False)
    house.driven("lock", "Lock", False)
    house.driven("way", "Illuminance", False)
    house.driven("gas", "GasSupply", True)
    house.fire = house.service("fire", place="home")
    return house


def test_alarm_open_doors_no_gas_until_it_is_out(home):
    home.until("12:45")
    home.sees("smoke", True)
    assert home.heard() == [
        "12:45:00 siren on true",
        "12:45:00 lock on true",
        "12:45:00 way on true",
        "12:45:00 gas on false",
    ]
    home.status("smoke", "offline")  # it burns
    home.restart(away=120)
    assert home.says(home.fire, "burning") is True
    with pytest.raises(Conflict, match="for safety"):
        home.by_hand("siren", False)
    assert home.heard() == []
    home.until("13:30")
    home.put(home.fire, reset=True)
    assert home.heard() == ["13:30:00 siren on false"], "the rest is for people to put back"
    home.by_hand("gas", True)
    assert home.happened(home.fire, "fire") == 1
    home.decides_again(home.fire)


def test_a_siren_that_does_not_do_as_it_is_told_is_told_again(home):
    home.deaf.add("siren")
    home.until("12:45")
    home.sees("smoke", True)
    home.until("12:47")
    home.deaf.discard("siren")
    home.until("12:50")
    told = [line for line in home.heard() if "siren" in line]
    assert told == ["12:45:00 siren on true", "12:46:15 siren on true", "12:47:30 siren on true"]
    home.decides_again(home.fire)


def test_fumes_alone_are_enough_and_every_detector_dead_does_not_end_it(home):
    home.status("smoke", "offline")
    home.until("13:00")
    home.sees("fumes", True)
    home.status("fumes", "offline")
    home.until("23:00")
    assert len(home.heard()) == 4
    assert home.says(home.fire, "burning") is True
    home.decides_again(home.fire)
