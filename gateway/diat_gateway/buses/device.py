"""One thing on a bus: polled at its pace, told when it does not answer, driven when it is commanded."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable, Mapping
from typing import Any, Protocol

from diat.kernel.clock import Clock
from diat.wot.td import Json
from diat.wot.walk import mapping
from diat_gateway.buses.forms import Access, Plan
from diat_gateway.buses.lines import Line, Lines, Rest
from diat_gateway.buses.memory import Outcome
from diat_gateway.buses.port import Bus, BusError, LineError, Point

SLACK = 0.02
"""Seconds by which a poll may come early, to go with others."""
READ_BACK = (0.0, 0.2, 0.8)
"""Seconds before each look at whether a device has taken what was written."""


class Ear(Protocol):
    """Who is told what a device says."""

    def values(self, values: Mapping[str, Any]) -> None:
        """Values, read just now."""

    def available(self, available: bool) -> None:
        """Whether it answers; told when that changes."""

    def trouble(self, line: str) -> None:
        """Something is wrong with it, in one line; told once."""


class Device:
    """A thing on one or more lines.

    Args:
        planned: what of it is reached by buses.
        td: its description.
        lines: the lines in use.
        ear: who is told.
        clock: Unix milliseconds.
    """

    def __init__(self, planned: Plan, td: Json, lines: Lines, ear: Ear, clock: Clock) -> None:
        self._plan = planned
        self._td = td
        self._ear = ear
        self._clock = clock
        self._lines = lines
        self._taken: dict[tuple[type[Bus[Any]], Hashable], Line] = {}
        self._available: dict[Line, bool] = {}
        self._known: bool | None = None
        self._over = False
        self._troubles: dict[str, str] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        polled: dict[Line, dict[str, Access]] = {}
        for name, access in self._plan.properties.items():
            if access.read is not None:
                polled.setdefault(self._line(access.bus, access.read), {})[name] = access
        try:
            async with asyncio.TaskGroup() as together:
                for line, accesses in polled.items():
                    together.create_task(self._poll_for_ever(line, accesses))
                try:
                    await asyncio.Event().wait()
                finally:
                    self._over = True
        finally:
            taken, self._taken = self._taken, {}
            for line in taken.values():
                await self._lines.give_back(line)

    async def _poll_for_ever(self, line: Line, accesses: dict[str, Access]) -> None:
        loop = asyncio.get_running_loop()
        rest = Rest()
        # Many things that begin together are not to ask in step for ever.
        first = loop.time() + random.uniform(0.0, min(1.0, *(each.every for each in accesses.values()), 1.0))
        due = dict.fromkeys(accesses, first)
        # Up to Python 3.11 wait_for, which libraries use, loses a cancellation that comes with the result.
        while not self._over:
            await asyncio.sleep(min(due.values()) - loop.time())
            now = loop.time() + SLACK
            names = [name for name, when in due.items() if when <= now]
            try:
                await self._poll(line, {name: accesses[name] for name in names})
            except LineError as error:
                self._answers(line, False, str(error))
                again = loop.time() + rest.next()
                due = {name: max(when, again) for name, when in due.items()}
                continue
            rest.over()
            self._answers(line, True, "")
            for name in names:
                # A poll that took longer than it should is not made up for.
                due[name] = max(due[name] + accesses[name].every, loop.time())

    async def _poll(self, line: Line, accesses: Mapping[str, Access]) -> None:
        points = {name: each.read for name, each in accesses.items() if each.read is not None}
        found = await line.poll(list(dict.fromkeys(points.values())))
        values = {}
        for name, point in points.items():
            value = found.get(point, BusError("no answer"))
            if isinstance(value, BusError):
                self._wrong(name, str(value))
            else:
                self._wrong(name, "")
                values[name] = value
        if values:
            self._ear.values(values)

    # --- commands ---

    async def set(self, command: str, values: Mapping[str, Any]) -> Outcome:
        """Set properties; the outcome tells what the device made of it."""
        for name in values:
            access = self._plan.properties.get(name)
            if access is None or access.write is None:
                return Outcome(command, "failed", error=f"{name} cannot be set")
        for name, value in values.items():
            outcome = await self._set(command, name, self._plan.properties[name], value)
            if outcome.status != "completed":
                return outcome
        return Outcome(command, "completed")

    async def invoke(self, command: str, name: str, value: Any) -> Outcome:
        """Invoke an action."""
        access = self._plan.actions.get(name)
        if access is None or access.write is None:
            return Outcome(command, "failed", error=f"there is no action {name}")
        try:
            output = await self._line(access.bus, access.write).write(access.write, value)
        except LineError as error:
            return Outcome(command, "in-doubt" if error.sent else "failed", error=str(error))
        except BusError as error:
            return Outcome(command, "failed", error=str(error))
        return Outcome(command, "completed", output)

    def repeatable(self, action: str) -> bool:
        """Whether an action may be performed twice."""
        said = mapping(mapping(self._td.get("actions")).get(action))
        return said.get("idempotent") is True or said.get("safe") is True

    async def _set(self, command: str, name: str, access: Access, value: Any) -> Outcome:
        if access.write is None:
            return Outcome(command, "failed", error=f"{name} cannot be set")
        lost: LineError | None = None
        try:
            await self._line(access.bus, access.write).write(access.write, value)
        except LineError as error:
            if not error.sent:
                return Outcome(command, "failed", error=f"{name}: {error}")
            lost = error
        except BusError as error:
            return Outcome(command, "failed", error=f"{name}: {error}")
        if access.read is None:
            if lost is None:
                return Outcome(command, "completed")
            return Outcome(command, "in-doubt", error=f"{name}: {lost}")
        return await self._read_back(command, name, access, access.read, value)

    async def _read_back(self, command: str, name: str, access: Access, point: Point, wanted: Any) -> Outcome:
        line, got = self._line(access.bus, point), None
        for pause in READ_BACK:
            await asyncio.sleep(pause)
            try:
                got = (await line.poll([point])).get(point)
            except LineError as error:
                got = error
                continue
            if not isinstance(got, BusError) and point.same(wanted, got):
                self._ear.values({name: got})
                return Outcome(command, "completed")
        if isinstance(got, BusError):
            return Outcome(command, "in-doubt", error=f"{name}: it could not be read back: {got}")
        self._ear.values({name: got})
        return Outcome(command, "failed", error=f"{name} is {got!r} after it was set to {wanted!r}"[:300])

    # --- within ---

    def _line(self, kind: type[Bus[Any]], point: Point) -> Line:
        key = (kind, point.line)
        line = self._taken.get(key)
        if line is None:
            line = self._taken[key] = self._lines.take(kind, point.line)
        return line

    def _answers(self, line: Line, answers: bool, reason: str) -> None:
        self._available[line] = answers
        available = any(self._available.values())
        self._wrong("", "" if answers else f"it does not answer: {reason}")
        if available is not self._known:
            self._known = available
            self._ear.available(available)

    def _wrong(self, name: str, reason: str) -> None:
        if reason and self._troubles.get(name) != reason:
            self._ear.trouble(f"{name}: {reason}" if name else reason)
        if reason:
            self._troubles[name] = reason
        else:
            self._troubles.pop(name, None)
