"""Invariant: whatever bytes arrive on whatever topic, the platform takes it and nothing else is disturbed.

No exception escapes, the batch commits, each message is acknowledged once and only after it is stored, the
readings of other things in the same batch are there once, and what was stored can be read back by the next
start. What no database takes ends as a diagnostic. A database that takes nothing for a while delays all of
this and changes none of it.

The layers, the writer and the database are the real ones. ``Broker`` is a link whose broker lives within
the process: it does what ``diat.kernel.writer.Link`` documents, and nobody else's part is played.
"""

import json
import shutil
import string
import tempfile
import threading
from collections import Counter
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from diat.adapters.sql.database import open_database
from diat.adapters.sql.history import History
from diat.adapters.sql.store import SqlStore
from diat.cvol.execution import CompositeLayer
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Unavailable
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.kernel.writer import Writer
from diat.service.layer import ServiceLayer
from diat.service.layers import Layers
from diat.service.situations import SituationLayer
from diat.service.templates import Templates
from diat.vol.diagnostics import STRANGERS
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.native import Native
from diat.vol.dialects.port import Description, Part, Uptake
from diat.vol.interaction import Order
from diat.vol.layer import VirtualObjectLayer
from diat.vol.rollouts import Rollouts
from diat.wire import topics
from diat.wire.envelope import Message, encode

PATIENCE = 20.0
NOW = 1_750_000_000_000
EVENTS = "SELECT event FROM events WHERE event NOT LIKE 'noted:%'"
"""What things told, without what the journal notes of them."""

# Each example is a platform with its database: it is not traced line by line to explain a failure.
thorough = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


class Broker:
    """A link whose broker lives within the process; see ``diat.kernel.writer.Link``.

    Attributes:
        settled: messages in the order in which they were acknowledged.
        sent: what was published, in order.
        on_settle: called before messages count as acknowledged.
        on_send: called before messages count as sent.
    """

    def __init__(self):
        self._news = threading.Condition()
        self._woken = False
        self._arrived = []
        self._receipts = []
        self._anew = True
        self.settled = []
        self.sent = []
        self.on_settle = self.on_send = lambda messages: None

    # --- the writer's side ---

    def wait(self, timeout):
        with self._news:
            self._news.wait_for(
                lambda: self._woken or self._arrived or self._receipts or self._anew, timeout or None
            ) if timeout else None
            self._woken = False

    def wake(self):
        with self._news:
            self._woken = True
            self._news.notify_all()

    def take(self, limit):
        with self._news:
            taken, self._arrived = self._arrived[:limit], self._arrived[limit:]
            return taken

    def settle(self, messages):
        self.on_settle(messages)
        with self._news:
            self.settled += messages
            self._news.notify_all()

    def send(self, outgoing):
        self.on_send(outgoing)
        with self._news:
            self.sent += outgoing
            self._receipts += [each.reference for each in outgoing if each.reference]

    def receipts(self):
        with self._news:
            receipts, self._receipts = self._receipts, []
            return receipts

    def fresh(self):
        anew, self._anew = self._anew, False
        return anew

    def close(self):
        pass

    # --- the test's side ---

    def deliver(self, messages):
        """Let these arrive together."""
        with self._news:
            self._arrived += messages
            self._news.notify_all()

    def wait_settled(self, count):
        with self._news:
            return self._news.wait_for(lambda: len(self.settled) >= count, PATIENCE)


