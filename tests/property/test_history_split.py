"""Invariant: for any readings, and any split between database and Parquet files, history answers as if all
were in the database.

The split is made as in life: messages come in any order of their dates, and between them days are moved, so
that a day can lie in several files and in the database at once. Half of the time the last file's rows are
back in the database, as after a crash before they were deleted. Numbers are multiples of 1/8 of modest size
or beyond what is summed, so that figures are exact in whatever order they are made.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.adapters.sql import rows
from diat.adapters.sql.figures import AGGREGATES
from diat.adapters.sql.history import History
from tests.unit.lake.house import DAY, HOUR, House

NAMES = ("t", 'a"b', "x.y", "$[0]", "é\\n\n", "")
DAYS = 4
MINUTE = 60_000

thorough = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

numbers = st.integers(-(2**20), 2**20) | st.integers(-(2**20), 2**20).map(lambda n: n / 8)
scalars = numbers | st.booleans() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.none()
values = (
    scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from(NAMES), scalars, max_size=2)
)
any_number = (
    st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0)
)
times = st.integers(0, DAYS * DAY - 1) | st.sampled_from([0, DAY - 1, DAY, 2 * DAY, 2 * DAY + HOUR])


def messages(value):
    """observed, values, thing, delay, quality."""
    return st.tuples(
        times,
        st.dictionaries(st.sampled_from(NAMES), value, min_size=1, max_size=3),
        st.integers(1, 2),
        st.integers(0, 1000),
        st.sampled_from(["good", "uncertain"]),
    )


def story(value):
    """Messages, and days before which all is moved, in any order."""
    return st.lists(messages(value) | st.integers(1, DAYS), min_size=1, max_size=30)


spans = st.tuples(st.none() | times, st.none() | times)
lengths = st.sampled_from([1, 1000, 7 * MINUTE, HOUR, 90 * MINUTE, DAY, 3 * DAY])


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """Two, cleared for each story: to set one up takes longer than everything else here."""
    split, whole = (House(tmp_path_factory.mktemp(name)) for name in ("split", "whole"))
    yield split, whole
    split.stop()
    whole.stop()


def told(houses, steps, *, crash):
    """A house in which this happened, and a history in which the same happened and nothing was moved."""
    house, whole = houses
    for each in houses:
        each.clear()
    for step in steps:
        if isinstance(step, int):
            house.mover.move(step)
        else:
            observed, said, thing, delay, quality = step
            for each in houses:
                each.report(observed, said, thing, observed + delay, quality)
    if crash:
        back(whole, house)
    return house, whole.all_in_sql


def back(whole, house):
    """Every row is in the database again, whether or not a file holds it."""
    with whole.engine.connect() as connection:
        query = "SELECT position, thing, observed, received, boot, n, quality, reported FROM readings"
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    if not found:
        return
    insert = rows.LOGS["readings"].replace("INSERT", "INSERT OR IGNORE")
    with house.engine.begin() as connection:
        connection.exec_driver_sql(insert, found)


def same(left, right):
    """Equal, and of the same types: 5 is not 5.0, and neither is True 1."""
    assert [repr(each) for each in left] == [repr(each) for each in right]


@thorough
@given(
    story(values | any_number),
    st.booleans(),
    st.sampled_from(NAMES),
    spans,
    st.integers(1, 7),
    st.integers(0, 4),
)
def test_readings_are_the_same(houses, steps, crash, name, span, limit, offset):
    house, whole = told(houses, steps, crash=crash)
    for thing in (1, 2, 3):
        everything = whole.readings(thing, name, *span, 1000)
        same(house.history.readings(thing, name, *span, 1000), everything)
        same(
            house.history.readings(thing, name, *span, limit, offset=offset),
            everything[offset : offset + limit],
        )
        same(pages(house.history, thing, name, span, limit), everything)
        assert house.history.census(thing, *span) == whole.census(thing, *span)
        since = (thing, name, 5 * offset, limit)
        same(house.history.readings_since(*since), whole.readings_since(*since))


def pages(history, thing, name, span, limit):
    found, after = [], None
    while page := history.readings(thing, name, *span, limit, after=after):
        found += page
        after = (page[-1].observed, page[-1].position)
    return found


@thorough
@given(
    story(values),
    st.booleans(),
    st.sampled_from(NAMES),
    spans,
    lengths,
    st.sampled_from(AGGREGATES),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_figures_are_the_same(houses, steps, crash, name, span, every, aggregate, limit, offset):
    house, whole = told(houses, steps, crash=crash)
    for thing in (1, 2, 3):
        everything = whole.aggregates(thing, name, *span, every, aggregate, 1000)
        same(house.history.aggregates(thing, name, *span, every, aggregate, 1000), everything)
        some = house.history.aggregates(thing, name, *span, every, aggregate, limit, offset=offset)
        same(some, everything[offset : offset + limit])


@thorough
@given(story(values | any_number), st.booleans())
def test_a_crash_is_made_good_by_the_next_step(houses, steps, crash):
    house, whole = told(houses, [*steps, DAYS], crash=crash)
    house.mover.move(DAYS)
    assert house.hot() == []
    for name in NAMES:
        same(house.history.readings(1, name, None, None, 1000), whole.readings(1, name, None, None, 1000))


def model(everything, every, aggregate):
    """What the figures should be, by the plainest of means."""
    figures = {}
    for past in everything:
        number = type(past.value) in (int, float)
        if past.value is not None and (number or aggregate in ("count", "last")):
            figures.setdefault(past.observed - past.observed % every, []).append(past.value)
    make = {"mean": lambda v: sum(v) / len(v), "count": len, "last": lambda v: v[-1]}
    plain = {"sum": sum, "min": min, "max": max}
    return {at: {**make, **plain}[aggregate](found) for at, found in figures.items()}


@thorough
@given(story(values), st.sampled_from(NAMES), spans, lengths, st.sampled_from(AGGREGATES))
def test_the_database_alone_answers_right(houses, steps, name, span, every, aggregate):
    _, whole = told(houses, steps, crash=False)
    assert isinstance(whole, History)
    found = whole.aggregates(1, name, *span, every, aggregate, 1000)
    everything = whole.readings(1, name, *span, 1000)
    assert {past.observed: past.value for past in found} == model(everything, every, aggregate)
