"""The switch: what is no setup is refused with the field that is wrong."""

from __future__ import annotations

import pytest
import yaml

pytest.importorskip("cv2")

from diat_gateway.vehicles.__main__ import app
from diat_gateway.vehicles.setup import CASES, read
from typer.testing import CliRunner

from diat.kernel.errors import Invalid

SQUARE = [[0, 0, 0, 0], [90, 0, 9, 0], [90, 90, 9, 9], [0, 90, 0, 9]]
MILLIMETRES = [[u, v, 1000 * x, 1000 * y] for u, v, x, y in SQUARE]
MIRRORED = [[u, v, y, x] for u, v, x, y in SQUARE]
GOOD = {
    "level": "high",
    "analysis": "aggregator",
    "place": "town/crossing",
    "aggregators": {"rsu": ["north"]},
    "cameras": {"north": {"source": "north.npy", "calibration": SQUARE}},
}


def written(tmp_path, said):
    path = tmp_path / "setup.yaml"
    path.write_text(said if isinstance(said, str) else yaml.safe_dump(said))
    return path


def test_six_cases_are_two_words(tmp_path):
    for level, analysis in CASES.values():
        setup = read(written(tmp_path, GOOD | {"level": level, "analysis": analysis}))
        assert (setup.level, setup.analysis) == (level, analysis)
    assert len(set(CASES.values())) == 6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"level": "medium"}, "level"),
        ({"analysis": "moon"}, "analysis"),
        ({"aggregators": {"rsu": []}}, "belongs to one aggregator"),
        ({"aggregators": {"rsu": ["north", "south"]}}, "belongs to one aggregator"),
        ({"aggregators": {"a/b": ["north"]}}, "is no name"),
        ({"every": 0}, "every"),
        ({"colour": "red"}, "colour"),
        ({"cameras": {"north": {"source": "x", "calibration": SQUARE[:3]}}}, "four points"),
        ({"cameras": {"north": {"source": "x", "calibration": SQUARE, "fps": 0}}}, "pictures a second"),
        ({"cameras": {"north": {"source": "x", "calibration": MILLIMETRES}}}, "are x and y metres"),
        (
            {
                "aggregators": {"rsu": ["a", "b", "c"]},
                "cameras": {
                    name: {"source": "x", "calibration": MIRRORED if name == "b" else SQUARE}
                    for name in "abc"
                },
            },
            "b has the ground the other way round",
        ),
    ],
)
def test_a_setup_that_does_not_go_together_is_refused(tmp_path, wrong, said):
    with pytest.raises(Invalid, match=said):
        read(written(tmp_path, GOOD | wrong))


@pytest.mark.parametrize("text", ["", "[]", "level: [", "{" * 3000, "\x00"])
def test_what_is_no_setup_ends_with_one_clear_line(tmp_path, text):
    ended = CliRunner().invoke(app, ["sensor", str(written(tmp_path, text)), "--camera", "north"])
    assert ended.exit_code == 2
    assert ended.stderr.startswith("diat: ")
    assert "Traceback" not in ended.stderr


def test_a_platform_that_is_not_there_ends_with_one_clear_line(tmp_path):
    ended = CliRunner().invoke(app, ["switch", str(written(tmp_path, GOOD)), "--cloud", "http://127.0.0.1:9"])
    assert ended.exit_code == 2
    assert ended.stderr.startswith("diat: http://127.0.0.1:9: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_camera_that_is_not_there_and_a_source_without_pictures(tmp_path):
    path = str(written(tmp_path, GOOD | {"level": "low"}))
    for given, said in (
        (["--camera", "west"], "no camera 'west'"),
        (["--camera", "north"], "an address for video is wanted"),
        (["--camera", "north", "--video", "nowhere"], "no host:port"),
    ):
        ended = CliRunner().invoke(app, ["sensor", path, *given])
        assert ended.exit_code == 2
        assert said in ended.stderr