class House:
    """The platform in one process over a database; ``begin`` makes its next life."""

    def __init__(self, path, *, dialects=(), wrap=lambda store: store):
        self.engine = open_database(path)
        self._dialects = dialects
        self._wrap = wrap
        self.begin()

    def begin(self):
        self.broker = Broker()
        self.ledger = ledger = Ledger()
        self.sql = store = SqlStore(self.engine)
        dialects = [Native(), HomeAssistant(), *self._dialects]
        self.vol = VirtualObjectLayer(ledger, dialects, store.kept(), lambda: NOW, random_id)
        self.composites = CompositeLayer(ledger, self.vol, lambda: NOW, store.composites())
        templates = Templates(ledger, store.templates())
        self.services = ServiceLayer(
            ledger, self.vol, self.composites, templates, lambda: NOW, random_id, store.services()
        )
        situations = SituationLayer(
            ledger, self.vol, self.composites, self.services, lambda: NOW, random_id, store.situations()
        )
        store.write(ledger)
        ledger.commit()
        vol = self.vol
        rollouts = Rollouts(ledger, vol.registry, vol.intake, vol.interaction, lambda: NOW, random_id)
        layers = Layers(vol, self.composites, lambda: NOW, situations, rollouts)
        self.writer = Writer(self.broker, layers, ledger, self._wrap(store), lambda: NOW)
        self.writer.start()

    def end(self):
        self.writer.stop()
        self.sql.close()

    def close(self):
        self.end()
        self.engine.dispose()

    def take(self, messages):
        """Let a batch arrive; return when all of it is acknowledged."""
        messages = list(messages)
        before = len(self.broker.settled)
        self.broker.deliver(messages)
        assert self.broker.wait_settled(before + len(messages)), self.writer.crashed or self.writer.trouble
        assert Counter(map(id, self.broker.settled[before:])) == Counter(map(id, messages))

    def rows(self, query, **given):
        with self.engine.connect() as connection:
            return connection.execute(text(query), given).all()

    def readings(self, thing):
        """``(boot, n, values)`` of all readings of a thing in the order of arrival."""
        found = self.rows(
            "SELECT boot, n, reported FROM readings JOIN things ON things.no = readings.thing "
            "WHERE things.id = :thing ORDER BY position",
            thing=thing,
        )
        return [(boot, n, msgspec.json.decode(reported)) for boot, n, reported in found]

    def diagnostics(self, thing):
        return [line.text for line in self.vol.diagnostics.of(thing)]


def events(house):
    """The events of things that were kept, without what the platform noted itself."""
    return [row for (row,) in house.rows("SELECT event FROM events WHERE event NOT LIKE 'noted:%'")]


def message(topic, body, **more):
    payload = body if isinstance(body, bytes) else encode(body)
    return Message(topic, payload, more.pop("received", NOW), **more)


def entity(component, name, **more):
    config = {"unique_id": name, "device": {"identifiers": [name], "name": name}, **more}
    return message(f"homeassistant/{component}/{name}/config", config, retained=True)


WITNESS, VICTIM = "urn:dev:witness", "urn:dev:victim"
TEMPERATURE = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature"}
KNOWN = [
    message("wot/td/witness", {"title": "Witness", "properties": {"level": {"type": "integer"}}}),
    message(
        "wot/td/victim",
        {
            "title": "Victim",
            "diat:place": "lab",
            "properties": {"temperature": TEMPERATURE, "any": {}, "text": {"type": "string"}},
            "actions": {"go": {}},
            "events": {"alarm": {}, "count": {"data": {"type": "integer"}}},
        },
    ),
    entity(
        "sensor",
        "meter",
        state_topic="meter/state",
        value_template="{{ value_json.t }}",
        device_class="temperature",
        unit_of_measurement="°C",
        availability_topic="meter/state",
        availability_template="{{ value_json.up }}",
    ),
    entity("sensor", "left", state_topic="shared/state", value_template="{{ value_json.left }}"),
    entity("sensor", "right", state_topic="shared/state", value_template="{{ value_json.right }}"),
    entity("switch", "plug", state_topic="plug/state", command_topic="plug/set"),
]
SERVICES = [
    ("mean-of-place", {"quantity": "Temperature", "place": "", "unit": "K"}),
    ("keep-within", {"quantity": "Temperature", "place": "lab", "low": 20, "high": 24, "unit": "Cel"}),
]
LEFT, RIGHT, METER = (f"urn:diat:homeassistant:{name}" for name in ("left", "right", "meter"))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A database in which the known things and two services are."""
    path = tmp_path_factory.mktemp("furnished") / "diat.db"
    with closing(House(path)) as house:
        house.take(KNOWN)
        for name, parameters in SERVICES:
            house.writer.submit(
                lambda name=name, parameters=parameters: house.services.create(name, name, parameters)
            ).result(PATIENCE)
    return path


@contextmanager
def a_house(furnished, **more):
    """A house of one's own, furnished."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "diat.db"
        for part in furnished.parent.iterdir():
            shutil.copy(part, directory)
        with closing(House(path, **more)) as house:
            yield house


@pytest.fixture
def house(furnished):
    with a_house(furnished) as house:
        yield house


def report(n, **values):
    return {"b": 7, "n": n, "t": NOW, "v": values}


def witnesses(numbers):
    return [message("diat/witness/properties", report(n, level=n)) for n in numbers]


# --- what arrives ---

