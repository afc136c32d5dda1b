"""``window``: what the properties do not show; see ``tests/property/test_steps.py`` for the rest."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from diat.cvol.steps import Given, Sample, Site
from diat.cvol.steps.frames import KEPT
from diat.cvol.steps.windows import Window

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400


def window(**fields):
    return Window(**{"id": "w", "role": "r", "kind": "tumbling", "aggregate": "mean", **fields})


def at(*local, zone=BERLIN):
    return round(datetime(*local, tzinfo=zone).timestamp() * 1000)


class Played:
    """A window that is fed and woken by hand; its memory goes through JSON each time."""

    def __init__(self, step, zone=BERLIN):
        self.step, self.site, self.state, self.last = step, Site(zone=zone), None, None

    def run(self, now, *values, observed=None, **more):
        when = now if observed is None else observed
        arrived = [Sample(value, observed=when, position=0) for value in values]
        self.last = self.step.run(
            Given(arrived=arrived, state=self.state, now=now, observed=when, site=self.site, **more)
        )
        self.state = json.loads(json.dumps(self.last.state))
        return self.last.value

    @property
    def due(self):
        return self.last.due

    def until(self, end):
        """What it says whenever it wants to be woken until a time."""
        said = []
        while self.due is not None and self.due <= end:
            when = self.due
            said.append((when, self.run(when)))
        return said


class TestDays:
    def test_days_begin_at_local_midnight_and_are_as_long_as_they_are(self):
        """The 29th of March 2026 has 23 hours in Berlin, the 25th of October 25."""
        for first, hours in ((at(2026, 3, 29), 23), (at(2026, 10, 25), 25)):
            played = Played(window(size=DAY, aggregate="count"))
            played.run(first + 1, 1.0)
            assert played.due == first + hours * 3_600_000
            for hour in range(1, hours):
                played.run(first + hour * 3_600_000, 1.0)
            played.run(first + hours * 3_600_000 - 1, 1.0)
            assert played.run(played.due) == hours + 1
            assert played.run(first + hours * 3_600_000, 1.0) == hours + 1, "that one is of the next day"

    def test_a_time_weighted_mean_of_a_long_day_counts_its_hours(self):
        begin = at(2026, 10, 25)
        played = Played(window(size=DAY, aggregate="time-weighted-mean"))
        played.run(begin, 0.0)
        played.run(begin + 20 * 3_600_000, 25.0)
        assert played.run(played.due) == 5.0, "25 for 5 of 25 hours"

    def test_weeks_begin_on_monday(self):
        played = Played(window(size=7 * DAY, aggregate="sum"))
        played.run(at(2026, 7, 15, 12), 1.0)  # a Wednesday
        assert played.due == at(2026, 7, 20)

    def test_what_is_no_whole_day_is_counted_from_the_epoch(self):
        played = Played(window(size=7200))
        played.run(at(2026, 7, 15, 11, 30), 1.0)
        assert played.due == at(2026, 7, 15, 12)

    def test_hopping_days(self):
        played = Played(window(kind="hopping", size=2 * DAY, every=DAY, aggregate="sum"))
        for day in (1, 2, 3, 4):
            played.run(at(2026, 3, 26 + day, 12), float(day))
        said = [(when, value) for when, value in played.until(at(2026, 4, 5))]
        assert played.run(at(2026, 4, 5)) == 0.0
        assert said == [(at(2026, 3, 31), 7.0), (at(2026, 4, 1), 4.0), (at(2026, 4, 2), 0.0)]


class TestClosing:
    def test_says_nothing_before_a_window_is_over_and_then_what_was_last_over(self):
        played = Played(window(size=60))
        start = at(2026, 1, 1)
        assert played.run(start + 1000, 10.0) is None
        assert played.run(start + 2000, 20.0) is None
        assert played.due == start + 60_000
        assert played.run(played.due) == 15.0
        assert played.run(start + 61_000, 99.0) == 15.0

    def test_a_window_without_items_has_no_mean_but_a_count_and_sleeps_then(self):
        for aggregate, empty in (("mean", None), ("count", 0), ("sum", 0.0)):
            played = Played(window(size=60, aggregate=aggregate))
            played.run(at(2026, 1, 1), 5.0)
            assert played.until(at(2026, 1, 2))[-1][1] == empty
            assert played.due is None, "nothing will change any more"

    def test_waits_for_what_is_late_and_counts_what_is_too_late(self):
        start = at(2026, 1, 1)
        played = Played(window(size=60, lateness=30, aggregate="sum"))
        played.run(start, 1.0)
        assert played.run(start + 89_999, 2.0, observed=start + 59_999) is None
        assert played.due == start + 90_000
        assert played.run(played.due) == 3.0
        assert played.run(start + 90_001, 4.0, observed=start + 59_999) == 3.0
        assert played.last.note == "left out: 1 came too late for their window"

    def test_a_reading_from_a_clock_that_is_fast_closes_what_is_over_by_it(self):
        start = at(2026, 1, 1)
        played = Played(window(size=10, aggregate="sum"))
        played.run(start, 1.0)
        assert played.run(start + 1000, 5.0, observed=start + 10_000) == 1.0

    def test_after_a_long_rest_it_tells_of_the_present(self):
        played = Played(window(size=60, aggregate="count"))
        played.run(at(2026, 1, 1), 1.0)
        assert played.run(at(2026, 2, 1)) == 0


class TestEdges:
    """What lies exactly on an edge."""

    def test_a_gap_of_exactly_that_length_ends_a_session(self):
        played = Played(window(kind="session", gap=10, aggregate="count"))
        played.run(0, 1.0)
        played.run(9_999, 1.0)
        assert played.run(19_999, 1.0) == 2
        assert played.run(29_998, 1.0) == 2
        waiting = Played(window(kind="session", gap=10, lateness=100, aggregate="count"))
        waiting.run(100_000, 1.0)
        waiting.run(110_000, 1.0)
        assert waiting.until(300_000) == [(210_000, 1), (220_000, 1)]

    def test_late_items_join_sessions_only_within_the_gap(self):
        played = Played(window(kind="session", gap=10, lateness=100, aggregate="count"))
        played.run(100_000, 1.0)
        played.run(110_000, 1.0)
        played.run(110_001, 1.0, observed=105_000)
        assert played.until(300_000) == [(220_000, 3)], "it joins the two"

    def test_a_sliding_window_is_without_the_moment_that_long_ago(self):
        played = Played(window(kind="sliding", size=10, aggregate="count"))
        assert played.run(20_000, 1.0, observed=10_000) == 0
        assert played.run(20_000, 1.0, observed=10_001) == 1
        assert played.run(20_001) == 0

    def test_what_ends_a_state_is_not_within_it_and_what_begins_it_is(self):
        played = Played(window(kind="state", aggregate="sum", **{"while": "on"}))
        played.run(0, values={"while": False})
        played.run(1000, 1.0, values={"while": True})
        played.run(2000, 2.0, values={"while": True})
        assert played.run(3000, 4.0, values={"while": False}) == 3.0

    def test_of_the_same_moment_the_last_come_is_last_and_the_first_come_first(self):
        for aggregate, value in (("last", 2.0), ("first", 1.0), ("change", 1.0)):
            played = Played(window(kind="count", size=2, aggregate=aggregate))
            played.run(1000, 1.0)
            assert played.run(2000, 2.0, observed=1000) == value


class TestInput:
    def test_an_item_each_time_that_something_came_or_it_changed(self):
        step = Window(id="w", input="x", kind="sliding", size=100, aggregate="count")
        played = Played(step)
        fresh = {"fresh": frozenset({"input"})}
        assert played.run(1_000_000, value=5.0, **fresh) == 1
        assert played.run(1_001_000, value=5.0) == 1, "a timer of another step"
        assert played.run(1_002_000, value=5.0, **fresh) == 2, "the same again"
        assert played.run(1_003_000, value=6.0) == 3, "changed by a timer"
        assert played.run(1_004_000, value=None) == 3

    def test_each_pulse_is_an_item(self):
        played = Played(Window(id="w", input="x", kind="count", size=2, aggregate="count"))
        pulses = {"pulses": frozenset({"input"})}
        assert played.run(1, value=True, **pulses) is None
        assert played.run(2, value=None, **pulses) is None
        assert played.run(3, value=True, **pulses) == 2


class TestBounds:
    def test_a_median_keeps_so_many_and_says_what_it_left_out(self):
        played = Played(window(size=3600, aggregate="median"))
        start = at(2026, 1, 1)
        for second in range(KEPT + 5):
            played.run(start + second * 1000, float(second))
        assert len(played.state["panes"][next(iter(played.state["panes"]))]) == KEPT
        assert f"5 were more than the {KEPT}" in played.last.note
        assert played.run(played.due) == (5 + KEPT + 4) / 2

    def test_a_time_weighted_mean_of_more_than_it_keeps_is_still_right(self):
        played = Played(window(size=3600, aggregate="time-weighted-mean"))
        start = at(2026, 1, 1)
        for second in range(3000):
            played.run(start + second * 1000, float(second))
        right = (sum(range(2999)) + 2999 * 601) / 3600
        assert played.run(played.due) == pytest.approx(right, rel=1e-12)

    def test_a_sliding_window_keeps_so_many(self):
        played = Played(window(kind="sliding", size=DAY, aggregate="least"))
        for second in range(KEPT + 5):
            played.run(at(2026, 1, 1) + second * 1000, float(second))
        assert played.last.value == 5.0
        assert f"5 were more than the {KEPT}" in played.last.note

    def test_what_is_no_number_is_left_out_and_said(self):
        played = Played(window(kind="count", size=2, aggregate="mean"))
        assert played.run(1, 1.0) is None
        for odd in ("warm", None, 1e200, 10**400, [1]):
            assert played.run(2, odd) is None
        assert played.run(3, True) == 1.0, "true counts as 1"
        assert "5 were no numbers" in played.last.note

    def test_a_state_that_flaps_does_not_pile_up(self):
        step = window(kind="state", aggregate="count", lateness=DAY, **{"while": "on"})
        played = Played(step)
        for second in range(400):
            played.run(second * 1000, 1.0, values={"while": second % 2 == 0})
        assert len(played.state["open"]) <= 101


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"size": None}, "wants size"),
        ({"size": 10, "every": 5}, "has no every"),
        ({"size": 10, "gap": 5}, "has no gap"),
        ({"kind": "hopping", "size": 10, "every": 3}, "multiple of every"),
        ({"kind": "hopping", "size": 10_000, "every": 1}, "1000 times every"),
        ({"size": 1, "lateness": 5000}, "1000 times every"),
        ({"kind": "session"}, "wants gap"),
        ({"kind": "session", "gap": 1, "lateness": 101}, "100 times gap"),
        ({"kind": "state"}, "wants while"),
        ({"kind": "sliding", "size": 10, "lateness": 1}, "does not wait"),
        ({"kind": "count", "size": 1.5}, "number of items"),
        ({"size": 0.5}, "greater than or equal to 1"),
        ({"size": 10, "role": None}, "either role or input"),
        ({"size": 10, "input": "x"}, "either role or input"),
        ({"size": 10, "aggregate": "mode"}, "Input should be"),
        ({"size": float("inf")}, "finite"),
    ],
)
def test_a_window_that_is_none_is_refused(fields, why):
    with pytest.raises(ValidationError, match=why):
        window(**fields)


def test_given_state_is_never_changed():
    """The batch may fail, and what was remembered before must then still be there."""
    for fields in (
        {"size": 60, "aggregate": "median"},
        {"kind": "session", "gap": 10},
        {"kind": "sliding", "size": 60},
        {"kind": "count", "size": 9, "aggregate": "stddev"},
        {"kind": "state", "while": "on"},
    ):
        played = Played(window(**fields))
        for second in range(20):
            before = json.dumps(played.state)
            kept = played.state
            played.run(second * 1000, float(second), values={"while": second % 7 > 2})
            assert json.dumps(kept) == before
