"""An afternoon in the study: somebody reads so quietly that the eyes see nothing."""

from __future__ import annotations

import pytest


@pytest.fixture
def study(house):
    """Eyes and a door."""
    house.watcher("eyes", "Motion", False, place="home/study")
    house.watcher("door", "Door", False, place="home/study")
    house.presence = house.service("occupancy", place="home/study")
    return house


def occupied(study):
    return study.says(study.presence, "occupied")


def test_whoever_sits_still_behind_a_shut_door_is_there_until_it_opens(study):
    assert occupied(study) is False
    study.until("13:00")
    study.sees("door", True, "eyes", True, "door", False)
    study.until("13:05")
    study.sees("eyes", False, "eyes", True, "eyes", False)
    study.until("16:00")
    assert occupied(study) is True, "three hours without a motion"
    study.restart(away=300)
    assert occupied(study) is True
    study.until("16:30")
    study.sees("door", True)
    study.until("16:39:59")
    assert occupied(study) is True
    study.until("16:40")
    assert occupied(study) is False
    assert study.twin(f"urn:diat:composite:{study.presence}").values["occupied"].observed == study.now
    assert study.decides_again(study.presence) == [[]], "it drives nothing"


def test_the_last_motion_of_who_left_does_not_keep_the_room_occupied(study):
    study.until("13:00")
    study.sees("eyes", True, "door", True, "door", False)
    study.until("13:01")
    study.sees("eyes", False)
    study.until("13:12")
    assert occupied(study) is False


def test_when_the_door_is_silent_motion_alone_counts(study):
    study.until("13:00")
    study.sees("eyes", True, "eyes", False)
    study.until("13:30")
    assert occupied(study) is True, "behind a shut door"
    study.status("door", "offline")
    study.until("13:45")
    assert occupied(study) is False


def test_with_dead_eyes_nothing_is_said_and_a_light_is_left_as_it_is(study):
    """The light follows what is derived here, as it would any sensor."""
    study.driven("lamp", "Illuminance", False, place="home/study")
    study.batch(lambda: study.things.patch("urn:dev:eyes", {"diat:place": "home/study"}))
    light = study.service("light-follows-presence", place="home/study", hold=0)
    assert sorted(study.bound(light, "presence")) == sorted(["eyes", f"urn:diat:composite:{study.presence}"])
    study.until("18:00")
    study.sees("eyes", True, "eyes", False)
    study.until("19:00")
    assert study.heard() == ["18:00:00 lamp on true"], "the eyes see nobody, the study is occupied"
    study.status("eyes", "offline")
    assert study.twin(f"urn:diat:composite:{study.presence}").status == "offline"
    study.until("20:00")
    assert study.heard() == []
    study.decides_again(light)
