"""Windows against the plainest reference, which has all items at once.

Invariants: whatever the order in which items within lateness come, a window tells what the reference tells;
the same if its memory goes through JSON at every run, as after a crash; and it is woken at each time that its
answer changes. Formulas never raise and never loop.
"""

from __future__ import annotations

import json
import math
import time
from itertools import groupby
from statistics import median, stdev

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from diat.cvol.steps import Given, Sample
from diat.cvol.steps.formula import Formula
from diat.cvol.steps.windows import Window

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = 1_767_225_600_000
SECOND = 1000
PLAIN = {
    "mean": lambda v: sum(v) / len(v),
    "least": min,
    "most": max,
    "sum": sum,
    "count": len,
    "first": lambda v: v[0],
    "last": lambda v: v[-1],
    "median": median,
    "spread": lambda v: max(v) - min(v),
    "stddev": lambda v: stdev(v) if len(v) > 1 else None,
    "change": lambda v: v[-1] - v[0],
    "share-true": lambda v: sum(1 for each in v if each) / len(v),
}
EMPTY = {"count": 0, "sum": 0}
aggregates = st.sampled_from([*PLAIN, "time-weighted-mean"])

# Each at its own time, so that the order is given; numbers of eighths, of which sums are exact.
items = st.lists(
    st.tuples(st.integers(0, 120 * SECOND), st.integers(-800, 800).map(lambda n: n / 8), st.integers(0, 20)),
    max_size=30,
    unique_by=lambda item: item[0],
)


def told(window, arrivals, until):
    """What it tells, as (when, value) of each run, with its memory through JSON; woken whenever it wants."""
    state, due, said = None, None, []

    def run(now, arrived=()):
        nonlocal state, due
        outcome = window.run(Given(arrived=arrived, state=state, now=now, observed=now))
        state, due = json.loads(json.dumps(outcome.state, allow_nan=False)), outcome.due
        assert due is None or due > now
        said.append((now, outcome.value))

    run(START)
    for now, group in groupby(sorted(arrivals), key=lambda arrival: arrival[0]):
        while due is not None and due <= now:
            run(due)
        for _, at, value in group:
            run(now, [Sample(value, observed=at, position=0)])
    while due is not None and due <= until:
        run(due)
    return said, state


def at_close(said, when):
    """The last value that was told by a time."""
    return next(value for now, value in reversed(said) if now <= when)


def arrivals_of(found, lateness):
    """(arrival, observed, value): each up to so much later than it was observed."""
    return [
        (START + at + (delay * SECOND) % (lateness * SECOND + 1), START + at, value)
        for at, value, delay in found
    ]


def same(left, right):
    assert (left is None) == (right is None), (left, right)
    assert left is None or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9), (left, right)


def reference(aggregate, found, begin, end, before=None):
    """The answer for the items (time, value) of [begin, end)."""
    inside = sorted((at, value) for at, value in found if begin <= at < end)
    if aggregate != "time-weighted-mean":
        return PLAIN[aggregate]([value for _, value in inside]) if inside else EMPTY.get(aggregate)
    stood = ([(begin, before)] if before is not None else []) + inside
    if not stood:
        return None
    ends = [at for at, _ in stood[1:]] + [end]
    total = end - stood[0][0]
    return sum(value * (until - at) for (at, value), until in zip(stood, ends, strict=True)) / total


def stood_at(found, begin):
    return max(((at, value) for at, value in found if at < begin), default=(0, None))[1]


@thorough
@given(items, aggregates, st.sampled_from([(10, 10), (12, 4), (60, 20)]), st.sampled_from([0, 5, 20]))
def test_tumbling_and_hopping(found, aggregate, sizes, lateness):
    size, every = sizes
    kind = (
        {"kind": "tumbling", "size": size}
        if size == every
        else {"kind": "hopping", "size": size, "every": every}
    )
    window = Window(id="w", role="r", aggregate=aggregate, lateness=lateness, **kind)
    arrivals = arrivals_of(found, lateness)
    until = START + 300 * SECOND
    said, _ = told(window, arrivals, until)
    known = [(at, value) for _, at, value in arrivals]
    for end in range(START + every * SECOND, until - lateness * SECOND, every * SECOND):
        begin = end - size * SECOND
        expected = reference(aggregate, known, begin, end, stood_at(known, begin))
        same(at_close(said, end + lateness * SECOND), expected)


@thorough
@given(items, aggregates, st.sampled_from([0, 5, 15]))
def test_session(found, aggregate, lateness):
    gap = 7
    window = Window(id="w", role="r", aggregate=aggregate, kind="session", gap=gap, lateness=lateness)
    arrivals = arrivals_of(found, lateness)
    until = START + 300 * SECOND
    said, _ = told(window, arrivals, until)
    known = sorted((at, value) for _, at, value in arrivals)
    sessions = []
    for at, value in known:
        if not sessions or at - sessions[-1][-1][0] >= gap * SECOND:
            sessions.append([])
        sessions[-1].append((at, value))
    for session in sessions:
        begin, end = session[0][0], session[-1][0]
        if aggregate == "time-weighted-mean":
            expected = reference(aggregate, session, begin, end) if end > begin else session[-1][1]
        else:
            expected = reference(aggregate, session, begin, end + 1)
        same(at_close(said, end + (gap + lateness) * SECOND), expected)


