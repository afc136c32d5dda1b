"""``map`` and ``filter``: formulas in CEL over numbers of one kind."""

from __future__ import annotations

import math
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from diat.cvol.steps import Given, Site
from diat.cvol.steps.expressions import Filter, Map
from diat.cvol.steps.formula import Formula

BERLIN = Site(zone=ZoneInfo("Europe/Berlin"))
NOON_UTC = 1_767_268_800_000


def worked(expr, value=None, *, state=None, site=BERLIN, **values):
    step = Map(id="m", input="x", inputs={name: name for name in values}, expr=expr)
    return step.run(Given(value=value, values=values, state=state, now=NOON_UTC, site=site))


class TestNumbers:
    @pytest.mark.parametrize(
        ("expr", "value", "made"),
        [
            ("value * 2 + 1", 3, 7.0),
            ("value * 2 + 1", 3.25, 7.5),
            ("value / 2", 3, 1.5),
            ("value > 20 && value < 20.5", 20.25, True),
            ("value == 20", 20, True),
            ("size(value) / 2", [1, 2, 3], 1.5),
            ("value[1] * 2", [1, 2, 3], 4.0),
            ('value.a["b"] - 1', {"a": {"b": 3}}, 2.0),
            ("mod(value, 360)", -10, 350.0),
            ("round(value, 1) + abs(-1)", 2.26, 3.3),
            ("int(value) + 0x1F", 2.9, 33.0),
            ("value in [1, 2]", 2, True),
            ("value.exists(x, x > 2)", [1, 3], True),
            ("value == null ? 1 : 2", 5, 2.0),
            ('value + " 12"', "no 3", "no 3 12"),
            ("'a' == \"a\" && value == '1 + 1'", "1 + 1", True),
            ('{"on": value > 1}', 2, {"on": True}),
            ("type(value) == bool ? 1 : 2", True, 1.0),
            ("type(value) == double", 7, True),
            ("now.getHours()", 1, 13.0),
            ("now.getDayOfWeek() * 2", 1, 8.0),
            ('now > timestamp("2025-12-31T00:00:00Z")', 1, True),
        ],
    )
    def test_worked_out(self, expr, value, made):
        outcome = worked(expr, value)
        assert outcome.value == made
        assert type(outcome.value) is type(made)
        assert (outcome.state, outcome.note) == (None, None)

    def test_hours_are_those_of_the_place(self):
        assert worked("now.getHours()", 1, site=Site(zone=UTC)).value == 12.0


class TestWithoutAValue:
    def test_no_input_no_value_and_nothing_wrong(self):
        assert worked("value > 1", None) == worked("value > 1", None, state=None)
        assert (worked("value > 1", None).value, worked("value > 1", None).state) == (None, None)

    def test_an_input_without_a_value_is_null_and_can_be_stood_in_for(self):
        step = Map(id="m", inputs={"a": "x", "b": "y"}, expr="a == null ? b : a")
        assert step.run(Given(values={"a": None, "b": 3}, now=0)).value == 3.0
        lost = Map(id="m", inputs={"a": "x", "b": "y"}, expr="a + b").run(
            Given(values={"a": None, "b": 3}, now=0)
        )
        assert (lost.value, lost.state, lost.note) == (None, None, None)

    @pytest.mark.parametrize(
        ("expr", "value", "why"),
        [
            ("value / 0", 1, "finite"),
            ("value * 1e300", 1e300, "finite"),
            ("value * 2", "warm", "Unsupported"),
            ("value.gone > 1", {"there": 1}, "gone"),
            ("value[7]", [1], "index"),
            ("sqrt(value)", -1, "finite"),
            ("value + 1", 10**400, "too large"),
            ("size(value)", list(range(200)), "too big"),
            ("value", "x" * 5000, "too long"),
            ("now", 1, "no JSON"),
        ],
    )
    def test_what_cannot_be_worked_out_is_counted_and_the_service_goes_on(self, expr, value, why):
        first = worked(expr, value)
        assert first.value is None
        assert first.state[0] == 1
        assert why in first.note
        again = worked(expr, value, state=first.state)
        assert again.note.startswith("2 values could not be worked with")


class TestFilter:
    STEP = Filter(id="f", input="x", expr="value > low", parameters={"low": 10})

    def test_passes_the_value_itself_or_nothing(self):
        assert self.STEP.run(Given(value=11, now=0)).value == 11
        assert self.STEP.run(Given(value=10, now=0)).value is None

    def test_no_truth_value_passes_nothing_and_is_noted(self):
        outcome = Filter(id="f", input="x", expr="value + 1").run(Given(value=1, now=0))
        assert outcome.value is None
        assert "true or false" in outcome.note


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"expr": "value > limit"}, "there is no 'limit' here; there is now, value"),
        ({"expr": "value >"}, "not a formula in CEL"),
        ({"expr": ""}, "not a formula in CEL"),
        ({"expr": "value % 2"}, r"mod\(a, b\)"),
        ({"expr": "value.map(x, x)"}, "no function 'map'"),
        ({"expr": 'value.matches("a+")'}, "no function 'matches'"),
        ({"expr": "value.exists(x, x.all(y, y > 1))"}, "'all' cannot be used within"),
        ({"expr": "value.exists(x, x + 1 > 1)"}, "'\\+' cannot be used within"),
        ({"expr": "value.exists(value > 1)"}, "a name and a condition"),
        ({"expr": "(" * 30 + "1" + ")" * 30}, "20 brackets"),
        ({"expr": "1 + " * 200 + "1"}, "500 characters"),
        ({"expr": "1e999"}, "too great"),
        ({"expr": "r'a'"}, "plain quotes"),
        ({"expr": '"""a"""'}, "plain quotes"),
        ({"expr": "a-b", "inputs": {"a-b": "x"}}, "letters, digits"),
        ({"expr": "a", "inputs": {"a": "x"}, "parameters": {"a": 1}}, "names of their own"),
        ({"expr": "1", "input": None}, "input or inputs"),
    ],
)
def test_a_formula_that_cannot_be_is_refused(fields, why):
    with pytest.raises(ValidationError, match=why):
        Map(**{"id": "m", "input": "x", **fields})


def test_steps_of_equal_fields_are_equal_after_they_ran():
    """Else a service that is put again in its place would forget what they remember."""
    one, two = (Map(id="m", input="x", expr="value * 2") for _ in range(2))
    one.run(Given(value=1, now=0))
    assert one == two


def test_not_a_number_comes_out_of_no_list_either():
    assert Formula("[value, 0.0 / value]", {"value"}).run({"value": 0}) == (
        None,
        "the result is not a finite number",
    )
    assert not math.isfinite(float("nan"))
