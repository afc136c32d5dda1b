"""Templates: placeholders filled, and what they become; refusals are in tests/api/test_templates.py."""

from __future__ import annotations

import pytest

from diat.cvol.composing import compose
from diat.cvol.placeholders import fill, placeholders
from diat.cvol.roles import Role
from diat.cvol.steps.switching import Hysteresis
from diat.cvol.template import order
from diat.kernel.errors import Invalid
from diat.service.layer import checked_parameters
from diat.service.templates import shipped

KEEP = next(template for template in shipped() if template.name == "keep-within")
SAID = {"quantity": "Temperature", "place": "hq", "low": 20, "high": 24, "unit": "°C"}


class TestPlaceholders:
    @pytest.mark.parametrize(
        ("value", "filled"),
        [
            ("{{n}}", 5),
            ("{{ n }}", 5),
            ("{{t}}", "hq"),
            ("{{none}}", None),
            ("{{t}}/{{n}}", "hq/5"),
            ("{{t}}/{{none}}", "hq/"),
            ("plain", "plain"),
            ({"a": ["{{n}}", {"b": "{{t}}"}]}, {"a": [5, {"b": "hq"}]}),
            (7, 7),
        ],
    )
    def test_a_whole_string_takes_the_value_with_its_type(self, value, filled):
        assert fill(value, {"n": 5, "t": "hq"}) == filled

    def test_a_value_that_looks_like_one_is_not_filled_again(self):
        assert fill("{{a}}", {"a": "{{b}}", "b": "x"}) == "{{b}}"

    def test_all_are_found(self):
        assert placeholders({"a": ["{{x}}", {"b": "{{y}}/{{z}}"}], "c": 5}) == {"x", "y", "z"}


class TestOrder:
    def test_each_after_its_inputs(self):
        steps = [
            {"id": "c", "do": "hold", "input": "b"},
            {"id": "b", "do": "hold", "input": "a"},
            {"id": "a", "do": "latest"},
        ]
        assert order(steps) == ["a", "b", "c"]

    def test_a_cycle_names_its_steps(self):
        with pytest.raises(ValueError, match=r"cycle: (a -> b -> a|b -> a -> b)"):
            order([{"id": "a", "do": "hold", "input": "b"}, {"id": "b", "do": "hold", "input": "a"}])


@pytest.mark.parametrize(
    ("count", "least", "most"),
    [("1", 1, 1), ("1..", 1, None), ("0..1", 0, 1), ("2..5", 2, 5), ("0..", 0, None)],
)
def test_counts(count, least, most):
    role = Role(capability="read", quantity="Temperature", count=count)
    assert (role.least, role.most) == (least, most)


class TestComposing:
    def test_defaults_are_filled_in(self):
        full = checked_parameters(KEEP, SAID)
        assert full == SAID | {"min_on": 0, "min_off": 0, "freshness": 3600, "latency": 60}

    def test_units_and_quantities_in_any_spelling(self):
        made = compose(KEEP, checked_parameters(KEEP, SAID | {"quantity": "air_temperature"}), "s", "S")
        assert made.roles["sensor"].unit == "Cel"
        assert made.roles["sensor"].quantity == "Temperature"

    def test_steps_run_in_the_order_of_their_inputs(self):
        made = compose(KEEP, checked_parameters(KEEP, SAID), "s", "S")
        at = {step.id: number for number, step in enumerate(made.steps)}
        assert at["level"] < at["too-low"] < at["raise"] < at["drive-warmer"]
        (cold,) = [step for step in made.steps if step.id == "too-low"]
        assert isinstance(cold, Hysteresis)
        assert (cold.low, cold.high) == (20, 24)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"unit": "W"}, "parameters.unit"),
            ({"low": 30}, "parameters.low"),
            ({"min_on": 1e12}, "parameters.min_on"),
            ({"freshness": 1e12}, "parameters.freshness"),
        ],
    )
    def test_what_contradicts_itself_is_named(self, wrong, field):
        with pytest.raises(Invalid) as refused:
            compose(KEEP, checked_parameters(KEEP, SAID | wrong), "s", "S")
        assert refused.value.field == field
