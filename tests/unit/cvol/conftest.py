"""A world without a broker: all layers over one ledger, a clock that is moved by hand, messages that are fed.

Fixtures:
    world: a ``World``; what it commits stays in memory.
    kept_world: one that commits to a database and can be started again from it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.cvol.composite import CompositeState
from diat.cvol.execution import CompositeLayer
from diat.kernel.overlay import Ledger
from diat.service.layer import ServiceLayer
from diat.service.layers import Layers
from diat.service.service import Service
from diat.service.situations import SituationLayer
from diat.service.templates import Templates, read_template
from diat.vol.dialects.native import Native
from diat.vol.dialects.port import Dialect
from diat.vol.interaction import Command
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.vol.rollouts import Rollouts
from diat.vol.twin import Twin
from diat.wire.envelope import Message

T = TypeVar("T")
NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z, when every world begins."""


class Told(NamedTuple):
    """A command that went out."""

    thing: str
    name: str
    value: Any
    id: str


class World:
    """The layers of a daemon, driven as its writer drives them, one batch for each call.

    Attributes:
        dialects: what things may speak.
    """

    dialects: tuple[type[Dialect], ...] = (Native,)

    def __init__(self, database: Path | None = None) -> None:
        self.now = NOON
        self._database = database
        self._numbers = itertools.count(1)
        self._ids = itertools.count(1)
        self._told: list[Told] = []
        self.said: dict[str, Any] = {}
        """Newest message on each topic that is no command, such as an admission."""
        self._start()

    def _start(self) -> None:
        self._engine = open_database(self._database) if self._database is not None else None
        self._store = SqlStore(self._engine) if self._engine is not None else None
        store = self._store
        self.ledger = Ledger()
        kept = store.kept() if store is not None else Kept()
        self.things = VirtualObjectLayer(
            self.ledger, [each() for each in self.dialects], kept, self._clock, self._new_id
        )
        states = store.composites() if store is not None else ()
        self.composites = CompositeLayer(self.ledger, self.things, self._clock, states)
        self.templates = Templates(self.ledger, store.templates() if store is not None else ())
        self.services = ServiceLayer(
            self.ledger,
            self.things,
            self.composites,
            self.templates,
            self._clock,
            self._new_id,
            store.services() if store is not None else (),
        )
        self.situations = SituationLayer(
            self.ledger,
            self.things,
            self.composites,
            self.services,
            self._clock,
            self._new_id,
            store.situations() if store is not None else (),
        )
        things = self.things
        rollouts = Rollouts(
            self.ledger, things.registry, things.intake, things.interaction, self._clock, self._new_id
        )
        self.layers = Layers(things, self.composites, self._clock, self.situations, rollouts)
        if self._store is not None:
            self._store.write(self.ledger)
        self.ledger.commit()
        self.layers.drain()  # there is no connection yet: the outbox has what is to be sent

    def restart(self, away: float = 0.0) -> None:
        """End, and start again from the database ``away`` seconds later."""
        assert self._database is not None, "only a kept_world can be started again"
        self.close()
        self.now += round(away * 1000)
        self._start()
        self.batch(lambda: self.layers.connected())

    def close(self) -> None:
        """Give the database back."""
        if self._store is not None and self._engine is not None:
            self._store.close()
            self._engine.dispose()

    def _clock(self) -> int:
        return self.now

    def _new_id(self) -> str:
        return f"id{next(self._ids)}"

    def batch(self, change: Callable[[], T]) -> T:
        """Run a change as the writer does: what is due first, then the change; all of it or nothing."""
        try:
            result = change()
        except BaseException:
            self.ledger.rollback()
            self.layers.drain()
            raise
        self.things.ingest.finish(self.now)
        self._commit()
        return result

    def _commit(self) -> None:
        if self._store is not None:
            self._store.write(self.ledger)
        self.ledger.commit()
        for command in self.layers.drain():
            self._send(command)

    def _send(self, command: Command) -> None:
        topic, payload = command.message.topic, command.message.payload
        if not command.reference:
            self.said[topic] = (
                json.loads(payload or b"null") if topic.startswith(("diat/", "wot/")) else payload
            )
            return
        thing, body = topic.split("/")[1], json.loads(payload)
        self._told += [Told(thing, name, value, body["id"]) for name, value in body["v"].items()]

    # --- time ---

    def later(self, seconds: float) -> None:
        """Let time pass; whatever is due on the way happens at its time."""
        end = self.now + round(seconds * 1000)
        while (due := self.layers.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.batch(lambda: self.layers.tick(self.now))
        self.now = end

    # --- things ---

    def feed(self, topic: str, payload: Any) -> None:
        """A message comes from the broker."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

        def take() -> None:
            self.layers.message(Message(topic, body, self.now))
            self.layers.finish(self.now)

        self.batch(take)

    def announce(self, name: str, **td: Any) -> str:
        """A native thing announces itself; its id."""
        self.feed(f"wot/td/{name}", {"title": name, **td})
        return f"urn:dev:{name}"

    def sensor(self, name: str, place: str = "hq/1", unit: str = "Cel", **more: Any) -> str:
        """A thermometer announces itself; its id."""
        prop = {"type": "number", "unit": unit, "@type": "quantitykind:Temperature", "readOnly": True, **more}
        return self.announce(name, **{"diat:place": place, "properties": {"temperature": prop}})

    def actuator(self, name: str, direction: str = "increase", place: str = "hq/1", **more: Any) -> str:
        """Something that changes the temperature announces itself; its id."""
        affects = {"quantity": "Temperature", "direction": direction}
        prop = {"type": "boolean", "idempotent": True, "diat:affects": affects, **more}
        return self.announce(name, **{"diat:place": place, "properties": {"on": prop}})

    def report(self, thing: str, *, at: int | None = None, **values: Any) -> None:
        """A thing reports values, observed now unless ``at`` says when."""
        body = {"b": 1, "n": next(self._numbers), "t": self.now if at is None else at, "v": values}
        self.feed(f"diat/{thing}/properties", body)

    def measure(self, thing: str, value: float, *, at: int | None = None) -> None:
        """A thermometer reports."""
        self.report(thing, at=at, temperature=value)

    def status(self, thing: str, status: str) -> None:
        """A thing, or its last will, says whether it is there."""
        self.feed(f"diat/{thing}/status", status.encode())

    def withdraw(self, thing: str) -> None:
        """A thing takes its announcement back."""
        self.feed(f"wot/td/{thing}", b"")

    def told(self) -> list[tuple[str, Any]]:
        """Commands since the last call as ``(thing, value)``, oldest first."""
        return [(each.thing, each.value) for each in self.commands()]

    def commands(self) -> list[Told]:
        """Commands since the last call, oldest first."""
        told, self._told = self._told, []
        return told

    def answer(self, told: Told, status: str = "completed", *, report: bool = True) -> None:
        """A thing answers a command and, having performed it, reports what it has now."""
        self.feed(f"diat/{told.thing}/results", {"id": told.id, "status": status})
        if status == "completed" and report:
            self.report(told.thing, **{told.name: told.value})

    def obey(self) -> list[tuple[str, Any]]:
        """All things perform what they were told since the last call; what that was."""
        done = self.commands()
        for told in done:
            self.answer(told)
        return [(each.thing, each.value) for each in done]

    # --- services ---

    def service(self, template: str, title: str = "a service", **parameters: Any) -> str:
        """Somebody makes a service; its id."""
        made: Service = self.batch(lambda: self.services.create(title, template, parameters))
        return made.id

    def keep(self, low: float = 20, high: float = 24, place: str = "hq/1", **more: Any) -> str:
        """Somebody wants the temperature kept; the service's id."""
        said = {"quantity": "Temperature", "place": place, "low": low, "high": high, "unit": "Cel", **more}
        return self.service("keep-within", **said)

    def mean(self, place: str = "hq", unit: str = "Cel", **more: Any) -> str:
        """Somebody wants the mean temperature of a place; the service's id."""
        said = {"quantity": "Temperature", "place": place, "unit": unit, **more}
        return self.service("mean-of-place", title=f"Mean of {place}", **said)

    def template(self, source: str) -> None:
        """Somebody adds a template."""
        self.batch(lambda: self.templates.add(read_template(source)))

    def pause(self, service: str) -> None:
        """Somebody lets a service rest."""
        self.batch(lambda: self.services.pause(service, True))

    def resume(self, service: str) -> None:
        """Somebody resumes a service."""
        self.batch(lambda: self.services.pause(service, False))

    def delete(self, service: str) -> None:
        """Somebody ends a service."""
        self.batch(lambda: self.services.delete(service))

    def state(self, service: str) -> CompositeState:
        """What the composite of a service remembers."""
        return self.composites.states.committed[self.services.get(service).composite]

    def bound(self, service: str, role: str) -> list[str]:
        """The things that fill a role, without the prefix of their ids."""
        bindings = self.state(service).bindings
        return [each.thing.removeprefix("urn:dev:") for each in bindings if each.role == role]

    def twin(self, thing: str) -> Twin:
        """The live state of a thing by id."""
        return self.things.twin(thing)

    def mean_value(self, service: str) -> Any:
        """What a mean last came to, None if it never did."""
        composite = self.services.get(service).composite
        reading = self.twin(f"urn:diat:composite:{composite}").values.get("mean")
        return None if reading is None else reading.value


@pytest.fixture
def world() -> World:
    """All layers, nothing kept."""
    return World()


@pytest.fixture
def kept_world(tmp_path: Path) -> Iterator[World]:
    """All layers over a database."""
    made = World(tmp_path / "diat.db")
    yield made
    made.close()
