"""People who do not mean well, each with a credential or none, and what they get."""

import json
import time

import pytest

from .conftest import GRANTED, REFUSED, REFUSED_FILTER, THERMOMETER, until

ELSEWHERE = (
    "#",
    "+",
    "+/+/+",
    "diat/#",
    "diat/+/set",
    "diat/+/credential",
    "diat/victim/#",
    "diat/victim/set",
    "wot/td/#",
    "wot/td/victim",
    "$SYS/#",
    "$SYS/broker/clients/connected",
    "$MQTT/#",
    "$MQTT/sub/#",
    "$JS/#",
    "$diat/#",
    "_INBOX/#",
    "$share/g/diat/victim/set",
    "$share/g/#",
    "diat.victim.set",
    "diat/*/set",
    "diat/>",
    ">",
    "*",
    "/diat/victim/set",
    "diat//victim/set",
    "homeassistant/#",
    "zigbee2mqtt/#",
)
PUBLISHED = (
    "wot/td/victim",
    "diat/victim/status",
    "diat/victim/properties",
    "diat/victim/results",
    "diat/victim/set",
    "diat/victim/credential",
    "diat/attacker/admission",
    "diat/attacker/credential",
    "diat/attacker/set",
    "diat/clock",
    "diat.victim.properties",
    "diat//victim/properties",
    "$SYS/REQ/USER/AUTH",
    "$MQTT/sub/x",
    "$JS/API/STREAM/DELETE/$MQTT_msgs",
    "$diat/ready",
    "homeassistant/sensor/x/config",
    "homeassistant/status",
    "zigbee2mqtt/bridge/devices",
)


@pytest.fixture
def house(site):
    """A thing that means well, one that does not, and a witness with the platform's own rights."""
    site.victim = site.thing("victim")
    site.attacker = site.thing("attacker")
    assert site.victim.subscribe("diat/victim/#") in GRANTED
    assert site.attacker.subscribe("diat/attacker/#") in GRANTED
    site.witness = site.own()
    site.witness.subscribe("#")
    return site


def test_no_filter_reaches_what_is_anothers(house):
    for asked in ELSEWHERE:
        answer = house.attacker.subscribe(asked)
        # mosquitto grants what it then does not deliver.
        assert answer == REFUSED_FILTER or house.broker == "mosquitto", asked
    # .. is a name like any other: what lies "above" it is not reached.
    assert house.attacker.subscribe("diat/attacker/../victim/set") in GRANTED
    for topic in ("diat/victim/set", "diat/victim/credential", "wot/td/victim", "homeassistant/x/y/config"):
        house.witness.publish(topic, b"not for the attacker")
    house.victim.publish("diat/victim/properties", {"b": 1, "n": 1, "v": {"temperature": 21}})
    house.witness.publish("diat/attacker/set", b"control")
    heard = []
    while ("diat/attacker/set", b"control") not in heard:
        heard.append(house.attacker.next())
    assert {topic for topic, _ in heard} <= {"diat/attacker/set", "diat/attacker/admission"}


@pytest.mark.parametrize("retain", [False, True], ids=["passing", "retained"])
def test_nothing_is_published_where_another_speaks(house, retain):
    for topic in PUBLISHED:
        house.attacker.attempt(topic, b'{"b":9,"n":1,"v":{"temperature":66.0625}}', retain=retain)
    house.attacker.publish("diat/attacker/status", b"online", retain=True)
    seen = []
    while ("diat/attacker/status", b"online") not in seen:
        seen.append(house.witness.next())
    assert not [topic for topic, payload in seen if b"66.0625" in payload]
    late = house.own()
    late.subscribe("#")
    late.subscribe("diat/attacker/status")
    kept = []
    while "diat/attacker/status" not in [topic for topic, _ in kept]:
        kept.append(late.next())
    assert not [topic for topic, payload in kept if b"66.0625" in payload]
    assert house.temperature("victim") is None


