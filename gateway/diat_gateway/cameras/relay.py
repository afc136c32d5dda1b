"""A TCP relay that counts what passes: the bytes of a link as they were on the socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Relay:
    """Listens on a free port and passes on to another.

    Attributes:
        port: where it listens.
        sent: bytes that went towards the target.
        answered: bytes that came back.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.sent = 0
        self.answered = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.sent + self.answered

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more; what is open goes on until an end leaves."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            for source, sink, forth in ((near, far, True), (far, near, False)):
                threading.Thread(
                    target=self._pass, args=(source, sink, forth), name="relay", daemon=True
                ).start()

    def _pass(self, source: socket.socket, sink: socket.socket, forth: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    if forth:
                        self.sent += len(data)
                    else:
                        self.answered += len(data)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
