"""What several need of a property, merged: whatever one of them needs is let through."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.vol.pushdown import Rule, merged

sys.path.insert(0, str(Path(__file__).parents[3] / "firmware"))

from diat_node import reporting


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        ([Rule(every=10)], Rule(every=10)),
        ([Rule(every=10), Rule(every=60)], Rule(every=10)),
        ([Rule(every=10), Rule()], Rule()),
        ([Rule(delta=1), Rule(delta=0.5), Rule(delta=2)], Rule(delta=0.5)),
        ([Rule(above=30), Rule(above=25)], Rule(above=25)),
        ([Rule(above=30), Rule(below=5)], Rule(above=30, below=5)),
        ([Rule(above=30), Rule(every=60)], Rule()),
        ([Rule(above=30, every=5), Rule(every=60)], Rule()),
        ([Rule(above=30, every=5), Rule(above=30, every=60)], Rule(above=30, every=5)),
        ([Rule(above=30, every=60), Rule(above=25, every=60)], Rule(above=25)),
        ([Rule(above=30, every=60, delta=0), Rule(above=25, every=60, delta=0)], Rule(above=25, delta=0)),
        (
            [Rule(above=30, every=60, delta=0, silence=60), Rule(delta=0, silence=20)],
            Rule(delta=0, silence=20),
        ),
        ([Rule(above=30, silence=60), Rule(silence=20)], Rule(above=30, silence=20)),
        ([Rule(every=60, silence=60), Rule(delta=1, silence=20)], Rule()),
        ([Rule(mean=60), Rule(mean=300)], Rule(mean=60)),
        ([Rule(mean=60), Rule(max=60)], Rule()),
        ([Rule(mean=60), Rule()], Rule()),
        ([Rule(silence=600), Rule(every=5, silence=60)], Rule(every=5, silence=60)),
        ([Rule(silence=600), Rule()], Rule()),
        ([Rule(above=30, silence=600), Rule(above=30)], Rule(above=30, silence=600)),
    ],
)
def test_what_lets_more_through_holds(needs, told):
    assert merged(needs) == told


RULES = st.builds(
    lambda parts: Rule(**{key: value for key, value in parts.items() if value is not None}),
    st.fixed_dictionaries(
        {
            "above": st.none() | st.integers(-5, 5),
            "below": st.none() | st.integers(-5, 5),
        }
    ),
)


@given(st.lists(RULES, min_size=1, max_size=3), st.lists(st.integers(-9, 9), min_size=1, max_size=40))
def test_a_thing_that_serves_all_sends_whatever_one_of_them_needs(needs, samples):
    def beyond(rule):
        node = reporting.Rule(rule.steps())
        return {i for i, value in enumerate(samples) if node.take(value, i * 1000, i)}

    sent = beyond(merged(needs))
    for need in needs:
        steps = need.steps()
        for i, value in enumerate(samples):
            if not steps or value > steps.get("above", 99) or value < steps.get("below", -99):
                assert i in sent
