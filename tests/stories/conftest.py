"""A house for stories: things do as they are told unless deaf, and every command is told with its time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from diat.cvol.replay import Decision
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.native import Native
from diat.vol.dialects.tasmota import Tasmota
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt
from diat.vol.interaction import Command
from tests.unit.cvol.conftest import Told, World
from tests.unit.cvol.replaying import replays

T = TypeVar("T")


class House(World):
    """A ``kept_world`` in the words of a house; it begins on the first of January at noon, UTC.

    Attributes:
        deaf: names of things that do not do as they are told.
    """

    dialects = (Native, HomeAssistant, Zigbee2Mqtt, Tasmota)

    def __init__(self, database: Path) -> None:
        self.deaf: set[str] = set()
        self._lines: list[str] = []
        super().__init__(database)

    # --- things ---

    def watcher(self, name: str, quantity: str, value: Any, *, unit: str | None = None, **more: Any) -> None:
        """Something that measures or watches announces itself at ``home/…`` and says what it sees."""
        prop = {"type": "boolean" if isinstance(value, bool) else "number", "readOnly": True}
        prop |= {"@type": f"quantitykind:{quantity}"} | ({"unit": unit} if unit else {})
        self.announce(name, **{"diat:place": more.pop("place", "home"), "properties": {"sees": prop}}, **more)
        self.sees(name, value)

    def sees(self, *said: Any) -> None:
        """Watchers say what they see: name, value, name, value, …"""
        for name, value in zip(said[::2], said[1::2], strict=True):
            self.report(name, sees=value)

    def driven(
        self, name: str, quantity: str, value: Any, *, place: str = "home", way: str = "switch"
    ) -> None:
        """A switch announces itself and says how it is."""
        affects = {"quantity": quantity, "direction": way}
        prop = {"type": "boolean", "idempotent": True, "diat:affects": affects}
        self.announce(name, **{"diat:place": place, "properties": {"on": prop}})
        self.report(name, on=value)

    def by_hand(self, name: str, value: Any) -> None:
        """A person switches a thing on the platform."""
        self._write(f"urn:dev:{name}", "on", value)

    def put(self, service: str, **settings: Any) -> None:
        """A person sets what a service lets them set."""
        for name, value in settings.items():
            self._write(f"urn:diat:composite:{service}", name, value)

    def _write(self, thing: str, name: str, value: Any) -> None:
        interaction, layers = self.things.interaction, self.layers
        self.batch(lambda: layers.change(lambda: interaction.write(thing, name, value, self.now)))

    # --- time ---

    def until(self, clock: str) -> None:
        """Let time pass until clocks next show this."""
        here = datetime.fromtimestamp(self.now / 1000, UTC)
        hour, minute, *second = (int(part) for part in clock.split(":"))
        there = here.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
        self.later((there - here).total_seconds() % 86_400)

    @property
    def clock(self) -> str:
        """What clocks show."""
        return datetime.fromtimestamp(self.now / 1000, UTC).strftime("%H:%M:%S")

    # --- what happens ---

    def batch(self, change: Callable[[], T]) -> T:
        """As the world does; then things that are not deaf do as they were told."""
        result = super().batch(change)
        for told in World.commands(self):
            self._lines.append(f"{self.clock} {told.thing} {told.name} {json.dumps(told.value)}")
            if told.thing not in self.deaf:
                each = self.things.registry.seen(f"urn:dev:{told.thing}")
                self.answer(told, report=each is not None and told.name in each.properties)
        return result

    def _send(self, command: Command) -> None:
        topic, payload = command.message.topic, command.message.payload
        if command.reference and not topic.startswith("diat/"):
            self._lines.append(f"{self.clock} {topic} {payload.decode()}")
        elif command.reference and "/actions/" in topic:
            said = json.loads(payload)
            self._told.append(Told(topic.split("/")[1], topic.split("/")[-1], said.get("input"), said["id"]))
        else:
            super()._send(command)

    def heard(self) -> list[str]:
        """Commands since the last call as ``HH:MM:SS thing affordance value``, oldest first."""
        lines, self._lines = self._lines, []
        return lines

    def says(self, service: str, name: str) -> Any:
        """What a property of a service's own thing is."""
        reading = self.twin(f"urn:diat:composite:{service}").values.get(name)
        return None if reading is None else reading.value

    def happened(self, service: str, name: str) -> int:
        """How often an event of a service's own thing happened."""
        assert self._engine is not None
        each = self.things.registry.seen(f"urn:diat:composite:{service}")
        assert each is not None
        with self._engine.connect() as connection:
            query = "SELECT count(*) FROM events WHERE thing = ? AND event = ?"
            return int(connection.exec_driver_sql(query, (each.record.no, name)).scalar_one())

    def decides_again(self, *services: str) -> list[list[Decision]]:
        """Hold what services decided to what a replay decides."""
        return [replays(self, service) for service in services]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty house over a database."""
    made = House(tmp_path / "diat.db")
    yield made
    made.close()
