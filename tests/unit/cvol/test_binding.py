"""What fills each role, and what is said where nothing does."""

from __future__ import annotations

import pytest

from diat.cvol.binding import SETTLED, bind
from diat.cvol.composing import compose
from diat.service.templates import read_template

TEMPLATE = """
name: t
title: T
parameters: {{type: object}}
roles:
  eyes: {{capability: read, quantity: Temperature, place: hq, unit: Cel, count: "{count}"}}
  warmer: {{capability: increase, quantity: Temperature, place: hq, count: "0..1"}}
  cooler: {{capability: decrease, quantity: Temperature, place: hq, count: "0..1"}}
requires: {requires}
steps: [{{id: level, do: mean, role: eyes}}]
"""


@pytest.fixture
def four(world):
    for name in "abcd":
        world.sensor(name, place="hq")
        world.measure(name, 20.0)
    return world


def bound(world, count="1", requires="[]", current=()):
    composite = compose(read_template(TEMPLATE.format(count=count, requires=requires)), {}, "s", "S")
    return bind(composite, current, world.things.registry, world.things.intake.twin, world.now)


def names(outcome, role="eyes"):
    return [each.thing.removeprefix("urn:dev:") for each in outcome.bindings if each.role == role]


@pytest.mark.parametrize(
    ("count", "fills", "missing"),
    [
        ("1", "a", 0),
        ("3", "abc", 0),
        ("0..2", "ab", 0),
        ("1..", "abcd", 0),
        ("0..", "abcd", 0),
        ("2..3", "abc", 0),
        ("6", "abcd", 1),
        ("5..", "abcd", 1),
    ],
)
def test_as_many_as_the_role_wants(four, count, fills, missing):
    outcome = bound(four, count)
    assert names(outcome) == list(fills)
    assert len(outcome.missing) == missing


def test_how_many_more_are_missing_is_said(four):
    assert bound(four, "6").missing == ["eyes: 2 more of a property of Temperature at hq"]


def test_what_is_bound_stays_and_the_best_of_the_rest_fills_up(four):
    first = bound(four, "2")
    four.sensor("best", place="hq", **{"diat:accuracy": 0.1})
    four.measure("best", 20.0)
    assert names(bound(four, "2", current=first.bindings)) == ["a", "b"]
    four.status("a", "offline")
    four.later(5)
    second = bound(four, "2", current=first.bindings)
    assert names(second) == ["best", "b"]
    since = {each.thing: each.since for each in second.bindings}
    assert since["urn:dev:b"] == first.bindings[1].since
    assert since["urn:dev:best"] == four.now


def test_of_the_refused_five_are_told_and_the_others_counted(world):
    for at in range(7):
        world.sensor(f"s{at}", place="hq")
    (line,) = bound(world).missing
    assert line.count("it has not reported yet") == 5
    assert line.endswith("and 2 others)")


def test_what_may_fill_a_role_with_its_next_reading_is_waited_for(four):
    four.sensor("new", place="hq")
    assert bound(four, "1").waits == []
    assert bound(four, "5").waits == [("urn:dev:new", "temperature")]


def test_one_of_a_group_is_enough(four):
    wants = "[[warmer, cooler]]"
    (line,) = bound(four, requires=wants).missing
    assert line == "warmer or cooler: nothing that can increase or decrease Temperature at hq"
    four.actuator("cooler", "decrease", place="hq")
    assert bound(four, requires=wants).missing == []
    four.status("cooler", "offline")
    (line,) = bound(four, requires=wants).missing
    assert line.endswith("(turned down: cooler (on): it is offline)")


@pytest.mark.parametrize(
    ("count", "lacking"),
    [
        ("0..", ["eyes: a property of Temperature at hq; meanwhile: it is blind"]),
        ("1..", []),  # that is missing, not lacking
    ],
)
def test_a_role_that_may_be_empty_at_a_loss_says_so(world, count, lacking):
    source = TEMPLATE.format(count=count, requires="[]").replace(
        "unit: Cel,", "unit: Cel, loss: it is blind,"
    )
    composite = compose(read_template(source), {}, "s", "S")
    outcome = bind(composite, (), world.things.registry, world.things.intake.twin, world.now)
    assert outcome.lacking == lacking


