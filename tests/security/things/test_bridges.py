"""What speaks other dialects: each announcement belongs to the credential that may make it."""

import json

import pytest

from diat.daemon import Daemon
from diat.kernel.errors import Invalid
from diat.security.permissions import Permissions
from diat.vol.actuation import Order

from .conftest import GRANTED, REFUSED_FILTER, until

DEVICES = [
    {
        "ieee_address": "0x00158d0001dc126a",
        "friendly_name": "lamp",
        "type": "Router",
        "supported": True,
        "interview_completed": True,
        "definition": {
            "model": "L1",
            "vendor": "V",
            "description": "lamp",
            "exposes": [
                {
                    "type": "light",
                    "features": [
                        {
                            "type": "binary",
                            "name": "state",
                            "property": "state",
                            "access": 7,
                            "value_on": "ON",
                            "value_off": "OFF",
                        }
                    ],
                }
            ],
        },
    }
]
LAMP = "urn:diat:zigbee2mqtt:ieee-00158d0001dc126a"


def foreign(topic, told, title="Foreign"):
    """A Thing Description with MQTT forms of its own."""
    href = "mqtt://localhost"
    return {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": title,
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": "nosec_sc",
        "properties": {
            "on": {
                "type": "boolean",
                "forms": [
                    {
                        "href": href,
                        "op": "observeproperty",
                        "mqv:filter": topic,
                        "mqv:controlPacket": "subscribe",
                    },
                    {"href": href, "op": "writeproperty", "mqv:topic": told, "mqv:controlPacket": "publish"},
                ],
            }
        },
    }


@pytest.fixture
def zigbee(site):
    """Zigbee2MQTT with a credential of its own, and its lamp."""
    scope = Permissions(("zigbee2mqtt/#",), ("zigbee2mqtt/#",))
    now = site.daemon.clock()
    password = site.do(lambda: site.access.credentials.issue("zigbee2mqtt", now, "bridge", scope))
    site.bridge = until(lambda: site._entered("zigbee2mqtt", password, {}), "the bridge in")
    assert site.bridge.subscribe("zigbee2mqtt/lamp/set") in GRANTED
    site.bridge.publish("zigbee2mqtt/bridge/devices", DEVICES, retain=True)
    site.lamp = until(lambda: lamp(site), "the lamp").id
    return site


def lamp(site):
    found = site.daemon.things.registry.objects.committed.values()
    return next((each for each in found if each.record.dialect == "zigbee2mqtt"), None)


def test_a_bridge_speaks_for_its_things_and_for_nothing_else(zigbee):
    witness = zigbee.own()
    witness.subscribe("#")
    for topic in ("diat/th1/properties", "wot/td/th1", "homeassistant/light/x/config", "tasmota/discovery/x"):
        zigbee.bridge.attempt(topic)
    zigbee.bridge.publish("zigbee2mqtt/lamp", b'{"state":"ON"}')
    seen = []
    while ("zigbee2mqtt/lamp", b'{"state":"ON"}') not in seen:
        seen.append(witness.next())
    assert {topic.partition("/")[0] for topic, _ in seen} <= {"zigbee2mqtt", "diat"}
    assert not [topic for topic, _ in seen if topic.startswith("diat/th1")]
    for asked in ("#", "diat/#", "homeassistant/#", "zigbee2mqtt2/#"):
        assert zigbee.bridge.subscribe(asked) == REFUSED_FILTER or zigbee.broker == "mosquitto"


def test_a_foreign_thing_gets_the_topics_of_its_forms(site):
    thing = site.thing("sensor", foreign("room/on", "room/on/set"))
    witness = site.own()
    witness.subscribe("room/#")
    until(lambda: site.access.allowed("sensor", "sensor").may_publish("room/on"), "its topics")
    thing.publish("room/on", b"true")
    assert witness.next() == ("room/on", b"true")
    assert thing.subscribe("room/on/set") in GRANTED
    witness.publish("room/on/set", b"true")
    assert thing.next() == ("room/on/set", b"true")


