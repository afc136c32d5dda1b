"""Cameras as things, and their clips over REST: a real camera process beside a real platform."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from diat.adapters.joinkey import kept_key

av = pytest.importorskip("av")
pytest.importorskip("cv2")

from diat_gateway.cameras.description import CameraSetup  # noqa: E402
from diat_gateway.cameras.encoding import Encoder  # noqa: E402
from diat_gateway.cameras.gateway import Cameras  # noqa: E402
from diat_gateway.cameras.muxing import mp4  # noqa: E402
from diat_gateway.cameras.scenes.pinhole import Pinhole  # noqa: E402
from diat_gateway.cameras.scenes.scene import Scene  # noqa: E402

EYE = Pinhole((-20.0, -15.0, 7.0), (1.0, 1.0), 320, 180)
"""Small, so that it costs little."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = Scene(4, seconds=16.0, events=2, cameras=(EYE,), stops=0.0)
    encoder = Encoder(EYE.width, EYE.height, scene.fps)
    packets = [packet for frame in scene.frames(0) for packet in encoder.encode(frame.image)]
    clip = tmp_path_factory.mktemp("film") / "clip.mp4"
    clip.write_bytes(mp4(packets + encoder.finish(), scene.fps))
    return clip


@pytest.fixture(scope="module")
def cameras(house, film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cameras]:
    setup = CameraSetup("gate-camera", str(film), title="Gate", place="yard/gate", paced=False)
    running = Cameras(
        [setup],
        f"mqtt://127.0.0.1:{house.mqtt_port}",
        tmp_path_factory.mktemp("clips"),
        platform=str(house.rest.base_url).rstrip("/"),
        reserve=0,
    )
    running.start()
    yield running
    running.stop()


