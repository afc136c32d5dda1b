"""A bathroom in a cold January, and a person who saves on heating."""

from __future__ import annotations

import pytest

from diat.kernel.errors import Conflict


@pytest.fixture
def bath(house):
    """Two thermometers, one of them American, and a heater."""
    house.watcher("wall", "Temperature", 12.0, unit="Cel", place="home/bath")
    house.watcher("pipe", "Temperature", 50.0, unit="[degF]", place="home/bath")
    house.driven("heater", "Temperature", False, place="home/bath", way="increase")
    house.frost = house.service("freeze-protection", place="home/bath")
    return house


def test_the_heater_is_claimed_while_it_is_cold_and_given_back(bath):
    bath.by_hand("heater", False)
    bath.until("12:40")
    bath.sees("wall", 7.0, "pipe", 39.2)  # 4 degrees Celsius
    assert bath.heard() == ["12:00:00 heater on false", "12:40:00 heater on true"], "whatever a person said"
    bath.until("12:50")
    with pytest.raises(Conflict, match="for safety"):
        bath.by_hand("heater", False)
    bath.restart(away=30)
    bath.until("13:20")
    bath.sees("wall", 9.0, "pipe", 44.0)
    assert bath.heard() == []
    bath.until("13:30")
    bath.sees("pipe", 46.0)
    assert bath.heard() == ["13:30:00 heater on false"]
    bath.by_hand("heater", True)
    bath.until("14:00")
    bath.sees("wall", 9.0, "pipe", 46.0)
    assert bath.heard() == ["13:30:00 heater on true"], "it is theirs again"
    bath.decides_again(bath.frost)


def test_a_room_that_keeps_itself_warm_gets_the_heater_back(bath):
    """A service of lower rank wants ten degrees; in the frost it waits, after it it goes on."""
    keep = bath.service("keep-above", quantity="Temperature", place="home/bath", above=9, unit="Cel")
    bath.until("12:20")
    bath.sees("wall", 4.0, "pipe", 40.0)
    assert bath.heard() == ["12:20:00 heater on true"]
    bath.until("12:40")
    bath.sees("pipe", 46.0, "wall", 8.0)
    assert bath.heard() == [], "the frost is over, and it is not warm"
    bath.until("12:50")
    bath.sees("wall", 9.8)
    bath.sees("pipe", 50.0)
    assert bath.heard() == ["12:50:00 heater on false"]
    bath.decides_again(bath.frost, keep)


def test_one_thermometer_dies_then_the_other(bath):
    bath.status("pipe", "offline")
    assert bath.state(bath.frost).state == "degraded"
    bath.until("12:30")
    bath.sees("wall", 3.0)
    assert bath.heard() == ["12:30:00 heater on true"]
    bath.until("19:29")
    assert bath.heard() == [], "unmeasured it heats on"
    bath.until("19:31")
    assert bath.heard() == ["19:30:00 heater on false"], "an hour is a reading good, six hours it heats blind"
    assert "frost there is not seen" in " ".join(bath.state(bath.frost).missing)
    bath.until("19:40")
    bath.sees("wall", 2.0)
    assert bath.heard() == ["19:40:00 heater on true"]
    bath.decides_again(bath.frost)
