"""A week away: the house is armed, the cat stays, and on Thursday somebody tries the window."""

from __future__ import annotations

import pytest


@pytest.fixture
def home(house):
    """A window, eyes in the hall, a siren, a lamp and a lock."""
    house.watcher("window", "Window", False)
    house.watcher("door", "Door", False)
    house.watcher("eyes", "Motion", False)
    house.driven("siren", "SoundPressureLevel", False)
    house.driven("lamp", "Illuminance", False)
    house.driven("lock", "Lock", True)
    house.guard = house.service("intrusion", place="home")
    return house


def test_away(home):
    home.sees("window", True, "window", False, "eyes", True)
    assert home.heard() == [], "nobody armed it"
    home.put(home.guard, armed="away")
    home.sees("door", True)
    home.until("12:01:30")
    assert home.says(home.guard, "phase") == "leaving", "the door stands open"
    home.sees("eyes", False, "door", False)
    assert home.says(home.guard, "phase") == "watching"
    assert home.heard() == ["12:01:30 lock on false"]
    home.restart(away=3600)
    home.status("window", "offline")
    assert "who opens it is not noticed" in home.state(home.guard).missing[0]
    home.until("15:00")
    home.sees("eyes", True, "eyes", False)
    home.until("15:05")
    assert home.heard() == ["15:00:30 lamp on true", "15:00:30 siren on true", "15:03:30 siren on false"]
    assert home.says(home.guard, "alarm") is True
    assert home.happened(home.guard, "intrusion") == 1
    home.until("15:30")
    home.put(home.guard, armed="off")
    assert home.heard() == ["15:30:00 lamp on false"]
    assert home.says(home.guard, "phase") == "disarmed"
    home.decides_again(home.guard)


def test_whoever_comes_home_has_half_a_minute(home):
    home.put(home.guard, armed="away")
    home.until("18:00")
    home.sees("door", True)
    home.until("18:00:29")
    home.put(home.guard, armed="off")
    home.until("18:10")
    assert home.heard() == ["12:01:00 lock on false"]
    assert home.happened(home.guard, "intrusion") == 0
    home.decides_again(home.guard)


def test_at_home_people_move(home):
    home.put(home.guard, armed="home")
    home.until("23:00")
    home.sees("eyes", True, "eyes", False)
    home.until("23:30")
    assert home.heard() == ["12:01:00 lock on false"]
    home.sees("window", True)
    home.until("23:31")
    assert home.heard() == ["23:30:30 lamp on true", "23:30:30 siren on true"]
    home.decides_again(home.guard)


def test_cutting_every_wire_does_not_end_the_alarm(home):
    home.put(home.guard, armed="away")
    home.until("14:00")
    home.sees("window", True)
    home.until("14:01")
    for name in ("window", "door", "eyes"):
        home.status(name, "offline")
    home.until("14:02")
    assert home.heard() == [
        "12:01:00 lock on false",
        "14:00:30 lamp on true",
        "14:00:30 siren on true",
    ]
    home.until("14:04")
    assert home.heard() == ["14:03:30 siren on false"]
    assert home.says(home.guard, "alarm") is True
    home.decides_again(home.guard)
