"""Sunday noon: the oven, the dryer and the car want more than the fuse gives."""

from __future__ import annotations

import pytest


@pytest.fixture
def home(house):
    """A meter, and three loads of which the car matters least."""
    house.watcher("meter", "Power", 1000, unit="W")
    for name in ("oven", "dryer", "car"):
        house.driven(name, "Power", name != "car")
    order = [f"urn:dev:{name}" for name in ("oven", "dryer", "car")]
    house.shave = house.service("peak-shaving", place="home", limit=5000, order=order)
    return house


def test_the_least_important_goes_first_and_comes_back_last(home):
    assert home.heard() == [], "the car is off, and not for us to switch on"
    home.by_hand("car", True)
    home.until("13:10")  # the person's hour is over
    home.heard()
    home.sees("meter", 7000)
    assert home.heard() == ["13:10:00 car on false"]
    home.until("13:10:30")
    home.sees("meter", 5600)
    home.until("13:11:30")
    assert home.heard() == ["13:11:00 dryer on false"], "a minute later it still was too much"
    home.restart(away=10)
    home.sees("meter", 3000)
    home.until("13:12:10")
    home.sees("meter", 3000)
    home.until("13:12:20")
    home.sees("meter", 4900)
    home.until("13:14")
    home.sees("meter", 2000)
    assert home.heard() == ["13:12:00 dryer on true", "13:14:00 car on true"]
    home.decides_again(home.shave)


def test_a_person_who_wants_the_car_has_it(home):
    home.by_hand("car", True)
    home.heard()
    home.until("12:30")
    home.sees("meter", 7000)
    home.until("12:32")
    home.sees("meter", 4000)
    home.until("12:34")
    home.sees("meter", 3000)
    assert "12:31:00 dryer on false" in home.heard(), "the car is theirs, so the next one goes"
    home.decides_again(home.shave)


def test_with_a_dead_meter_everybody_has_power_again(home):
    home.until("12:10")
    home.sees("meter", 7000)
    home.until("12:11:01")
    home.sees("meter", 7000)
    assert "12:11:00 dryer on false" in home.heard()
    home.until("12:20")
    assert home.state(home.shave).state == "waiting"
    assert home.heard()[-1:] == ["12:16:01 dryer on true"]
    assert home.twin("urn:dev:dryer").values["on"].value is True
    home.decides_again(home.shave)


def test_a_car_that_is_away_while_there_is_room_is_not_forgotten(home):
    home.by_hand("car", True)
    home.until("13:10")
    home.heard()
    home.sees("meter", 7000)
    home.status("car", "offline")
    home.until("13:12")
    home.sees("meter", 1000)
    home.status("car", "online")
    home.until("13:16")
    assert home.heard()[-3:] == [
        "13:13:00 oven on true",
        "13:14:00 dryer on true",
        "13:15:00 car on true",
    ], "a minute apart, the most important first"
    home.decides_again(home.shave)