def test_a_foreign_thing_gets_no_topic_of_anothers(zigbee):
    site = zigbee
    site.thing("first", foreign("room/on", "room/on/set"))
    asked = (
        ("zigbee2mqtt/lamp", "zigbee2mqtt/lamp/set"),
        ("room/on", "room/on/set"),
        ("diat/first/properties", "diat/first/set"),
        ("$SYS/x", "$MQTT/x"),
        ("room/+", "room/#"),
        ("#", "+"),
    )
    for number, (heard, told) in enumerate(asked):
        name = f"other{number}"
        site.thing(name, foreign(heard, told))
        allowed = site.access.allowed(name, name)
        assert not allowed.may_publish(heard), heard
        assert not allowed.may_subscribe(told), told
        # Nor does the platform hear the thing there, or drive it by that topic.
        each = site.daemon.things.registry.objects.committed[f"urn:dev:{name}"]
        assert heard not in each.inlets
        assert not site.do(lambda each=each, told=told: site.access.may_tell(each, told))


def test_a_foreign_thing_is_not_driven_on_anothers_topic(zigbee):
    site = zigbee
    site.thing("evil", foreign("evil/on", "zigbee2mqtt/lamp/set"))
    things = site.daemon.things
    order = Order()
    with pytest.raises(Invalid, match="belongs to others"):
        site.do(lambda: things.interaction.write("urn:dev:evil", "on", True, site.daemon.clock(), order))
    site.do(lambda: things.interaction.write(site.lamp, "state", True, site.daemon.clock(), order))
    topic, payload = site.bridge.next()
    assert (topic, json.loads(payload)) == ("zigbee2mqtt/lamp/set", {"state": "ON"}), "the control alone"
    assert site.bridge.heard.empty()


def test_what_another_announced_is_not_joined_by_its_identifier(zigbee):
    """Another credential names the lamp's own IEEE address: it does not become part of the lamp."""
    site = zigbee
    scope = Permissions(("homeassistant/+/+/config", "evil/#"), ("evil/#",))
    now = site.daemon.clock()
    password = site.do(lambda: site.access.credentials.issue("evil", now, "bridge", scope))
    evil = until(lambda: site._entered("evil", password, {}), "in")
    config = {
        "name": "false",
        "unique_id": "0x00158d0001dc126a_light",
        "command_topic": "evil/set",
        "state_topic": "evil/state",
        "device": {"identifiers": ["zigbee2mqtt_0x00158d0001dc126a"], "name": "lamp"},
    }
    evil.publish("homeassistant/switch/false/config", config)
    control = {**config, "unique_id": "c", "device": {"identifiers": ["control"], "name": "control"}}
    evil.publish("homeassistant/switch/control/config", control)
    objects = site.daemon.things.registry.objects
    until(lambda: [e for e in objects.committed.values() if e.td["title"] == "control"], "the control")
    each = objects.committed[site.lamp]
    assert list(each.properties) == ["state"]
    assert "evil/state" not in each.inlets


def test_what_came_first_stays_first(embedded):
    """An older thing describes itself anew, with a younger one's topics: they stay the younger one's."""
    site = embedded
    older = site.thing("older", foreign("older/on", "older/on/set"))
    site.thing("younger", foreign("room/on", "room/on/set"))
    older.publish("wot/td/older", foreign("room/on", "room/on/set", "Told"), retain=True)
    until(lambda: site.title("older") == "Told", "the other description")

    def held():
        allowed = {name: site.access.allowed(name, name) for name in ("older", "younger")}
        assert allowed["younger"].may_publish("room/on")
        assert allowed["younger"].may_subscribe("room/on/set")
        assert not allowed["older"].may_publish("room/on")
        assert not allowed["older"].may_subscribe("room/on/set")
        objects = site.daemon.things.registry.objects.committed
        assert "room/on" in objects["urn:dev:younger"].inlets
        assert "room/on" not in objects["urn:dev:older"].inlets

    held()
    site.daemon.__exit__()
    site.daemon = Daemon(site.settings)
    with site.daemon:
        held()
        site.do(lambda: site.daemon.things.retire("urn:dev:younger"))
        assert not site.access.allowed("younger", "younger").may_publish("room/on")


def test_a_topic_is_given_again_when_its_thing_no_longer_uses_it(embedded):
    first = embedded.thing("first", foreign("room/on", "room/on/set"))
    first.publish("wot/td/first", foreign("hall/on", "hall/on/set", "Moved"), retain=True)
    until(lambda: embedded.title("first") == "Moved", "the other description")
    assert first.gone.wait(5), "who may do something else has to come in again"
    assert embedded.access.allowed("first", "first").may_publish("hall/on")
    embedded.thing("second", foreign("room/on", "room/on/set"))
    assert embedded.access.allowed("second", "second").may_publish("room/on")
