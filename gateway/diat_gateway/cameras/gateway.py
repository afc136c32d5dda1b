"""All cameras of one gateway."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from diat.adapters.brokers.address import BrokerAddress, parse_broker_url
from diat.kernel.errors import Invalid
from diat.kernel.ids import random_id
from diat_gateway.cameras import agreement
from diat_gateway.cameras.agreement import Candidate
from diat_gateway.cameras.camera import Camera
from diat_gateway.cameras.description import CameraSetup
from diat_gateway.cameras.ear import Ear
from diat_gateway.cameras.shelf import Kept, Shelf

_LOG = logging.getLogger(__name__)
_PIECE = 4 << 20


class Cameras:
    """The cameras of one gateway, with the shelf that they share.

    Args:
        setups: one for each.
        broker: ``mqtt://[user[:password]@]host[:port]`` beside them, ``mqtts://`` with TLS. As user
            ``join``, with the join key as password, each joins for itself and keeps its own credential.
        store: directory of clips, and of what each camera keeps.
        platform: base URL of the platform's REST, where clips are brought on demand.
        ca: file of the authority that platform and broker are known by.
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
        address = parse_broker_url(broker)
        (store / "things").mkdir(exist_ok=True)
        more = _joining(address, ca)
        self.cameras = [
            Camera(
                setup, msgspec.structs.replace(address, username=None) if "key" in more else address,
                self.shelf, upload=upload, video=video, memory=store / "things" / setup.name, more=more,
                beside=self._told,
            )
            for setup in setups
        ]  # fmt: skip
        self._names = {setup.name for setup in setups}
        # A thing's own credential lets it hear nobody else: then only the cameras of this gateway agree.
        self._ear = (
            Ear(address, f"cameras-{random_id()}", ["diat/+/events/candidate"], self._heard)
            if "key" not in more
            else None
        )

    def start(self) -> None:
        """Start all; returns at once."""
        if self._ear is not None:
            self._ear.open()
        for camera in self.cameras:
            camera.start()

    def stop(self) -> None:
        """Stop all in order."""
        for camera in self.cameras:
            camera.stop()
        if self._ear is not None:
            self._ear.close()

    def wait(self, seconds: float) -> bool:
        """Whether all sources ended within so many seconds."""
        due = time.monotonic() + seconds
        return all(camera.wait(max(0.0, due - time.monotonic())) for camera in self.cameras)

    def _told(self, candidate: Candidate) -> None:
        for camera in self.cameras:
            camera.heard(candidate)

    def _heard(self, name: str, data: Any) -> None:
        candidate = agreement.read(data)
        if candidate is not None and name not in self._names:
            self._told(msgspec.structs.replace(candidate, camera=name))

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


def _joining(address: BrokerAddress, ca: Path | None) -> dict[str, str]:
    """How a camera comes to the broker, as ``diat.json`` says it."""
    more = {"key": address.password or ""} if address.username == "join" else {}
    if address.tls:
        if ca is None:
            raise Invalid("mqtts:// needs the platform's authority", "--ca")
        try:
            more["ca"] = ca.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{ca} cannot be read: {error}", "--ca") from error
    return more
