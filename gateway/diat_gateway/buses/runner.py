"""All buses of a gateway: which things are on them, and a thread in which all of them are polled."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from diat.adapters.brokers.address import BrokerAddress
from diat.kernel.clock import Clock, system_clock
from diat.vol.dialects.described import default_id
from diat.vol.dialects.meaning import with_meaning
from diat.vol.dialects.port import Description
from diat.wire.envelope import encode
from diat.wot.td import AFFORDANCES, Json
from diat.wot.walk import mapping
from diat_gateway.buses.device import Device
from diat_gateway.buses.files import Files
from diat_gateway.buses.forms import Kinds, Plan, plan, without_forms
from diat_gateway.buses.http import Http
from diat_gateway.buses.lines import Lines
from diat_gateway.buses.memory import Memory
from diat_gateway.buses.modbus import Modbus
from diat_gateway.buses.networks import Networks
from diat_gateway.buses.port import Bus
from diat_gateway.buses.voice import Voice

_LOG = logging.getLogger("diat.buses")
BUSES: tuple[type[Bus[Any]], ...] = (Modbus, Http)
"""Every bus that we know."""
LOOK = 1.0
"""Seconds between two looks at which things there are, unless something is described meanwhile."""
SETTLES = 0.05
"""Seconds after which what was described is committed."""

Entries = Callable[[], Mapping[str, Json]]
"""Tells, in any thread, what the platform's directory has for buses: by name in topics."""


class _Running(Struct, frozen=True):
    wanted: tuple[Json, bool]
    """The description, and whether we announce it."""
    task: asyncio.Task[None]


class Buses:
    """The buses of one gateway; also what its platform asks about descriptions (``Bridge``).

    Args:
        networks: where they may lead.
        buses: those that are spoken.
        clock: Unix milliseconds.
    """

    def __init__(
        self,
        networks: Networks | None = None,
        buses: Sequence[type[Bus[Any]]] = BUSES,
        clock: Clock = system_clock,
    ) -> None:
        self._networks = networks or Networks()
        self._kinds: Kinds = {scheme: each for each in buses for scheme in each.schemes}
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    # --- what the platform asks ---

    def faults(self, td: Json) -> Sequence[tuple[str, str]]:
        """What is wrong with the forms for buses."""
        return self._plan(td).faults

    def describe(self, td: Json) -> Description | None:
        """The thing as it is made available; None if no form is for a bus."""
        planned = self._plan(td)
        if not planned.properties and not planned.actions:
            return None
        self._wake()
        names = {name for kind in AFFORDANCES for name in mapping(td.get(kind))}
        told = without_forms({key: value for key, value in td.items() if key != "id"}, planned)
        return Description(
            td=with_meaning(told),
            wire=wire_name(td["id"]),
            unreached=frozenset(names - planned.properties.keys() - planned.actions.keys()),
        )

    # --- life ---

    def start(
        self,
        broker: BrokerAddress,
        client_id: str,
        *,
        files: Sequence[Path] = (),
        entries: Entries = dict,
        data: Path | None = None,
        trouble: Callable[[str, str], None] | None = None,
    ) -> None:
        """Begin to poll and to listen for commands.

        Args:
            broker: with a credential that may speak for all things.
            client_id: of the session with it.
            files: Thing Descriptions and directories of them; these things are announced.
            entries: things that the platform knows already.
            data: directory in which to remember what was done; None remembers while it runs.
            trouble: told of the id of a thing and what is wrong with it; the log is, unless given.
        """
        told = trouble or (lambda thing, line: _LOG.warning("%s: %s", thing, line))
        memory = None if data is None else data / "bus-commands.db"
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(broker, client_id, Files(files), entries, memory, told)),
            name="diat-buses",
        )
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Say that the things are offline, close all lines, and return."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join()

    def _wake(self) -> None:
        """Have the thread look now."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._news.set)

    # --- the thread ---

    async def _serve(
        self,
        broker: BrokerAddress,
        client_id: str,
        files: Files,
        entries: Entries,
        kept: Path | None,
        trouble: Callable[[str, str], None],
    ) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        memory = Memory(kept)
        voice = Voice(broker, client_id, memory, self._clock)
        lines = Lines(self._networks)
        running: dict[str, _Running] = {}
        voice.start()
        self._begun.set()
        try:
            while not self._stopping:
                try:
                    wanted = {name: (td, False) for name, td in entries().items()}
                    wanted |= {name: (td, True) for name, td in files.look().items()}
                    for name in [name for name, each in running.items() if wanted.get(name) != each.wanted]:
                        each = running.pop(name)
                        await _end(each.task)
                        voice.fall_silent(name, withdraw=each.wanted[1] and name not in wanted)
                    for name in wanted.keys() - running.keys():
                        task = self._begin(name, *wanted[name], voice, lines, files, trouble)
                        running[name] = _Running(wanted[name], task)
                except Exception:  # noqa: BLE001 - what is polled goes on, and the next look may do
                    _LOG.exception("looking for things on buses failed")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), LOOK)
                    # What was described just now is there once it is committed.
                    await asyncio.sleep(SETTLES)
                self._news.clear()
        finally:
            for each in running.values():
                await _end(each.task)
            await voice.stop()
            memory.close()

    def _begin(
        self,
        name: str,
        td: Json,
        announced: bool,
        voice: Voice,
        lines: Lines,
        files: Files,
        trouble: Callable[[str, str], None],
    ) -> asyncio.Task[None]:
        planned = self._plan(td)
        if planned.faults:
            files.refuse(td, planned.faults)
            return asyncio.create_task(_nothing())
        ear = _Ear(voice, name, lambda line: trouble(td.get("id", default_id(name)), line))
        device = Device(planned, td, lines, ear, self._clock)
        voice.speak_for(name, device, encode(without_forms(td, planned)) if announced else None)
        return asyncio.create_task(device.run(), name=name)

    def _plan(self, td: Json) -> Plan:
        return plan(td, self._kinds, self._networks)


class _Ear:
    def __init__(self, voice: Voice, name: str, trouble: Callable[[str], None]) -> None:
        self._voice = voice
        self._name = name
        self.trouble = trouble

    def values(self, values: Mapping[str, Any]) -> None:
        self._voice.values(self._name, values)

    def available(self, available: bool) -> None:
        self._voice.available(self._name, available)


def wire_name(thing: str) -> str:
    """What a thing of the directory is called in topics: its id may be anything, this may not."""
    return f"bus-{hashlib.sha256(thing.encode()).hexdigest()[:24]}"


async def _nothing() -> None:
    """What a thing does that cannot be read."""


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
