"""The birth message on a real broker: said when the platform comes, taken back when it goes, and left to a
Home Assistant that is there."""

import json
import queue
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from diat.daemon import Daemon
from diat.settings import Settings
from diat.vol.birth import STATUS

PATIENCE = 10.0
ANNOUNCED = "homeassistant/sensor/well_level/config"
CONFIG = json.dumps({"stat_t": "well/level", "uniq_id": "w1", "name": "Level", "unit_of_meas": "m"})


class Client:
    """Somebody else on the broker."""

    def __init__(self, port):
        self.heard = queue.Queue()
        self._subscribed = queue.Queue()
        self.paho = paho.Client(CallbackAPIVersion.VERSION2)
        self.paho.on_subscribe = lambda *_: self._subscribed.put(True)
        self.paho.on_message = lambda _, __, message: self.heard.put((message.payload, message.retain))
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()
        self.paho.subscribe(STATUS, 1)
        self._subscribed.get(timeout=PATIENCE)

    def hears(self):
        return self.heard.get(timeout=PATIENCE)

    def say(self, topic, payload, retain=False):
        self.paho.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE)

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def somebody(mosquitto):
    client = Client(mosquitto.port)
    yield client
    client.close()


@pytest.fixture
def settings(mosquitto, tmp_path):
    return Settings(data=tmp_path / "data", broker=mosquitto.url)


def until(ask):
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return answer


def test_it_says_when_it_comes_and_when_it_goes(somebody, settings):
    with Daemon(settings) as daemon:
        assert somebody.hears() == (b"online", False)
        until(lambda: daemon.things.birth.alone)
    assert somebody.hears() == (b"offline", False)
    assert somebody.heard.empty()


def test_it_says_so_again_when_the_broker_comes_back(mosquitto, settings):
    with Daemon(settings) as daemon:
        until(lambda: daemon.link.up)
        mosquitto.kill()
        until(lambda: not daemon.link.up)
        mosquitto.start()
        somebody = Client(mosquitto.port)
        assert somebody.hears() == (b"online", False)
        until(lambda: daemon.link.up)
        assert daemon.things.birth.alone
    assert somebody.hears() == (b"offline", False)
    somebody.close()


def test_a_device_that_waits_for_the_word_announces_itself(mosquitto, settings):
    device = Client(mosquitto.port)
    device.paho.on_message = lambda client, _, message: client.publish(ANNOUNCED, CONFIG, 1)
    with Daemon(settings) as daemon:
        thing = until(lambda: list(daemon.things.registry.objects.committed.values()))[0]
        assert thing.td["properties"]["well_level"]["unit"] == "m"
    device.close()


@pytest.mark.parametrize("word", ["online", "offline"])
def test_where_somebody_else_speaks_it_leaves_the_topic_alone(somebody, settings, word):
    with Daemon(settings) as daemon:
        assert somebody.hears() == (b"online", False)
        # Its own word has come back to it before what follows does.
        somebody.say(STATUS, "online")
        somebody.say(STATUS, word)
        until(lambda: not daemon.things.birth.alone)
    assert [somebody.hears()[0] for _ in range(2)] == [b"online", word.encode()]
    assert somebody.heard.empty()


def test_a_retained_word_is_somebody_elses(somebody, mosquitto, settings):
    somebody.say(STATUS, "online", retain=True)
    somebody.hears()
    with Daemon(settings) as daemon:
        until(lambda: not daemon.things.birth.alone)
    somebody.close()
    assert [word for word, _ in somebody.heard.queue if word == b"offline"] == []


def test_where_it_does_not_listen_it_does_not_speak(somebody, mosquitto, tmp_path):
    with Daemon(Settings(data=tmp_path / "data", broker=mosquitto.url, filters=("diat/#",))) as daemon:
        until(lambda: daemon.link.up)
        somebody.say("diat/nobody/status", "online")
    assert somebody.heard.empty()
