"""A thread with an event loop of its own, for what lives beside the daemon until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import threading

_LOG = logging.getLogger("diat.mdns")


class LoopThread:
    """Runs ``live`` in a thread of its own; without the network it says so and ends.

    Attributes:
        stopped: set when ``live`` is to end.
    """

    def __init__(self, name: str, without: str) -> None:
        """Not started yet; ``without`` is what is not done where the network does not allow it."""
        self.stopped = asyncio.Event()
        self._without = without
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    async def live(self) -> None:
        """What it does, until ``stopped``."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin; what it brings about is there a second or two later."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End it in order."""
        if self._thread.ident is None:
            return
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.stopped.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._begin())
        except OSError as error:
            _LOG.warning("%s: %s", self._without, error)
        finally:
            self._ready.set()

    async def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self.live()
