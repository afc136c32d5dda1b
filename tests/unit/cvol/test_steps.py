"""The steps by themselves: pure functions of what goes in, what was remembered and the time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from diat.cvol.steps import LONGEST, Given, Sample
from diat.cvol.steps.effects import Drive, Shed
from diat.cvol.steps.sources import Latest, Mean
from diat.cvol.steps.switching import Dwell, Hold, Hysteresis

BAND = {"id": "h", "input": "level", "low": 20, "high": 24}


def samples(*values):
    return [Sample(value, observed=at, position=at) for at, value in enumerate(values)]


def run(step, value=None, state=None, now=0, *, of=(), filled=()):
    return step.run(Given(samples=of, value=value, state=state, now=now, filled=frozenset(filled)))


class TestSamples:
    def test_latest_is_the_newest_observed_not_the_last_come(self):
        late = [Sample(1.0, observed=50, position=9), Sample(2.0, observed=60, position=3)]
        assert run(Latest(id="l", role="r"), of=late).value == 2.0

    def test_of_one_moment_the_last_come(self):
        same = [Sample(1.0, observed=50, position=3), Sample(2.0, observed=50, position=9)]
        assert run(Latest(id="l", role="r"), of=same).value == 2.0

    def test_without_samples_there_is_nothing_to_say(self):
        assert run(Latest(id="l", role="r")).value is None
        assert run(Mean(id="m", role="r")).value is None

    def test_the_mean(self):
        assert run(Mean(id="m", role="r"), of=samples(20.0, 22.0, 24.0)).value == 22.0

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
    def test_the_mean_lies_between_the_least_and_the_greatest(self, values):
        mean = run(Mean(id="m", role="r"), of=samples(*values)).value
        slack = 1e-9 * max(abs(value) for value in values)
        assert min(values) - slack <= mean <= max(values) + slack


class TestHysteresis:
    @pytest.mark.parametrize(
        ("on", "course"),
        [
            (
                "below",
                [(22, None), (19, True), (20, True), (24, True), (24.1, False), (20, False), (19.9, True)],
            ),
            (
                "above",
                [(22, None), (25, True), (24, True), (20, True), (19.9, False), (24, False), (24.1, True)],
            ),
        ],
    )
    def test_changes_at_the_edges_and_holds_between(self, on, course):
        step, state = Hysteresis(on=on, **BAND), None
        for level, answer in course:
            outcome = run(step, level, state)
            assert outcome.value is answer, f"at {level}"
            state = outcome.state

    def test_without_a_value_it_says_nothing_and_remembers(self):
        outcome = run(Hysteresis(on="below", **BAND), None, True)
        assert (outcome.value, outcome.state) == (None, True)

    @pytest.mark.parametrize(("on", "still", "over"), [("below", 22, 22.1), ("above", 22, 21.9)])
    def test_against_another_it_lets_go_in_the_middle(self, on, still, over):
        step = Hysteresis(on=on, against="other", **BAND)
        assert run(step, still, True, filled=["other"]).value is True
        assert run(step, over, True, filled=["other"]).value is False
        assert run(step, over, True).value is True, "nobody there to hand it to"

    @given(level=st.floats(-100, 100), warm=st.booleans(), cool=st.booleans())
    def test_two_against_each_other_never_want_at_once(self, level, warm, cool):
        """Invariant: whatever they remember, of heating and cooling at most one is wanted for a level."""
        heat = run(Hysteresis(on="below", against="c", **BAND), level, warm, filled=["c"]).value
        cold = run(Hysteresis(on="above", against="w", **BAND), level, cool, filled=["w"]).value
        if not (warm and cool):
            assert not (heat and cold)

    @pytest.mark.parametrize(("low", "high"), [(24, 20), (20, 20), (float("nan"), 20), (0, float("inf"))])
    def test_a_band_that_is_none_is_refused(self, low, high):
        with pytest.raises(ValidationError):
            Hysteresis(id="h", input="x", on="below", low=low, high=high)


class TestDwell:
    STEP = Dwell(id="d", input="x", min_on=60, min_off=30)

    def test_takes_the_first_position_at_once(self):
        outcome = run(self.STEP, True, None, 1000)
        assert (outcome.value, outcome.state, outcome.due) == (True, [True, 1000], None)

    def test_waits_until_the_least_time_is_over_and_asks_to_be_woken_then(self):
        early = run(self.STEP, False, [True, 0], 59_999)
        assert (early.value, early.state, early.due) == (True, [True, 0], 60_000)
        assert run(self.STEP, False, [True, 0], 60_000).value is False
        assert run(self.STEP, True, [False, 0], 29_999).due == 30_000
        assert run(self.STEP, True, [False, 0], 30_000).value is True

    def test_a_wish_taken_back_is_no_wish(self):
        assert run(self.STEP, True, [True, 0], 10_000).due is None

    def test_without_a_wish_it_stays(self):
        assert run(self.STEP, None, [True, 0], 10**9).value is True
        assert run(self.STEP, None, None, 0).state is None

    @given(st.lists(st.tuples(st.integers(0, 100_000), st.booleans()), max_size=15))
    def test_every_position_is_held_for_its_time(self, wishes):
        """Invariant: between two changes at least the least time of the first position goes by."""
        state, now, changed = None, 0, None
        for later, wish in wishes:
            now += later
            before = state[0] if state is not None else None
            state = run(self.STEP, wish, state, now).state
            if before is not None and state[0] != before:
                assert changed is None or now - changed >= (60_000 if before else 30_000)
                changed = now
            elif before is None:
                changed = now

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), LONGEST + 1])
    def test_a_time_that_is_none_is_refused(self, seconds):
        with pytest.raises(ValidationError):
            Dwell(id="d", input="x", min_on=seconds)


def test_drive_passes_the_wish_on():
    step = Drive(id="d", role="r", input="x", otherwise=False)
    assert [run(step, wish).value for wish in (True, False, None)] == [True, False, None]


class TestHold:
    def test_counts_from_when_it_was_last_true_not_from_when_that_was_last_said(self):
        hold, state = Hold(id="h", input="x", seconds=300), None
        answers = []
        for now, value in ((0, True), (1_200_000, False), (1_499_999, False), (1_500_000, False)):
            outcome = hold.run(Given(value=value, state=state, now=now))
            state = outcome.state
            answers.append((outcome.value, outcome.due))
        assert answers == [(True, None), (True, 1_500_000), (True, 1_500_000), (False, None)]

    def test_a_pulse_is_over_at_once_and_held_from_then(self):
        hold, state, answers = Hold(id="h", input="x", seconds=300), None, []
        for now, value in ((0, True), (200_000, True), (300_000, None), (500_000, None)):
            outcome = hold.run(Given(value=value, state=state, now=now, pulses=frozenset({"input"})))
            state = outcome.state
            answers.append((outcome.value, outcome.due))
        assert answers == [(True, 300_000), (True, 500_000), (True, 500_000), (False, None)]


class TestShed:
    def test_speaks_of_what_it_switched_off_and_of_nothing_else(self):
        shed, state = Shed(id="s", role="loads", input="x", limit=5000, step=1500, settle=60), None
        course = [
            (0, 4000, ["oven", "dryer"], {}),
            (60_000, 6000, ["oven", "dryer"], {"dryer": False}),
            (61_000, 6000, ["oven", "dryer"], {"dryer": False}),
            (120_000, 5500, ["oven", "dryer"], {"dryer": False, "oven": False}),
            (180_000, 3000, ["dryer"], {"oven": False}),  # of the two, what is there comes back
            (240_000, 3000, ["oven", "dryer"], {}),
        ]
        for now, drawn, loads, wanted in course:
            outcome = shed.run(Given(value=drawn, state=state, now=now, bound={"loads": loads}))
            state = outcome.state
            assert outcome.value == wanted, f"at {now}"