huge = st.sampled_from([2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, -(10**30), 1e308, -1e308, 5e-324])
scalars = st.none() | st.booleans() | st.integers() | huge | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
# json.dumps writes what strict writers do not: lone surrogates as \ud800, Infinity, integers of any size.
odd_text = st.sampled_from(["\ud800", "a\udfffb", "\x00", "\u2028", "x" * 300])
odd = st.recursive(
    scalars | odd_text | st.sampled_from([float("nan"), float("inf")]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | odd_text, inner, max_size=3)
    ),
    max_leaves=6,
)
numbers = st.integers(-2, 40) | huge | scalars
reports = st.fixed_dictionaries(
    {},
    optional={
        "b": st.sampled_from([1, 2, "a"]) | numbers | odd_text,
        "n": numbers,
        "t": st.just(NOW) | numbers,
        "u": numbers,
        "v": st.dictionaries(
            st.sampled_from(["temperature", "any", "text", "ghost"]), values | odd_text, max_size=3
        )
        | odd,
        "lost": st.lists(numbers, min_size=2, max_size=2) | scalars,
        "data": odd,
        "id": st.text(max_size=5) | odd_text,
        "status": st.sampled_from(["completed", "failed", "expired", "in-doubt", "asleep"]),
        "output": odd,
        "error": odd,
    },
)
affordances = st.dictionaries(
    st.sampled_from(["temperature", "level", "a b", "é"]) | st.text(max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["number", "boolean", "string", "object", "nonsense"]) | odd,
            "unit": st.sampled_from(["Cel", "°F", "K", "furlong"]) | odd,
            "@type": st.sampled_from(["quantitykind:Temperature", ["x", "quantitykind:Power"]]) | odd,
            "minimum": scalars,
            "pattern": st.sampled_from(["(", "^a+$", "(a+)+$"]),
            "diat:affects": st.just({"quantity": "Temperature", "direction": "increase"}) | odd,
            "diat:envelope": odd,
            "forms": odd,
        },
    )
    | odd,
    max_size=3,
)
descriptions = st.fixed_dictionaries(
    {},
    optional={
        "title": st.just("A thing") | odd,
        "id": st.sampled_from(["urn:dev:stranger", "urn:dev:victim", "urn:dev:witness", ""]) | odd,
        "diat:place": st.sampled_from(["lab", "lab/1"]) | odd,
        "properties": affordances | odd,
        "actions": affordances | odd,
        "events": affordances | odd,
        "@context": odd,
        "security": odd,
    },
)
discoveries = st.fixed_dictionaries(
    {},
    optional={
        "unique_id": st.sampled_from(["plug", "meter", "new"]) | odd,
        "device": st.fixed_dictionaries({"identifiers": st.sampled_from([["plug"], ["meter"], ["new"]])})
        | odd,
        "state_topic": st.sampled_from(["plug/state", "new/state", "diat/witness/properties"]) | odd,
        "command_topic": st.sampled_from(["plug/set", "a b"]) | odd,
        "value_template": st.sampled_from(
            ["{{ value_json.x }}", "{{ value | float }}", "{{ '\\ud800' }}", "{{ value | int ** 99 }}"]
        )
        | st.text(max_size=10),
        "availability_topic": st.sampled_from(["new/state", "up"]) | odd,
        "unit_of_measurement": st.sampled_from(["°C", "W"]) | odd,
        "device_class": st.sampled_from(["temperature", "power"]) | odd,
        "~": st.just("new") | odd,
    },
)
states = st.fixed_dictionaries({}, optional=dict.fromkeys(("t", "up", "left", "right", "state", "x"), odd))


def written(bodies):
    return bodies.map(lambda body: json.dumps(body).encode())