def find(ask, what: str):
    """Ask until there is an answer; for fixtures of the module."""
    deadline = time.monotonic() + 20
    while not (answer := ask()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return answer


@pytest.fixture(scope="module")
def clips(house, cameras: Cameras) -> list[dict[str, object]]:
    assert cameras.wait(60)
    return find(lambda: house.get("/clips", kind="clip"), "a clip is listed")


def test_a_camera_is_a_thing_that_says_how_it_is(house, cameras: Cameras, clips: list) -> None:
    values = house.get("/things/urn%3Adev%3Agate-camera/properties")
    assert (values["level"], values["sight"], values["stream"], values["storage"]) == (
        "high",
        "clear",
        "ended",
        "ready",
    )


def test_clips_are_found_by_place_kind_and_time(house, clips: list) -> None:
    found = clips[0]
    assert (found["thing"], found["place"]) == ("urn:dev:gate-camera", "yard/gate")
    assert found in house.get("/clips", place="yard")
    assert found in house.get("/clips", **{"from": found["from"], "to": found["to"]})
    assert house.get("/clips", place="cellar") == []
    assert house.get("/clips", to="2001-01-01T00:00:00Z") == []
    assert all(each["kind"] == "snapshot" for each in house.get("/clips", kind="snapshot"))


def test_a_clip_is_brought_when_it_is_asked_for(house, clips: list) -> None:
    answer = house.rest.get(clips[0]["href"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(answer.content)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 20


def test_a_snapshot_is_a_picture(house, clips: list) -> None:
    snapshot = house.get("/clips", kind="snapshot")[0]
    assert house.rest.get(snapshot["href"]).content.startswith(b"\xff\xd8")


def test_what_is_not_kept_and_what_nobody_waits_for(house, clips: list) -> None:
    assert house.rest.get("/clips/urn%3Adev%3Agate-camera/nothing").status_code == 404
    assert house.rest.put("/clips/arrivals/guessed", content=b"x").status_code == 404
    assert house.rest.get(f"/clips/{quote('urn:dev:nobody', safe='')}/x").status_code == 404


def test_a_promised_clip_stays(house, cameras: Cameras, clips: list, until) -> None:
    house.post("/things/urn%3Adev%3Agate-camera/actions/keep", {"clip": clips[0]["id"]})
    until(lambda: cameras.shelf.file(str(clips[0]["id"]))[0].promised, "it is promised")
    cameras.shelf.drop(str(clips[0]["id"]))
    assert cameras.shelf.file(str(clips[0]["id"]))[1].exists()


def test_the_level_is_set_by_the_platform(house, cameras: Cameras, until) -> None:
    path = "/things/urn%3Adev%3Agate-camera/properties/level"
    assert house.rest.put(path, json="middle").status_code in (202, 204)
    until(lambda: house.get(path) == "middle", "the level is set")
    assert house.rest.put(path, json="highest").status_code == 400 or house.get(path) == "middle"


def test_the_level_is_pushed_down_by_config(house, cameras: Cameras, until) -> None:
    camera = "/things/urn%3Adev%3Agate-camera"
    level = lambda: house.get(f"{camera}/properties/level")  # noqa: E731
    said = house.rest.put(f"{camera}/config", json={"level": "low"})
    assert (said.status_code, said.json()["level"]) == (200, "low")
    until(lambda: house.get(f"{camera}/config")["state"] == "completed", "it answers")
    until(lambda: level() == "low", "it works at that level")
    # Who sets the property has the last word, until a level is pushed down anew.
    assert house.rest.put(f"{camera}/properties/level", json="middle").status_code in (202, 204)
    until(lambda: level() == "middle", "the level is set")
    house.rest.put(f"{camera}/config", json={"level": "low"})
    until(lambda: level() == "low", "it is pushed down again")
    house.rest.put(f"{camera}/config", json={})
    until(lambda: level() == "high", "it is as it was set up")
    for wrong in ({"level": "highest"}, {"report": {"objects": {"every": 5}}}):
        answer = house.rest.put(f"{camera}/config", json=wrong)
        assert answer.status_code in (400, 422), answer.text


def test_beyond_loopback_cameras_join_agree_who_keeps_and_bring_what_is_kept(
    fortress, film: Path, tmp_path: Path, until
) -> None:
    """Each with its own credential, over TLS; neither may hear the other on the broker."""
    authority = tmp_path / "ca.pem"
    authority.write_text(fortress.daemon.invitation()["authority"])
    ground = EYE.homography.tolist()
    setups = [
        CameraSetup(name, str(film), place="yard", homography=ground, paced=False)
        for name in ("eye-a", "eye-b")
    ]
    key = kept_key(fortress.daemon.settings.data)
    running = Cameras(
        setups,
        f"mqtts://join:{key}@127.0.0.1:{fortress.mqtt_port}",
        tmp_path / "clips",
        platform=str(fortress.rest.base_url).rstrip("/"),
        ca=authority,
        reserve=0,
    )
    running.start()
    try:
        assert running.wait(60)
        kept = find(lambda: fortress.get("/clips", kind="clip"), "a clip is listed")
        snapshots = fortress.get("/clips", kind="snapshot")
        assert {each["thing"] for each in snapshots} == {"urn:dev:eye-a", "urn:dev:eye-b"}
        assert {each["thing"] for each in kept} == {"urn:dev:eye-b"}
        assert fortress.rest.get(kept[0]["href"]).headers["content-type"] == "video/mp4"
        with httpx.Client(base_url=fortress.rest.base_url) as stranger:
            assert stranger.get("/clips").status_code == 401
            assert stranger.get(kept[0]["href"]).status_code == 401
    finally:
        running.stop()


def test_directories_of_clips_are_cleaned(tmp_path: Path) -> None:
    from diat_gateway.cameras.shelf import Shelf

    (tmp_path / "torn.mp4").write_bytes(b"half")
    assert Shelf(tmp_path, reserve=0).kept == []
    assert not (tmp_path / "torn.mp4").exists()
