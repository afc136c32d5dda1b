"""A gateway where credentials are asked for: a person accepts it, and it may no more than a gateway may."""

import json

import pytest
from diat_gateway.daemon import Gateway
from diat_gateway.settings import LineSettings

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.brokers.listening import free_port
from diat.settings import Listen, Settings
from diat.wire import frame
from tests.security.things.conftest import GRANTED, LOOPBACK, THERMOMETER, Person, until

GATEWAY = {"title": "Barn", "@type": "diat:Gateway", "properties": {}}


def state(site, name):
    each = site.daemon.things.registry.objects.committed.get(f"urn:dev:{name}")
    return each.record.admission if each is not None else None


def up(name, *messages):
    return f"diat/{name}/up", frame.frame([(topic, json.dumps(body).encode()) for topic, body in messages])


def accept(site, name):
    site.do(lambda: site.daemon.things.admit(f"urn:dev:{name}", "accepted", "a person said so"))


@pytest.fixture
def barn(embedded, tmp_path):
    """A gateway that joins with the join key."""
    above = BrokerAddress(LOOPBACK, embedded.port, username="join", password=embedded.key)
    settings = Settings(data=tmp_path / "barn", mqtt=Listen(LOOPBACK, free_port()), announce=False)
    with Gateway(settings, LineSettings(above=above, name="barn", every=0.0, linger=0.05)) as gateway:
        yield gateway


def test_a_gateway_waits_for_a_person_and_then_brings_its_things(embedded, barn):
    until(lambda: state(embedded, "barn") == "pending", "the gateway asks", 20)
    thing = Person(barn.settings.mqtt.port, None, None, "th1")
    thing.publish("wot/td/th1", THERMOMETER, retain=True)
    thing.publish("diat/th1/properties", {"b": 1, "n": 1, "v": {"temperature": 21}})
    assert embedded.title("th1") is None
    accept(embedded, "barn")
    until(lambda: embedded.temperature("th1") == 21, "its readings", 20)
    held = embedded.access.credentials.get("barn")
    assert (held.used, embedded.access.credentials.get("th1")) == (True, None)
    assert barn.session.refusal is None
    thing.end()


def test_it_comes_back_with_its_own_credential_and_is_gone_when_that_is_revoked(embedded, barn):
    until(lambda: state(embedded, "barn") == "pending", "the gateway asks", 20)
    accept(embedded, "barn")
    until(lambda: barn.session.connected, "the line", 20)
    embedded.do(lambda: embedded.access.credentials.revoke("barn", 0))
    until(lambda: barn.session.refusal is not None, "it is out", 20)


def test_a_thing_passes_nothing_on(embedded):
    thing = embedded.thing("th2")
    thing.attempt(*up("th2", ("wot/td/other", THERMOMETER)))
    thing.publish("diat/th2/properties", {"v": {"temperature": 5}})
    until(lambda: embedded.temperature("th2") == 5, "what it may say")
    assert embedded.title("other") is None


def test_a_gateway_speaks_for_no_thing_with_a_credential_of_its_own(embedded):
    own = embedded.thing("th3")
    joining = embedded.person("join", embedded.key, "shed", join=True)
    assert joining.subscribe("diat/shed/credential") in GRANTED
    joining.publish("wot/td/shed", GATEWAY, retain=True)
    until(lambda: state(embedded, "shed") == "pending", "it asks")
    accept(embedded, "shed")
    password = json.loads(joining.next()[1])["password"]
    joining.end()
    shed = until(lambda: embedded._entered("shed", password, {}), "in")
    lie = ("diat/th3/properties", {"b": 9, "n": 1, "v": {"temperature": 99}})
    shed.publish(
        *up("shed", ("wot/td/th3", {**THERMOMETER, "title": "Mine"}), lie, ("wot/td/th4", THERMOMETER))
    )
    until(lambda: embedded.title("th4") == "Thermometer", "what it may bring")
    assert (embedded.title("th3"), embedded.temperature("th3")) == ("Thermometer", None)
    # And nobody else is let in under the name of what it brought.
    stranger = embedded.person("join", embedded.key, "th4", join=True)
    if stranger.code == "Success":
        stranger.publish("wot/td/th4", {**THERMOMETER, "title": "Stolen"}, retain=True)
        own.publish("diat/th3/properties", {"v": {"temperature": 6}})
        until(lambda: embedded.temperature("th3") == 6, "later words")
        assert embedded.title("th4") == "Thermometer"
        assert embedded.access.credentials.get("th4") is None