def test_a_spoofed_announcement_does_not_replace_the_true_one(house):
    house.attacker.attempt("wot/td/victim", b'{"title": "Mine", "properties": {}}', retain=True)
    false = {**THERMOMETER, "id": "urn:dev:victim", "title": "Mine"}
    house.attacker.publish("wot/td/attacker", false, retain=True)
    house.attacker.publish("wot/td/attacker", {**THERMOMETER, "title": "Told"}, retain=True)
    until(lambda: house.title("attacker") == "Told", "the control")
    assert house.title("victim") == "Thermometer"


def test_a_replayed_message_counts_once(house):
    said = {"b": 1, "n": 1, "t": 1_700_000_000_000, "v": {"temperature": 21}}
    house.victim.publish("diat/victim/properties", said)
    until(lambda: house.temperature("victim") == 21, "the reading")
    house.attacker.attempt("diat/victim/properties", json.dumps(said).encode())
    before = house.daemon.things.intake.counts.readings
    house.victim.publish("diat/victim/properties", said)
    house.victim.publish("diat/victim/properties", {"b": 1, "n": 2, "v": {"temperature": 22}})
    until(lambda: house.temperature("victim") == 22, "the control")
    assert house.daemon.things.intake.counts.readings == before + 1


def test_a_client_id_belongs_to_its_credential(house):
    if house.broker == "mosquitto":
        # There the user name is the client id, whatever the client says: it comes in as itself.
        other = house.person("attacker", house.attacker.password, "victim")
        assert other.code == "Success"
        assert house.attacker.gone.wait(5), "it has taken its own place"
    else:
        assert house.person("attacker", house.attacker.password, "victim").code == REFUSED
        assert house.person("attacker", house.attacker.password, "").code == REFUSED
        assert house.person("join", house.key, "victim").code == REFUSED
        assert house.person("attacker", house.attacker.password, house.daemon.name).code == REFUSED
    assert not house.victim.gone.is_set()
    house.witness.publish("diat/victim/set", b"control")
    while house.victim.next() != ("diat/victim/set", b"control"):
        pass


def test_a_will_is_told_on_no_topic_of_anothers(house):
    will = ("diat/victim/status", b"offline", 1, True)
    other = house.thing("other", will=will)
    own = house.thing("own", will=("diat/own/status", b"offline", 1, True))
    for each in (other, own):
        each.break_off()
    seen = []
    while ("diat/own/status", b"offline") not in seen:
        seen.append(house.witness.next())
    assert ("diat/victim/status", b"offline") not in seen


def test_passwords_that_are_wrong_old_or_revoked(house):
    password, access = house.victim.password, house.access
    for wrong in (password[:-1], password + "x", password.upper(), "", "x" * 5000):
        assert house.person("victim", wrong, "victim").code == REFUSED
    until(lambda: access.credentials.get("victim").used, "used")
    newer = house.do(lambda: access.credentials.renew("victim", house.daemon.clock()))
    until(lambda: house._entered("victim", newer, {}), "in with the newer one")
    until(lambda: access.credentials.get("victim").used, "used")
    assert house.person("victim", password, "victim").code == REFUSED
    house.do(lambda: access.credentials.revoke("victim", house.daemon.clock()))
    until(lambda: house.person("victim", newer, "victim").code == REFUSED, "revoked")
    if house.broker == "embedded":
        assert house.person("join", house.key, "victim").code == REFUSED, "what was revoked does not join"


def test_no_session_is_inherited(embedded):
    """A persistent session is under a client id, and that belongs to one credential."""
    victim = embedded.thing("victim", keep=True)
    victim.subscribe("diat/victim/set")
    victim.end()
    embedded.own().publish("diat/victim/set", b"secret")
    attacker = embedded.thing("attacker")
    assert embedded.person("attacker", attacker.password, "victim", keep=True).code == REFUSED
    back = embedded.person("victim", victim.password, "victim", keep=True)
    assert back.next() == ("diat/victim/set", b"secret")


def test_the_time_that_a_refusal_takes_tells_no_names(embedded):
    embedded.thing("victim")
    access = embedded.access

    def took(name):
        begun = time.perf_counter()
        for _ in range(200):
            access.decide(name, "wrong", name)
        return time.perf_counter() - begun

    pairs = [(took("victim"), took("nobody")) for _ in range(5)]
    known, unknown = min(a for a, _ in pairs), min(b for _, b in pairs)
    assert 1 / 3 < known / unknown < 3
