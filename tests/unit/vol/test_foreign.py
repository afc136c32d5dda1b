"""What foreign things say: beyond what was announced, anew, and to those who come late to a topic."""

import json

import pytest

from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.vol import waiting
from diat.vol.dialects.homie import Homie
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.vol.merging import counterparts
from diat.wire.envelope import Message

IEEE = "0x0017880104e4cccc"
THING = f"urn:diat:zigbee2mqtt:{IEEE}"
NUMBER = {"type": "numeric", "name": "t", "property": "t", "access": 1, "value_min": -10, "value_max": 50}
ENUM = {"type": "enum", "name": "mode", "property": "mode", "access": 1, "values": ["a", "b"]}
ACTION = {"type": "enum", "name": "action", "property": "action", "access": 1, "values": ["hold"]}


class World:
    """A Virtual Object Layer with rows that can be looked at, and a clock moved by hand."""

    def __init__(self, admission="accepted"):
        self.now = 1_800_000_000_000
        self._ledger = Ledger()
        dialects = (Zigbee2Mqtt(), Homie())
        self.things = VirtualObjectLayer(
            self._ledger, dialects, Kept(), lambda: self.now, random_id, admission
        )
        self.rows = {"readings": [], "events": []}

    def feed(self, *messages, retained=False):
        """Take messages, ``(topic, payload)`` each, in one batch."""
        for topic, payload in messages:
            payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            self.things.ingest.message(Message(topic, payload, self.now, retained))
        self.things.ingest.finish(self.now)
        for log in self._ledger.logs():
            self.rows.setdefault(log.name, []).extend(log.rows)
        self._ledger.commit()
        self.now += 60_000

    def listed(self, *exposes):
        entry = {"ieee_address": IEEE, "friendly_name": "x", "definition": {"exposes": list(exposes)}}
        return "zigbee2mqtt/bridge/devices", [entry]

    def reading(self, name, thing=THING):
        known = self.things.twin(thing).values.get(name)
        return known and (known.value, known.quality)

    def lines(self, thing=THING):
        return [line.text for line in self.things.diagnostics.of(thing)]


@pytest.fixture
def world():
    return World()


def test_a_reading_beyond_its_announced_range_is_kept_as_uncertain(world):
    world.feed(world.listed(NUMBER, ENUM))
    world.feed(("zigbee2mqtt/x", {"t": 61.5, "mode": "a"}))
    assert world.reading("t") == (61.5, "uncertain")
    assert world.reading("mode") == ("a", "good")
    assert len(world.rows["readings"]) == 2
    assert any(line.startswith("t: 61.5") for line in world.lines())
    world.feed(("zigbee2mqtt/x", {"mode": "unheard of"}))
    assert world.reading("mode") == ("unheard of", "uncertain")


def test_a_reading_of_another_type_is_not_kept(world):
    world.feed(world.listed(NUMBER))
    world.feed(("zigbee2mqtt/x", {"t": {"value": 5}}))
    assert world.reading("t") is None
    assert world.rows["readings"] == []
    assert any("is not a number" in line for line in world.lines())


def test_an_event_that_is_not_listed_happened_all_the_same(world):
    world.feed(world.listed(ACTION))
    world.feed(("zigbee2mqtt/x", {"action": "shake"}))
    assert [row[2] for row in world.rows["events"]] == ["action"]
    assert any("shake" in line for line in world.lines())


def test_what_a_batch_announces_counts_for_what_follows_in_it(world):
    world.feed(world.listed(NUMBER))
    world.feed(world.listed(NUMBER, ENUM), ("zigbee2mqtt/x", {"t": 5, "mode": "b"}))
    assert world.reading("mode") == ("b", "good")


def test_a_device_that_is_announced_bit_by_bit_is_understood_in_the_end(world):
    here = "homie/hut"
    world.feed(
        (f"{here}/$homie", b"4.0.0"),
        (f"{here}/$nodes", b"air"),
        (f"{here}/air/$properties", b"t"),
        (f"{here}/air/t/$name", b"Warmth"),
        (f"{here}/air/t", b"20.5"),
    )
    assert any("$datatype is not announced" in line for line in world.lines("urn:diat:homie:hut"))
    world.feed((f"{here}/air/t/$datatype", b"float"))
    assert world.reading("air_t", "urn:diat:homie:hut") == (20.5, "good")
    assert world.lines("urn:diat:homie:hut") == []


def test_an_event_happens_once_however_often_its_topic_is_read_anew(world):
    world.feed(("zigbee2mqtt/x", {"action": "hold", "t": 5}))
    world.feed(world.listed(ACTION))
    assert len(world.rows["events"]) == 1
    world.feed(world.listed(ACTION, NUMBER))
    assert len(world.rows["events"]) == 1
    assert world.reading("t") == (5, "uncertain")
    assert world.rows["readings"] == []


def test_an_older_word_does_not_override_a_newer_one(world):
    world.feed(world.listed(NUMBER))
    world.feed(("zigbee2mqtt/x", {"t": 5}))
    world.feed(("zigbee2mqtt/x", {"t": 6}), retained=True)
    assert world.reading("t") == (6, "uncertain")
    world.feed(("zigbee2mqtt/x", {"t": 7}))
    world.feed(world.listed(NUMBER, ENUM))
    assert world.reading("t") == (7, "good")


def test_a_thing_that_a_person_accepts_knows_what_it_said_meanwhile():
    world = World("pending")
    world.feed(world.listed(NUMBER))
    world.feed(("zigbee2mqtt/x", {"t": 5}))
    assert world.reading("t") is None
    world.things.admit(THING, "accepted", "looks fine")
    world.feed()
    assert world.reading("t") == (5, "uncertain")


def test_what_is_remembered_is_bounded(world, monkeypatch):
    monkeypatch.setattr(waiting, "LAST_WORDS", 2000)
    for number in range(100):
        world.feed((f"somewhere/{number}", b"x"))
    room = world.things.ingest._waiting
    topics = [f"somewhere/{number}" for number in range(100)]
    assert [each.topic for each in room.left(topics)] == topics[-6:]
    world.feed((topics[-1], b""), (topics[-2], b"x" * 5000))
    assert [each.topic for each in room.left(topics)] == topics[-6:-2]


def _td(**properties):
    return {"properties": properties}


SWITCH, WATTS = {"type": "boolean"}, {"type": "number", "@type": "quantitykind:Power", "readOnly": True}
SETUP = {"type": "boolean", "diat:entityCategory": "config"}


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (_td(on=SWITCH), _td(on=SWITCH), {}),
        (_td(power=SWITCH), _td(state=SWITCH), {"state": "power"}),
        # The name is given to what does the same; what bore it gets another.
        (_td(power=SWITCH), _td(state=SWITCH, power=WATTS), {"state": "power", "power": "power_2"}),
        (
            _td(power=SWITCH, energy=WATTS),
            _td(state=SWITCH, power=WATTS),
            {"state": "power", "power": "energy"},
        ),
        (_td(power=SWITCH), _td(state=SWITCH, led=SETUP), {"state": "power"}),
        (_td(power=SWITCH), _td(left=SWITCH, right=SWITCH), {}),
        (_td(level={"type": "integer"}), _td(brightness={"type": "number"}), {"brightness": "level"}),
    ],
)
def test_what_does_the_same_is_called_the_same(old, new, names):
    assert counterparts(old, new) == names
