"""What forms say of MQTT, in the present and in earlier spellings of the binding."""

import pytest

from diat.wot.mqtt import mqtt_form, mqtt_prefixes, topic_fault

USUAL = mqtt_prefixes("https://www.w3.org/2022/wot/td/v1.1")


def said(form, base=""):
    found = mqtt_form(form, base, USUAL)
    return None if found is None else (found.host, found.topic, found.filters)


@pytest.mark.parametrize(
    ("href", "base", "address"),
    [
        ("mqtt://broker", "", ("broker", None, ())),
        ("mqtt://Broker:1883/", "", ("broker", None, ())),
        ("mqtts://broker:8883/a/b", "", ("broker", "a/b", ())),
        ("mqtt://broker//a", "", ("broker", "/a", ())),
        ("mqtt://[::1]:1883/a", "", ("::1", "a", ())),
        ("mqtt://broker/a%20b/%C3%A4%2B", "", ("broker", "a b/ä+", ())),
        ("mqtt://broker/a/#", "", ("broker", "a/#", ())),
        ("mqtt://broker/a?b=c", "", ("broker", "a?b=c", ())),
        ("b/c", "mqtt://broker/a/", ("broker", "a/b/c", ())),
        ("/c", "mqtt://broker/a/", ("broker", "c", ())),
        ("../c", "mqtt://broker/a/b/", ("broker", "a/c", ())),
        ("", "mqtt://broker/a", ("broker", "a", ())),
        ("https://broker/a", "mqtt://broker/", None),
        ("a", "https://broker/", None),
        ("a", "", None),
        ("mqtt://[broken/a", "", None),
    ],
)
def test_broker_and_topic_of_an_address(href, base, address):
    assert said({"href": href}, base) == address


@pytest.mark.parametrize(
    ("terms", "topic", "filters"),
    [
        ({"mqv:topic": "t"}, "t", ()),
        ({"mqv:filter": "f"}, "path", ("f",)),
        ({"mqv:filter": ["f", 5, "g"]}, "path", ("f", "g")),
        ({"mqtt:topic": "t"}, "t", ()),
        ({"mqv:topic": 5}, "path", ()),
        ({"other:topic": "t"}, "path", ()),
    ],
)
def test_topic_and_filter(terms, topic, filters):
    assert said({"href": "mqtt://b/path"} | terms) == ("b", topic, filters)


@pytest.mark.parametrize(
    ("terms", "packet"),
    [
        ({}, None),
        ({"mqv:controlPacket": "mqv:publish"}, "publish"),
        ({"mqv:controlPacket": "subscribe"}, "subscribe"),
        ({"mqv:controlPacketValue": "SUBSCRIBE"}, "subscribe"),
        ({"mqtt:commandCode": 8}, "subscribe"),
        ({"mqv:commandCode": "3"}, "publish"),
        ({"mqtt:methodCode": 10}, "unsubscribe"),
        ({"mqv:controlPacket": "mqv:connect"}, None),
        ({"mqv:controlPacket": {"x": 1}}, None),
        ({"mqv:controlPacket": True}, None),
    ],
)
def test_control_packet(terms, packet):
    assert mqtt_form({"href": "mqtt://b/t"} | terms, "", USUAL).packet == packet


@pytest.mark.parametrize(
    ("given", "qos"),
    [("quality:1", 1), ("2", 2), (0, 0), ("mqv:1", 1), (3, None), ("high", None), (True, None), (None, None)],
)
def test_quality_of_service(given, qos):
    assert mqtt_form({"href": "mqtt://b/t", "mqv:qos": given}, "", USUAL).qos == qos


def test_retain():
    assert mqtt_form({"href": "mqtt://b/t", "mqv:retain": True}, "", USUAL).retain
    assert not mqtt_form({"href": "mqtt://b/t", "mqv:retain": []}, "", USUAL).retain


def test_the_context_may_name_the_prefix():
    prefixes = mqtt_prefixes(
        ["https://www.w3.org/2022/wot/td/v1.1", {"m": "https://www.w3.org/2019/wot/mqtt#"}]
    )
    assert mqtt_form({"href": "mqtt://b", "m:topic": "t"}, "", prefixes).topic == "t"


@pytest.mark.parametrize("topic", ["", "a/+/b", "#", "a/#", "a\0b", "\ud800", "x" * 70_000, "a/{id}"])
def test_what_is_no_topic_for_one_value(topic):
    assert topic_fault(topic)


@pytest.mark.parametrize("topic", ["a", "/a", "a//b", "ä", "a/*", "$a"])
def test_what_is_one(topic):
    assert topic_fault(topic) is None