garbage = st.binary(max_size=40)
native = st.tuples(
    st.builds(
        "diat/{}/{}".format,
        st.sampled_from(["victim", "stranger", "plug"]),
        st.sampled_from(["properties", "results", "status", "events/alarm", "events/count", "events/ghost"]),
    ),
    written(reports | st.lists(reports, max_size=3))
    | st.sampled_from([b"online", b"offline", b"sleeping", b""])
    | written(odd)
    | garbage,
)
announcements = st.tuples(
    st.sampled_from(
        ["wot/td/victim", "wot/td/stranger", "wot/td/plug", "wot/td/", "wot/td/a b", "wot/td/a/b"]
    ),
    written(descriptions) | written(odd) | garbage | st.just(b""),
)
foreign = st.tuples(
    st.sampled_from(
        [
            f"homeassistant/{component}/{name}/config"
            for component in ("sensor", "switch", "light", "climate", "number", "button", "device", "vacuum")
            for name in ("plug", "meter", "new")
        ]
    ),
    written(discoveries) | written(odd) | garbage | st.just(b""),
)
spoken = st.tuples(
    st.sampled_from(["meter/state", "shared/state", "plug/state", "new/state", "up"]),
    written(states) | st.sampled_from([b"ON", b"OFF", b"21.5", b"nan", b"inf", b"1e999"]) | garbage,
)
topic_texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00#+"), min_size=1, max_size=20
) | st.text(string.ascii_lowercase + "/$", min_size=1, max_size=20)
others = st.tuples(
    st.sampled_from(
        ["diat/victim/admission", "diat/clock", "diat/victim/set", "diat/", "/", "diat//properties"]
    )
    | topic_texts,
    written(odd) | garbage,
)
arrivals = st.builds(
    lambda said, retained, qos: Message(said[0], said[1], NOW, retained, qos),
    st.one_of(native, native, announcements, foreign, spoken, others),
    st.booleans(),
    st.sampled_from([0, 1]),
)


@st.composite
def batches(draw):
    """Arbitrary messages, and among them, anywhere, readings of a thing that does nothing wrong."""
    arbitrary = draw(st.lists(arrivals, max_size=12))
    readings = witnesses(range(1, 1 + draw(st.integers(1, 4))))
    places = [draw(st.integers(0, len(arbitrary))) for _ in readings]
    for place, reading in sorted(zip(places, readings, strict=True), key=lambda at: -at[0]):
        arbitrary.insert(place, reading)
    return arbitrary


@thorough
@given(several=st.lists(batches(), min_size=1, max_size=2))
@example(several=[[message("diat/victim/properties", [report(1, any=1), report(2, any=2)]), *witnesses([1])]])
@example(several=[[message("shared/state", {"left": 1, "right": 2}), *witnesses([1])]])
@example(several=[[message("diat/victim/properties", {"t": -(10**17), "v": {"any": 1}}), *witnesses([1])]])
@example(several=[[message("meter/state", {"t": 21, "up": "online"}), *witnesses([1])]])
def test_whatever_arrives_is_taken_and_disturbs_nothing(furnished, several):
    with a_house(furnished) as house:
        expected = Counter()
        for batch in several:
            house.take(batch)
            expected |= Counter(n for n in _numbers(batch))
        assert Counter(n for _, n, _ in house.readings(WITNESS)) == expected
        assert house.writer.crashed is None
        assert house.writer.trouble is None
        _can_be_shown(house)
        twin = house.vol.twin(WITNESS)
        house.end()
        house.begin()
        assert house.vol.twin(WITNESS) == twin
        house.take(witnesses([1, 99]))
        assert Counter(n for _, n, _ in house.readings(WITNESS)) == expected + Counter([99])


def _numbers(batch):
    return [msgspec.json.decode(m.payload)["n"] for m in batch if m.topic == "diat/witness/properties"]


def _can_be_shown(house):
    """What was stored can be told to a person: times, and values as JSON."""
    history = History(house.engine)
    for each in house.vol.registry.everything():
        twin = house.vol.twin(each.id)
        for name, reading in twin.values.items():
            encode(reading.value)
            rfc3339(reading.observed)
            for past in history.readings(each.record.no, name, None, None, 100):
                rfc3339(past.observed)
        for line in house.vol.diagnostics.of(each.id):
            assert "\n" not in line.text.strip()
            encode(line.text)


@thorough
@given(
    said=st.lists(
        st.lists(
            st.builds(
                lambda n, value, t: {"b": 3, "n": n, "t": NOW + t, "v": {"any": value}},
                st.integers(1, 12),
                values.filter(lambda value: type(value) is not int or -(2**63) <= value < 2**63),
                st.integers(-1000, 1000),
            ),
            min_size=1,
            max_size=4,
        ),
        max_size=6,
    )
)
def test_each_report_of_a_message_is_kept_once(furnished, said):
    """Lists of reports, repeats within and across messages: the first of each (b, n) is in the history."""
    first = {}
    for reports in said:
        for each in reports:
            first.setdefault(each["n"], each["v"]["any"])
    with a_house(furnished) as house:
        house.take([message("diat/victim/properties", reports) for reports in said])
        assert house.diagnostics(VICTIM) == []
        kept = house.readings(VICTIM)
        assert [n for _, n, _ in kept] == list(first)
        assert {n: v["any"] for _, n, v in kept} == msgspec.json.decode(
            msgspec.json.encode({str(n): v for n, v in first.items()}), type=dict[int, object]
        )


