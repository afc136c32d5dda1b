"""What streams, lenses and disks do wrong: it is said, bounded, and recovered from."""

import http.server
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("cv2")
av = pytest.importorskip("av")

from diat_gateway.cameras import description, sources  # noqa: E402
from diat_gateway.cameras.encoding import Encoder  # noqa: E402
from diat_gateway.cameras.levels import Middle  # noqa: E402
from diat_gateway.cameras.muxing import mp4  # noqa: E402
from diat_gateway.cameras.scenes.pinhole import Pinhole  # noqa: E402
from diat_gateway.cameras.scenes.scene import Scene, Weather  # noqa: E402
from diat_gateway.cameras.seeing.analysis import Analysis  # noqa: E402
from diat_gateway.cameras.seeing.pictures import Frame  # noqa: E402
from diat_gateway.cameras.shelf import Full, Kept, Shelf  # noqa: E402

from diat.kernel.errors import Invalid, NotFound  # noqa: E402

EYE = Pinhole((-20.0, -15.0, 7.0), (1.0, 1.0), 240, 136)


def scene(seconds: float = 12.0, events: int = 0, **weather: object) -> Scene:
    return Scene(3, seconds=seconds, events=events, cameras=(EYE,), weather=Weather(**weather))


def reasons(pictures: Scene) -> list[tuple[float, str | None]]:
    eye = Analysis()
    return [(seen.t, seen.impaired) for frame in pictures.frames(0) for seen in eye.look(frame)]


@pytest.mark.parametrize(
    ("what", "expected"), [("covered", {"covered"}), ("blinded", {"blinded"}), ("shaken", {"shaken"})]
)
def test_a_camera_that_cannot_see_says_why_and_when_it_can_again(what: str, expected: set[str]) -> None:
    said = reasons(scene(**{what: (5.0, 9.0)}))
    during = {reason for t, reason in said if 6.5 <= t < 9.0}
    assert during == expected
    assert {reason for t, reason in said if t < 5.0} == {None}
    assert said[-1][1] is None


def test_a_picture_that_is_clear_is_never_called_impaired() -> None:
    assert {reason for _, reason in reasons(scene(events=3, exposure=((6.0, 1.4),), shake=0.6))} == {None}


def test_shaken_video_is_sent_as_nobody_can_tell_what_happens() -> None:
    gate, pictures = Middle(10), scene(shaken=(5.0, 10.0))
    for frame in pictures.frames(0):
        gate.take(frame)
    gate.finish()
    assert any(start < 7.5 and end > 9.5 for start, end in gate.runs)


def test_a_stream_that_changes_size_begins_anew() -> None:
    eye, pictures = Analysis(), list(scene(4.0).frames(0))
    larger = [Frame(f.t + 4.0, np.repeat(np.repeat(f.image, 2, 0), 2, 1), f.number + 40) for f in pictures]
    seen = [each for frame in pictures + larger for each in eye.look(frame)]
    assert [each.t for each in seen] == sorted(each.t for each in seen)
    assert seen[-1].impaired is None


def test_a_clock_that_jumps_back_ends_nothing() -> None:
    eye, pictures = Analysis(), list(scene(8.0, events=1).frames(0))
    moved = [Frame(f.t if f.number < 40 else f.t - 3600.0, f.image, f.number) for f in pictures]
    assert [each.impaired for frame in moved for each in eye.look(frame)][-1] is None


def film(path: Path, seconds: float = 2.0, size: tuple[int, int] = (160, 120)) -> Path:
    encoder = Encoder(*size, 10)
    images = [np.full((size[1], size[0], 3), n, np.uint8) for n in range(int(seconds * 10))]
    packets = [p for image in images for p in encoder.encode(image)] + encoder.finish()
    path.write_bytes(mp4(packets, 10))
    return path


def read(address: str, **more: object) -> tuple[list[float], list[str]]:
    said: list[str] = []
    source = sources.Source(address, patience=0.5, paced=False, **more)
    due = time.monotonic() + 20.0
    given = sources.frames(source, said.append, lambda wait: time.monotonic() > due or "unreachable" in said)
    return [frame.t for frame in given], said


