"""A camera that is turned says so, and tells no places until it looks where it did."""

from __future__ import annotations

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
    "way", [lambda t: 0.1, lambda t: min(0.1, 0.02 * (t - 8))], ids=["at once", "slowly"]
)
def test_a_camera_that_was_turned_says_so_until_it_is_back(way):
    filmed = junction.scene(9, 32.0, 3, width=320)
    told: list[tuple[float, list[object], str | None]] = []
    looking = Looking(
        Ground(filmed.cameras[0].homography, side=-1.0),
        0.5,
        lambda records, t, why: told.append((t, records, why)),
    )
    for frame in filmed.frames(0):
        away = way(frame.t) if 8 <= frame.t < 20 else 0.0
        looking.take(Frame(frame.t, turned(frame.image, away), frame.number))
    looking.finish()

    def said(since, until):
        return {why for t, _, why in told if since <= t < until}

    assert said(0, 8) == {None}
    assert said(15, 20) == {"moved"}
    assert all(records == [] for t, records, _ in told if 15 <= t < 20)
    assert said(27, 32) == {None}