@thorough
@given(items, aggregates)
def test_sliding_tells_of_the_present_at_every_time(found, aggregate):
    size = 15
    window = Window(id="w", role="r", aggregate=aggregate, kind="sliding", size=size)
    arrivals = arrivals_of(found, 0)
    said, _ = told(window, arrivals, START + 300 * SECOND)
    for now in sorted({now for now, _ in said} | set(range(START, START + 150 * SECOND, SECOND))):
        known = [(at, each) for came, at, each in arrivals if came <= now]
        begin = now - size * SECOND
        if aggregate != "time-weighted-mean":
            same(at_close(said, now), reference(aggregate, known, begin + 1, now + 1))
        elif any(now == each for each, _ in said) and any(at < now for at, _ in known):
            # It changes all the time, and is told whenever something comes or leaves.
            same(at_close(said, now), reference(aggregate, known, begin, now, stood_at(known, begin)))


@thorough
@given(items, aggregates, st.randoms(use_true_random=False))
def test_late_or_in_any_order_within_lateness_it_is_the_same(found, aggregate, random):
    """The whole story of a window, not only its end: each closed value is that of items come in order."""
    window = Window(id="w", role="r", aggregate=aggregate, kind="tumbling", size=10, lateness=200)
    in_order = [(START + 120 * SECOND, START + at, value) for at, value, _ in sorted(found)]
    shuffled = in_order.copy()
    random.shuffle(shuffled)
    ends = []
    for arrivals in (in_order, shuffled):
        state = None
        for now, at, value in arrivals:
            sample = Sample(value, observed=at, position=0)
            state = window.run(Given(arrived=[sample], state=state, now=now, observed=at)).state
        due, values = START, []
        while due is not None and due < START + 600 * SECOND:
            outcome = window.run(Given(state=state, now=due, observed=due))
            state, due = outcome.state, outcome.due
            values.append(outcome.value)
        ends.append(values)
    assert len(ends[0]) == len(ends[1])
    for left, right in zip(*ends, strict=True):
        same(left, right)


@thorough
@given(st.lists(st.integers(-800, 800).map(lambda n: n / 8), max_size=30), st.sampled_from(list(PLAIN)))
def test_count(values, aggregate):
    window = Window(id="w", role="r", aggregate=aggregate, kind="count", size=4)
    arrivals = [(START + at * SECOND, START + at * SECOND, value) for at, value in enumerate(values)]
    said, _ = told(window, arrivals, START)
    done = len(values) // 4 * 4
    expected = PLAIN[aggregate](values[done - 4 : done]) if done else None
    same(said[-1][1], expected)


@thorough
@given(items, st.lists(st.integers(1, 120), unique=True, max_size=8), aggregates)
def test_state(found, switches, aggregate):
    """The step ``while`` is true and false in turn from each switch on."""
    window = Window(id="w", role="r", aggregate=aggregate, kind="state", **{"while": "on"})
    switches = sorted(START + each * SECOND + 500 for each in switches)
    events = [*((at, None) for at in switches), *((START + at, value) for at, value, _ in found)]
    events.sort(key=lambda event: event[0])
    state, on, said = None, False, []
    for at, value in events:
        on = not on if value is None else on
        arrived = [] if value is None else [Sample(value, observed=at, position=0)]
        given_ = Given(arrived=arrived, state=state, now=at, observed=at, values={"while": on})
        outcome = window.run(given_)
        state = json.loads(json.dumps(outcome.state, allow_nan=False))
        said.append((at, outcome.value))
    known = [(START + at, value) for at, value, _ in found]
    assume(not {START + at for at, _, _ in found} & set(switches))
    for begin, end in zip(switches[::2], switches[1::2], strict=False):
        before = stood_at(known, begin)
        same(at_close(said, end), reference(aggregate, known, begin, end, before))


names = st.sampled_from(["value", "a", "b", "x"])
literals = st.sampled_from(["1", "2.5", "0", '"t"', "true", "null", "[1, 2]", '{"k": 1}', "1e300", "-7"])
operators = st.sampled_from(["+", "-", "*", "/", "%", "==", "<", ">=", "&&", "||", "in"])
texts = st.recursive(
    names | literals,
    lambda inner: (
        st.tuples(inner, operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | st.tuples(st.sampled_from(["size", "abs", "int", "round", "sqrt", "string", "double"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        )
        | st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})")
        | inner.map(lambda t: f"{t}.exists(x, x > 1)")
    ),
    max_leaves=12,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(texts | st.text(max_size=30), json_values, json_values)
def test_a_formula_answers_json_or_says_why_not(text, value, other):
    try:
        formula = Formula(text, {"value", "a", "b"})
    except ValueError:
        return
    made, why = formula.run({"value": value, "a": other, "b": 2})
    json.dumps(made, allow_nan=False)
    assert why is None or (made is None and why)


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**53), 2**53), st.integers(-1000, 1000))
def test_whole_and_broken_numbers_are_of_one_kind(whole, other):
    formula = Formula("value * 2 + b > 40 / 3", {"value", "b"})
    assert formula.run({"value": whole, "b": other}) == formula.run(
        {"value": float(whole), "b": float(other)}
    )
    assert formula.run({"value": whole, "b": other})[0] is (whole * 2 + other > 40 / 3)


@pytest.mark.parametrize(
    "text",
    [
        "size(" + "+".join(["a"] * 240) + ") > 1",
        "a.exists(x, [" + ",".join(["a"] * 80) + "] == [" + ",".join(["a"] * 80) + "] && x < 0)",
        "+".join(["b"] * 240),
        "a.exists(x, b.contains(b) && b.contains(b) && b.contains(b) && x < 0)",
    ],
)
def test_the_worst_formula_ends_soon(text):
    formula = Formula(text, {"a", "b"})
    begin = time.monotonic()
    formula.run({"a": [1.0] * 100, "b": "y" * 4096})
    assert time.monotonic() - begin < 5
