"""What could fill a role, how well, and why the others cannot."""

from __future__ import annotations

import pytest

from diat.cvol.matching import candidates
from diat.cvol.wanted import Wanted


def wanted(**said):
    usual = {
        "name": "sensor",
        "capability": "read",
        "quantities": ("Temperature",),
        "type": "number",
        "place": "hq",
        "unit": "Cel",
        "freshness": 3600.0,
        "least": 1,
        "most": 1,
        "composites": True,
    }
    return Wanted(**usual | said)


def look(world, **said):
    """``{name: refusal}`` of all that was looked at, best first."""
    found = candidates(wanted(**said), world.things.registry, world.things.intake.twin, world.now)
    return {each.thing.removeprefix("urn:dev:"): each.refusal for each in found}


@pytest.fixture
def two(world):
    world.sensor("a", place="hq/1")
    world.sensor("b", place="hq/2")
    world.measure("a", 20.0)
    world.measure("b", 20.0)
    return world


def test_what_fits_comes_in_the_order_in_which_it_came(two):
    assert look(two) == {"a": None, "b": None}


def test_the_more_accurate_comes_first(two):
    two.sensor("c", place="hq", **{"diat:accuracy": 0.5})
    two.sensor("d", place="hq", **{"diat:accuracy": 0.1})
    two.measure("c", 20.0)
    two.measure("d", 20.0)
    assert list(look(two)) == ["d", "c", "a", "b"]


def test_what_is_declared_comes_before_what_is_supposed(two):
    supposed = {"type": "number", "unit": "Cel", "readOnly": True, "diat:accuracy": 0.1}
    two.announce("s", **{"diat:place": "hq", "properties": {"temperature": supposed}})
    two.report("s", temperature=20.0)
    assert list(look(two)) == ["a", "b", "s"]
    reason = candidates(wanted(), two.things.registry, two.things.intake.twin, two.now)[-1].reason
    assert "0.8 sure" in reason


def test_what_is_supposed_is_not_taken_to_be_in_the_usual_unit(two):
    supposed = {"type": "number", "readOnly": True}
    two.announce("s", **{"diat:place": "hq", "properties": {"temperature": supposed}})
    two.report("s", temperature=68.0)
    assert "unit" in look(two)["s"]


def test_a_composite_comes_last_and_only_where_it_may(two):
    mean = f"urn:diat:composite:{two.mean('hq')}"
    assert list(look(two)) == ["a", "b", mean]
    assert mean not in look(two, composites=False)


@pytest.mark.parametrize(
    ("place", "fits"),
    [
        ("hq", ["a", "b"]),
        ("", ["a", "b"]),
        ("hq/1", ["a"]),
        ("HQ / 1 ", ["a"]),
        ("/hq//1/", ["a"]),
        ("h", []),
        ("hq/1/desk", []),
        ("1", []),
    ],
)
def test_a_place_includes_what_lies_inside(two, place, fits):
    assert [name for name, refusal in look(two, place=place).items() if refusal is None] == fits


def test_each_refusal_says_why(two):
    two.sensor("silent", place="hq")
    two.sensor("lost", place="")
    two.sensor("gone", place="hq")
    two.measure("gone", 20.0)
    two.status("gone", "offline")
    two.sensor("odd", place="hq", unit="W")
    two.measure("odd", 20.0)
    two.sensor("words", place="hq", type="string")
    two.report("words", temperature="warm")
    two.sensor("out", place="hq")
    two.batch(lambda: two.things.admit("urn:dev:out", "rejected", "x"))
    two.later(3600.001)
    two.measure("a", 20.0)
    refusals = look(two)
    assert refusals.pop("a") is None
    assert refusals == {
        "b": "its reading is 3600 s old, more than 3600 s",
        "silent": "it has not reported yet",
        "lost": "nobody said where it is",
        "gone": "it is offline",
        "odd": "its unit W does not convert to Cel",
        "words": "its values are not numbers",
        "out": "it is rejected",
    }


def test_a_place_elsewhere_is_named(two):
    assert look(two, place="hq/1")["b"] == "it is at hq/2"


def test_without_a_unit_the_usual_one_is_meant(world):
    world.announce(
        "bare",
        **{
            "diat:place": "hq",
            "properties": {"t": {"type": "number", "@type": "quantitykind:Temperature"}},
        },
    )
    world.report("bare", t=20.0)
    assert look(world) == {"bare": None}
    assert look(world, unit=None) == {"bare": None}


class TestDriving:
    def test_by_direction(self, world):
        world.actuator("heater", "increase", place="hq")
        world.actuator("cooler", "decrease", place="hq")
        assert look(world, capability="increase", type="boolean", unit=None) == {
            "heater": None,
            "cooler": "it can decrease, not increase",
        }
        assert look(world, capability="decrease", type="boolean", unit=None) == {
            "cooler": None,
            "heater": "it can increase, not decrease",
        }

    def test_only_what_can_be_written_and_is_a_switch(self, world):
        world.actuator("stuck", place="hq", readOnly=True)
        world.actuator("dial", place="hq", type="number")
        assert look(world, capability="increase", type="boolean", unit=None) == {
            "stuck": "it is read only",
            "dial": "it is not a switch",
        }

    def test_it_need_not_have_reported(self, world):
        world.actuator("heater", place="hq")
        assert look(world, capability="increase", type="boolean", unit=None) == {"heater": None}
        world.status("heater", "sleeping")
        assert look(world, capability="increase", type="boolean", unit=None) == {"heater": None}
