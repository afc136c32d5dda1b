"""What many things cost is counted, not timed: what is alike is compiled once, a start asks the database no
oftener for many things than for few, and what is heard again is neither read anew nor written.

The layers are the real ones over a real database; ``python -m benchmarks things`` has the figures.
"""

import json

import pytest
from sqlalchemy import event

from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.kernel.overlay import Ledger
from diat.vol import thing as compiling
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.native import Native
from diat.vol.layer import VirtualObjectLayer
from diat.wire.envelope import Message
from diat.wot import schema

NOW = 1_700_000_000_000
FEW, MANY = 3, 60
MEASURED = {
    "temperature": {"type": "number", "minimum": -40, "maximum": 125, "readOnly": True, "unit": "Cel"},
    "humidity": {"type": "number", "minimum": 0, "maximum": 101, "readOnly": True},
}


class Counted:
    """A dialect that counts how often it is asked."""

    whole = False

    def __init__(self, inner):
        self._inner = inner
        self.name = inner.name
        self.heard = self.described = 0

    def hear(self, topic, payload):
        said = self._inner.hear(topic, payload)
        self.heard += said is not None
        return said

    def describe(self, parts):
        self.described += 1
        return self._inner.describe(parts)


class House:
    def __init__(self, path):
        self.engine = open_database(path)
        self.statements = []
        event.listen(self.engine, "before_cursor_execute", lambda *said: self.statements.append(said[2]))
        self.begin()

    def begin(self):
        self.dialects = [Counted(Native()), Counted(HomeAssistant())]
        self.statements.clear()
        self.store = SqlStore(self.engine)
        self.ledger = Ledger()
        self.vol = VirtualObjectLayer(
            self.ledger, self.dialects, self.store.kept(), lambda: NOW, lambda: "command"
        )
        self.store.write(self.ledger)
        self.ledger.commit()

    def take(self, said, *, retained=False):
        """Take messages as one batch; the names of the tables that it wrote."""
        for topic, payload in said:
            self.vol.ingest.message(Message(topic, payload, NOW, retained))
        self.vol.ingest.finish(NOW)
        written = {overlay.name for overlay in self.ledger.overlays()}
        self.store.write(self.ledger)
        self.ledger.commit()
        return written

    def restart(self):
        self.store.close()
        self.begin()

    @property
    def objects(self):
        return self.vol.registry.everything()

    @property
    def heard(self):
        return sum(dialect.heard for dialect in self.dialects)

    @property
    def described(self):
        return sum(dialect.described for dialect in self.dialects)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path / "diat.db")
    yield made
    made.store.close()
    made.engine.dispose()


def meter(number):
    return (
        f"wot/td/meter-{number}",
        json.dumps({"title": f"Meter {number}", "properties": MEASURED}).encode(),
    )


def entity(number, key="temperature"):
    here = f"sensors/{number}"
    config = {
        "unique_id": f"sensor_{number}_{key}",
        "device": {"identifiers": [f"sensor_{number}"], "name": f"Sensor {number}"},
        "availability_topic": f"{here}/availability",
        "state_topic": here,
        "value_template": f"{{{{ value_json.{key} }}}}",
        "device_class": key,
    }
    return f"homeassistant/sensor/sensor_{number}/{key}/config", json.dumps(config).encode()


def announced(count):
    return [said for number in range(count) for said in (meter(number), entity(number))]


def statuses(count):
    for number in range(count):
        yield f"diat/meter-{number}/status", b"online"
        yield f"sensors/{number}/availability", b"online"


def compiled():
    return (
        schema._compile.cache_info().misses,
        compiling._property_alike.cache_info().misses,
    )


def test_each_distinct_affordance_is_compiled_once_and_shared(house):
    house.take(announced(1))
    before = compiled()
    house.take(announced(MANY))
    assert compiled() == before
    assert len(house.objects) == 2 * MANY
    native = [each for each in house.objects if each.record.dialect == "native"]
    first, *others = native
    assert all(each.properties["humidity"] is first.properties["humidity"] for each in others)
    assert all(each.td["properties"]["humidity"] is first.td["properties"]["humidity"] for each in others)


def test_what_a_person_says_of_one_thing_changes_no_other(house):
    house.take(announced(FEW))
    one, other, *_ = (each for each in house.objects if each.record.dialect == "native")
    house.vol.patch(one.id, {"properties": {"humidity": {"maximum": 50}}})
    house.store.write(house.ledger)
    house.ledger.commit()
    changed, kept = (house.vol.registry.get(each.id) for each in (one, other))
    assert changed.properties["humidity"].check(60) is not None
    assert kept.properties["humidity"].check(60) is None
    assert kept.td["properties"]["humidity"]["maximum"] == 101


def test_a_start_asks_the_database_no_oftener_for_many_things(house):
    house.take(announced(FEW))
    house.restart()
    few = len(house.statements)
    house.take(announced(MANY))
    house.restart()
    assert len(house.objects) == 2 * MANY
    assert len(house.statements) == few


def test_a_start_reads_and_describes_each_thing_once(house):
    house.take(announced(MANY))
    before = [each.td for each in house.objects]
    house.restart()
    assert [each.td for each in house.objects] == before
    assert (house.heard, house.described) == (2 * MANY, 2 * MANY)


def test_a_start_compiles_nothing_for_each_thing(house):
    house.take(announced(MANY))
    before = compiled()
    house.restart()
    assert compiled() == before


def test_what_the_broker_kept_of_known_things_is_neither_read_anew_nor_written(house):
    house.take(announced(MANY))
    house.take(statuses(MANY), retained=True)
    house.restart()
    heard, described = house.heard, house.described
    assert house.take(announced(MANY), retained=True) == set()
    assert house.take(statuses(MANY), retained=True) == set()
    assert (house.heard, house.described) == (heard, described)


def test_and_yet_each_is_answered(house):
    house.take(announced(FEW))
    house.vol.drain()
    house.restart()
    house.take(announced(FEW), retained=True)
    answered = {command.message.topic for command in house.vol.drain()}
    assert {f"diat/meter-{number}/admission" for number in range(FEW)} <= answered


def test_a_copy_that_differs_from_what_stands_counts(house):
    house.take(announced(FEW))
    house.restart()
    topic, payload = meter(0)
    house.take([(topic, payload.replace(b"Meter 0", b"Changed"))], retained=True)
    assert house.vol.registry.get("urn:dev:meter-0").td["title"] == "Changed"


@pytest.mark.parametrize("restarted", [False, True])
def test_parts_announced_before_are_there_when_another_joins_them(house, restarted):
    """What they say is not kept in memory: it is read anew from what was announced."""
    house.take([entity(0)])
    if restarted:
        house.restart()
    house.take([entity(0, "humidity")])
    (each,) = house.objects
    assert set(each.properties) == {"temperature", "humidity"}
