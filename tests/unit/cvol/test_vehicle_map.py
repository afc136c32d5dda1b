"""``vehicle-map``: what cameras report becomes one map, whatever order it comes in and whoever is silent."""

from __future__ import annotations

import math
import random
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diat.cvol.steps import Given, Sample
from diat.cvol.steps.ground import Neighbours, Track
from diat.cvol.tracks.assignment import pairs, solve

NOON = 1_767_268_800_000
STEP = Track(id="vehicles", role="observers")


def car(t, lane=0.0, speed=10.0):
    """Where a car is that drives along the first axis."""
    return -30.0 + speed * t, lane


def reports(cameras, seconds=5.0, *, rate=5, offset=0.0, noise=0.2, lanes=(0.0,), seed=1):
    """(observed, camera, records) of cars side by side; ``cameras``: name to what it can see of x."""
    chance = random.Random(seed)
    found = []
    for turn, (name, (left, right)) in product(range(int(seconds * rate)), cameras.items()):
        t = turn / rate
        records = []
        for number, lane in enumerate(lanes):
            x, y = car(t, lane)
            if left <= x <= right:
                x, y = x + chance.gauss(0, noise), y + chance.gauss(0, noise)
                records.append({"id": number + 7, "x": x, "y": y, "within": noise, "colour": "2020a0"})
        found.append((NOON + round(1000 * (t + offset * (name == "b"))), name, records))
    return found


def run(found, step=STEP, state=None, delay=50):
    """Feed reports in the order in which they stand; the map after the last, and what is remembered."""
    outcome = None
    latest = max(at for at, _, _ in found if at < NOON + 60_000)
    for at, name, records in found:
        sample = Sample(records, observed=at, position=0, thing=name)
        outcome = step.run(Given(arrived=[sample], state=state, now=latest + delay))
        # What is remembered goes through the database, as JSON.
        state = msgspec.json.decode(msgspec.json.encode(outcome.state))
    return outcome


BOTH = {"a": (-40, 40), "b": (-40, 40)}


def test_two_cameras_make_one_track_with_speed_and_heading():
    (vehicle,) = run(reports(BOTH)).value
    x, y = car(4.8)
    assert math.hypot(vehicle["x"] - x, vehicle["y"] - y) < 0.6
    assert vehicle["speed"] == pytest.approx(10, abs=1)
    assert min(vehicle["heading"], 360 - vehicle["heading"]) < 8
    assert vehicle["by"] == ["a", "b"]
    assert vehicle["within"] < 0.8


@given(st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_in_which_reports_come_and_repeats_change_nothing(chance):
    found = reports(BOTH, 3.0, lanes=(0.0, 6.0))
    usual = run(found)
    # Each comes up to four fifths of a second late, some of them twice.
    shuffled = sorted(
        [*found, *chance.sample(found, 5)], key=lambda each: (each[0] + chance.randrange(800), each[1])
    )
    other = run(shuffled)
    assert other.value == usual.value
    assert other.note is None


def test_what_comes_too_late_or_of_the_future_is_left_out_and_said():
    found = reports(BOTH)
    usual = run(found)
    late = run([*found, found[0], (NOON + 3_600_000, "a", found[-1][2])])
    assert late.value == usual.value
    assert late.note is not None
    assert late.note.startswith("2 reports came too late or were of the future; of a 1 too late")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda at, record: (at, record), None),
        (lambda at, record: (at - 700, record), "ahead: its clock may be off"),
        (lambda at, record: (at + 700, record), "behind: its clock may be off"),
        (lambda at, record: (at, record | {"y": record["y"] + 1.6}), "m from where others have them"),
        (lambda at, record: (at, record | {"y": record["y"] + 4.5}), "m from where others have them"),
    ],
)
def test_an_observer_whose_clock_or_fit_is_off_is_named(wrong, said):
    seen = {"a": (-60, 90), "b": (-60, 90), "c": (-60, 90)}
    found = []
    for at, name, records in reports(seen, 9.0, noise=0.3, lanes=(0.0, 12.0)):
        if name == "c":
            moved = [wrong(at, each) for each in records]
            at, records = moved[0][0], [each for _, each in moved]
        found.append((at, name, records))
    note = run(sorted(found, key=lambda each: each[0])).note or ""
    assert said is None or (said in note and "c has things" in note), note
    assert "a has things" not in note
    assert "b has things" not in note
    assert said is not None or note == ""


def test_a_clock_that_is_off_by_the_stated_bound_still_makes_one_track():
    (vehicle,) = run(reports(BOTH, offset=0.1)).value
    assert math.hypot(vehicle["x"] - car(4.85)[0], vehicle["y"]) < 1.2


def test_a_number_is_handed_over_where_views_do_not_meet():
    found = reports({"a": (-40, -10), "b": (5, 40)}, 6.0)
    before = run([each for each in found if each[0] < NOON + 1900])
    after = run([each for each in found if each[0] > NOON + 3600], state=before.state)
    (early,), (late,) = before.value, after.value
    assert (early["by"], late["by"]) == (["a"], ["b"])
    assert early["id"] == late["id"]


def test_another_colour_is_somebody_else():
    found = reports({"a": (-40, -10), "b": (5, 40)}, 6.0)
    for _, name, records in found:
        if name == "b":
            for record in records:
                record["colour"] = "f0e000"
    before = run([each for each in found if each[0] < NOON + 1900])
    after = run([each for each in found if each[0] > NOON + 3600], state=before.state)
    assert before.value[0]["id"] != after.value[0]["id"]


def test_a_camera_that_dies_leaves_the_others_and_their_numbers():
    found = reports(BOTH)
    whole = run([each for each in found if each[0] < NOON + 2500])
    rest = run([each for each in found if each[0] >= NOON + 2500 and each[1] == "a"], state=whole.state)
    assert [each["id"] for each in rest.value] == [each["id"] for each in whole.value]
    assert rest.value[0]["by"] == ["a"]


