"""Two people in one bedroom, one window, and it is shut."""

from __future__ import annotations

import pytest


@pytest.fixture
def room(house):
    """Carbon dioxide, humidity, and a fan."""
    house.watcher("air", "CarbonDioxide", 600.0, unit="[ppm]", place="home/bedroom")
    house.watcher("damp", "RelativeHumidity", 50.0, unit="%", place="home/bedroom")
    house.driven("fan", "Ventilation", False, place="home/bedroom")
    house.fresh = house.service("air-quality-ventilation", place="home/bedroom", freshness=7200)
    return house


def test_the_fan_runs_while_the_air_is_stale_or_moist(room):
    for clock, watcher, value, told in (
        ("12:10", "air", 1001.0, ["12:10:00 fan on true"]),
        ("12:20", "air", 900.0, []),
        ("12:30", "air", 799.0, ["12:30:00 fan on false"]),
        ("12:31", "damp", 75.0, []),  # it rests for five minutes
        ("12:40", "damp", 66.0, ["12:35:00 fan on true"]),
        ("12:50", "air", 1200.0, []),
        ("13:00", "damp", 60.0, []),  # dry, and now stale
        ("13:10", "air", 500.0, ["13:10:00 fan on false"]),
    ):
        room.until(clock)
        room.sees(watcher, value)
        assert room.heard() == told, clock
    room.decides_again(room.fresh)


def test_sensors_die_one_after_the_other_and_the_fan_turns_by_the_clock(room):
    room.until("12:30")
    room.sees("air", 1500.0)
    room.until("12:50")
    room.status("air", "offline")
    assert room.heard() == ["12:30:00 fan on true", "12:50:00 fan on false"], "by humidity, all is well"
    room.until("13:20")
    room.status("damp", "offline")
    room.restart(away=60)
    assert room.state(room.fresh).state == "degraded"
    room.until("15:30")
    assert room.heard() == [
        "14:00:00 fan on true",
        "14:15:00 fan on false",
        "15:00:00 fan on true",
        "15:15:00 fan on false",
    ]
    room.status("air", "online")
    room.sees("air", 1400.0)
    assert room.heard() == ["15:30:00 fan on true"]
    room.decides_again(room.fresh)


def test_who_wants_it_quiet_has_an_hour(room):
    room.until("12:10")
    room.sees("air", 1500.0)
    room.until("12:20")
    room.by_hand("fan", False)
    room.until("13:00")
    room.sees("air", 1600.0)
    room.until("13:30")
    assert room.heard() == ["12:10:00 fan on true", "12:20:00 fan on false", "13:20:00 fan on true"]
    room.decides_again(room.fresh)
