"""Vehicle localisation on real processes and sockets: sensors, gateways, the platform as the cloud.

``VEHICLES=all`` runs all six cases, two of them with a camera that dies; else the last one alone.
"""

import math
import os

import msgspec
import pytest

pytest.importorskip("cv2")

from diat_gateway.vehicles.setup import CASES
from diat_gateway.vehicles.system import System

from benchmarks.vehicles import junction

ALL = os.environ.get("VEHICLES") == "all"
RUN = list(CASES) if ALL else [6]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """A short scene with one car, and the setup that looks at it."""
    scene = junction.scene(4, 12.0, 2, width=320)
    return scene, junction.setup(scene, tmp_path_factory.mktemp("pictures"))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", RUN)
def test_a_case_makes_a_map_in_the_cloud(case, filmed, tmp_path):
    scene, setup = filmed
    level, analysis = CASES[case]
    with System(msgspec.structs.replace(setup, level=level, analysis=analysis), tmp_path) as system:
        system.begin()
        if ALL and case in (5, 6):
            system.kill("north")
        system.wait(180)
        judged = junction.judged(scene, system.maps())
        cpu = system.cpu()
    assert judged.score.recall > 0.4
    assert judged.error < 1.5
    assert all(math.isfinite(spent) and spent > 0 for spent in cpu.values())
    sent = sum(each.bytes for each in system.figures.values())
    assert sent > 0
    if level == "high":
        assert sent < 60_000, "records, not video"
