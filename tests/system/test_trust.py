"""A registry that can be trusted: what brokers keep and what devices say do not undo what people decided.

Two complaints about Home Assistant are tried on every way to announce a thing: a stale retained announcement
brings back what a person removed (home-assistant/core#176779), and overrides what a person set (#177130).
"""

import json
from urllib.parse import quote

import httpx
import pytest

from diat.simulation.link import Address, Link

pytestmark = pytest.mark.mosquitto

SECONDS = 10.0
IEEE = "0x0017880104e4aaaa"
MAC = "3C71BF00AAAA"
TASMOTA = {
    "dn": "Hut", "mac": MAC, "t": "hut", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
    "rl": [1], "state": ["OFF", "ON", "TOGGLE", "HOLD"], "onln": "Online", "ofln": "Offline", "ver": 1,
}  # fmt: skip
EXPOSES = [{"type": "numeric", "name": "t", "property": "t", "access": 1, "unit": "°C"}]
ENTRY = {"ieee_address": IEEE, "friendly_name": "Hut", "definition": {"model": "M", "exposes": EXPOSES}}
WHOLE = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:dev:whole",
    "title": "Hut",
    "security": "n",
    "securityDefinitions": {"n": {"scheme": "nosec"}},
    "properties": {"t": {"type": "number", "forms": [{"href": "mqtt://localhost", "mqv:topic": "hut/t"}]}},
}
HOMIE_5 = {"homie": "5.0", "version": 1, "name": "Hut", "nodes": {}}
LISTED = "Zigbee2MQTT"


def _sensor(unique_id):
    return {"name": "Warmth", "stat_t": "hut/state", "unit_of_meas": "°C", "uniq_id": unique_id}


def _device(name):
    return {"ids": [name], "name": "Hut"}


_PARTS = {"a": _sensor("many-1") | {"p": "sensor"}, "b": _sensor("many-2") | {"p": "sensor"}}
ANNOUNCED = {
    "native": ("urn:dev:bare", {"wot/td/bare": {"title": "Hut", "properties": {"t": {"type": "number"}}}}),
    "foreign description": ("urn:dev:whole", {"wot/td/whole": WHOLE}),
    "Home Assistant, one entity": (
        "urn:diat:homeassistant:one",
        {"homeassistant/sensor/one/warmth/config": _sensor("one-1") | {"dev": _device("one")}},
    ),
    "Home Assistant, whole device": (
        "urn:diat:homeassistant:many",
        {"homeassistant/device/many/config": {"dev": _device("many"), "o": {"name": "me"}, "cmps": _PARTS}},
    ),
    "Tasmota": (
        f"urn:diat:tasmota:{MAC}",
        {f"tasmota/discovery/{MAC}/config": TASMOTA, f"tasmota/discovery/{MAC}/sensors": {"sn": {}}},
    ),
    "Homie 4": (
        "urn:diat:homie:hut",
        {"homie/hut/$homie": "4.0.0", "homie/hut/$name": "Hut", "homie/hut/$nodes": "n"},
    ),
    "Homie 5": ("urn:diat:homie:homie-5-hut", {"homie/5/hut/$description": HOMIE_5}),
    LISTED: (f"urn:diat:zigbee2mqtt:{IEEE}", {"zigbee2mqtt/bridge/devices": [ENTRY]}),
}


class Hut:
    """A thing of one kind: says what its device says, to a broker that outlives the platform."""

    def __init__(self, link, house, kind):
        thing, messages = ANNOUNCED[kind]
        self.kind = kind
        self.path = f"/things/{quote(thing, safe='')}"
        self.messages = {topic: _text(body) for topic, body in messages.items()}
        self._link = link
        self._house = house

    def announce(self, messages=None, *, qos=1):
        for topic, payload in (messages or self.messages).items():
            self._link.publish(topic, payload, qos=qos, retain=True)
        assert self._link.drain(SECONDS)

    def stands(self):
        return self._house.rest.get(self.path).status_code == httpx.codes.OK

    def remove(self):
        assert self._house.rest.delete(self.path).status_code == httpx.codes.NO_CONTENT

    def patch(self):
        media = {"Content-Type": "application/merge-patch+json"}
        body = json.dumps({"title": "Mine", "diat:place": "hill/hut"})
        assert self._house.rest.patch(self.path, content=body, headers=media).is_success

    def mine(self):
        found = self._house.get(self.path)
        return (found["title"], found["diat:place"]) == ("Mine", "hill/hut")


def _text(body):
    return body if isinstance(body, str) else json.dumps(body)