def test_cars_side_by_side_stay_two():
    found = run(reports(BOTH, lanes=(0.0, 3.6))).value
    assert sorted(round(each["y"]) for each in found) == [0, 4]


def test_what_nobody_sees_any_more_leaves_the_map_and_the_memory():
    outcome = run(reports(BOTH))
    now = NOON + 4_850
    while outcome.due is not None and now < NOON + 60_000:
        now = outcome.due
        outcome = STEP.run(Given(state=outcome.state, now=now))
    assert outcome.value == []
    assert now < NOON + 15_000
    assert outcome.state[:3] == [[], [], []], "neither tracks nor what waits"


def test_maps_are_joined_to_a_larger_map():
    """What ``track`` gives is a report itself: of two places beside one another here."""
    left, right, above = {}, {}, None
    states = {"left": None, "right": None, "above": None}
    for at, name, records in reports({"a": (-40, 5), "b": (-5, 40)}, 6.0):
        area = "left" if name == "a" else "right"
        mine = STEP.run(Given(arrived=[Sample(records, at, 0, name)], state=states[area], now=at))
        states[area] = mine.state
        above = STEP.run(Given(arrived=[Sample(mine.value, at, 0, area)], state=states["above"], now=at))
        states["above"] = above.state
        for each in above.value:
            (left if area == "left" else right)[each["id"]] = True
    assert len(above.value) == 1
    assert set(above.value[0]["by"]) == {"b", "right"}
    assert len(set(left) | set(right)) == 1, "one number from end to end"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "records",
        {"id": 1},
        [None, 3, "x", [], {}],
        [{"id": 1, "x": "near", "y": 0}],
        [{"id": 1, "x": float("nan"), "y": 0.0}],
        [{"id": 1, "x": float("inf"), "y": 0.0}],
        [{"id": 1, "x": 1e300, "y": 0.0}],
        [{"id": 1, "x": 1.0, "y": 0.0, "within": -1}],
        [{"id": "n" * 10_000, "x": 1.0, "y": 0.0}],
        [{"id": True, "x": 1.0, "y": 0.0}],
    ],
)
def test_garbage_is_counted_and_changes_nothing(value):
    found = reports(BOTH)
    usual = run(found)
    for turn in range(4):
        found.append((found[-1][0] + 1, f"mad{turn}", value))
    outcome = run(found)
    assert [each["id"] for each in outcome.value] == [each["id"] for each in usual.value]
    assert "no sightings" in outcome.note


def test_a_flood_is_bounded(monkeypatch):
    monkeypatch.setattr("diat.cvol.steps.ground._WAITING", 12)
    chance = random.Random(5)
    state, now = None, NOON
    for turn in range(16):
        now += 10
        records = [{"id": n, "x": chance.uniform(0, 9), "y": 0.0, "within": 3.0} for n in range(500)]
        outcome = STEP.run(Given(arrived=[Sample(records, now, 0, f"c{turn % 3}")], state=state, now=now))
        state = outcome.state
    assert len(outcome.value) <= 64
    assert len(state[2]) <= 12
    assert "no sightings" in outcome.note


def test_a_colour_that_is_none_is_none():
    found = [
        (at, name, [each | {"colour": "zebra"} for each in records]) for at, name, records in reports(BOTH)
    ]
    (vehicle,) = run(found).value
    assert "colour" not in vehicle


def test_neighbours_are_those_within_reach_the_nearest_first():
    there = [{"id": n, "x": float(x), "y": 0.0} for n, x in (("a", 0), ("b", 10), ("c", 14), ("d", 100))]
    around = Neighbours(id="n", input="x", reach=15).run(Given(value=there, now=NOON))
    assert around.value == {"a": ["b", "c"], "b": ["c", "a"], "c": ["b", "a"], "d": []}
    assert Neighbours(id="n", input="x").run(Given(value=None, now=NOON)).value is None


@given(st.lists(st.lists(st.integers(0, 50), min_size=5, max_size=5), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_assignment_is_the_cheapest(matrix):
    from itertools import permutations

    best = min(
        sum(matrix[row][column] for row, column in enumerate(chosen))
        for chosen in permutations(range(5), len(matrix))
    )
    found = solve(matrix)
    assert len(set(found)) == len(matrix)
    assert sum(matrix[row][column] for row, column in enumerate(found)) == best


def test_a_pair_that_costs_more_than_to_stay_alone_is_not_made():
    assert pairs({(0, 0): 5.0, (1, 0): 1.0, (1, 1): 30.0}, 24.0) == [(1, 0)]


@pytest.mark.parametrize("restarted", [False, True])
def test_as_a_service_it_is_a_thing_with_a_map(kept_world, restarted):
    world = kept_world
    prop = {"type": "array", "readOnly": True, "@type": "quantitykind:Detections"}
    for name in "ab":
        world.announce(name, **{"diat:place": "town/crossing", "properties": {"records": prop}})
    service = world.service("vehicle-map", place="town/crossing")
    for at, name, records in reports(BOTH, 2.0):
        world.now = max(world.now, at)
        world.report(name, at=at, records=records)
        if restarted and (at, name) == (NOON + 1000, "a"):
            world.restart()
    thing = f"urn:diat:composite:{service}"
    values = world.twin(thing).values
    assert world.state(service).state == "running"
    (vehicle,) = values["vehicles"].value
    assert vehicle["by"] == ["urn:dev:a", "urn:dev:b"]
    assert values["count"].value == 1
    assert values["neighbours"].value == {vehicle["id"]: []}
    world.status("b", "offline")
    assert world.state(service).state in ("running", "degraded")
