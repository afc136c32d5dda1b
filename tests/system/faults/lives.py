"""Many short lives of one platform, each forked from a process that has everything imported already.

``python -m tests.system.faults.lives SOCKET`` listens on a UNIX socket. Who connects gets a life: a daemon in
a process of its own that reads lines of JSON, does what they say, and answers each with a line. The first
says where its data and its broker are, and at which boundary it is to die.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from diat.adapters.mqtt.link import MqttLink
from diat.adapters.sql.store import SqlStore
from diat.cvol.driving import Driver
from diat.cvol.running import Runner
from diat.daemon import Daemon
from diat.kernel.overlay import Ledger
from diat.kernel.writer import Writer
from diat.service.layers import Layers
from diat.service.templates import read_template
from diat.settings import Settings
from diat.vol.arbitration import PERSON
from diat.vol.interaction import Interaction, Order

_BEFORE = (
    (Layers, "message"),
    (Layers, "receipt"),
    (Layers, "connected"),
    (Runner, "run"),
    (Driver, "drive"),
    (Driver, "let_go"),
    (Interaction, "_give"),
    (Writer, "_answer"),
)
"""What a batch does in memory: between the end of one and the next boundary nothing happens."""
_AROUND = (
    (Ledger, "commit"),
    (MqttLink, "send"),
    (MqttLink, "settle"),
)
"""What follows the transaction; each is crossed before and after."""


class Boundaries:
    """Counts the boundaries that are crossed, and ends the process at one of them.

    Attributes:
        crossed: ``step`` to how often it was crossed since ``armed``.
        doomed: the crossing at which to die: step, and which one of it; None to live.
    """

    def __init__(self, doomed: tuple[str, int] | None) -> None:
        self.doomed = doomed
        self.crossed: Counter[str] = Counter()
        self.armed = False
        self._writing = False
        self._statements = 0

    def cross(self, step: str) -> None:
        """A boundary; nothing may come after it."""
        if not self.armed:
            return
        self.crossed[step] += 1
        if self.doomed is not None and (step, self.crossed[step]) == self.doomed:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Let every step of a batch, and every SQL statement of its transaction, cross a boundary."""
        for owner, name in _BEFORE:
            self._wrap(owner, name)
        for owner, name in _AROUND:
            self._wrap(owner, name, after=True)
        event.listen(Engine, "begin", lambda _: self._sql("before sql begin"))
        event.listen(Engine, "commit", lambda _: self._sql("before sql commit"))
        event.listen(Engine, "after_cursor_execute", lambda *_: self._sql("after sql statement"))
        write = SqlStore.write

        def within(store: SqlStore, ledger: Ledger) -> None:
            self._writing, self._statements = True, 0
            write(store, ledger)
            self._writing = False

        SqlStore.write = within  # type: ignore[method-assign]

    def _sql(self, step: str) -> None:
        # Only the writer's: others read, and whether they do just then is chance.
        if not self._writing:
            return
        # BEGIN is the first; in the midst of a transaction one place is as good as another.
        self._statements += step == "after sql statement"
        if step != "after sql statement" or self._statements == 2:
            self.cross(step)

    def _wrap(self, owner: type, name: str, *, after: bool = False) -> None:
        done = getattr(owner, name)

        def step(this: Any, *args: Any, **more: Any) -> Any:
            if name == "commit" and not self._statements:
                return done(this, *args, **more)  # nothing was written, so there is nothing to swap in
            self.cross(f"before {name}")
            result = done(this, *args, **more)
            if after:
                self.cross(f"after {name}")
            if name == "commit":
                self._statements = 0
            return result

        setattr(owner, name, step)


