"""What is kept how long, and the hourly figures that remain."""

from __future__ import annotations

import pytest

from diat.adapters.lake.mover import Mover
from diat.adapters.lake.retention import Retention, drop
from diat.adapters.sql.figures import AGGREGATES
from diat.kernel.errors import Invalid
from tests.unit.lake.house import DAY, HOUR

POLICY = Retention(hot_days=1, raw_days=2, hourly_days=4)


def filled(house, days=1):
    for day in range(days):
        for at in range(48):
            values = {"t": (at * 7 % 13) / 8, "n": at, "on": at % 3 == 0, "mode": f"m{at}", "x": {"a": at}}
            house.report(day * DAY + at * HOUR // 2, values)
        house.occur(day * DAY, "e", day)
    house.mover.move(days)


def figures(house, name, every=HOUR, start=None, end=None):
    numbers = ("mean", "min", "max", "sum") if name in ("t", "n") else ()
    return {
        aggregate: [
            repr(past) for past in house.history.aggregates(1, name, start, end, every, aggregate, 999)
        ]
        for aggregate in AGGREGATES
        if aggregate in ("count", "last", *numbers)
    }


@pytest.mark.parametrize("every", [HOUR, 3 * HOUR, DAY, 7 * DAY])
def test_figures_of_an_hour_or_more_are_the_same_after_readings_were_dropped(house, every):
    filled(house)
    names = ("t", "n", "on", "mode", "x")
    before = {name: figures(house, name, every) for name in names}
    assert before["t"]["mean"]

    assert drop(house.lake, POLICY, 4 * DAY) == 1

    assert house.history.readings(1, "t", None, None, 10) == []
    assert house.parts() == []
    assert len(house.parts("hourly")) == 1
    assert {name: figures(house, name, every) for name in names} == before
    assert house.history.aggregates(1, "t", None, None, HOUR // 2, "mean", 10) == []
    house.restart()
    assert {name: figures(house, name, every) for name in names} == before


def test_an_hour_counts_if_it_lies_within_as_a_whole(house):
    filled(house)
    drop(house.lake, POLICY, 4 * DAY)

    found = house.history.aggregates(1, "t", HOUR + 1, 4 * HOUR + 5, HOUR, "count", 10)

    assert [(past.observed // HOUR, past.value) for past in found] == [(2, 2), (3, 2)]


def test_late_readings_of_a_dropped_day_join_its_figures(house):
    filled(house)
    drop(house.lake, POLICY, 4 * DAY)
    house.report(1, {"n": 1000})
    assert figures(house, "n", DAY)["max"][0].startswith("Past(value=1000,")
    house.mover.move(1)
    assert drop(house.lake, POLICY, 4 * DAY) == 1

    assert len(house.parts("hourly")) == 2
    [total] = house.history.aggregates(1, "n", None, None, DAY, "count", 10)
    [most] = house.history.aggregates(1, "n", None, None, DAY, "max", 10)
    [last] = house.history.aggregates(1, "n", None, None, DAY, "last", 10)
    assert (total.value, most.value, last.value) == (49, 1000, 47)


def test_a_crash_between_figures_and_removal_doubles_nothing(house, monkeypatch):
    filled(house)
    before = figures(house, "t")

    def crash(catalog, parts):
        if parts:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("diat.adapters.lake.retention.remove", crash)
        with pytest.raises(KeyboardInterrupt):
            drop(house.lake, Retention(hot_days=1, raw_days=2), 4 * DAY)
    assert (len(house.parts()), len(house.parts("hourly"))) == (1, 1)
    house.restart()
    assert figures(house, "t") == before

    drop(house.lake, Retention(hot_days=1, raw_days=2), 4 * DAY)
    assert house.parts() == []
    assert figures(house, "t") == before


def test_days_go_when_their_time_is_over_and_not_before(house):
    filled(house, days=5)
    now = 5 * DAY + HOUR  # day 5
    drop(house.lake, POLICY, now)

    def days(shelf):
        return [path.parent.name for path in house.parts(shelf)]

    assert days("readings") == ["day=1970-01-04", "day=1970-01-05"]
    assert days("hourly") == ["day=1970-01-02", "day=1970-01-03"]
    assert days("events") == [f"day=1970-01-0{day}" for day in range(1, 6)]
    drop(house.lake, Retention(hot_days=1, raw_days=2, hourly_days=0, event_days=3), now + DAY)
    assert days("readings") == ["day=1970-01-05"]
    assert days("hourly") == []
    assert days("events") == ["day=1970-01-04", "day=1970-01-05"]
    assert not (house.root / "events" / "day=1970-01-01").exists()


def test_by_default_everything_is_kept(house):
    filled(house, days=2)
    assert drop(house.lake, Retention(), 10_000 * DAY) == 0
    assert len(house.parts()) == 2


def test_a_day_with_a_file_that_cannot_be_read_is_left_alone(house):
    filled(house, days=2)
    house.parts()[0].write_bytes(b"")

    assert drop(house.lake, POLICY, 9 * DAY) == 1

    assert [path.parent.name for path in house.parts()] == ["day=1970-01-01"]
    assert len(house.reported) == 1


def test_rows_of_a_database_from_a_backup_do_not_come_back(house):
    position = house.report(HOUR, {"t": 1})
    query = "SELECT * FROM readings WHERE position = ?"
    with house.engine.connect() as connection:
        kept = tuple(connection.exec_driver_sql(query, (position,)).one())
    house.mover.move(1)
    drop(house.lake, POLICY, 4 * DAY)
    with house.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)

    assert [past.value for past in house.history.aggregates(1, "t", None, None, DAY, "count", 9)] == [1]
    assert isinstance(house.mover, Mover)
    house.mover.move(1)
    assert house.hot() == []
    assert len(house.parts("hourly")) == 1


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"hot_days": 0}, "hot_days"),
        ({"raw_days": 6}, "raw_days"),
        ({"event_days": 1}, "event_days"),
        ({"hourly_days": 30}, "hourly_days"),
        ({"raw_days": 30, "hourly_days": 20}, "hourly_days"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy, field):
    with pytest.raises(Invalid) as refused:
        Retention(**policy)
    assert refused.value.field == field
