"""What could fill a role, how well, and why the others cannot."""

from __future__ import annotations

import pytest

from diat.cvol.matching import REMOTE, candidates, elsewhere
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
        "gone": "it is offline",
        "odd": "its unit W does not convert to Cel",
        "words": "its values are not numbers",
        "out": "it is rejected",
    }


class TestElsewhere:
    """What would fit if it were at the place, told to whom it may have been forgotten to say where it is."""

    def far(self, world, **said):
        registry, twin = world.things.registry, world.things.intake.twin
        found = elsewhere(wanted(**said), registry, twin, world.now)
        return [(each.thing.removeprefix("urn:dev:"), each.refusal) for each in found]

    def test_it_is_not_among_the_candidates(self, two):
        assert look(two, place="hq/1") == {"a": None}

    def test_the_nearest_first_and_those_nobody_placed_last(self, world):
        for name, place in [("lost", ""), ("far", "lab/1"), ("near", "hq/1/shed"), ("next", "hq/2")]:
            world.sensor(name, place=place)
            world.measure(name, 20.0)
        assert self.far(world, place="hq/1/desk") == [
            ("near", "it is at hq/1/shed"),
            ("next", "it is at hq/2"),
            ("lost", "nobody said where it is"),
            ("far", "it is at lab/1"),
        ]

    def test_only_what_would_fit(self, two):
        two.sensor("silent", place="hq/3")
        two.sensor("odd", place="hq/3", unit="W")
        two.measure("odd", 20.0)
        two.actuator("heater", place="hq/3")
        assert self.far(two, place="hq/1") == [("b", "it is at hq/2"), ("silent", "it is at hq/3")]

    def test_what_is_away_would_fit_if_it_were_here_and_there(self, two):
        two.status("b", "offline")
        assert self.far(two, place="hq/1") == [("b", "it is at hq/2")]

    def test_nothing_is_elsewhere_of_everywhere(self, two):
        assert self.far(two, place="") == []

    def test_of_thousands_few_are_looked_at(self, world):
        for at in range(REMOTE + 50):
            world.sensor(f"s{at}", place="lab", type="string")
        registry, looked = world.things.registry, []

        def twin(thing):
            looked.append(thing)
            return world.things.intake.twin(thing)

        assert elsewhere(wanted(place="hq/1"), registry, twin, world.now) == []
        assert len(looked) == REMOTE
        for at in range(20):
            world.sensor(f"s{at}", place="lab")
        looked.clear()
        assert len(elsewhere(wanted(place="hq/1"), registry, twin, world.now)) == 5
        assert len(looked) == 5

    def test_only_what_is_at_the_place_is_looked_at(self, world):
        for at in range(50):
            world.sensor(f"s{at}", place=f"hq/{at}")
        looked = []

        def twin(thing):
            looked.append(thing)
            return world.things.intake.twin(thing)

        candidates(wanted(place="hq/7"), world.things.registry, twin, world.now)
        assert looked == ["urn:dev:s7"]


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
