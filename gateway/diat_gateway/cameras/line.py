"""Video, pictures and reports from one box to the next over TCP: each a head (JSON) and a body.

For what must not pass through MQTT. The receiver bounds what one message may be.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import msgspec

from diat_gateway.cameras.levels import Video

PATIENCE = 5.0
"""Seconds for which whoever takes video may be silent, and between two attempts to reach him."""
MOST = 16 << 20
"""Bytes of one message at most."""
_SIZES = struct.Struct("!HI")

Receive = Callable[[dict[str, Any], bytes], None]
"""Takes a head and a body; called on the thread of the connection that it came by."""


class Outlet:
    """The sending end.

    Args:
        host: of the receiver.
        port: of the receiver.
        patience: seconds to wait for a receiver that does not take what is sent.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(self, host: str, port: int, patience: float = 30.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=patience)
        self._lock = threading.Lock()

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send one message; OSError if the line is gone."""
        told = msgspec.json.encode(head)
        with self._lock:
            self._socket.sendall(_SIZES.pack(len(told), len(body)) + told + body)

    def close(self) -> None:
        """All is sent: wait until the receiver has it, and leave."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(4096):
                pass
        except OSError:
            pass  # it has left before us
        self._socket.close()


class VideoLine:
    """Video of one camera to whoever takes it; while nobody does, it is not kept back.

    Args:
        camera: who sends.
        to: host and port.
    """

    def __init__(self, camera: str, to: tuple[str, int]) -> None:
        self._camera, self._to = camera, to
        self._outlet: Outlet | None = None
        self._due = 0.0

    def send(self, piece: Video) -> int:
        """Send a piece; how many bytes of video went."""
        try:
            if self._outlet is None:
                if time.monotonic() < self._due:
                    return 0
                self._due = time.monotonic() + PATIENCE
                self._outlet = Outlet(*self._to, patience=PATIENCE)
            head: dict[str, Any] = {"c": self._camera, "t": round(piece.t, 3), "key": piece.key}
            if piece.begins:
                head["begins"] = piece.begins
            self._outlet.send(head, piece.data)
        except OSError:
            self._outlet = None
            return 0
        return len(piece.data)


class Inlet:
    """The receiving end: listens on a free port of loopback, or where it is told.

    Args:
        receive: takes what comes, each connection on a thread of its own.
        host: where to listen.
        port: where to listen; 0 for a free one.
    """

    def __init__(self, receive: Receive, host: str = "127.0.0.1", port: int = 0) -> None:
        self._receive = receive
        self._listening = socket.create_server((host, port))
        self.port: int = self._listening.getsockname()[1]
        self._open = 0
        self._served = 0
        self._quiet = threading.Condition()
        threading.Thread(target=self._accept, name="inlet", daemon=True).start()

    def wait(self, connections: int, timeout: float) -> bool:
        """Whether so many connections came and went again within so many seconds."""
        with self._quiet:
            return self._quiet.wait_for(lambda: self._served >= connections and not self._open, timeout)

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            with self._quiet:
                self._open += 1
            threading.Thread(target=self._serve, args=(connection,), name="inlet", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while len(sizes := stream.read(_SIZES.size)) == _SIZES.size:
                    head, body = _SIZES.unpack(sizes)
                    if body > MOST:
                        return
                    told, data = stream.read(head), stream.read(body)
                    if len(told) < head or len(data) < body:
                        return  # torn off in the middle of a message
                    self._receive(msgspec.json.decode(told, type=dict[str, Any]), data)
        except (OSError, msgspec.MsgspecError):
            return
        finally:
            with self._quiet:
                self._open -= 1
                self._served += 1
                self._quiet.notify_all()
