"""What is pushed down: which samples are sent."""

from diat_node.reporting import Rule, fault


def _sent(rule, samples, period=1):
    """The values that are sent of samples a period (s) apart."""
    kept, found = Rule(rule), []
    for i, value in enumerate(samples):
        found += [v for v, _ in kept.take(value, i * period * 1000, i)]
    return found


def test_without_a_rule_all_is_sent():
    assert _sent({}, [1, 1, 2]) == [1, 1, 2]


def test_every_and_delta_thin_out():
    assert _sent({"every": 3}, range(10)) == [0, 3, 6, 9]
    assert _sent({"delta": 2}, [0, 1, 2, 3, 3.9, 4, 1]) == [0, 2, 4, 1]
    assert _sent({"every": 2, "delta": 1}, [0, 5, 5, 5.5, 6]) == [0, 5, 6]


def test_above_and_below_send_crossings_and_while_beyond():
    assert _sent({"above": 30}, [20, 25, 31, 32, 29, 28, 33]) == [20, 31, 32, 29, 33]
    assert _sent({"above": 30, "every": 3}, [20, 31, 32, 33, 34, 29, 28]) == [20, 31, 34, 29]
    assert _sent({"below": 5, "above": 30}, [20, 4, 31, 20, 21]) == [20, 4, 31, 20]


def test_a_mean_and_the_extremes_of_a_window():
    assert _sent({"mean": 4}, [1, 2, 3, 6, 9, 9, 9, 9, 0])[1:] == [3.0, 9.0]
    assert _sent({"max": 3}, [1, 7, 2, 0, 1, 5, 0])[1:] == [7, 5]
    assert _sent({"min": 3}, [4, 3, 5, 8, 9, 7, 1])[1:] == [3, 7]


def test_an_extreme_is_dated_when_it_was():
    rule, found = Rule({"max": 3}), []
    for i, value in enumerate([1, 7, 2, 0]):
        found += rule.take(value, i * 1000, 100 + i)
    assert found[-1] == (7, 101)


def test_silence_is_a_sign_of_life():
    assert _sent({"delta": 100, "silence": 5}, range(12)) == [0, 5, 10]
    assert _sent({"silence": 5}, range(12)) == [0, 5, 10]
    assert _sent({"above": 100, "silence": 5}, range(12)) == [0, 5, 10]


def test_what_is_no_number_is_sent_when_it_changes():
    assert _sent({"every": 1, "delta": 1}, ["a", "a", "b"]) == ["a", "b"]


def test_the_impossible_is_told():
    assert fault({"above": 30}, True) == "" == fault({"every": 5, "silence": 0}, False)
    for rule in (
        {"often": 1},
        {"every": -1},
        {"every": "x"},
        {"every": True},
        {"delta": -1},
        {"mean": 0},
        {"silence": 1e9},
        {"above": float("nan")},
        [],
        5,
    ):
        assert fault(rule, True), rule
    assert fault({"above": 3}, False)