def test_a_topic_that_two_things_read_gives_each_its_reading(house):
    house.take([message("shared/state", {"left": "1", "right": "2"})])
    assert len(house.readings(LEFT)) == len(house.readings(RIGHT)) == 1
    assert house.diagnostics(STRANGERS) == house.diagnostics(LEFT) == []


@pytest.mark.parametrize("field", ["b", "n", "t", "u"])
@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40, 1e300, -1e300])
def test_numbers_beyond_64_bits_are_answered_with_a_diagnostic(house, field, number):
    body = {"b": 3, "n": 1, "v": {"any": 1}, field: number}
    house.take([message("diat/victim/properties", json.dumps(body).encode()), *witnesses([1, 2])])
    assert [n for _, n, _ in house.readings(WITNESS)] == [1, 2]
    assert house.diagnostics(VICTIM) or house.readings(VICTIM)
    _can_be_shown(house)


@pytest.mark.parametrize("t", [-1, -(10**15), -(2**63) + 1, NOW * 1000, 2**63 - 1])
def test_a_time_that_cannot_be_is_replaced_by_that_of_arrival(house, t):
    """Microseconds, nanoseconds, a clock before its epoch: the value counts, its time does not."""
    house.take([message("diat/victim/properties", {"b": 3, "n": 1, "t": t, "v": {"any": 5}})])
    reading = house.vol.twin(VICTIM).values["any"]
    assert (reading.value, reading.observed, reading.quality) == (5, NOW, "uncertain")
    assert "clock" in house.diagnostics(VICTIM)[0]
    _can_be_shown(house)


def test_an_uptime_longer_than_history_is_dated(house):
    reports = [{"b": 3, "n": n, "u": u, "v": {"any": n}} for n, u in ((1, 9e18), (2, 0))]
    house.take([message("diat/victim/properties", each) for each in reports])
    assert len(house.readings(VICTIM)) == 2
    _can_be_shown(house)


def test_an_event_that_a_person_took_away_is_answered_with_a_diagnostic(house):
    patch = {"events": {"alarm": None, "smoke": {}}}
    house.writer.submit(lambda: house.vol.patch(VICTIM, patch)).result(PATIENCE)
    house.take([message(f"diat/victim/events/{name}", report(n)) for n, name in ((1, "alarm"), (2, "smoke"))])
    (line,) = house.diagnostics(VICTIM)
    assert line == "events/alarm: its description has no such event"
    assert [row for (row,) in house.rows(EVENTS)] == ["smoke"]


def test_a_thing_that_changes_its_events_is_heard_by_the_new_ones_only(house):
    patch = {"events": {"alarm": None}}
    house.writer.submit(lambda: house.vol.patch(VICTIM, patch)).result(PATIENCE)
    house.take(
        [
            message("wot/td/victim", {"title": "Victim", "events": {"alarm": {}, "smoke": {}}}),
            message("diat/victim/events/alarm", report(1)),
            message("diat/victim/events/smoke", report(2)),
        ]
    )
    assert [row for (row,) in house.rows(EVENTS)] == ["smoke"]
    assert "quarantined" not in "".join(house.diagnostics(VICTIM))


# --- poison ---


class Mutter:
    """A dialect whose things say whatever the test wants, also what no database takes."""

    name = "mutter"
    whole = False

    def __init__(self):
        self.says = {}

    def hear(self, topic, payload):
        if not topic.startswith("mutter/") or not topic.endswith("/here"):
            return None
        return Part(topic=topic, identifiers=(topic.split("/")[1],), body={})

    def describe(self, parts):
        name = parts[0].identifiers[0]
        return Description(
            td={"title": name, "properties": {"any": {}, "word": {"type": "string"}}},
            inlets=(Mumble(f"mutter/{name}/state", self.says),),
        )


class Mumble:
    """Its inlet: a message names what the test put there for it."""

    def __init__(self, topic, says):
        self.topic = topic
        self._says = says

    def read(self, payload):
        return Uptake(values=self._says[payload])


