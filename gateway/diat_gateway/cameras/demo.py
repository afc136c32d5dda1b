"""``diat demo --cameras``: four cameras over one junction, and both systems of them, live in the terminal."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from diat.adapters.brokers.address import parse_broker_url
from diat.cli.demo_platform import Platform, free_port
from diat.kernel.errors import DiatError
from diat_gateway.cameras import score
from diat_gateway.cameras.description import CameraSetup
from diat_gateway.cameras.ear import Ear
from diat_gateway.cameras.encoding import Encoder
from diat_gateway.cameras.gateway import Cameras
from diat_gateway.cameras.muxing import mp4
from diat_gateway.cameras.relay import Relay
from diat_gateway.cameras.scenes.pinhole import Pinhole
from diat_gateway.cameras.scenes.scene import CAMERAS, Scene

PLACE = "town/crossing"
_EYES = tuple(Pinhole(eye.at, eye.looks, 320, 180, eye.angle) for eye in CAMERAS)
_SECONDS = 40.0


def run_demo(
    *, http_port: int | None, mqtt_port: int | None, data: Path | None, duration: float | None, plain: bool
) -> int:
    """Run it until the scene is over, Ctrl-C or ``duration``; arguments as of the plain demo.

    Returns:
        The exit code: 1 if the platform failed.
    """
    console = Console(highlight=False, soft_wrap=True)
    cv2.setNumThreads(1)
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diat-demo-")))
        (folder / "platform").mkdir(parents=True, exist_ok=True)
        seconds = min(_SECONDS, max(15.0, duration or _SECONDS))
        scene = Scene(11, seconds=seconds, events=max(2, int(seconds / 8)), cameras=_EYES, stops=0.0, fps=8)
        console.print("painting what four cameras will see …")
        films = [film(scene, camera, folder) for camera in range(len(_EYES))]
        platform = Platform(
            http=http_port or free_port(8000), mqtt=mqtt_port or free_port(1883), data=folder / "platform"
        )
        try:
            stack.enter_context(platform)
            if not platform.wait_ready(60.0, ending):
                return 0
            shown = _Shown(scene, films, platform, folder)
            stack.callback(shown.close)
            console.print(f"the platform is ready: {platform.url}")
            live = None if plain or not console.is_terminal else stack.enter_context(Live(console=console))
            shown.run(console, live, ending, duration)
        except DiatError as error:
            console.print(f"The demo failed: {error}", markup=False)
            return 1
        console.print(shown.closing(), markup=False)
    return 0


def film(scene: Scene, camera: int, folder: Path) -> Path:
    """What one camera sees as a file: x264 CRF 23 with a group of 2 s, which is the baseline too."""
    eye = scene.cameras[camera]
    encoder = Encoder(eye.width, eye.height, scene.fps)
    packets = [packet for frame in scene.frames(camera) for packet in encoder.encode(frame.image)]
    path = folder / f"camera-{camera}.mp4"
    path.write_bytes(mp4(packets + encoder.finish(), scene.fps))
    return path


class _Shown:
    """Cameras, platform and services of the demo, and what they come to."""

    def __init__(self, scene: Scene, films: list[Path], platform: Platform, folder: Path) -> None:
        self._scene, self._films = scene, films
        self._relay = Relay(int(platform.broker.rpartition(":")[2]))
        self._rest = httpx.Client(base_url=platform.url, timeout=10.0)
        self._objects: dict[str, list[tuple[float, float]]] = {f"camera-{i}": [] for i in range(len(films))}
        self._ear = Ear(
            parse_broker_url(platform.broker), "diat-demo-cameras", ["diat/+/events/object"], self._told
        )
        setups = [
            CameraSetup(
                f"camera-{i}", str(path), title=f"Camera {i + 1}", place=PLACE, fps=float(scene.fps),
                homography=scene.cameras[i].homography.tolist(),
            )
            for i, path in enumerate(films)
        ]  # fmt: skip
        broker = f"mqtt://127.0.0.1:{self._relay.port}"
        self._cameras = Cameras(setups, broker, folder / "clips", platform=platform.url)
        self._services: dict[str, str] = {}
        self._over = False
        self._began = time.monotonic()

    def close(self) -> None:
        """End all of it."""
        self._cameras.stop()
        self._relay.close()
        self._ear.close()
        self._rest.close()

    def run(
        self, console: Console, live: Live | None, ending: threading.Event, duration: float | None
    ) -> None:
        """Show it until it is over."""
        self._ear.open()
        self._ear.wait(10.0)
        self._began = time.monotonic()
        self._cameras.start()
        wait, said = 0.0, 0.0
        while not ending.wait(0.5):
            self._serve()
            if live is not None:
                live.update(self.picture())
            elif time.monotonic() - said > 5.0:
                said = time.monotonic()
                console.print(self.closing(), markup=False)
            self._over = self._cameras.wait(0.0)
            wait += 0.5 if self._over else 0.0
            if wait > 4.0 or (duration is not None and time.monotonic() - self._began > duration):
                return

    def picture(self) -> Group:
        """Both systems as tables."""
        watching = Table(title="Video surveillance: what each camera tells", title_justify="left")
        for column in ("camera", "sight", "motion", "objects told", "recall so far", "all its video so far"):
            watching.add_column(column)
        for i, camera in enumerate(self._cameras.cameras):
            said, found = camera.said, self._found(i)
            watching.add_row(
                camera.setup.title, str(said.get("sight")), "yes" if said.get("motion") else "no",
                str(found.reported), f"{found.found}/{found.true}", _size(self._baseline(i)),
            )  # fmt: skip
        clips = self._get("/clips", place=PLACE, kind="clip")
        state = self._get(f"/things/{self._services.get('video-surveillance', '')}/properties") or {}
        watching.caption = (
            f"{self.closing()} Clips kept: {len(clips or [])}. {state.get('phase', 'starting')}"
        )
        where = Table(title="Vehicle localisation: the map of the crossing", title_justify="left")
        for column in ("vehicle", "x, m", "y, m", "seen by", "from a true way, m"):
            where.add_column(column)
        known = self._get(f"/things/{self._services.get('vehicle-map', '')}/properties") or {}
        for vehicle in known.get("vehicles") or []:
            x, y = float(vehicle["x"]), float(vehicle["y"])
            seen = len(vehicle.get("by", []))
            where.add_row(str(vehicle["id"]), f"{x:.1f}", f"{y:.1f}", str(seen), self._off(x, y))
        return Group(watching, where)

    def closing(self) -> str:
        """Bytes and recall in one line."""
        found = sum((self._found(i) for i in range(1, len(self._films))), self._found(0))
        base = sum(self._baseline(i) for i in range(len(self._films)))
        sent = self._relay.bytes
        saved = f"{1 - sent / base:.1%}" if base else "-"
        return (
            f"{_size(sent)} on the socket instead of {_size(base)} of video: {saved} saved; "
            f"recall {found.found}/{found.true}, {found.reported} told."
        )

    def _found(self, camera: int) -> score.Score:
        """Of what is over for some seconds: a record is told when its object has gone."""
        at = self._cameras.cameras[camera].time
        over = float("inf") if self._over else at - 6.0
        true = [event for event in self._scene.truth_of(camera).events if event.end < over]
        told = self._objects[f"camera-{camera}"]
        return score.events(true, told)

    def _baseline(self, camera: int) -> float:
        share = min(1.0, self._cameras.cameras[camera].time / self._scene.seconds)
        return self._films[camera].stat().st_size * share

    def _off(self, x: float, y: float) -> str:
        """How far a place of the map is from where anybody was in the seconds before; it comes that late."""
        t = min(camera.time for camera in self._cameras.cameras)
        places = [
            place for actor in self._scene.actors for late in range(6) if (place := actor.place(t - late))
        ]
        return f"{min(((px - x) ** 2 + (py - y) ** 2) ** 0.5 for px, py, _ in places):.1f}" if places else "-"

    def _told(self, name: str, told: Any) -> None:
        if name in self._objects:
            epoch = self._cameras.cameras[int(name.rpartition("-")[2])].epoch
            self._objects[name].append((told["from"] - epoch, told["to"] - epoch))

    def _serve(self) -> None:
        """Make the two services once the cameras are known."""
        for template in ("video-surveillance", "vehicle-map"):
            if template in self._services:
                continue
            said = {"title": template, "template": template, "parameters": {"place": PLACE}}
            answer = self._rest.post("/services", json=said)
            if answer.status_code == 201:
                body: dict[str, Any] = answer.json()
                self._services[template] = str(body.get("thing") or body["id"])

    def _get(self, path: str, **query: str) -> Any:
        try:
            answer = self._rest.get(path, params=query)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None


def _size(count: float) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