def test_a_file_ends_and_a_torn_one_gives_what_it_has(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", 4.0)
    times, said = read(str(whole))
    assert (len(times), said[-1]) == (40, "ended")
    assert times == sorted(times)
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    times, said = read(str(torn))
    assert len(times) <= 40
    assert said[-1] in ("ended", "unreachable")


def test_what_is_not_there_is_unreachable(caplog: pytest.LogCaptureFixture) -> None:
    assert read("/nowhere/film.mp4") == ([], ["unreachable"])
    assert read("usb:/dev/video-of-nobody") == ([], ["unreachable"])
    assert "there is no camera /dev/video-of-nobody" in caplog.text


def test_what_is_no_camera_is_unreachable(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "device").write_bytes(b"nothing")
    assert read(f"usb:{tmp_path / 'device'}") == ([], ["unreachable"])
    assert "is no camera" in caplog.text


def test_a_file_that_is_damaged_in_the_middle_goes_on_behind_that(tmp_path: Path) -> None:
    path = streamed(tmp_path / "film.ts", "libx264", (160, 120), 80)
    whole = bytearray(path.read_bytes())
    at = len(whole) // 2
    whole[at : at + 2000] = bytes(2000)
    path.write_bytes(whole)
    times, said = read(str(path))
    assert len(times) > 50
    assert times == sorted(times)
    assert said[-1] == "ended"


def streamed(path: Path, codec: str, size: tuple[int, int], count: int) -> Path:
    """A film as it is streamed: MPEG-TS, which may be cut anywhere."""
    random = np.random.default_rng(1)
    with av.open(str(path), "w", format="mpegts") as made:
        stream = made.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(count):
            image = random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        made.mux(stream.encode())
    return path


def test_a_stream_that_changes_its_codec_and_size_goes_on(tmp_path: Path) -> None:
    """A camera that was set up anew: the line breaks, and by the next one comes another codec and size."""
    films = [
        streamed(tmp_path / "one.ts", "libx264", (160, 120), 30).read_bytes(),
        streamed(tmp_path / "two.ts", "mpeg2video", (320, 240), 30).read_bytes(),
    ]

    class Cam(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(films.pop(0) if len(films) > 1 else films[0])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    said: list[str] = []
    shapes: list[tuple[int, ...]] = []
    eye = Analysis()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cam) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        due = time.monotonic() + 30.0
        source = sources.Source(address, fps=1000.0, patience=2.0)
        for frame in sources.frames(
            source, said.append, lambda wait: time.sleep(wait) or time.monotonic() > due
        ):
            shapes.append(frame.image.shape[:2])
            eye.look(frame)
            if len(set(shapes)) == 2:
                break
        server.shutdown()
    assert list(dict.fromkeys(shapes)) == [(120, 160), (240, 320)]
    assert list(dict.fromkeys(said)) == ["running", "torn"]
    assert said[-1] == "running"


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    """A server that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(server.accept()[0]), daemon=True).start()
        said: list[str] = []
        source = sources.Source(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x", patience=0.5)
        due = time.monotonic() + 20.0
        list(sources.frames(source, said.append, lambda _: bool(said) or time.monotonic() > due))
        for connection in held:
            connection.close()
        assert said in (["stalled"], ["unreachable"])


def test_a_shelf_that_is_full_lets_the_oldest_go_but_not_what_was_promised(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, most=3000, reserve=0)
    for n in range(3):
        shelf.put(Kept(f"c{n}", "gate", "clip", n, n, 0), bytes(1000))
    shelf.promise("c0")
    shelf.put(Kept("c3", "gate", "clip", 3, 3, 0), bytes(1000))
    assert [each.id for each in shelf.kept] == ["c0", "c2", "c3"]
    for name in ("c2", "c3"):
        shelf.promise(name)
    with pytest.raises(Full):
        shelf.put(Kept("c4", "gate", "clip", 4, 4, 0), bytes(1000))
    again = Shelf(tmp_path, most=3000, reserve=0)
    assert [(each.id, each.promised) for each in again.kept] == [("c0", True), ("c2", True), ("c3", True)]


def test_a_disk_without_room_refuses_and_keeps_what_is_there(tmp_path: Path) -> None:
    Shelf(tmp_path, reserve=0).put(Kept("c0", "gate", "clip", 0, 0, 0), b"kept")
    shelf = Shelf(tmp_path, reserve=0)
    shelf.promise("c0")
    full = Shelf(tmp_path, reserve=2 * shutil.disk_usage(tmp_path).total)
    with pytest.raises(Full):
        full.put(Kept("c1", "gate", "clip", 1, 1, 0), b"more")
    assert full.file("c0")[1].read_bytes() == b"kept"
    with pytest.raises(NotFound):
        full.file("c1")


@pytest.mark.parametrize(
    "text",
    ["", "cameras: 3", "cameras: [{name: a/b, source: x}]", "cameras: [{name: a, source: x, colour: red}]",
     "cameras: [{name: a, source: x, level: highest}]", "cameras: [{name: a, source: 'usb:front'}]",
     "cameras: [{name: a, source: x}, {name: a, source: y}]",
     "cameras: [{name: a, source: x, fps: 0}]", "cameras: [{name: a, source: x, area: [[1, 2, 3, 4]]}]"],
)  # fmt: skip
def test_a_description_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(text)
    with pytest.raises(Invalid, match=r"cameras\.yaml"):
        description.read(path)
