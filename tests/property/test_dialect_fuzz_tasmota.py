"""Invariant: the Tasmota dialect answers whatever it is fed.

Any topic and any bytes give a Part, a Withdrawal, a Refusal or None. Any parts give a Description that is a
valid Thing Description; any bytes into any of its inlets give an Uptake of values that can be stored, and any
value into any of its outlets an Outgoing or a Refusal. All of that in bounded time, in lines without line
breaks, and never with an exception.
"""

import json
import re
import time

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.vol.dialects.port import Description, Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.tasmota import Tasmota
from diat.vol.dialects.tasmota.quantities import QUANTITIES
from diat.wot.schema import compile_check, data_schema
from diat.wot.td import complete, fault

T = Tasmota()
SECONDS = 2.0
MAC = "3C71BF295AB4"
fast = settings(suppress_health_check=[HealthCheck.too_slow])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
small = st.integers(-2, 17)
configs = st.fixed_dictionaries(
    {
        "mac": st.just(MAC),
        "t": st.sampled_from(["plug", "p/+", "\ud800", "ü"]) | st.text(),
        "ft": st.sampled_from(["%prefix%/%topic%/", "%topic%/x", "#", "%hostname%/%id%/%prefix%"])
        | st.text(),
    },
    optional={
        "tp": st.just(["cmnd", "stat", "tele"]) | st.lists(values, max_size=4),
        "rl": st.lists(st.sampled_from([0, 1, 2, 3, 3, 9]), max_size=8) | values,
        "fn": st.lists(st.text(max_size=4) | st.none(), max_size=4) | values,
        "swc": st.lists(small, max_size=4) | values,
        "swn": st.lists(st.text(max_size=4) | st.none(), max_size=4) | values,
        "btn": st.lists(small, max_size=3) | values,
        "so": st.dictionaries(st.sampled_from(["4", "30", "68", "73", "82"]), small | values) | values,
        "state": st.lists(st.text(max_size=3), max_size=5) | values,
        "sho": st.lists(small, max_size=3) | values,
        "sht": st.lists(st.lists(small, max_size=4), max_size=3) | values,
        "hn": values,
        "dn": values,
        "md": values,
        "sw": values,
        "onln": values,
        "ofln": values,
        **dict.fromkeys(("lt_st", "lk", "ty", "if", "bat", "dslp", "ver"), small | values),
    },
)
keys = st.sampled_from(
    [*QUANTITIES, "ENERGY", "ANALOG", "Switch1", "Shutter1", "Time", "PN532", ""]
) | st.text(max_size=3)
sensors = st.dictionaries(
    keys,
    st.recursive(
        scalars,
        lambda inner: st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=3),
        max_leaves=10,
    ),
    max_size=6,
).flatmap(
    lambda said: st.fixed_dictionaries({"TempUnit": st.sampled_from(["C", "F"]) | values}).map(said.__or__)
)
state_keys = st.sampled_from(
    [
        *(
            "POWER",
            "POWER1",
            "Dimmer",
            "HSBColor",
            "CT",
            "White",
            "Scheme",
            "FanSpeed",
            "StatusSNS",
            "StatusSTS",
        ),
        *("Switch1", "Action", "Shutter1", "Position", "Direction", "Tilt", "Wifi", "Channel1"),
    ]
)
states = st.recursive(
    scalars | st.sampled_from(["ON", "OFF", "1,2,3", 50, -1]),
    lambda inner: st.dictionaries(state_keys | keys, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=10,
)
wide = st.sampled_from(
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 5000,
        b'"' + b"x" * 200_000 + b'"',
        b"\xff\xfe",
        b'"\\ud800"',
        b"",
    ]
)
payloads = (
    st.binary()
    | states.map(lambda said: json.dumps(said).encode())
    | st.sampled_from([b"ON", b"OFF", b"Online", b"Offline", b"50"])
    | wide
)
topics = (
    st.text()
    | st.builds("tasmota/discovery/{}".format, st.text())
    | st.builds(
        "tasmota/discovery/{}/{}".format, st.just(MAC) | st.text(), st.sampled_from(["config", "sensors"])
    )
)


def announced(about, said):
    return T.hear(f"tasmota/discovery/{MAC}/{about}", json.dumps(said).encode())


def assert_one_line(*lines):
    assert all("\n" not in line and len(line) < 1000 for line in lines)


@fast
@given(topics, st.binary() | configs.map(lambda said: json.dumps(said).encode()) | wide)
def test_any_topic_and_any_bytes_are_answered(topic, payload):
    start = time.perf_counter()
    answer = T.hear(topic, payload)
    assert answer is None or isinstance(answer, Part | Withdrawal | Refusal)
    if isinstance(answer, Part):
        assert answer.identifiers
    if isinstance(answer, Refusal):
        assert_one_line(answer.reason)
    assert time.perf_counter() - start < SECONDS


@fast
@given(configs, sensors, st.lists(payloads, max_size=4), values)
def test_any_announcement_can_be_described_read_and_driven(config, sn, messages, value):
    heard = [announced("config", config), announced("sensors", {"sn": sn})]
    start = time.perf_counter()
    described = T.describe([part for part in heard if isinstance(part, Part)])
    assert isinstance(described, Description)
    assert described.td["title"]
    assert fault(complete(described.td)) is None
    assert_one_line(*described.notes)
    found = described.td.get("properties", {})
    names = {*found, *described.td.get("actions", {})}
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert described.outlets.keys() <= names
    for about in found.values():
        compile_check(data_schema(about))
    for inlet in described.inlets:
        for payload in messages:
            uptake = inlet.read(payload)
            assert isinstance(uptake, Uptake)
            assert uptake.values.keys() <= names
            assert {name for name, _ in uptake.events} <= described.td.get("events", {}).keys()
            msgspec.json.encode([uptake.values, uptake.events])
            assert_one_line(*uptake.notes)
    for outlet in described.outlets.values():
        for given_value in (value, True, 5, 0.5, "Solid", "\ud800", {"h": 1, "s": 2}, None, float("nan")):
            answer = outlet.write(given_value)
            assert isinstance(answer, Outgoing | Refusal)
    assert time.perf_counter() - start < SECONDS * (1 + len(described.inlets) * len(messages))


def test_giant_announcements_are_bounded():
    config = {"mac": MAC, "t": "plug", "ft": "%prefix%/%topic%/", "rl": [1] * 9000, "swc": [1] * 9000}
    sn = {f"S{i}": {f"v{j}": j for j in range(50)} for i in range(50)}
    start = time.perf_counter()
    described = T.describe([announced("config", config), announced("sensors", {"sn": sn})])
    assert len(described.td["properties"]) < 1000
    assert "only the first 500 values of its sensors are taken" in described.notes
    assert time.perf_counter() - start < 5