class Village:
    """One thing of every kind, the platform, and the broker between them.

    Attributes:
        huts: the things, all announced and admitted.
        house: the platform.
    """

    def __init__(self, broker, house, eventually):
        self.house = house
        self._address = Address("127.0.0.1", broker.port)
        self._eventually = eventually
        self._marks = 0
        self._link = Link(self._address, "devices")
        self._link.open()
        assert self._link.wait_connected(SECONDS)
        self.huts = [Hut(self._link, house, kind) for kind in ANNOUNCED]
        for hut in self.huts:
            hut.announce()
        self.all(lambda hut: hut.stands())

    def all(self, wanted):
        """Return once this is so of every thing."""

        def missing():
            return [hut.kind for hut in self.huts if not wanted(hut)]

        self._eventually(lambda: not missing(), SECONDS, missing)

    def settle(self):
        """Return when the platform has taken everything that was published before."""
        self._marks += 1
        title = f"Mark {self._marks}"
        self._link.publish("wot/td/mark", json.dumps({"title": title}))
        self._eventually(
            lambda: self.house.rest.get("/things/urn:dev:mark").json()["title"] == title, SECONDS
        )

    def retained(self):
        """The topics on which the broker keeps something."""
        found = set()
        topics = [topic for hut in self.huts for topic in hut.messages]
        reader = Link(self._address, "reader", subscriptions=topics, on_message=lambda m: found.add(m.topic))
        reader.open()
        assert reader.wait_connected(SECONDS)
        reader.publish("reader/done", b"")
        assert reader.drain(SECONDS)
        reader.close()
        return found

    def leave(self):
        self._link.close()


@pytest.fixture
def village(start_mosquitto, make_platform, eventually):
    """Everything that can be announced, at a broker with a life of its own, as most have one."""
    broker = start_mosquitto()
    platform = make_platform(broker.url)
    platform.start()
    made = Village(broker, platform, eventually)
    yield made
    made.leave()


def test_a_stale_announcement_does_not_bring_back_what_a_person_removed(village, eventually):
    for hut in village.huts:
        hut.remove()
    # What a bridge announces together with others is its own to clear.
    eventually(lambda: village.retained() == {"zigbee2mqtt/bridge/devices"}, SECONDS)
    # The broker is put back to what it had: QoS 0 does not wait for us, so it comes as a retained copy only.
    assert village.house.terminate() == 0
    for hut in village.huts:
        hut.announce(qos=0)
    everything = {topic for hut in village.huts for topic in hut.messages}
    eventually(lambda: village.retained() == everything, SECONDS)
    village.house.start()
    village.settle()
    assert [hut.kind for hut in village.huts if hut.stands()] == []
    village.house.kill()
    village.house.start()
    village.settle()
    assert [hut.kind for hut in village.huts if hut.stands()] == []


def test_a_living_device_that_announces_itself_anew_comes_back_with_what_was_set(village, eventually):
    for hut in village.huts:
        hut.patch()
        hut.remove()
    eventually(lambda: village.retained() == {"zigbee2mqtt/bridge/devices"}, SECONDS)
    for hut in village.huts:
        hut.announce()
    village.settle()
    # A list comes anew whenever any other device of it changes: this one has to leave it first.
    assert [hut.kind for hut in village.huts if not hut.stands()] == [LISTED]
    (listed,) = (hut for hut in village.huts if hut.kind == LISTED)
    listed.announce({"zigbee2mqtt/bridge/devices": "[]"})
    listed.announce()
    village.all(lambda hut: hut.stands() and hut.mine())


def test_no_announcement_overrides_what_a_person_set(village):
    for hut in village.huts:
        hut.patch()
        assert hut.mine()
    assert village.house.terminate() == 0
    village.house.start()
    village.settle()
    assert [hut.kind for hut in village.huts if not hut.mine()] == []
    for hut in village.huts:
        hut.announce({topic: payload.replace("Hut", "Shack") for topic, payload in hut.messages.items()})
    village.settle()
    assert [hut.kind for hut in village.huts if not hut.mine()] == []


def test_of_an_announcement_and_its_clearing_the_later_counts(village):
    for hut in village.huts:
        hut.announce(dict.fromkeys(hut.messages, ""))
    village.all(lambda hut: not hut.stands())
    assert village.retained() == set()
    for hut in village.huts:
        hut.announce()
    village.all(lambda hut: hut.stands())


def test_both_who_claim_one_id_are_told(village, eventually):
    rival = {"homeassistant/sensor/rival/warmth/config": json.dumps(_sensor("one-1") | {"dev": _device("x")})}
    (claimed,) = (hut for hut in village.huts if hut.kind == "Home Assistant, one entity")
    claimed.announce(rival)
    claimed.announce({"wot/td/whole": json.dumps(WHOLE | {"id": "urn:other:whole"})})
    for kind in ("Home Assistant, one entity", "foreign description"):
        (holder,) = (hut for hut in village.huts if hut.kind == kind)

        def told(holder=holder):
            return [
                line["text"]
                for line in village.house.get(f"{holder.path}/diagnostics")
                if "already" in line["text"]
            ]

        eventually(told, SECONDS)
    assert village.house.rest.get("/things/urn:diat:homeassistant:x").status_code == httpx.codes.NOT_FOUND
    answers = []
    reader = Link(
        Address("127.0.0.1", village.house.broker_port),
        "rival",
        subscriptions=["diat/whole/admission"],
        on_message=lambda message: answers.append(json.loads(message.payload)),
    )
    reader.open()
    eventually(lambda: any(each["state"] == "rejected" for each in answers), SECONDS, lambda: answers)
    reader.close()
