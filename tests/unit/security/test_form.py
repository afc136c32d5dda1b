"""Forms of values: rounded, under a pseudonym, without what is dropped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.security.decision import Decision
from diat.security.form import Form, form_of, pseudonym, rounded

KEY = b"a key"


def form(*modify, delay=0):
    return form_of(Decision(effect="modify", reason="", modify=modify, delay=delay))


@pytest.mark.parametrize(
    ("value", "step", "told"),
    [
        (20.26, 0.5, 20.5),
        (20.25, 0.5, 20.0),
        (-20.26, 0.5, -20.5),
        (0.1 + 0.2, 0.1, 0.3),
        (17, 5, 15),
        (18, 5, 20),
        (7, 0.5, 7),
        (1e308, 1e-300, 1e308),
        (10**400, 5, 10**400),
        (12.3, 1e12, 0.0),
        (5e-7, 2.5e-7, 5e-7),
    ],
)
def test_numbers_are_rounded_to_a_step(value, step, told):
    assert rounded(value, step) == told
    assert type(rounded(value, step)) is type(told)


@given(st.floats(-1e9, 1e9), st.sampled_from([0.01, 0.1, 0.25, 0.5, 1, 5, 100]))
def test_what_is_rounded_is_near_and_stays_when_rounded_again(value, step):
    told = rounded(value, step)
    assert abs(told - value) <= step / 2 * (1 + 1e-6)
    assert rounded(told, step) == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_no_name_and_nothing_dropped_is_left_in_any_value(value):
    told = form({"anonymise": ["a"], "drop": ["b"], "round": 10}).value(value, KEY)
    json.dumps(told)

    def look(each):
        if isinstance(each, dict):
            assert "b" not in each
            for name, inner in each.items():
                if name == "a":
                    hidden(inner)
                look(inner)
        elif isinstance(each, list):
            for inner in each:
                look(inner)

    def hidden(each):
        if isinstance(each, dict | list):
            for inner in each.values() if isinstance(each, dict) else each:
                hidden(inner)
        else:
            assert each is None or str(each).startswith("anon-")

    look(told)


def test_pseudonyms_are_the_same_for_the_same_and_differ_by_key():
    assert pseudonym("anna", KEY) == pseudonym("anna", KEY)
    assert pseudonym("anna", KEY) != pseudonym("ben", KEY)
    assert pseudonym("anna", KEY) != pseudonym("anna", b"another")
    assert form({"anonymise": True}).value(["anna", 3, True], KEY) == [pseudonym("anna", KEY), 3, True]


def test_truth_is_never_rounded():
    assert form({"round": 10}).value(True, KEY) is True


def test_what_permits_has_no_form():
    assert form_of(Decision(effect="permit", reason="")) is None
    assert form(delay=5) == Form(delay=5)


def test_of_several_the_longest_interval_counts():
    both = form({"coarsen": "5m"}, {"coarsen": "1h"}, {"round": 1})
    assert both.coarsen == 3_600_000
    assert both.at(3_700_000) == 3_600_000
    assert len(both.parts) == 1
