"""All cameras of one gateway."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from diat.simulation.link import Address
from diat_gateway.cameras.camera import Camera
from diat_gateway.cameras.description import CameraSetup
from diat_gateway.cameras.shelf import Kept, Shelf

_LOG = logging.getLogger(__name__)
_PIECE = 4 << 20


class Cameras:
    """The cameras of one gateway, with the shelf that they share.

    Args:
        setups: one for each.
        broker: ``mqtt://[user[:password]@]host[:port]`` beside them.
        store: directory of clips.
        platform: base URL of the platform's REST, where clips are brought on demand.
        ca: file of the authority that the platform is known by.
        room: bytes of clips at most.
        video: (host, port) of whoever takes video at ``low`` and ``middle``.
    """

    def __init__(
        self,
        setups: Sequence[CameraSetup],
        broker: str,
        store: Path,
        *,
        platform: str | None = None,
        ca: Path | None = None,
        room: int = 2 << 30,
        reserve: int = 256 << 20,
        video: tuple[str, int] | None = None,
    ) -> None:
        self.shelf = Shelf(store, room, reserve)
        self._platform, self._ca = platform, ca
        upload = self._upload if platform is not None else None
        address = Address.parse(broker)
        self.cameras = [Camera(setup, address, self.shelf, upload=upload, video=video) for setup in setups]

    def start(self) -> None:
        """Start all; returns at once."""
        for camera in self.cameras:
            camera.start()

    def stop(self) -> None:
        """Stop all in order."""
        for camera in self.cameras:
            camera.stop()

    def wait(self, seconds: float) -> bool:
        """Whether all sources ended within so many seconds."""
        due = time.monotonic() + seconds
        return all(camera.wait(max(0.0, due - time.monotonic())) for camera in self.cameras)

    def _upload(self, ticket: str, kept: Kept, path: Any) -> None:
        kind = "video/mp4" if kept.kind == "clip" else "image/jpeg"
        verify = ssl.create_default_context(cafile=str(self._ca)) if self._ca is not None else True
        try:
            with path.open("rb") as content, httpx.Client(verify=verify, timeout=30.0) as platform:
                at = 0
                while at == 0 or at < kept.bytes:
                    piece = content.read(_PIECE)
                    answer = platform.put(
                        f"{self._platform}/clips/arrivals/{ticket}",
                        params={"at": at, "of": kept.bytes},
                        content=piece,
                        headers={"Content-Type": kind},
                    )
                    answer.raise_for_status()
                    if not piece:
                        break
                    at += len(piece)
        except (httpx.HTTPError, OSError) as error:
            _LOG.warning("clip %s was not taken: %s", kept.id, error)
