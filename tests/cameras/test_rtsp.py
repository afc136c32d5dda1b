"""A camera that streams by RTSP, from a real server, and a line that is cut."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("av")
pytest.importorskip("cv2")

from diat_gateway.cameras import sources  # noqa: E402
from diat_gateway.cameras.encoding import Encoder  # noqa: E402
from diat_gateway.cameras.muxing import mp4  # noqa: E402

PYTHON = "/usr/bin/python3"
ASKED = 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if not Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", ASKED], capture_output=True).returncode:
        pytest.skip(
            "needs Debian's gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good and -bad, python3-gi"
        )
    film = tmp_path_factory.mktemp("rtsp") / "film.mp4"
    encoder = Encoder(160, 120, 10)
    images = [np.full((120, 160, 3), n % 250, np.uint8) for n in range(600)]
    film.write_bytes(mp4([p for image in images for p in encoder.encode(image)] + encoder.finish(), 10))
    script = Path(__file__).with_name("rtsp_server.py")
    with subprocess.Popen([PYTHON, str(script), str(film)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


class Line:
    """The line to the server: passes bytes on, is silent, or is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[socket.socket] = []
        self.silent = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other) -> None:
        with one:
            try:
                while data := one.recv(65536):
                    while self.silent.is_set():
                        time.sleep(0.05)
                    other.sendall(data)
            except OSError:
                return


def spoken(said: list[str], due: float) -> None:
    while len(said) < 2 and time.monotonic() < due:
        time.sleep(0.05)


def test_a_stream_is_read_says_that_it_stalls_or_tears_and_comes_back(server: int) -> None:
    line = Line(server)
    said: list[str] = []
    due = time.monotonic() + 90.0

    def say(how: str) -> None:
        if not said or said[-1] != how:
            said.append(how)

    source = sources.Source(f"rtsp://127.0.0.1:{line.port}/film", patience=2.0)
    given = sources.frames(source, say, lambda wait: time.sleep(wait) or time.monotonic() > due)
    times = [next(given).t for _ in range(5)]
    line.silent.set()
    # Who reads hangs on the silent line; the line speaks again once that was said.
    threading.Thread(target=lambda: (spoken(said, due), line.cut(), line.silent.clear()), daemon=True).start()
    for frame in given:
        times.append(frame.t)
        if said[-1] == "running" and len(said) >= 3:
            break
    line.close()
    assert said[0] == "running"
    assert said[-1] == "running"
    assert {"stalled", "torn"} & set(said)
    assert times == sorted(times)
