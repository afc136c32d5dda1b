"""Invariant: the Homie dialect answers whatever it is fed.

Any topic and any bytes give a Part, a Withdrawal, a Refusal or None. Any parts give a Description that is a
valid Thing Description; any bytes into any of its inlets give an Uptake of values that can be stored, and any
value into any of its outlets an Outgoing or a Refusal. All of that in bounded time, in lines without line
breaks, and never with an exception.
"""

import json
import re
import time

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diat.vol.dialects.homie import Homie
from diat.vol.dialects.port import Description, Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.wot.schema import compile_check, data_schema
from diat.wot.td import complete, fault

H = Homie()
SECONDS = 2.0
fast = settings(suppress_health_check=[HealthCheck.too_slow])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["a", "b", "a-b", "Ä/ö", "x\ny", "+", "\ud800", "n" * 300]) | st.text(max_size=4)
datatypes = st.sampled_from(
    ["integer", "float", "boolean", "string", "enum", "color", "datetime", "duration", "json", "colour"]
)
formats = (
    st.sampled_from(
        [
            "0:100",
            ":",
            "::1",
            "0:9:2",
            "9:1",
            "1:2:3:4",
            "rgb",
            "rgb,hsv,xyz",
            "a,b,,a",
            "off,on",
            '{"type":"object"}',
        ]
    )
    | st.sampled_from(["," * 9000, "a," * 9000, "[" * 9000, "9" * 9000 + ":"])
    | st.text(alphabet="0123456789:,.eE-abrghsvxyz", max_size=12)
)
units = st.sampled_from(["°C", "%", "#", "MK⁻¹", ""]) | st.text(max_size=3)

PATHS = ("$homie", "$name", "$nodes", "$mac", "$fw/version", "$state", "$extensions", "$stats/uptime")
NODE = ("$name", "$type", "$properties")
PROPERTY = ("$name", "$datatype", "$format", "$settable", "$retained", "$unit")
attributes = (
    st.builds("homie/d/{}".format, st.sampled_from(PATHS))
    | st.builds("homie/d/{}/{}".format, ids, st.sampled_from(NODE))
    | st.builds("homie/d/{}/{}/{}".format, ids, ids, st.sampled_from(PROPERTY))
)
below = st.sampled_from(["$description", "$state", "$alert/x", "$alert/", "$log/warn"])
topics = st.text() | attributes | st.builds("{}/5/{}/{}".format, ids, ids, below)
texts = (
    st.sampled_from(["true", "false", "a,b", "a,a-b,x\ny,,+", "4.0.0"])
    | datatypes
    | formats
    | units
    | st.text()
)
wide = st.sampled_from(
    [
        b"[" * 100_000,
        b"9" * 5000,
        b'"' + b"x" * 200_000 + b'"',
        b"\xff\xfe",
        b'"\\ud800"',
        b"\0",
        b"",
        b"1e999",
    ]
)

properties = st.fixed_dictionaries(
    {},
    optional={
        "datatype": datatypes | values,
        "format": formats | values,
        "unit": units | values,
        "name": st.text() | values,
        "settable": st.booleans() | values,
        "retained": st.booleans() | values,
    },
)
nodes = st.dictionaries(
    ids,
    st.fixed_dictionaries({"properties": st.dictionaries(ids, properties | values, max_size=4)}) | values,
    max_size=3,
)
descriptions = st.fixed_dictionaries(
    {"homie": st.just("5.0")},
    optional={"nodes": nodes | values, "root": ids | values, "parent": ids | values, "name": values},
).map(lambda said: json.dumps(said).encode())

parts4 = st.lists(st.tuples(attributes, texts.map(lambda t: t.encode(errors="replace"))), max_size=12)
parts5 = st.tuples(st.just("homie/5/d/$description"), descriptions).map(lambda one: [one])
alerts = st.lists(st.tuples(st.just("homie/5/d/$alert/x"), st.binary()), max_size=1)
payloads = (
    st.binary()
    | texts.map(lambda t: t.encode(errors="replace"))
    | values.map(lambda v: json.dumps(v).encode())
    | st.sampled_from([b"rgb,1,2,3", b"1,2,3", b"PT5M", b"-5", b"2026-01-01T00:00:00"])
    | wide
)


def assert_one_line(*lines):
    assert all("\n" not in line and len(line) < 1000 for line in lines)


@fast
@given(topics, st.binary() | descriptions | wide)
@example("homie/5/d/$description", b"[" * 100_000)
def test_any_topic_and_any_bytes_are_answered(topic, payload):
    start = time.perf_counter()
    answer = H.hear(topic, payload)
    assert answer is None or isinstance(answer, Part | Withdrawal | Refusal)
    if isinstance(answer, Part):
        assert answer.identifiers
    if isinstance(answer, Refusal):
        assert_one_line(answer.reason)
    assert time.perf_counter() - start < SECONDS


@fast
@given(parts4 | st.builds(list.__add__, parts5, alerts), st.lists(payloads, max_size=4), values)
def test_any_announcement_can_be_described_read_and_driven(announced, messages, value):
    parts = [part for topic, payload in announced if isinstance(part := H.hear(topic, payload), Part)]
    start = time.perf_counter()
    described = H.describe(parts)
    assert isinstance(described, Description)
    assert described.td["title"]
    assert fault(complete(described.td)) is None
    assert_one_line(*described.notes)
    found = described.td.get("properties", {})
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in found)
    assert described.outlets.keys() <= found.keys() | described.td.get("actions", {}).keys()
    for about in found.values():
        compile_check(data_schema(about))
    for inlet in described.inlets:
        for payload in messages:
            uptake = inlet.read(payload)
            assert isinstance(uptake, Uptake)
            assert uptake.values.keys() <= found.keys()
            assert {name for name, _ in uptake.events} <= described.td.get("events", {}).keys()
            msgspec.json.encode([uptake.values, uptake.events])
            assert_one_line(*uptake.notes)
    for outlet in described.outlets.values():
        for given_value in (value, True, 5, 0.5, "x", "\ud800", {"r": 1, "g": 2, "b": 3}, [1]):
            answer = outlet.write(given_value)
            assert isinstance(answer, Outgoing | Refusal)
    assert time.perf_counter() - start < SECONDS * (1 + len(described.inlets) * len(messages))


@fast
@given(parts4, st.randoms())
def test_the_order_of_announcements_does_not_matter(announced, random):
    parts = {topic: part for topic, payload in announced if isinstance(part := H.hear(topic, payload), Part)}
    listed = list(parts.values())
    shuffled = random.sample(listed, len(listed))
    assert H.describe(listed).td == H.describe(shuffled).td


def test_giant_announcements_are_bounded():
    nodes = {
        f"n{i}": {"properties": {f"p{j}": {"datatype": "float"} for j in range(100)}} for i in range(100)
    }
    payload = json.dumps({"homie": "5.0", "nodes": nodes}).encode()
    start = time.perf_counter()
    described = H.describe([H.hear("homie/5/d/$description", payload)])
    assert len(described.td["properties"]) == 2000
    assert described.notes == ("only the first 2000 properties are taken",)
    assert time.perf_counter() - start < 5
