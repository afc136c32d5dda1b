"""Lines that several things share: used by one at a time, opened when needed, let be when out of order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from diat_gateway.buses.networks import Networks
from diat_gateway.buses.port import Bus, BusError, LineError, Point

_LOG = logging.getLogger("diat.buses")

FIRST_REST, LONGEST_REST = 1.0, 60.0
"""Seconds between two tries at what does not answer: at first, and at most."""


class Rest:
    """How long to let be what does not answer: twice as long each time, less up to half of it by chance."""

    def __init__(self) -> None:
        self._tries = 0

    def over(self) -> None:
        """It answered."""
        self._tries = 0

    def next(self) -> float:
        """Seconds until the next try."""
        longest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return longest * random.uniform(0.5, 1.0)


class Line:
    """A line and whose turn it is."""

    def __init__(self, bus: Bus[Any]) -> None:
        self._bus = bus
        self._turn = asyncio.Lock()
        self._open = False
        self._rest = Rest()
        self._closed_until = 0.0
        self._reason = ""
        self.users = 0

    async def poll(self, points: Sequence[Point]) -> Mapping[Point, Any]:
        """As ``Bus.poll``, on an open line."""
        async with self._turn:
            await self._ready()
            try:
                return await self._bus.poll(points)
            except Exception as error:
                raise await self._failed(error) from error

    async def write(self, point: Point, value: Any) -> Any:
        """As ``Bus.write``, on an open line."""
        async with self._turn:
            await self._ready()
            try:
                return await self._bus.write(point, value)
            except Exception as error:
                raise await self._failed(error) from error

    async def close(self) -> None:
        """Let go of it."""
        async with self._turn:
            await self._shut()

    async def _ready(self) -> None:
        if self._open:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._closed_until:
            raise LineError(self._reason)
        try:
            await self._bus.open()
        except LineError as error:
            self._reason = str(error)
            self._closed_until = loop.time() + self._rest.next()
            raise
        self._rest.over()
        self._open = True

    async def _failed(self, error: Exception) -> Exception:
        """What to raise instead; a refusal leaves the line in order, anything else does not."""
        if isinstance(error, BusError) and not isinstance(error, LineError):
            return error
        await self._shut()
        if isinstance(error, LineError):
            return error
        _LOG.error("a bus failed", exc_info=error)
        return LineError(f"an error of ours: {type(error).__name__}: {error}"[:200], sent=True)

    async def _shut(self) -> None:
        self._open = False
        await self._bus.close()


class Lines:
    """All lines in use, each once however many things are on it."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._lines: dict[tuple[type[Bus[Any]], Hashable], Line] = {}

    def take(self, kind: type[Bus[Any]], at: Hashable) -> Line:
        """The line that leads there, to be given back."""
        line = self._lines.get((kind, at))
        if line is None:
            line = self._lines[kind, at] = Line(kind(at, self._networks))
        line.users += 1
        return line

    async def give_back(self, line: Line) -> None:
        """A thing needs it no more; the last one closes it."""
        line.users -= 1
        if line.users == 0:
            self._lines = {key: each for key, each in self._lines.items() if each is not line}
            await line.close()
