"""What fills each role, and what is said where nothing does."""

from __future__ import annotations

import pytest

from diat.cvol.binding import bind
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
    assert sorted(names(second)) == ["b", "best"]
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