class TestOrder:
    """Things that a person put in order: the first ones are wanted, the others stand in."""

    TEMPLATE = """
name: t
title: T
parameters: {type: object, properties: {order: {type: array}, accuracy: {type: number}}}
roles:
  eyes:
    capability: read
    quantity: Temperature
    place: hq
    unit: Cel
    count: "%s"
    order: "{{order}}"
    accuracy: "{{accuracy}}"
    freshness: 60
steps: [{id: level, do: mean, role: eyes}]
"""

    @pytest.fixture
    def look(self, four):
        self.world, self.current = four, []

        def bound(count="1", accuracy=None, *order):
            said = {"order": [f"urn:dev:{each}" for each in order], "accuracy": accuracy}
            composite = compose(read_template(self.TEMPLATE % count), said, "s", "S")
            outcome = bind(composite, self.current, four.things.registry, four.things.intake.twin, four.now)
            self.current = outcome.bindings
            self.outcome = outcome
            return names(outcome)

        return bound

    def fresh(self, *things):
        for thing in things:
            self.world.measure(thing, 20.0)

    def settle(self):
        """Time passes until what stands in may give way."""
        self.world.later(SETTLED / 1000)

    def test_the_first_in_order_come_first_however_they_rank(self, look):
        assert look("2", None, "d", "c") == ["d", "c"]
        self.current = []
        assert look("0..", None, "d") == ["d", "a", "b", "c"]

    def test_of_any_number_the_best_stands_first_though_it_came_last(self, look):
        look("0..", None, "z", "b")
        self.world.sensor("z", place="hq")
        self.fresh("z")
        assert look("0..", None, "z", "b") == ["z", "b", "a", "c", "d"]

    def test_who_stands_in_gives_way_at_once_if_it_has_stood_in_for_long(self, look):
        assert look("1", None, "c", "a") == ["c"]
        self.world.status("c", "offline")
        assert look("1", None, "c", "a") == ["a"]
        assert self.outcome.lacking == ["eyes: c (temperature): it is offline"]
        self.settle()
        self.fresh("a", "c")
        self.world.status("c", "online")
        assert look("1", None, "c", "a") == ["c"]

    def test_and_not_before_its_time_if_it_has_not(self, look):
        look("1", None, "c", "a")
        for _ in range(3):
            self.world.status("c", "offline")
            assert look("1", None, "c", "a") == ["a"]
            self.world.status("c", "online")
            assert look("1", None, "c", "a") == ["a"]
            self.world.later(1)
        self.settle()
        self.fresh("a", "c")
        assert look("1", None, "c", "a") == ["c"]

    def test_who_is_silent_is_waited_for_if_it_comes_before_the_one_that_stands_in(self, look):
        self.world.later(60.001)
        self.fresh("a", "d")
        assert look("1", None, "c", "a") == ["a"]
        assert self.outcome.waits == [("urn:dev:c", "temperature")]

    def test_without_an_order_nobody_gives_way(self, look):
        assert look("1", None) == ["a"]
        self.world.status("a", "offline")
        assert look("1", None) == ["b"]
        self.settle()
        self.fresh("b")
        self.world.status("a", "online")
        assert look("1", None) == ["b"]
        assert self.outcome.lacking == self.outcome.waits == []

    def test_worse_than_the_role_allows_is_given_up(self, look):
        for name in "ab":
            self.world.sensor(name, place="hq", **{"diat:accuracy": 0.5})
        assert look("1", 0.5) == ["a"]
        self.world.sensor("a", place="hq", **{"diat:accuracy": 0.6})
        assert look("1", 0.5) == ["b"]
        self.world.sensor("a", place="hq", **{"diat:accuracy": 0.1})
        assert look("1", 0.5) == ["b"]


class TestSubstitutes:
    """What stands in for a quantity that nothing measures."""

    TEMPLATE = """
name: t
title: T
parameters: {type: object}
roles:
  eyes:
    capability: read
    quantity: Occupancy
    place: hq
    freshness: 60
    count: "1"
    substitutes: [{quantity: Motion, error: who sits still is not seen}]
steps: [{id: seen, do: latest, role: eyes}]
"""

    @pytest.fixture
    def look(self, world):
        for name, quantity in [("radar", "Occupancy"), ("pir", "Motion")]:
            prop = {"type": "boolean", "@type": f"quantitykind:{quantity}", "readOnly": True}
            world.announce(name, **{"diat:place": "hq", "properties": {"seen": prop}})
            world.report(name, seen=True)
        composite = compose(read_template(self.TEMPLATE), {}, "s", "S")
        self.current, self.outcome = (), None

        def bound():
            self.outcome = bind(
                composite, self.current, world.things.registry, world.things.intake.twin, world.now
            )
            self.current = self.outcome.bindings
            return names(self.outcome)

        return bound

    def test_what_is_wanted_is_bound_and_nothing_with_it(self, look):
        assert look() == ["radar"]
        assert self.outcome.lacking == []

    def test_it_says_what_that_costs(self, world, look):
        world.status("radar", "offline")
        assert look() == ["pir"]
        assert self.outcome.missing == []
        assert self.outcome.lacking == [
            "eyes: radar (seen): it is offline",
            "eyes: pir (seen) stands in: who sits still is not seen",
        ]

    def test_it_gives_way_at_once_when_what_was_wanted_is_back_after_long(self, world, look):
        world.status("radar", "offline")
        look()
        world.later(SETTLED / 1000)
        world.report("pir", seen=True)
        world.report("radar", seen=True)
        assert look() == ["pir"]
        world.status("radar", "online")
        assert look() == ["radar"]

    def test_what_comes_and_goes_changes_it_twice_at_most_in_that_time(self, world, look):
        look()
        changes = 0
        for _ in range(SETTLED // 1000 - 1):
            before = self.current
            world.status("radar", "offline" if world.twin("urn:dev:radar").status != "offline" else "online")
            look()
            changes += [each.thing for each in before] != [each.thing for each in self.current]
            world.later(1)
        assert changes == 1
        world.status("radar", "online")
        world.later(1)
        assert look() == ["radar"]

    def test_it_gives_way_at_once_if_it_does_not_fit_any_more_itself(self, world, look):
        world.status("radar", "offline")
        look()
        world.status("pir", "offline")
        world.status("radar", "online")
        assert look() == ["radar"]

    def test_the_next_reading_of_what_is_wanted_is_waited_for(self, world, look):
        world.later(61)
        world.report("pir", seen=True)
        assert look() == ["pir"]
        assert self.outcome.waits == [("urn:dev:radar", "seen")]
