"""``schedule``, ``sun`` and ``every``: right at every time, woken exactly when the answer changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from diat.cvol.steps import Given, Site
from diat.cvol.steps.sun import Sun
from diat.cvol.steps.times import Every, Schedule

ZONE = ZoneInfo("Europe/Berlin")
BERLIN = Site(latitude=52.52, longitude=13.405, zone=ZONE)
MINUTE = 60_000
HOUR = 60 * MINUTE


def at(*local, zone=ZONE, fold=0):
    return round(datetime(*local, tzinfo=zone, fold=fold).timestamp() * 1000)


def now_of(step, now, site=BERLIN, state=None):
    return step.run(Given(now=now, state=state, site=site))


def changes(step, begin, end, site=BERLIN):
    """(when, answer) from a time on, woken as it wants; each answer the same without its memory."""
    state, now, found = None, begin, []
    while now is not None and now < end:
        outcome = now_of(step, now, site, state)
        assert outcome.value == now_of(step, now, site).value
        assert outcome.due is None or outcome.due > now
        if not found or found[-1][1] != outcome.value:
            found.append((now, outcome.value))
        state, now = outcome.state, outcome.due
    return found


class TestSchedule:
    def test_a_cron_line_on_working_days(self):
        step = Schedule(id="s", cron="0 7 * * 1-5", **{"for": 3600})
        friday = at(2026, 7, 17, 0)
        assert changes(step, friday, at(2026, 7, 20, 12)) == [
            (friday, False),
            (at(2026, 7, 17, 7), True),
            (at(2026, 7, 17, 8), False),
            (at(2026, 7, 20, 7), True),
            (at(2026, 7, 20, 8), False),
        ]

    def test_cron_times_that_overlap_are_one(self):
        step = Schedule(id="s", cron="*/10 * * * *", **{"for": 900})
        assert changes(step, at(2026, 7, 17, 0), at(2026, 7, 17, 3)) == [(at(2026, 7, 17, 0), True)]

    def test_a_cron_time_that_is_left_out_comes_after_the_gap_and_one_that_comes_twice_once(self):
        step = Schedule(id="s", cron="30 2 * * *", **{"for": 600})
        gap = changes(step, at(2026, 3, 29, 0), at(2026, 3, 29, 12))
        assert gap[1:] == [(at(2026, 3, 29, 3), True), (at(2026, 3, 29, 3, 10), False)]
        twice = changes(step, at(2026, 10, 25, 0), at(2026, 10, 25, 12))
        assert twice[1:] == [(at(2026, 10, 25, 2, 30), True), (at(2026, 10, 25, 2, 40), False)]

    def test_over_midnight_on_some_days(self):
        step = Schedule(id="s", days=["fri"], **{"from": "22:00", "to": "06:00"})
        thursday = at(2026, 7, 16, 12)
        assert changes(step, thursday, at(2026, 7, 24, 12)) == [
            (thursday, False),
            (at(2026, 7, 17, 22), True),
            (at(2026, 7, 18, 6), False),
        ]

    def test_within_a_day(self):
        step = Schedule(id="s", **{"from": "08:30", "to": "12:00:30"})
        assert now_of(step, at(2026, 7, 16, 8, 29, 59)).value is False
        assert now_of(step, at(2026, 7, 16, 8, 30)).value is True
        assert now_of(step, at(2026, 7, 16, 12, 0, 29)).value is True
        assert now_of(step, at(2026, 7, 16, 12, 0, 30)).value is False

    @pytest.mark.parametrize(("night", "hours"), [((2026, 3, 28), 7), ((2026, 10, 24), 9), ((2026, 7, 1), 8)])
    def test_a_night_in_which_clocks_are_changed(self, night, hours):
        step = Schedule(id="s", **{"from": "22:00", "to": "06:00"})
        begin = at(*night, 22)
        assert now_of(step, begin).due == begin + hours * HOUR

    def test_from_a_time_to_itself_is_the_whole_day(self):
        step = Schedule(id="s", **{"from": "06:00", "to": "06:00"})
        assert {value for _, value in changes(step, at(2026, 7, 1), at(2026, 7, 5))} == {True}

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(0, 365 * 24 * 60),
        st.times().map(lambda t: t.strftime("%H:%M")),
        st.times().map(lambda t: t.strftime("%H:%M")),
        st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    )
    def test_between_two_changes_nothing_changes(self, minute, begin, end, days):
        step = Schedule(id="s", days=sorted(days), **{"from": begin, "to": end})
        now = at(2026, 1, 1) + minute * MINUTE
        outcome = now_of(step, now)
        for part in range(1, 8):
            between = now + (outcome.due - now) * part // 8
            if between < outcome.due:
                assert now_of(step, between).value == outcome.value

    def test_another_time_zone_is_another_time(self):
        step = Schedule(id="s", **{"from": "08:00", "to": "09:00"})
        begin = at(2026, 7, 1, 8)
        state = now_of(step, begin).state
        assert now_of(step, begin, Site(zone=UTC), state).value is False

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"cron": "0 7 * * *"},
            {"for": 60},
            {"cron": "0 7 * * *", "for": 60, "from": "08:00", "to": "09:00"},
            {"cron": "0 7 * * *", "for": 60, "days": ["mon"]},
            {"from": "08:00"},
            {"from": "24:00", "to": "08:00"},
            {"from": "8:00", "to": "09:00"},
            {"from": "08:00", "to": "09:00", "days": ["someday"]},
            {"from": "08:00", "to": "09:00", "days": []},
            {"cron": "0 25 * * *", "for": 60},
            {"cron": "0 0 30 2 *", "for": 60},
            {"cron": "nonsense", "for": 60},
        ],
    )
    def test_one_that_is_none_is_refused(self, fields):
        with pytest.raises(ValidationError):
            Schedule(id="s", **fields)


def near(milliseconds, *local):
    return abs(milliseconds - at(*local)) <= 2 * MINUTE


class TestSun:
    def test_day_as_the_almanac_has_it(self):
        """Berlin: 4:43 to 21:33 at midsummer, 8:15 to 15:54 at midwinter."""
        day = Sun(id="s", event="sunrise")
        for date, rise, fall in (
            ((2026, 6, 21), (4, 43), (21, 33)),
            ((2026, 12, 21), (8, 15), (15, 54)),
        ):
            _, (up, first), (down, second) = changes(day, at(*date), at(*date) + 24 * HOUR)
            assert (first, second) == (True, False)
            assert near(up, *date, *rise)
            assert near(down, *date, *fall)

    def test_night_is_what_day_is_not(self):
        day, night = Sun(id="s", event="sunrise"), Sun(id="s", event="sunset")
        for hour in range(48):
            now = at(2026, 3, 28) + hour * HOUR
            assert now_of(day, now).value is not now_of(night, now).value

    def test_twilight_is_longer_than_day(self):
        start = at(2026, 9, 1)
        (dawn, _), (dusk, _) = changes(Sun(id="s", event="dawn"), start, start + 24 * HOUR)[1:]
        (rise, _), (fall, _) = changes(Sun(id="s", event="sunrise"), start, start + 24 * HOUR)[1:]
        assert 20 * MINUTE < rise - dawn < 60 * MINUTE
        assert 20 * MINUTE < dusk - fall < 60 * MINUTE

    @pytest.mark.parametrize("offset", [-1800, 1800, -36_000, 36_000])
    def test_an_offset_moves_when_it_begins_alone(self, offset):
        start, end = at(2026, 9, 1, 12), at(2026, 9, 4, 8)
        plain = changes(Sun(id="s", event="sunset"), start, end)[1:]
        moved = changes(Sun(id="s", event="sunset", offset=offset), start, end)
        begins = [when for when, on in plain if on]
        ends = [when for when, on in plain if not on]
        assert [when for when, on in moved[1:] if on] == pytest.approx(
            [each + offset * 1000 for each in begins if each + offset * 1000 > start], abs=2000
        )
        assert [when for when, on in moved[1:] if not on][-3:] == pytest.approx(ends[-3:], abs=2000)

    def test_an_offset_beyond_its_end_leaves_nothing(self):
        step = Sun(id="s", event="sunset", offset=43_200)
        assert {on for _, on in changes(step, at(2026, 6, 20), at(2026, 6, 24))} == {False}

    def test_elevation(self):
        high = Sun(id="s", event="elevation", above=30)
        (_, first), (up, _), (down, _) = changes(high, at(2026, 6, 21), at(2026, 6, 22))
        assert first is False
        assert near((up + down) // 2, 2026, 6, 21, 13, 8), "noon by the sun"
        assert {on for _, on in changes(high, at(2026, 12, 1), at(2026, 12, 5))} == {False}

    def test_where_the_sun_does_not_set_for_months_it_is_day(self):
        tromso = Site(latitude=69.65, longitude=18.96, zone=ZONE)
        day = Sun(id="s", event="sunrise")
        assert changes(day, at(2026, 6, 10), at(2026, 6, 20), tromso) == [(at(2026, 6, 10), True)]
        assert changes(day, at(2026, 12, 10), at(2026, 12, 20), tromso) == [(at(2026, 12, 10), False)]
        pole = Site(latitude=90.0, longitude=0.0, zone=ZONE)
        assert now_of(day, at(2026, 6, 10), pole).value is True

    def test_without_a_place_it_has_no_value_and_says_why(self):
        outcome = now_of(Sun(id="s", event="sunset"), at(2026, 1, 1), Site(zone=ZONE))
        assert outcome.value is None
        assert "latitude and longitude" in outcome.note
        assert now_of(Sun(id="s", event="sunset"), at(2026, 1, 1), BERLIN, outcome.state).value is True

    @pytest.mark.parametrize(
        "fields", [{"event": "elevation"}, {"event": "sunset", "above": 3}, {"event": "noon"}, {"offset": 1}]
    )
    def test_one_that_is_none_is_refused(self, fields):
        with pytest.raises(ValidationError):
            Sun(id="s", **fields)


class TestEvery:
    STEP = Every(id="e", seconds=900)

    def test_pulses_at_even_times(self):
        start = at(2026, 1, 1) + 5 * MINUTE
        first = now_of(self.STEP, start)
        assert (first.value, first.due) == (None, at(2026, 1, 1) + 15 * MINUTE)
        second = now_of(self.STEP, first.due, state=first.state)
        assert (second.value, second.due) == (True, at(2026, 1, 1) + 30 * MINUTE)
        assert now_of(self.STEP, first.due + 1, state=second.state).value is None

    def test_what_was_missed_is_not_made_up_for(self):
        first = now_of(self.STEP, at(2026, 1, 1))
        late = now_of(self.STEP, at(2026, 1, 2) + 1, state=first.state)
        assert (late.value, late.due) == (True, at(2026, 1, 2) + 15 * MINUTE)
        assert timedelta(milliseconds=late.due - at(2026, 1, 2)) == timedelta(minutes=15)