MUTTERER = "urn:diat:mutter:bob"
poisons = {
    b"surrogate": {"any": "\ud800"},
    b"surrogate by schema": {"word": "\udc00"},
    b"surrogate within": {"any": {"a": ["\udfff"]}},
    b"surrogate key": {"any": {"\ud800": 1}},
    b"integer": {"any": 2**63},
    b"negative integer": {"any": -(2**63) - 1},
    b"integer past all floats": {"any": 10**400},
    b"integer past all text": {"any": [10**5000]},
    b"object": {"any": object()},
    b"complex": {"any": 1j},
    b"name": {"\ud800": 1},
}


@pytest.fixture
def mutter():
    return Mutter()


@pytest.fixture
def muttering(furnished, mutter):
    with a_house(furnished, dialects=[mutter]) as house:
        house.take([message("mutter/bob/here", b"x")])
        yield house


@pytest.mark.parametrize("poison", poisons, ids=lambda poison: poison.decode())
@pytest.mark.parametrize("place", [0, 3, 6])
def test_poison_is_quarantined_and_the_rest_is_stored(muttering, mutter, poison, place):
    mutter.says |= {**poisons, b"fine": {"any": 1}}
    batch = [*witnesses([1, 2, 3]), message("mutter/bob/state", b"fine"), *witnesses([4, 5])]
    batch.insert(place, message("mutter/bob/state", poison))
    muttering.take(batch)
    assert [n for _, n, _ in muttering.readings(WITNESS)] == [1, 2, 3, 4, 5]
    assert {"any": 1} in [v for _, _, v in muttering.readings(MUTTERER)]
    lines = muttering.diagnostics(MUTTERER)
    assert len(lines) == 1, lines
    assert muttering.vol.twin(MUTTERER).values["any"].value == 1
    muttering.end()
    muttering.begin()
    assert muttering.vol.twin(MUTTERER).values["any"].value == 1
    assert muttering.diagnostics(MUTTERER) == lines


def test_a_batch_full_of_poison_leaves_the_platform_well(muttering, mutter):
    mutter.says |= poisons
    batch = [message("mutter/bob/state", poison) for poison in poisons for _ in range(3)]
    muttering.take([*batch, *witnesses([1])])
    assert len(muttering.readings(WITNESS)) == 1
    assert muttering.writer.crashed is None


# NaN and the infinities are no JSON: the encoder writes null, which is what the history then says.
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_harms_nobody(muttering, mutter, number):
    mutter.says |= {b"odd": {"any": number}}
    muttering.take([*witnesses([1]), message("mutter/bob/state", b"odd"), *witnesses([2])])
    assert [n for _, n, _ in muttering.readings(WITNESS)] == [1, 2]
    muttering.end()
    muttering.begin()
    assert muttering.writer.crashed is None


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, -1e308, 2**63])
def test_a_wild_value_does_not_end_the_services_that_read_it(house, value):
    house.take([message("diat/victim/properties", report(1, temperature=20.0))])
    house.take([message("diat/victim/properties", report(2, temperature=value))])
    house.take([message("diat/victim/properties", report(3, temperature=21.0))])
    states = {service: state.state for service, state in house.composites.states.committed.items()}
    assert "failed" not in states.values(), [s.error for s in house.composites.states.committed.values()]
    (mean,) = [each for each in house.vol.registry.everything() if each.record.dialect == "composite"]
    assert house.vol.twin(mean.id).values["mean"].value == pytest.approx(294.15)


# --- a database that takes nothing for a while ---


class Moody:
    """A store that is out of order for some writes."""

    def __init__(self, store):
        self._store = store
        self.refusals = 0
        self.refused = threading.Event()

    def write(self, ledger):
        if self.refusals:
            self.refusals -= 1
            self.refused.set()
            raise Unavailable("the disk is full")
        self._store.write(ledger)


@pytest.fixture
def moody(furnished):
    made = []

    def wrap(store):
        made.append(Moody(store))
        return made[-1]

    with a_house(furnished, wrap=wrap) as house:
        house.moody = made[-1]
        yield house


