"""Invariant: the Zigbee2MQTT dialect answers whatever it is fed.

Any topic and any bytes give a tuple of Parts and Refusals, a Part, a Withdrawal, a Refusal or None; what a
Part keeps of the message gives the same Part again. Any parts give a Description that is a valid Thing
Description; any bytes into any of its inlets give an Uptake of values that can be stored, and any value into
any of its outlets an Outgoing or a Refusal. All of that in bounded time, in lines without line breaks, and
never with an exception.
"""

import json
import re
import time

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.vol.dialects.port import Description, Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt
from diat.wot.schema import compile_check, data_schema
from diat.wot.td import complete, fault

Z = Zigbee2Mqtt()
SECONDS = 2.0
LIST = "zigbee2mqtt/bridge/devices"
ADDRESS = "0x00158d0001e83a31"
fast = settings(suppress_health_check=[HealthCheck.too_slow])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "state",
        "a",
        "b",
        "contact",
        "temperature",
        "color_xy",
        "color_hs",
        "action",
        "x\ny",
        "ü",
        "positionMax_1",
    ]
) | st.text(max_size=3)
types = st.sampled_from(
    [
        *(
            "binary",
            "numeric",
            "enum",
            "text",
            "list",
            "composite",
            "light",
            "switch",
            "lock",
            "cover",
            "fan",
        ),
        *("climate", "gizmo"),
    ]
)


def exposes(inner):
    return st.fixed_dictionaries(
        {"type": types | values},
        optional={
            "name": names | values,
            "property": names | values,
            "label": names | values,
            "endpoint": st.sampled_from(["l1", "", "x\n"]) | values,
            "access": st.integers(0, 7) | values,
            "unit": st.sampled_from(["°C", "%", "lqi", "w", "foo"]) | values,
            "values": st.lists(scalars | st.sampled_from(["ON", "recall_*"]), max_size=4) | values,
            "value_on": st.sampled_from(["ON", True, False, 1]) | values,
            "value_off": st.sampled_from(["OFF", True, False, 0]) | values,
            "value_toggle": values,
            "value_min": scalars,
            "value_max": scalars,
            "value_step": scalars,
            "length_min": scalars,
            "length_max": scalars,
            "category": st.sampled_from(["config", "diagnostic"]) | values,
            "description": values,
            "presets": st.lists(
                st.fixed_dictionaries({"name": st.text(), "value": scalars}) | values, max_size=3
            ),
            "features": st.lists(inner | values, max_size=3) | values,
            "item_type": inner | values,
        },
    )


features = st.recursive(exposes(st.nothing() | scalars), exposes, max_leaves=6)
devices = st.fixed_dictionaries(
    {"ieee_address": st.sampled_from([ADDRESS, ADDRESS.upper(), "0x1"]) | values},
    optional={
        "friendly_name": st.sampled_from(["lamp", "hall/lamp", "a/+", "\ud800", "Küche x"]) | values,
        "type": st.sampled_from(["Router", "EndDevice", "Coordinator"]) | values,
        "definition": st.fixed_dictionaries({"exposes": st.lists(features | values, max_size=5) | values})
        | values,
        "disabled": st.booleans() | values,
        "description": values,
        "software_build_id": values,
    },
)
wide = st.sampled_from(
    [
        b"[" * 100_000,
        b'[{"a":' * 50_000,
        b"9" * 5000,
        b'"' + b"x" * 200_000 + b'"',
        b"\xff\xfe",
        b'"\\ud800"',
        b"",
    ]
)
lists = st.lists(devices | values, max_size=4).map(lambda said: json.dumps(said).encode())
topics = st.text() | st.sampled_from(
    [LIST, f"{LIST}#{ADDRESS}", f"{LIST}#", f"{LIST}/x", "zigbee2mqtt/bridge/state"]
)
payloads = (
    st.binary()
    | values.map(lambda said: json.dumps(said).encode())
    | st.dictionaries(names, values | st.sampled_from(["ON", "OFF", {"x": 1, "y": 0}])).map(
        lambda said: json.dumps(said).encode()
    )
    | st.sampled_from([b"online", b'{"state":"offline"}'])
    | wide
)


def assert_one_line(*lines):
    assert all("\n" not in line and len(line) < 1000 for line in lines)


@fast
@given(topics, st.binary() | lists | devices.map(lambda said: json.dumps(said).encode()) | wide)
def test_any_topic_and_any_bytes_are_answered(topic, payload):
    start = time.perf_counter()
    answer = Z.hear(topic, payload)
    assert answer is None or isinstance(answer, Part | Withdrawal | Refusal | tuple)
    for each in answer if isinstance(answer, tuple) else (answer,):
        if isinstance(each, Part):
            assert each.identifiers
            assert Z.hear(each.topic, each.payload) == each
        if isinstance(each, Refusal):
            assert_one_line(each.reason)
    assert time.perf_counter() - start < SECONDS


@fast
@given(devices, st.lists(payloads, max_size=4), values)
def test_any_announcement_can_be_described_read_and_driven(device, messages, value):
    heard = Z.hear(LIST, json.dumps([device | {"ieee_address": ADDRESS}]).encode())
    start = time.perf_counter()
    # A lone surrogate is no JSON, so a list with one is none.
    parts = [part for part in heard if isinstance(part, Part)] if isinstance(heard, tuple) else []
    described = Z.describe(parts)
    assert isinstance(described, Description)
    assert described.td["title"]
    assert fault(complete(described.td)) is None
    assert_one_line(*described.notes)
    found = described.td.get("properties", {})
    known = {*found, *described.td.get("actions", {})}
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in known)
    assert described.outlets.keys() <= known
    for about in (*found.values(), *(a.get("input", {}) for a in described.td.get("actions", {}).values())):
        compile_check(data_schema(about))
    for inlet in described.inlets:
        for payload in messages:
            uptake = inlet.read(payload)
            assert isinstance(uptake, Uptake)
            assert uptake.values.keys() <= known
            assert {name for name, _ in uptake.events} <= described.td.get("events", {}).keys()
            msgspec.json.encode([uptake.values, uptake.events])
            assert_one_line(*uptake.notes)
    for outlet in described.outlets.values():
        for given_value in (value, True, 5, 0.5, "ON", "\ud800", {"x": 1, "y": 2}, [1], None, float("nan")):
            answer = outlet.write(given_value)
            assert isinstance(answer, Outgoing | Refusal)
    assert time.perf_counter() - start < SECONDS * (1 + len(described.inlets) * len(messages))


def test_giant_announcements_are_bounded():
    said = [{"type": "numeric", "name": f"n{i}", "property": f"n{i}", "access": 7} for i in range(5_000)]
    device = {"ieee_address": ADDRESS, "friendly_name": "x", "definition": {"exposes": said}}
    start = time.perf_counter()
    (part,) = Z.hear(LIST, json.dumps([device]).encode())
    described = Z.describe([part])
    assert len(described.td["properties"]) == 1000
    assert described.notes == ("only the first 1000 features are taken",)
    many = [{"ieee_address": f"0x{i:016x}", "friendly_name": f"d{i}"} for i in range(3_000)]
    heard = Z.hear(LIST, json.dumps(many).encode())
    assert len(heard) == 1001
    assert heard[-1] == Refusal("only the first 1000 of 3000 devices are taken")
    assert time.perf_counter() - start < 5
