"""What of a number matters, to the last bit, and what a thing is told for it."""

import math

import pytest

from diat.cvol.composite import Binding
from diat.cvol.placement.comparisons import straight, turn, turns
from diat.cvol.placement.needs import CHANGES, EVERY, Need
from diat.cvol.placement.rules import rule
from diat.cvol.wanted import Wanted
from diat.vol.pushdown import Rule
from diat.vol.thing import Property

ALL = ("every", "delta", "above", "below", "mean", "min", "max", "silence")
LIFE = {"every": 60.0, "delta": 0.0, "silence": 60.0}


def up(number):
    return math.nextafter(number, math.inf)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x < 5", {5.0}),
        ("x <= 5", {up(5.0)}),
        ("5 < x", {up(5.0)}),
        ("x == 5", {5.0, up(5.0)}),
        ("x != null && x > most", {up(70.0)}),
        ("x == null ? y : x < most - 5", {65.0}),
        ("!(x > 5) || y == 'on'", {up(5.0)}),
        ("2 * x - 1 > 7", {up(4.0)}),
        ("-x < 3", {up(-3.0)}),
        ("24 - x > 0.1", {23.900000000000002}),
        ("y == 'on'", set()),
        ("x", None),
        ("x ? 1 : 2", None),
        ("x + z > 3", None),
        ("x * x > 4", None),
        ("1 / x > 4", None),
        ("abs(x) > 4", None),
        ("x.y > 4", None),
        ("x in [1, 2]", None),
        ("x > 'a'", None),
    ],
)
def test_where_a_formula_turns(text, found):
    assert turns(text, "x", {"most": 70}) == (None if found is None else frozenset(found))


@pytest.mark.parametrize(
    "holds", [lambda v: v < 20.1, lambda v: v > 3e-310, lambda v: v >= -7.3e99, lambda v: 24 - v > 0.1]
)
def test_an_edge_is_found_to_the_last_bit(holds):
    at = turn(holds)
    assert holds(at) != holds(math.nextafter(at, -math.inf))


def test_what_never_turns_has_no_edge():
    assert turn(lambda value: True) is None
    assert straight("1 + 2", "x", {}) is None


def told(need, *, unit="Cel", exact=True, takes=ALL, newest=None, **more):
    role = Wanted(
        name="sensor",
        capability="read",
        quantities=("Temperature",),
        place="",
        unit="Cel",
        type="number",
        freshness=240.0,
        least=1,
        most=1,
        composites=True,
    )
    prop = Property(name="t", type="number", check=lambda _: None, unit=unit, writable=False, **more)
    binding = Binding(role="sensor", thing="x", affordance="t", unit=unit)
    return rule(need, role, binding, prop, takes, every=60.0, exact=exact, newest=newest)


def edges(*at):
    return Need("edges", at)


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        (EVERY, Rule()),
        (CHANGES, Rule(delta=0.0, silence=60.0)),
        (edges(), Rule(silence=60.0)),
        (edges(20.0), Rule(below=20.0, **LIFE)),
        (edges(up(30.0)), Rule(above=30.0, **LIFE)),
        (edges(20.0, up(24.0)), Rule(below=20.0, above=24.0, **LIFE)),
    ],
)
def test_a_thing_is_told_the_edges(need, expected):
    assert told(need) == expected


def test_of_many_edges_those_around_the_last_value_are_quiet():
    need = edges(10.0, up(20.0), up(30.0))
    assert told(need, newest=15.0) == Rule(below=10.0, above=20.0, delta=0.0, silence=60.0)
    assert told(need, newest=29.0) == Rule(below=up(20.0), above=30.0, delta=0.0, silence=60.0)


def test_edges_are_carried_over_into_the_unit_of_the_property():
    found = told(edges(20.0, up(24.0)), unit="[degF]")
    assert found.below == 68.0
    assert found.above == 75.2


def test_who_counts_in_single_precision_is_told_short_decimals_only():
    assert told(edges(23.5), exact=False) == Rule(below=23.5, **LIFE)
    odd = edges(23.900000000000002, up(30.0))
    assert told(odd, exact=False) == Rule(delta=0.0, silence=60.0)
    assert told(odd) == Rule(below=23.900000000000002, above=30.0, **LIFE)


def test_a_thing_is_told_what_it_takes_only():
    assert told(edges(20.0), takes=("delta", "silence")) == Rule(delta=0.0, silence=60.0)
    assert told(edges(20.0), takes=("every",)) == Rule()
    assert told(CHANGES, takes=("mean",)) == Rule()
