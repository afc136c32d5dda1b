"""What is retained reaches the platform at each start, also where its session is left as it is.

Invariant: whatever was retained while the link was away is taken once the link is up, and never as if it were
newer than what came live meanwhile.
"""

import time
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.brokers.listening import free_port
from diat.adapters.brokers.mosquitto import mosquitto
from diat.adapters.brokers.nats import nats_server
from diat.adapters.mqtt import link as linking
from diat.adapters.mqtt.copies import SessionNote
from diat.adapters.mqtt.link import MqttLink
from diat.kernel.clock import system_clock

PATIENCE = 15.0
LOOPBACK = "127.0.0.1"


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def address(request, needed, tmp_path):
    if request.param == "mosquitto":
        needed("mosquitto", "mosquitto")
    make = nats_server if request.param == "nats" else mosquitto
    broker = make(tmp_path / "broker", LOOPBACK, free_port())
    broker.start()
    yield broker.address
    broker.stop()


class Life:
    """The link of one life of the platform: what it took, all of it acknowledged."""

    def __init__(self, address: BrokerAddress, note: SessionNote | None) -> None:
        self.link = MqttLink(address, "diat-test", ("#",), system_clock, note=note)
        self.taken = []
        self.subscribed = 0
        ordinary = self.link._client.subscribe

        def subscribe(filters):
            self.subscribed += 1
            return ordinary(filters)

        self.link._client.subscribe = subscribe

    def until(self, reached):
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, self.taken
            self.turn()

    def turn(self):
        self.link.wait(0.05)
        messages = self.link.take(100)
        self.taken += messages
        self.link.settle(messages)
        self.link.fresh()

    def has(self, topic, payload, retained=None):
        return any(
            (each.topic, each.payload) == (topic, payload) and retained in (None, each.retained)
            for each in self.taken
        )

    def __enter__(self):
        self.until(lambda: self.link.up)
        return self

    def __exit__(self, *_):
        self.link.close()


@pytest.fixture
def note(tmp_path):
    return SessionNote(tmp_path / "subscribed", "broker", "diat-test", "#")


@contextmanager
def somebody(address, on_message=None):
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="somebody")
    client.username_pw_set(address.username, address.password)
    client.on_message = on_message
    client.connect(address.host, address.port)
    client.loop_start()
    deadline = time.monotonic() + PATIENCE
    try:
        while not client.is_connected():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(address, *said, retain=True, qos=0):
    """Publish; returns once the broker hands out what it retained, which with QoS 0 nobody else tells."""
    with somebody(address) as client:
        for topic, payload in said:
            client.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    missing = set(said) if retain else set()
    with somebody(address, lambda _, __, m: missing.discard((m.topic, m.payload))) as client:
        while missing:
            assert time.monotonic() < deadline, missing
            client.subscribe("#")
            time.sleep(0.05)


def test_what_was_retained_while_it_was_away_is_taken_without_subscribing_anew(address, note):
    with Life(address, note) as first:
        assert first.subscribed == 1
    publish(address, ("a/b", b"quietly"))
    publish(address, ("a/c", b"surely"), qos=1)
    with Life(address, note) as second:
        second.until(lambda: second.has("a/b", b"quietly", retained=True) and second.has("a/c", b"surely"))
        publish(address, ("a/d", b"live"), retain=False, qos=1)
        second.until(lambda: second.has("a/d", b"live", retained=False))
        assert second.subscribed == 0


def test_each_start_takes_all_that_is_retained(address, note):
    said = [(f"thing/{number}", b"%d" % number) for number in range(300)]
    publish(address, *said, qos=1)
    for _ in range(3):
        with Life(address, note) as life:
            life.until(lambda life=life: {(each.topic, each.payload) for each in life.taken} >= set(said))


def test_other_filters_are_subscribed_to(address, note, tmp_path):
    with Life(address, note):
        pass
    other = SessionNote(tmp_path / "subscribed", "broker", "diat-test", "something/#")
    with Life(address, other) as life:
        assert life.subscribed == 1


def test_a_session_that_is_lost_is_subscribed_anew(address, note):
    note.make()
    publish(address, ("a/b", b"there"))
    with Life(address, note) as life:
        assert life.subscribed == 1
        life.until(lambda: life.has("a/b", b"there"))


def test_a_note_on_which_nothing_comes_is_not_believed(address, note, monkeypatch):
    monkeypatch.setattr(linking, "UNHEARD", 1.0)
    deaf = paho.Client(CallbackAPIVersion.VERSION2, client_id="diat-test", clean_session=False)
    deaf.username_pw_set(address.username, address.password)
    deaf.connect(address.host, address.port)
    deaf.loop_start()
    deadline = time.monotonic() + PATIENCE
    while not deaf.is_connected():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    deaf.disconnect()
    deaf.loop_stop()
    note.make()
    with Life(address, note) as life:
        life.until(lambda: life.subscribed == 1 and note.stands)
        publish(address, ("a/b", b"heard"), retain=False)
        life.until(lambda: life.has("a/b", b"heard"))


def test_a_copy_is_older_than_what_came_live_on_its_topic(address, note):
    with Life(address, note):
        pass
    publish(address, ("a/b", b"old"), ("a/c", b"old"))
    life = Life(address, note)
    try:
        copies = life.link._copies
        while not copies.waiting:
            life.link.wait(0.05)
            life.link._client.loop_read()
        copies.came("a/b")
        life.until(lambda: life.has("a/c", b"old"))
        assert not life.has("a/b", b"old")
    finally:
        life.link.close()


def test_where_a_second_connection_is_refused_it_subscribes(address, note):
    with Life(address, note):
        pass
    publish(address, ("a/b", b"there"))
    nobody = BrokerAddress(LOOPBACK, free_port())
    life = Life(address, note)
    life.link._copies._make = lambda: linking._client(nobody, "diat-test-retained", session=False)
    with life:
        life.until(lambda: life.subscribed == 1 and life.has("a/b", b"there"))