@pytest.mark.parametrize("times", [1, 4])
def test_nothing_is_acknowledged_or_sent_before_it_is_stored(moody, times):
    faults = []

    def stored(messages):
        there = {n for _, n, _ in moody.readings(WITNESS)}
        faults.extend(n for n in _numbers(messages) if n not in there)

    def noted(outgoing):
        there = {row for (row,) in moody.rows("SELECT id FROM actuations")}
        faults.extend(each.reference for each in outgoing if each.reference and each.reference not in there)

    moody.broker.on_settle, moody.broker.on_send = stored, noted
    moody.moody.refusals = times
    moody.take([*witnesses([1, 2, 3]), *witnesses([2, 4])])
    moody.moody.refusals = times
    made = moody.writer.submit(
        lambda: moody.vol.interaction.invoke(VICTIM, "go", None, NOW, Order(command_id="once"))
    ).result(PATIENCE)
    assert faults == []
    assert [n for _, n, _ in moody.readings(WITNESS)] == [1, 2, 3, 4]
    assert [each.reference for each in moody.broker.sent if each.reference] == [made.id]
    assert moody.writer.trouble is None


def test_while_nothing_can_be_stored_it_is_told_and_nothing_shows(moody):
    moody.moody.refusals = 10**9
    moody.broker.deliver(witnesses([1]))
    assert moody.moody.refused.wait(PATIENCE)
    assert moody.vol.twin(WITNESS).values == {}
    assert moody.broker.settled == []
    moody.moody.refusals = 0
    assert moody.broker.wait_settled(1)
    assert moody.vol.twin(WITNESS).values["level"].value == 1


def test_it_stops_while_nothing_can_be_stored_and_what_waits_comes_again(moody):
    moody.moody.refusals = 10**9
    moody.broker.deliver(witnesses([1]))
    assert moody.moody.refused.wait(PATIENCE)
    change = moody.writer.submit(lambda: None)
    moody.end()
    assert moody.writer.crashed is None
    with pytest.raises(Unavailable):
        change.result(0)
    assert moody.broker.settled == []
    moody.begin()
    moody.take(witnesses([1]))
    assert len(moody.readings(WITNESS)) == 1


def test_a_change_that_raises_leaves_nothing_behind(house):
    def change():
        house.vol.interaction.invoke(VICTIM, "go", None, NOW)
        raise LookupError("a fault of the caller")

    with pytest.raises(LookupError):
        house.writer.submit(change).result(PATIENCE)
    house.take(witnesses([1]))
    assert house.rows("SELECT * FROM actuations") == []
    assert [each for each in house.broker.sent if each.reference] == []


@thorough
@given(said=st.lists(st.sampled_from(["good", "refused", "poison"]), max_size=12), chunk=st.integers(1, 5))
def test_moods_and_poison_together_lose_and_double_nothing(furnished, said, chunk):
    mutter = Mutter()
    mutter.says |= poisons
    made = []

    def wrap(store):
        made.append(Moody(store))
        return made[-1]

    with a_house(furnished, dialects=[mutter], wrap=wrap) as house:
        house.take([message("mutter/bob/here", b"x")])
        expected = []
        for at in range(0, len(said), chunk):
            batch = []
            for n, kind in enumerate(said[at : at + chunk], start=at + 1):
                if kind == "poison":
                    batch.append(message("mutter/bob/state", b"surrogate"))
                else:
                    made[-1].refusals += kind == "refused" and not made[-1].refusals
                    batch += witnesses([n, n])
                    expected.append(n)
            with suppress(IndexError):
                house.take(batch)
        assert [n for _, n, _ in house.readings(WITNESS)] == expected
        assert house.writer.crashed is None


def test_what_is_held_survives_and_is_applied_once(house):
    """Readings before their description, a restart in between, then the description."""
    early = [message("diat/late/properties", {"b": 1, "n": n, "v": {"x": n}}) for n in (1, 2, 2, 3)]
    house.take(early)
    house.end()
    house.begin()
    house.take([*early, message("wot/td/late", {"title": "Late", "properties": {"x": {}}})])
    assert [n for _, n, _ in house.readings("urn:dev:late")] == [1, 2, 3]
    assert house.rows("SELECT * FROM held") == []


def test_a_message_of_the_largest_size_and_one_over_it(house):
    fits = b'{"b":1,"n":1,"v":{"text":"%s"}}'
    fits = fits % (b"x" * (topics.NATIVE_LIMIT - len(fits) + 2))
    assert len(fits) == topics.NATIVE_LIMIT
    house.take([message("diat/victim/properties", fits), message("diat/victim/properties", fits + b" ")])
    assert len(house.readings(VICTIM)) == 1
    assert "larger than" in house.diagnostics(VICTIM)[0]
