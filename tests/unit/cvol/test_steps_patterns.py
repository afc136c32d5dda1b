"""``join``, ``sequence``, ``absence`` and ``machine``, run as in a composite, woken whenever they want."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from diat.cvol.steps import Given
from diat.cvol.steps.machine import Machine
from diat.cvol.steps.patterns import Absence, Join, Sequence


class Played:
    """A step whose values are set by hand, ``pulses`` for one run; all times in seconds."""

    def __init__(self, step, **values):
        self.step, self.values, self.state, self.due = step, values, None, None
        self.pulses = frozenset(name for name, value in values.items() if value == "pulse")
        self.values = {name: None if name in self.pulses else value for name, value in values.items()}
        self.at(0)

    def at(self, now, observed=None, **news):
        """What it answers to these news, after all that it wanted to be woken for before."""
        while self.due is not None and self.due < now * 1000:
            self._run(self.due, self.due, {})
        return self._run(round(now * 1000), round((now if observed is None else observed) * 1000), news)

    def woken(self):
        """What it answers when it is woken next."""
        return self._run(self.due, self.due, {})

    def _run(self, now, observed, news):
        self.values |= {name: value for name, value in news.items() if name not in self.pulses}
        outcome = self.step.run(
            Given(
                values=self.values | news,
                state=self.state,
                now=now,
                observed=observed,
                fresh=frozenset(news),
                pulses=self.pulses,
            )
        )
        self.state, self.due = json.loads(json.dumps(outcome.state)), outcome.due
        assert self.due is None or self.due > now
        return outcome.value


class TestJoin:
    STEP = Join(id="j", inputs={"a": "x", "b": "y"}, within=10)

    def test_an_object_while_the_times_lie_close_together(self):
        played = Played(self.STEP, a=None, b=None)
        assert played.at(1, a=1.0) is None
        assert played.at(11, b=2.0) == {"a": 1.0, "b": 2.0}
        assert played.at(11.001, b=3.0) is None, "the other is older than that"
        assert played.at(12, a=1.0) == {"a": 1.0, "b": 3.0}, "said again, so it is of that time"

    def test_the_time_is_that_of_the_observation(self):
        played = Played(self.STEP, a=None, b=None)
        played.at(100, observed=50, a=1.0)
        assert played.at(101, observed=60, b=2.0) == {"a": 1.0, "b": 2.0}

    def test_what_is_gone_is_forgotten(self):
        played = Played(self.STEP, a=1.0, b=None)
        played.at(1, a=None)
        assert played.at(2, b=2.0) is None

    def test_what_pulses_is_remembered_and_makes_it_pulse(self):
        played = Played(self.STEP, a="pulse", b="pulse")
        assert played.at(1, a="card") is None
        assert played.at(5, b="code") == {"a": "card", "b": "code"}
        assert played.at(6) is None


class TestSequence:
    STEP = Sequence(id="s", first="x", then="y", within=600)

    def test_pulses_when_the_second_follows_in_time(self):
        played = Played(self.STEP, first=False, then=False)
        played.at(10, first=True)
        assert played.at(610, then=True) is True
        assert played.at(611) is None

    @pytest.mark.parametrize(("then", "answer"), [(10, True), (609.999, True), (610, True), (610.001, None)])
    def test_within_means_up_to_and_including(self, then, answer):
        played = Played(self.STEP, first=False, then=False)
        played.at(10, first=True)
        assert played.at(then, then=True) is answer

    def test_not_the_other_way_round_nor_twice_nor_what_stays_so(self):
        played = Played(self.STEP, first=False, then=False)
        assert played.at(5, then=True) is None
        assert played.at(10, first=True) is None
        assert played.at(11, then=False) is None
        assert played.at(12, then=True) is True
        played.at(13, then=False)
        assert played.at(14, then=True) is None, "the first counted already"

    def test_by_the_order_of_the_observations_not_of_their_coming(self):
        played = Played(self.STEP, first=False, then=False)
        assert played.at(100, observed=90, then=True) is None
        assert played.at(101, observed=80, first=True) is True

    def test_what_is_so_when_the_service_begins_has_not_become_so(self):
        played = Played(self.STEP, first=True, then=False)
        assert played.at(1, then=True) is None

    def test_a_value_that_was_away_for_a_while_has_not_become_so_by_coming_back(self):
        played = Played(self.STEP, first=True, then=False)
        played.at(1, first=None)
        played.at(2, first=True)
        assert played.at(3, then=True) is None

    def test_pulses_count_each_time(self):
        played = Played(self.STEP, first="pulse", then="pulse")
        for now in (10, 20):
            played.at(now, first=True)
            assert played.at(now + 1, then=True) is True


class TestAbsence:
    STEP = Absence(id="a", after="x", of="y", within=300)

    def test_pulses_when_the_time_is_over(self):
        played = Played(self.STEP, after=False, of=False)
        assert played.at(10, after=True) is None
        assert played.due == 310_000
        assert played.woken() is True
        assert (played.at(311), played.due) == (None, None)

    def test_not_if_it_happened_meanwhile(self):
        played = Played(self.STEP, after=False, of=False)
        played.at(10, after=True)
        played.at(309, of=True)
        assert played.due is None

    def test_not_if_it_is_so_all_the_time(self):
        played = Played(self.STEP, after=False, of=True)
        played.at(10, after=True)
        assert played.due is None

    def test_a_further_start_does_not_put_it_off(self):
        played = Played(self.STEP, after="pulse", of="pulse")
        played.at(10, after=True)
        played.at(200, after=True)
        assert played.due == 310_000

    def test_what_happened_before_but_came_after_does_not_count(self):
        played = Played(self.STEP, after="pulse", of="pulse")
        played.at(100, observed=100, after=True)
        played.at(101, observed=99, of=True)
        assert played.due == 400_000
        played.at(102, observed=101, of=True)
        assert played.due is None

    def test_what_happened_in_time_but_came_first_counts(self):
        played = Played(self.STEP, after="pulse", of="pulse")
        played.at(100, observed=90, of=True)
        played.at(101, observed=80, after=True)
        assert played.due is None

    def test_a_heartbeat_that_stops(self):
        played = Played(Absence(id="a", after="beat", of="beat", within=60), after="pulse", of="pulse")
        for now in (10, 40, 90, 149):
            assert played.at(now, after=True, of=True) is None
        assert played.due == 209_000
        assert played.woken() is True
        assert played.due is None

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 100), st.sampled_from(["after", "of"])), max_size=20))
    def test_as_often_as_the_definition_says(self, gaps):
        """Against a reference with all that happened before it."""
        played = Played(Absence(id="a", after="x", of="y", within=60), after="pulse", of="pulse")
        now, happened, seen = 0, [], []
        for gap, name in gaps:
            now += gap
            while played.due is not None and played.due <= now * 1000:
                when = played.due
                if played.woken():
                    seen.append(when // 1000)
            played.at(now, **{name: True})
            happened.append((now, name))
        while played.due is not None:
            when = played.due
            if played.woken():
                seen.append(when // 1000)
        expected, free = [], 0
        for at, name in happened:
            if name == "after" and at >= free:
                met = next((t for t, n in happened if n == "of" and at <= t < at + 60), None)
                expected += [at + 60] if met is None else []
                free = at + 60 if met is None else met
        assert seen == expected


WASHING = {
    "off": [{"to": "running", "when": "power > 10"}],
    "running": [{"to": "pausing", "when": "power < 5"}],
    "pausing": [{"to": "running", "when": "power > 10"}, {"to": "done", "after": 180}],
    "done": [{"to": "off", "when": "opened"}, {"to": "running", "when": "power > 10"}],
}


class TestMachine:
    STEP = Machine(id="m", inputs={"power": "x", "opened": "y"}, initial="off", states=WASHING)

    def test_goes_through_its_states(self):
        played = Played(self.STEP, power=0.0, opened=False)
        assert played.at(10, power=2000.0) == "running"
        assert played.at(20, power=2.0) == "pausing"
        assert played.due == 200_000
        assert played.at(100, power=500.0) == "running"
        assert played.at(110, power=1.0) == "pausing"
        assert played.woken() == "done"
        assert played.at(500, opened=True) == "off"

    def test_an_input_without_a_value_holds_nothing_up(self):
        played = Played(self.STEP, power=None, opened=None)
        assert played.at(1) == "off"
        assert played.at(2, power=11) == "running"

    def test_a_pulse_moves_it_once(self):
        toggle = {"off": [{"to": "on", "when": "pressed"}], "on": [{"to": "off", "when": "pressed"}]}
        step = Machine(id="m", inputs={"pressed": "x"}, initial="off", states=toggle)
        played = Played(step, pressed="pulse")
        assert [played.at(now, pressed=True) for now in (1, 2, 3)] == ["on", "off", "on"]

    def test_a_pulse_does_not_carry_on_into_the_next_state(self):
        ring = {str(n): [{"to": str((n + 1) % 3), "when": "pressed"}] for n in range(3)}
        step = Machine(id="m", inputs={"pressed": "x"}, initial="0", states=ring)
        played = Played(step, pressed="pulse")
        assert [played.at(now, pressed=True) for now in (1, 2, 3)] == ["1", "2", "0"]

    def test_goes_on_while_what_is_so_leads_on_but_never_round(self):
        ring = {str(n): [{"to": str((n + 1) % 3), "when": "go"}] for n in range(3)}
        played = Played(Machine(id="m", inputs={"go": "x"}, initial="0", states=ring), go=False)
        assert played.at(1, go=True) == "2"

    def test_a_way_to_itself_counts_the_time_anew(self):
        light = {
            "off": [{"to": "on", "when": "motion"}],
            "on": [{"to": "on", "when": "motion"}, {"to": "off", "after": 60}],
        }
        played = Played(Machine(id="m", inputs={"motion": "x"}, initial="off", states=light), motion=False)
        played.at(10, motion=True)
        played.at(50, motion=True)
        assert played.at(55, motion=False) == "on"
        assert played.due == 110_000
        assert played.woken() == "off"

    def test_both_the_time_and_the_formula_must_hold(self):
        states = {"a": [{"to": "b", "after": 10, "when": "value > limit"}], "b": []}
        step = Machine(id="m", inputs={"value": "x"}, parameters={"limit": 5}, initial="a", states=states)
        played = Played(step, value=9)
        assert played.at(9.999, value=9) == "a"
        assert played.at(10, value=1) == "a"
        assert played.at(11, value=9) == "b"

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"initial": "nowhere"}, "no state 'nowhere' to begin in"),
            ({"states": {"off": [{"to": "on", "after": 1}]}}, "off.0.to: there is no state 'on'"),
            ({"states": {"off": [{"to": "off"}]}}, "when or after"),
            ({"states": {"off": [{"to": "off", "when": "heat > 1"}]}}, "off.0.when: there is no 'heat'"),
            ({"states": {}}, "at least 1"),
            ({"parameters": {"power": 1}}, "names of their own"),
        ],
    )
    def test_one_that_is_none_is_refused(self, fields, why):
        with pytest.raises(ValidationError, match=why):
            Machine(**{"id": "m", "inputs": {"power": "x"}, "initial": "off", "states": WASHING, **fields})
