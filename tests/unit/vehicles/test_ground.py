"""From pixels to metres: calibration, and the records of one camera."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
pytest.importorskip("cv2")

from diat_gateway.cameras.scenes.scene import CAMERAS  # noqa: E402
from diat_gateway.cameras.seeing.analysis import Seen  # noqa: E402
from diat_gateway.vehicles.ground import Ground, calibrate  # noqa: E402
from diat_gateway.vehicles.sightings import Sightings  # noqa: E402

from diat.kernel.errors import Invalid  # noqa: E402

GRID = [(x, y) for x in (-8.0, 0.0, 8.0) for y in (-8.0, 0.0, 8.0)]


def points(eye, ground=GRID, off=0.0, seed=1):
    pixels, front = eye.project(np.array([[x, y, 0.0] for x, y in ground]))
    assert front.all()
    pixels = pixels + np.random.default_rng(seed).normal(0, off, pixels.shape)
    return [(float(u), float(v), x, y) for (u, v), (x, y) in zip(pixels, ground, strict=True)]


@given(st.sampled_from(CAMERAS), st.floats(-8, 8), st.floats(-8, 8))
@settings(max_examples=25, deadline=None)
def test_a_place_on_the_ground_comes_back_from_its_pixel(eye, x, y):
    ground = calibrate(points(eye))
    ((u, v, _, _),) = points(eye, [(x, y)])
    assert ground.residual < 1e-3
    assert math.dist(ground.at(u, v), (x, y)) < 0.01


@given(st.sampled_from(CAMERAS), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_residual_tells_how_wrong_places_are(eye, seed):
    ground = calibrate(points(eye, off=0.6, seed=seed))
    wrong = [math.dist(ground.at(u, v), (x, y)) for u, v, x, y in points(eye, [(4.0, -3.0), (-5.0, 2.0)])]
    assert 0.01 < ground.residual < 0.4
    assert max(wrong) < 6 * ground.residual


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "at least four"),
        ([(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)], "at least four"),
        ([(0, 0, 0, 0), (1, 0, 1, 0), (2, 0, 2, 1), (3, 0, 3, 3)], "on one line in the picture"),
        ([(0, 0, 0, 0), (9, 0, 1, 1), (2, 5, 2, 2), (3, 9, 3, 3)], "on one line on the ground"),
        ([(5, 5, 1, 1)] * 6, "on one line"),
        ([(math.nan, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1)], "finite"),
        ([(0, 0, 0, 0), (90, 0, 9, 0), (90, 90, 9, 9), (0, 90, 0, 9), (45, 45, 20, 20)], "fit|horizon"),
    ],
)
def test_points_that_make_no_homography_are_refused(pairs, said):
    with pytest.raises(Invalid, match=said) as told:
        calibrate(pairs)
    assert told.value.field == "calibration"


def test_above_the_horizon_there_is_no_ground():
    ground = calibrate(points(CAMERAS[0]))
    assert ground.middle((200.0, -4000.0, 40.0, 20.0)) == (math.inf, math.inf, math.inf)


def car(eye, x, y, heading):
    """The box of a car in the picture."""
    along = np.array([math.cos(heading), math.sin(heading)]) * 2.15
    side = np.array([-math.sin(heading), math.cos(heading)]) * 0.9
    flat = [np.array([x, y]) + a * along + b * side for a in (-1, 1) for b in (-1, 1)]
    corners = np.array([[*p, z] for p in flat for z in (0.0, 1.45)])
    pixels, _ = eye.project(corners)
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    return (float(left), float(top), float(right - left), float(bottom - top))


def drive(sightings, eye, seconds=3.0, speed=8.0, size=car):
    told = []
    for tick in range(int(seconds * 10)):
        t = tick / 10
        x = -8.0 + speed * t
        box = size(eye, x, -1.8, 0.0)
        records = sightings.take(Seen(t, objects=[(4, box)] if abs(x) < 9 else []), None)
        if records is not None:
            told.append((t, x, records))
    return told


@pytest.mark.parametrize("eye", CAMERAS)
def test_a_car_is_where_it_is(eye):
    told = drive(Sightings(Ground(eye.homography)), eye)
    wrong = [math.dist((r["x"], r["y"]), (x, -1.8)) for _, x, records in told for r in records]
    assert len(wrong) >= 9
    assert float(np.median(wrong)) < 1.2
    assert all(0.3 < r["within"] < 3 for _, _, records in told for r in records)


def test_reports_come_at_their_rate_and_the_last_says_that_nobody_is_there():
    told = drive(Sightings(Ground(CAMERAS[0].homography), every=0.2, beat=1.0), CAMERAS[0], 6.0)
    while_there = [t for t, x, _ in told if abs(x) < 9]
    assert all(after - before >= 0.2 - 1e-6 for before, after in itertools.pairwise(while_there))
    after = [(t, records) for t, x, records in told if abs(x) >= 9]
    assert after[0][1] == []
    assert after[0][0] <= while_there[-1] + 0.21
    assert all(b - a >= 1.0 - 1e-6 for (a, _), (b, _) in itertools.pairwise(after))


def test_who_walks_is_no_vehicle():
    def walker(eye, x, y, _):
        left, top, wide, high = car(eye, x, y, 0.0)
        return (left + wide / 2 - 0.07 * wide, top, 0.14 * wide, high)

    told = drive(Sightings(Ground(CAMERAS[0].homography)), CAMERAS[0], speed=1.5, size=walker)
    assert all(records == [] for _, _, records in told)
    both = Sightings(Ground(CAMERAS[0].homography), walkers=True)
    told = drive(both, CAMERAS[0], speed=1.5, size=walker)
    assert all(len(records) == 1 for t, _, records in told if t < 2.9)


def test_what_runs_into_one_with_others_is_a_guess_and_soon_not_told():
    sightings, told = Sightings(Ground(CAMERAS[0].homography)), []
    for tick in range(40):
        merged = frozenset({4}) if tick >= 20 else frozenset()
        box = car(CAMERAS[0], -8.0 + 0.4 * tick, -1.8, 0.0)
        told.append(sightings.take(Seen(tick / 10, objects=[(4, box)], merged=merged), None))
    said = {tick: records[0]["within"] for tick, records in enumerate(told) if records}
    assert all(within < 1 for tick, within in said.items() if tick < 20)
    assert all(within > 2 for tick, within in said.items() if tick >= 20)
    assert 20 < max(said) <= 26


def test_a_homography_that_is_nonsense_tells_nothing():
    for matrix in (np.zeros((3, 3)), np.full((3, 3), np.nan), np.ones((3, 3))):
        ground = Ground(matrix)
        box = (200.0, 100.0, 40.0, 20.0)
        assert not all(math.isfinite(each) and abs(each) < 1e6 for each in ground.middle(box, 1.0))