def _answer(daemon: Daemon, boundaries: Boundaries, said: dict[str, Any]) -> Any:
    """Do what a line says."""
    services, things = daemon.services, daemon.things

    def do(change: Any) -> None:
        daemon.submit(change).result(20)

    match said["do"]:
        case "ready":
            return daemon.trouble is None
        case "arm":
            boundaries.armed = True
        case "template":
            template = read_template(said["source"])
            do(lambda: services.templates.add(template, again=True))
        case "make":
            name = said["service"]
            do(lambda: services.create(name, said["template"], said["parameters"], service=name))
        case "pause" | "resume" as what:
            do(lambda: services.pause(said["service"], what == "pause"))
        case "delete":
            if any(each.id == said["service"] for each in services.everything()):
                do(lambda: services.delete(said["service"]))
        case "write":

            def write() -> None:
                order = Order(command_id=said["id"], hold=said["hold"])
                if not _given(daemon, said["id"]):
                    things.interaction.write(
                        said["thing"], said["name"], said["value"], daemon.clock(), order
                    )

            do(write)
        case "give back":
            do(lambda: things.interaction.arbiter.release_all(PERSON, daemon.clock(), said["thing"]))
        case "calm":
            twins = things.intake.twins.committed
            return {
                "open": len(things.interaction.outbox.committed),
                "marks": {thing: sum(m.high for m in twin.marks.values()) for thing, twin in twins.items()},
            }
        case "state":
            return _state(daemon)
        case "crossed":
            return dict(boundaries.crossed)
    return None


def _given(daemon: Daemon, reference: str) -> bool:
    if daemon.things.interaction.outbox.get(reference) is not None:
        return True
    return any(each.id == reference for each in daemon.history.actuations(1000, 0))


def _state(daemon: Daemon) -> dict[str, Any]:
    """All that must be the same, however often it was killed: no times, no ids that are made up."""
    twins = daemon.things.intake.twins.committed
    actuations = daemon.history.actuations(1000, 0)
    with contextlib.closing(sqlite3.connect(daemon.settings.data / "diat.db")) as connection:
        rows = connection.execute("SELECT thing, n, reported FROM readings").fetchall()
    return {
        "twins": {
            thing: {
                "values": {name: reading.value for name, reading in sorted(twin.values.items())},
                "marks": {boot: mark.high for boot, mark in twin.marks.items()},
                "gaps": twin.missing(),
            }
            for thing, twin in sorted(twins.items())
        },
        "composites": {
            service: {
                "state": state.state,
                "bindings": [(each.role, each.key) for each in state.bindings],
                "driven": {key: each.value for key, each in sorted(state.driven.items())},
                "derived": {name: value for name, (value, _) in sorted(state.derived.items())},
                "outranked": state.outranked,
                "steps": _timeless(state.steps),
                "error": state.error,
            }
            for service, state in sorted(daemon.composites.states.committed.items())
        },
        "actuators": {
            key: {
                "claims": [(claim.holder, claim.priority, claim.names) for claim in each.claims],
                "told": {name: told.value for name, told in sorted(each.told.items())},
                "rest": each.rest is not None,
            }
            for key, each in sorted(daemon.things.interaction.arbiter.actuators.committed.items())
        },
        "history": sorted(([thing, n, json.loads(reported)] for thing, n, reported in rows), key=json.dumps),
        "commands": sorted(
            ([each.thing, each.affordance, each.input, each.service, each.state] for each in actuations),
            key=json.dumps,
        ),
    }


def _timeless(steps: Any) -> Any:
    """Without what is a time."""
    if isinstance(steps, dict):
        return {name: _timeless(each) for name, each in steps.items()}
    if isinstance(steps, list | tuple):
        return [_timeless(each) for each in steps]
    return "a time" if isinstance(steps, int) and not isinstance(steps, bool) and steps > 10**12 else steps


def _live(connection: socket.socket) -> None:
    with connection.makefile("rw") as lines:
        first = json.loads(lines.readline())
        doomed = tuple(first["doomed"]) if first["doomed"] is not None else None
        boundaries = Boundaries(doomed)
        boundaries.watch()
        with Daemon(Settings(data=Path(first["data"]), broker=first["broker"], announce=False)) as daemon:
            for line in lines:
                said = json.loads(line)
                if said["do"] == "end":
                    break
                print(json.dumps(_answer(daemon, boundaries, said)), file=lines, flush=True)


def main(path: str) -> None:
    """Give a life to everybody who connects."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                try:
                    _live(connection)
                except BaseException:  # noqa: BLE001 - it ends here, and whoever asks sees that it did
                    traceback.print_exc()
                finally:
                    os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
