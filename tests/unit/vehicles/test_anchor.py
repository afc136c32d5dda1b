"""A camera that is turned says so, and tells no places until it looks where it did."""

from __future__ import annotations

from itertools import islice

import pytest

np = pytest.importorskip("numpy")
cv2 = pytest.importorskip("cv2")

from diat_gateway.cameras.seeing.pictures import Frame  # noqa: E402
from diat_gateway.vehicles.ground import Ground  # noqa: E402
from diat_gateway.vehicles.looking import Looking  # noqa: E402

from benchmarks.vehicles import junction  # noqa: E402


def turned(image, share):
    """The picture of a camera that was turned by so much of its width."""
    move = np.array([[1, 0, share * image.shape[1]], [0, 1, 0]], np.float32)
    return cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize(
    "way", [lambda t: 0.1, lambda t: min(0.1, 0.04 * (t - 6))], ids=["at once", "slowly"]
)
def test_a_camera_that_was_turned_says_so_until_it_is_back(way):
    filmed = junction.scene(9, 26.0, 2, width=240)
    told: list[tuple[float, list[object], str | None]] = []
    looking = Looking(
        Ground(filmed.cameras[0].homography, side=-1.0),
        0.5,
        lambda records, t, why: told.append((t, records, why)),
    )
    for frame in islice(filmed.frames(0), 0, None, 2):
        away = way(frame.t) if 6 <= frame.t < 15 else 0.0
        looking.take(Frame(frame.t, turned(frame.image, away), frame.number))
    looking.finish()

    def last(until):
        return [why for t, _, why in told if t < until][-1]

    assert last(6) is None
    assert last(15) == "moved"
    since = next(t for t, _, why in told if why == "moved")
    assert since < 11
    assert all(records == [] for t, records, _ in told if since <= t < 15)
    assert last(26) is None
